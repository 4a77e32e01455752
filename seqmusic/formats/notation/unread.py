"""Counts what a music21 stream holds and the score read from it does not."""

from __future__ import annotations

from typing import Any

from music21 import bar, dynamics, expressions, harmony, key, layout, note, repeat, spanner, tempo

from seqmusic.formats.notation.aligned_measures import part_name
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
    """Count what the score of some parts does not hold, except notes.

    Notes that are not read are counted by the code that reads notes.

    Args:
        parts: music21 parts.
        parsed: the stream that holds them.
        left_out: counts what is found.
    """
    for element in getattr(parsed, "spanners", ()):
        _count_mark(element, "", left_out)
    for part in parts:
        name = f"part {part_name(part)!r}" if part.partName else ""
        for element in part.recurse():
            location = _location(element.measureNumber, name)
            if isinstance(element, key.KeySignature | tempo.MetronomeMark):
                if element.getOffsetInHierarchy(part):  # those at the beginning are in the score
                    what = "key" if isinstance(element, key.KeySignature) else "tempo"
                    left_out.add(f"changes of {what} left out", location)
            elif isinstance(element, note.GeneralNote) and not isinstance(element, harmony.Harmony):
                _count_marks_on_note(element, location, left_out)
            else:
                _count_mark(element, location, left_out)


def _location(measure: int | None, part: str) -> str:
    if measure is None:
        return ""
    return f"measure {measure} of {part}" if part else f"measure {measure}"


def _count_mark(element: Any, location: str, left_out: Tally) -> None:
    message = next((text for types, text in _MARK_MESSAGES if isinstance(element, types)), "")
    if message:
        left_out.add(message, location)


def _count_marks_on_note(element: Any, location: str, left_out: Tally) -> None:
    if element.lyrics:
        left_out.add("syllables of text left out", location, len(element.lyrics))
    if element.articulations:
        left_out.add("articulations left out", location, len(element.articulations))
    for mark in element.expressions:
        if not isinstance(mark, expressions.Fermata):
            left_out.add("ornaments and other signs left out", location)
        elif isinstance(element, note.Rest):
            left_out.add("fermatas over rests left out", location)
    if element.hasStyleInformation and element.style.noteSize == "cue":
        left_out.add("small (cue) notes read as all others", location)
