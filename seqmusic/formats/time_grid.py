"""Played times put on the grid of a score: 24 ticks to a quarter note, or coarser.

A note starts at the nearest tick. It ends at the nearest tick too, with two corrections for files
that were made for playing: a note that ends off the grid just before another starts (or before the
sixteenth where it should end) lasts until then, and a note that still sounds less than a
thirty-second into another is cut there.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import count, pairwise, zip_longest
from typing import NamedTuple

import numpy as np

from seqmusic.formats.rhythm import Quantizer
from seqmusic.score import TICKS_PER_QUARTER, TICKS_PER_SIXTEENTH, TICKS_PER_WHOLE, Note

BEAT_DIVISIONS = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24)
"""Equal parts of a quarter note at which the onsets of a beat may fall."""
_TOLERANCE_TICKS = 0.1  # or half a unit of the file, which is its accuracy
_THIRTY_SECOND = TICKS_PER_QUARTER // 8
# Played to a click (30 ms off, 120 a minute) gives 0.33 and more, onsets at random 0.21 and less.
_MIN_BEAT_STRENGTH = 0.25
_MIN_ONSETS = 32  # for fewer the strength of a beat means little


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
    """How far what was off the grid was moved.

    Attributes:
        onsets: distance of each onset that was moved, in ticks.
        ends: distance of each end that was moved, in ticks.
        n_too_short: notes left out because the grid has no room for them.
    """

    onsets: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    n_too_short: int = 0

    def messages(self, n_notes: int) -> tuple[str, ...]:
        """One for onsets, one for ends, one for notes too short, where there are any."""
        messages = []
        for what, moves in (("starts", self.onsets), ("ends", self.ends)):
            if moves:
                grid = f"moved to the grid of {TICKS_PER_QUARTER} ticks a quarter"
                by = f"by {sum(moves) / len(moves):.2f} ticks on average, {max(moves):.2f} at most"
                messages.append(f"{what} of notes {grid}: {len(moves)} of {n_notes}, {by}")
        if self.n_too_short:
            messages.append(f"notes too short for the grid left out: {self.n_too_short}")
        return tuple(messages)


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
    """Numerator and denominator of a length as a fraction of a whole note.

    The denominator is the one given, or the smallest greater one of 4, 8, 16 and 32 that is exact;
    None where none is.

    >>> fraction_of_whole(84, 8), fraction_of_whole(24, 8), fraction_of_whole(12, 4)
    ((7, 8), (2, 8), (1, 8))
    >>> fraction_of_whole(8, 4) is None
    True
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
        shifts: gets the distances by which notes are moved.
        quantizer: moves a time in ticks to a tick of the grid, by default to the nearest.

    >>> played = [PlayedNote(0, 475, 60), PlayedNote(483, 975, 62), PlayedNote(960, 1120, 64)]
    >>> shifts = Shifts()
    >>> notes = quantize(played, 20.0, shifts)
    >>> [(note.onset_ticks, note.end_ticks) for note in notes], len(shifts.onsets)
    ([(0, 24), (24, 48), (48, 56)], 1)
    """
    ordered = sorted(played)
    if quantizer is round and _is_on_grid(ordered, units_per_tick):
        notes = [
            Note(int(start // units_per_tick), int((end - start) // units_per_tick), pitch)
            for start, end, pitch in ordered
        ]
    else:
        notes = _moved_notes(ordered, units_per_tick, shifts, quantizer)
    return tuple(sorted(notes, key=lambda note: (note.onset_ticks, note.pitch)))


def _is_on_grid(notes: Iterable[PlayedNote], units_per_tick: float) -> bool:
    return not any(note.start % units_per_tick or note.end % units_per_tick for note in notes)


def _moved_notes(
    ordered: Sequence[PlayedNote], units_per_tick: float, shifts: Shifts, quantizer: Quantizer
) -> list[Note]:
    onsets = [quantizer(note.start / units_per_tick) for note in ordered]
    distinct = sorted(set(onsets))
    tolerance = max(0.5 / units_per_tick, _TOLERANCE_TICKS)
    notes = []
    for note, onset, later, later_onset in zip_longest(ordered, onsets, ordered[1:], onsets[1:]):
        if later and later_onset == onset and note.end <= later.start:
            shifts.n_too_short += 1
            continue
        start, end = note.start / units_per_tick, note.end / units_per_tick
        if quantizer is round:
            moved_end = _quantized_end(onset, end, distinct, tolerance)
        else:
            moved_end = quantizer(end)
        if moved_end <= onset:  # the next tick of the grid
            moved_end = next(
                following for ticks in count(onset + 1) if (following := quantizer(ticks)) > onset
            )
        shifts.onsets += [abs(start - onset)] * (abs(start - onset) > tolerance)
        shifts.ends += [abs(end - moved_end)] * (abs(end - moved_end) > tolerance)
        notes.append(Note(onset, moved_end - onset, note.pitch))
    return notes


def _quantized_end(onset: int, end: float, onsets: Sequence[int], tolerance: float) -> int:
    """The tick where a note ends that was played until `end`.

    Args:
        onset: of the note, in ticks.
        end: as played, in ticks.
        onsets: of all notes of its part, rising.
        tolerance: in ticks.
    """
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
    """Notes by onset; each that sounds less than a thirty-second into the next one is cut there.

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
    """The first two of notes in order of onset that sound at once; None where they are one line.

    >>> first_overlap([Note(0, 24, 60), Note(24, 24, 62)]) is None
    True
    """
    return next(((a, b) for a, b in pairwise(notes) if b.onset_ticks < a.end_ticks), None)


def beat_strength(onsets: Iterable[float]) -> float:
    """How strongly onsets, in quarter notes, keep to a beat: 1 where all do, near 0 at random.

    It is the length of the mean of the onsets as directions on a circle that is gone round once
    each beat, for the part of a quarter note in `BEAT_DIVISIONS` that fits best. Onsets that are
    all a little late keep to a beat too.

    >>> round(beat_strength([0.1, 1.1, 1.6, 2.1, 2.35]), 3)
    1.0

    Source: the statistic of Rayleigh's test, Mardia & Jupp, Directional Statistics, 2000, 6.3.1.
    """
    distinct = np.array(sorted(set(onsets)))
    if not distinct.size:
        return 1.0
    return max(float(abs(np.exp(2j * np.pi * n * distinct).mean())) for n in BEAT_DIVISIONS)


def describe_missing_beat(onsets: Collection[float]) -> str | None:
    """Why distinct onsets, in quarter notes, are not put on a grid: they keep to no beat.

    None where they do, or are too few to judge.
    """
    if len(onsets) < _MIN_ONSETS or (strength := beat_strength(onsets)) >= _MIN_BEAT_STRENGTH:
        return None
    numbers = f"strength {strength:.2f} of 1, expected {_MIN_BEAT_STRENGTH} or more"
    return f"its {len(onsets):,} onsets keep to no beat ({numbers})"
