"""Played times put on the grid of a score: 24 ticks to a quarter note, or coarser.

A note starts at the nearest tick. It ends at the nearest tick too, with two repairs for files that were made for playing: a note
that ends off the grid just before another starts (or before the sixteenth where it should end) lasts until then, and a note that
still sounds less than a thirty-second into another is cut there.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import count, pairwise, zip_longest
from typing import NamedTuple

import numpy as np

from seqmusic.formats.rhythm import Quantizer
from seqmusic.score import TICKS_PER_QUARTER, TICKS_PER_SIXTEENTH, TICKS_PER_WHOLE, Note

BEAT_DIVISIONS = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24)
"""Places in a quarter note that a beat may have."""
_TOLERANCE_TICKS = 0.1  # ticks; or half a unit of the file, which is as near as it can say
_THIRTY_SECOND = TICKS_PER_QUARTER // 8


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


@dataclass(slots=True)
class Shifts:
    """How far what was off the grid was moved, in ticks, and how many notes were too short for it."""

    onsets: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    n_too_short: int = 0

    def messages(self, n_notes: int) -> tuple[str, ...]:
        """One for onsets, one for ends, one for notes too short, where there are any."""
        told = []
        for what, moved in (("starts", self.onsets), ("ends", self.ends)):
            if moved:
                by = f"by {sum(moved) / len(moved):.2f} ticks on average, {max(moved):.2f} at most"
                told.append(
                    f"{what} of notes moved to the grid of {TICKS_PER_QUARTER} ticks a quarter: {len(moved)} of {n_notes}, {by}"
                )
        if self.n_too_short:
            told.append(f"notes too short for the grid left out: {self.n_too_short}")
        return tuple(told)


def nearest_tick(
    quarters: Fraction, moves: list[float], step_ticks: int = 1, tolerance: Fraction = Fraction(0)
) -> int:
    """The tick nearest to a time in quarter notes.

    Args:
        quarters: the time.
        moves: gets the distance in ticks where it is greater than the tolerance.
        step_ticks: the result is a multiple of it.
        tolerance: in ticks.

    >>> moves = []
    >>> nearest_tick(Fraction(1, 2), moves), nearest_tick(Fraction(1, 5), moves), moves
    (12, 5, [0.2])
    """
    ticks = quarters * TICKS_PER_QUARTER
    nearest = step_ticks * round(ticks / step_ticks)
    if abs(ticks - nearest) > tolerance:
        moves.append(abs(float(ticks - nearest)))
    return nearest


def fraction_of_whole(ticks: int, denominator: int) -> tuple[int, int] | None:
    """Numerator and denominator of a length in parts of a whole note, as coarse as it can be told but not coarser than given.

    >>> fraction_of_whole(84, 8), fraction_of_whole(24, 8), fraction_of_whole(12, 4), fraction_of_whole(8, 4)
    ((7, 8), (2, 8), (1, 8), None)
    """
    for finer in (denominator, 4, 8, 16, 32):
        if finer >= denominator and ticks * finer % TICKS_PER_WHOLE == 0:
            return ticks * finer // TICKS_PER_WHOLE, finer
    return None


def quantize(
    played: Iterable[PlayedNote],
    units_per_tick: float,
    shifts: Shifts,
    quantizer: Quantizer = round,
) -> tuple[Note, ...]:
    """Notes that sound together, by onset and pitch.

    Args:
        played: notes of one part, in any order.
        units_per_tick: units of the file's time in a tick.
        shifts: is told how far notes are moved.
        quantizer: moves a time in ticks to a tick of the grid; to the nearest tick when not said.

    >>> notes, shifts = [PlayedNote(0, 475, 60), PlayedNote(483, 975, 62), PlayedNote(960, 1120, 64)], Shifts()
    >>> [(note.onset_ticks, note.end_ticks) for note in quantize(notes, 20.0, shifts)], len(shifts.onsets)
    ([(0, 24), (24, 48), (48, 56)], 1)
    """
    ordered = sorted(played)
    if quantizer is round and all(
        (note.start % units_per_tick or note.end % units_per_tick) == 0 for note in ordered
    ):
        notes = [
            Note(int(start // units_per_tick), int((end - start) // units_per_tick), pitch)
            for start, end, pitch in ordered
        ]
        return tuple(sorted(notes, key=_onset_and_pitch))
    onsets = [quantizer(note.start / units_per_tick) for note in ordered]
    distinct = sorted(set(onsets))
    tolerance = max(0.5 / units_per_tick, _TOLERANCE_TICKS)
    notes = []
    for note, onset, later, later_onset in zip_longest(ordered, onsets, ordered[1:], onsets[1:]):
        if later and later_onset == onset and note.end <= later.start:
            shifts.n_too_short += 1
            continue
        start, end = note.start / units_per_tick, note.end / units_per_tick
        placed = (
            _quantized_end(onset, end, distinct, tolerance)
            if quantizer is round
            else quantizer(end)
        )
        if placed <= onset:
            placed = next(
                later for ticks in count(onset + 1) if (later := quantizer(ticks)) > onset
            )
        shifts.onsets += [abs(start - onset)] * (abs(start - onset) > tolerance)
        shifts.ends += [abs(end - placed)] * (abs(end - placed) > tolerance)
        notes.append(Note(onset, placed - onset, note.pitch))
    return tuple(sorted(notes, key=_onset_and_pitch))


def _onset_and_pitch(note: Note) -> tuple[int, int]:
    return note.onset_ticks, note.pitch


def _quantized_end(onset: int, end: float, onsets: Sequence[int], tolerance: float) -> int:
    """The tick where a note ends that ends at `end`, which is exact; `onsets` are those of all notes it sounds with, rising."""
    nearest = round(end)
    if abs(end - nearest) <= tolerance:
        return nearest
    index = bisect_left(onsets, end)
    if index and onset < onsets[index - 1] and end - onsets[index - 1] < _THIRTY_SECOND:
        return onsets[index - 1]
    sixteenth = TICKS_PER_SIXTEENTH * math.ceil(end / TICKS_PER_SIXTEENTH)
    meant = min(sixteenth, onsets[index]) if index < len(onsets) else sixteenth
    return meant if meant - end < max(_THIRTY_SECOND, (end - onset) / 10) else nearest


def without_legato(notes: Sequence[Note], shifts: Shifts) -> tuple[Note, ...]:
    """Notes by onset, each that sounds less than a thirty-second into the next one cut there.

    >>> [note.end_ticks for note in without_legato([Note(0, 26, 60), Note(24, 24, 62)], Shifts())]
    [24, 48]
    """
    cut = list(notes)
    for index, (note, following) in enumerate(pairwise(notes)):
        beyond = note.end_ticks - following.onset_ticks
        if note.onset_ticks < following.onset_ticks and 0 < beyond < _THIRTY_SECOND:
            cut[index] = replace(note, duration_ticks=note.duration_ticks - beyond)
            shifts.ends.append(beyond)
    return tuple(cut)


def first_overlap(notes: Sequence[Note]) -> tuple[Note, Note] | None:
    """The first two of these notes, which stand by onset, that sound at once; None where they are one line.

    >>> first_overlap([Note(0, 24, 60), Note(24, 24, 62)]) is None
    True
    """
    return next(((a, b) for a, b in pairwise(notes) if b.onset_ticks < a.end_ticks), None)


def beat_strength(onsets: Iterable[float]) -> float:
    """How strongly onsets, in quarter notes, keep to places of a beat: 1 where all do, near 0 where they fall anywhere.

    It is the length of the mean of the onsets as directions on a circle that turns once each beat (the statistic of Rayleigh's
    test, Mardia & Jupp, Directional Statistics, 2000, 6.3.1), for the part of a quarter note in `BEAT_DIVISIONS` that fits best. Onsets that
    are all a little late keep to a beat too.

    >>> round(beat_strength([0.1, 1.1, 1.6, 2.1, 2.35]), 3)
    1.0
    """
    at = np.array(sorted(set(onsets)))
    return (
        max(float(abs(np.exp(2j * np.pi * parts * at).mean())) for parts in BEAT_DIVISIONS)
        if at.size
        else 1.0
    )
