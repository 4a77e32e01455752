"""Played times put on the grid of a score: 24 ticks to a quarter, one note after the other.

What does not fall on the grid is refused, with two repairs for files that were made for playing: a note that ends off the grid just
before the next one (or before the sixteenth where it should end) lasts until then, and a note that still sounds less than a
thirty-second into the next is cut there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from seqmusic.errors import FormatError
from seqmusic.score import TICKS_PER_QUARTER, TICKS_PER_SIXTEENTH, Note
from seqmusic.tonality import spell

_GRID_ERROR = 0.1  # ticks; or half a unit of the file, which is as near as it can say
_THIRTY_SECOND = TICKS_PER_QUARTER // 8
_REMEDY = "a performance without a grid cannot be read, quantize it first (to thirty-seconds or sixteenth triplets)"


class PlayedNote(NamedTuple):
    """A note in the time of a file.

    Attributes:
        start: first moment, in units of the file.
        end: first moment after it.
        pitch: MIDI number.
    """

    start: int
    end: int
    pitch: int


def line_on_grid(played: Iterable[PlayedNote], units_per_tick: float, place: str) -> tuple[Note, ...]:
    """Notes of one voice in order of time.

    Args:
        played: notes in any order.
        units_per_tick: units of the file's time in a tick.
        place: what the notes are, for the message of an error.

    Raises:
        FormatError: a time is off the grid, two notes sound at once, or a note lasts no time.

    >>> line_on_grid([PlayedNote(0, 475, 60), PlayedNote(480, 975, 62), PlayedNote(960, 1120, 64)], 20.0, "track 1")
    (Note(onset_ticks=0, duration_ticks=24, pitch=60, fermata=False), Note(onset_ticks=24, duration_ticks=24, pitch=62, \
fermata=False), Note(onset_ticks=48, duration_ticks=8, pitch=64, fermata=False))
    """
    ordered = sorted(played)
    onsets = [on_grid(note.start, units_per_tick) for note in ordered]
    line = []
    for index, (note, onset) in enumerate(zip(ordered, onsets, strict=True)):
        if onset is None:
            raise FormatError(f"{place}: a note starts off the grid, {note.start} units from the start; {_REMEDY}")
        following = onsets[index + 1] if index + 1 < len(ordered) else None
        end = _end_on_grid(note, units_per_tick, onset, following)
        if end is None:
            raise FormatError(f"{place}: a note ends off the grid, {note.end} units from the start; {_REMEDY}")
        if end <= onset:
            raise FormatError(f"{place}: a note lasts no time, {note.start} units from the start")
        if following is not None and onset < following < end < following + _THIRTY_SECOND:
            end = following
        if following is not None and following < end:
            raise FormatError(f"{place}: {_two_at_once(note, ordered[index + 1], following)}")
        line.append(Note(onset, end - onset, note.pitch))
    return tuple(line)


def on_grid(moment: int, units_per_tick: float) -> int | None:
    """The nearest tick; None if it is too far to be meant.

    >>> on_grid(160, 20.0), on_grid(161, 20.0), on_grid(170, 20.0)
    (8, 8, None)
    """
    nearest = round(moment / units_per_tick)
    return nearest if abs(moment - nearest * units_per_tick) <= max(0.5, _GRID_ERROR * units_per_tick) else None


def _end_on_grid(note: PlayedNote, units_per_tick: float, onset: int, following: int | None) -> int | None:
    if (end := on_grid(note.end, units_per_tick)) is not None:
        return end
    exact = note.end / units_per_tick
    if following is not None and following < exact:
        return math.ceil(exact)  # into the next note: the caller judges how far
    sixteenth = TICKS_PER_SIXTEENTH * math.ceil(exact / TICKS_PER_SIXTEENTH)
    meant = sixteenth if following is None else min(sixteenth, following)
    return meant if meant - exact < max(_THIRTY_SECOND, (exact - onset) / 10) else None


def _two_at_once(note: PlayedNote, other: PlayedNote, tick: int) -> str:
    both = f"{spell(note.pitch, None)} and {spell(other.pitch, None)}"
    where = f"{both}, {tick / TICKS_PER_QUARTER:g} quarter notes from the start"
    return f"two notes sound at once, {where}; give each voice a track of its own"
