"""Texts, brackets, ficta and line breaks as a LilyPond variable of spacers beside a voice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction

from seqmusic.formats.score_marks import ScoreMarks
from seqmusic.score import TICKS_PER_WHOLE


def marks_variable(name: str, marks: ScoreMarks, end_ticks: int) -> str:
    """A variable that is set together with the voice which the marks belong to.

    Args:
        name: of the variable.
        marks: of the voice.
        end_ticks: of the music.
    """
    moments = sorted(
        {one.onset_ticks for one in marks.texts}
        | {one.onset_ticks for one in marks.ficta}
        | {tick for one in marks.brackets for tick in (one.onset_ticks, one.last_onset_ticks)}
        | set(marks.break_ticks)
    )
    lines = []
    if moments and moments[0] > 0:
        lines.append(f"  {_spacer(moments[0])}")
    for start, end in itertools.pairwise([*moments, end_ticks]):
        commands = " ".join(_commands(marks, start))
        posts = "".join(_post_events(marks, start))
        lines.append(f"  {commands} {_spacer(end - start)}{posts}".rstrip())
    return "\n".join([f"{name} = {{", *lines, "}\n"])


def _spacer(ticks: int) -> str:
    return f"s1*{Fraction(ticks, TICKS_PER_WHOLE)}"


def _commands(marks: ScoreMarks, tick: int) -> Iterator[str]:
    if tick and tick in marks.break_ticks:
        yield r"\break"
    if any(one.onset_ticks == tick for one in marks.ficta):
        yield r"\once \set suggestAccidentals = ##t"


def _post_events(marks: ScoreMarks, tick: int) -> Iterator[str]:
    for text in marks.texts:
        if text.onset_ticks == tick:
            escaped = text.text.replace("\\", "\\\\").replace('"', '\\"')
            yield f'^"{escaped}"'
    for bracket in marks.brackets:
        if bracket.onset_ticks == tick and bracket.last_onset_ticks > tick:
            yield r"\startGroup"
        elif bracket.last_onset_ticks == tick and bracket.onset_ticks < tick:
            yield r"\stopGroup"
