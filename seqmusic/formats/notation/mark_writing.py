"""Texts, brackets, ficta and line breaks as music21 elements."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from music21 import expressions, layout, spanner, stream

from seqmusic.formats.notation.measure_writing import WrittenElement
from seqmusic.formats.score_marks import ScoreMarks
from seqmusic.score import TICKS_PER_QUARTER, Bar

_SIGNS = {-2: "♭♭", -1: "♭", 0: "♮", 1: "♯", 2: "♯♯"}


def mark_measure(
    measure: stream.Measure, bar: Bar, elements: Sequence[WrittenElement], marks: ScoreMarks
) -> None:
    """Add the texts and the line break of a measure, and move the accidentals of ficta above.

    Args:
        measure: of one staff.
        bar: the bar that it shows.
        elements: of its voices.
        marks: of its voices.
    """
    if bar.onset_ticks in marks.break_ticks:
        measure.insert(0, layout.SystemLayout(isNew=True))
    for text in marks.texts:
        if bar.onset_ticks <= text.onset_ticks < bar.end_ticks:
            _insert_text(measure, bar, text.onset_ticks, text.text)
    ficta = {f"v{one.voice}-{one.onset_ticks}" for one in marks.ficta}
    for event, element in elements:
        sign = element.pitch.accidental if element.id in ficta else None
        if sign is not None and sign.displayStatus:
            element.pitch.accidental.displayStatus = False
            _insert_text(measure, bar, event.onset_ticks, _SIGNS[int(element.pitch.alter)])


def _insert_text(measure: stream.Measure, bar: Bar, tick: int, text: str) -> None:
    written = expressions.TextExpression(text)
    written.placement = "above"
    measure.insert(Fraction(tick - bar.onset_ticks, TICKS_PER_QUARTER), written)


def add_brackets(part: stream.Part, elements: Mapping[str, Any], marks: ScoreMarks) -> None:
    """Add brackets to a part.

    Args:
        part: of one staff.
        elements: its notes by their ids.
        marks: of its voices.
    """
    for bracket in marks.brackets:
        ends = [
            elements.get(f"v{bracket.voice}-{tick}")
            for tick in (bracket.onset_ticks, bracket.last_onset_ticks)
        ]
        if None not in ends:
            line = spanner.Line(*ends, lineType="solid", tick="down")
            line.placement = "below"
            part.insert(0, line)
