"""What stands in a music21 stream and not in the score read from it, counted."""

from __future__ import annotations

from typing import Any

from music21 import bar, dynamics, expressions, harmony, key, layout, note, repeat, spanner, tempo

from seqmusic.formats.read_report import Tally

_MARK_MESSAGES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (layout.StaffGroup, ""),
    (harmony.Harmony, "chord symbols left out"),
    (dynamics.Dynamic, "dynamics left out"),
    (dynamics.DynamicWedge, "hairpins left out"),
    (spanner.RepeatBracket, "endings of repeats read one after the other, as written"),
    (
        (bar.Repeat, repeat.RepeatMark),
        "repeat signs not carried out: each bar is read once, as written",
    ),
    (spanner.Slur, "slurs left out"),
    (spanner.Spanner, "lines and brackets left out"),
    (
        (expressions.TextExpression, expressions.RehearsalMark, tempo.TempoText),
        "words over the music left out",
    ),
)


def count_unread(parts: list[Any], parsed: Any, left_out: Tally) -> None:
    """Count into `left_out` what the score of some parts does not hold, but for notes, which are counted where they are read.

    Args:
        parts: music21 parts.
        parsed: the stream that they stand in.
        left_out: is told.
    """
    for element in getattr(parsed, "spanners", ()):
        _count_mark(element, "", left_out)
    for part in parts:
        name = f"part {' '.join((part.partName or '').split())!r}" if part.partName else ""
        for element in part.recurse():
            place = _location(element.measureNumber, name)
            if isinstance(element, key.KeySignature | tempo.MetronomeMark):
                if element.getOffsetInHierarchy(part):  # those at the beginning are in the score
                    left_out.add(
                        f"changes of {'key' if isinstance(element, key.KeySignature) else 'tempo'} left out",
                        place,
                    )
            elif isinstance(element, note.GeneralNote) and not isinstance(element, harmony.Harmony):
                _count_on_note(element, place, left_out)
            else:
                _count_mark(element, place, left_out)


def _location(measure: int | None, part: str) -> str:
    return (
        "" if measure is None else f"measure {measure} of {part}" if part else f"measure {measure}"
    )


def _count_mark(element: Any, place: str, left_out: Tally) -> None:
    what = next((words for kinds, words in _MARK_MESSAGES if isinstance(element, kinds)), "")
    if what:
        left_out.add(what, place)


def _count_on_note(element: Any, place: str, left_out: Tally) -> None:
    if element.lyrics:
        left_out.add("syllables of text left out", place, len(element.lyrics))
    if element.articulations:
        left_out.add("articulations left out", place, len(element.articulations))
    for mark in element.expressions:
        if not isinstance(mark, expressions.Fermata):
            left_out.add("ornaments and other signs left out", place)
        elif isinstance(element, note.Rest):
            left_out.add("fermatas over rests left out", place)
    if element.hasStyleInformation and element.style.noteSize == "cue":
        left_out.add("small (cue) notes read as all others", place)
