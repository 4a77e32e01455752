"""Voice leading as the next voice may make it: where it would cross another one, or move in parallel with it.

Looked at is all that is known around: what was composed, and what is given, ahead too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Mask
from seqmusic.score import TICKS_PER_SIXTEENTH
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.vocabulary import KEY, MAX_DURATION, N_SOUNDS, PITCH
from seqmusic.tokens.voice_line import Segment, VoiceLine

PerfectMotions = frozenset[
    tuple[int, int, int]
]  # of each, the pitch that a voice leaves, and from where to where another one goes
NO_MOTIONS: PerfectMotions = frozenset()
PITCHES = np.arange(128)
_PERFECT_INTERVALS = (0, 7)  # semitones of unisons, octaves and fifths, octaves apart


def faulty_sound_mask(state: GrammarState) -> Mask:
    """(V,) sounds by which the next voice would cross another one, or move in parallel fifths, octaves or unisons with it.

    Not to be written to.
    """
    line = state.line
    return (
        read_only(np.zeros(N_SOUNDS, dtype=bool))
        if line is None
        else _fault_mask(*voice_limits(state, line))
    )


@lru_cache(maxsize=4096)
def _fault_mask(low: int, high: int, motions: PerfectMotions) -> Mask:
    """(V,) pitches outside a range, and those to which a voice would move in parallel."""
    mask = np.zeros(N_SOUNDS, dtype=bool)
    mask[PITCH:KEY] = (low > PITCHES) | (high < PITCHES) | parallel_pitch_mask(motions)
    return read_only(mask)


def voice_limits(state: GrammarState, line: VoiceLine) -> tuple[int, int, PerfectMotions]:
    """The lowest and the highest pitch that crosses no other voice now, and what of the others a voice may be in parallel with."""
    low, high, is_lower, motions = 0, 127, False, set()
    befores = _earlier_ticks(state.tick)
    for other in state.lines:
        if other is line:
            is_lower = True
        elif (pitch := other.pitch_at(state.tick)) is not None:
            low, high = (max(low, pitch), high) if is_lower else (low, min(high, pitch))
            for before in befores if other.past[-1].onset > befores[-1] else ():
                start, was = line.pitch_at(before), other.pitch_at(before)
                if (
                    start is not None
                    and was is not None
                    and was != pitch
                    and abs(start - was) % 12 in _PERFECT_INTERVALS
                ):
                    motions.add((start, was, pitch))
    return low, high, frozenset(motions)


def parallel_pitch_mask(motions: PerfectMotions) -> Mask:
    """(128,) pitches that would be reached in parallel with one of the moves."""
    found = np.zeros(len(PITCHES), dtype=bool)
    for move in motions:
        found |= _parallel_mask(*move)
    return found


@lru_cache(maxsize=4096)
def _parallel_mask(start: int, other_start: int | None, other_end: int | None) -> Mask:
    """(128,) the pitches to which a voice would move in parallel with the other one."""
    return read_only(parallel_motion_mask(start, PITCHES, other_start, other_end))


def strict_max_duration(state: GrammarState, line: VoiceLine, pitch: int, max_duration: int) -> int:
    """How many ticks a pitch may last, `max_duration` at most, before it crosses a voice or moves in parallel with one."""
    limit, tick, is_lower = max_duration, state.tick, False
    for other in state.lines:
        if other is line:
            is_lower = True
            continue
        for segment in _nearby_segments(other, tick):
            crosses = (
                segment.code >= PITCH_CODE
                and (segment.code - PITCH_CODE - pitch) * (1 if is_lower else -1) > 0
            )
            if crosses and segment.end > tick:
                limit = min(limit, segment.onset - tick)
    grid = -(-(tick + 1) // TICKS_PER_SIXTEENTH) * TICKS_PER_SIXTEENTH
    if limit > grid - tick > 0 and _moves_in_parallel(
        state, line, Segment(tick, tick + limit, pitch + PITCH_CODE), grid
    ):
        limit = grid - tick
    hole_end = line.hole_end
    if limit == hole_end - tick:
        own = Segment(tick, hole_end, pitch + PITCH_CODE)
        after = -(-hole_end // TICKS_PER_SIXTEENTH) * TICKS_PER_SIXTEENTH
        limit -= _moves_in_parallel(state, line, own, hole_end) or _moves_in_parallel(
            state, line, own, after
        )
    return limit


def _moves_in_parallel(state: GrammarState, line: VoiceLine, own: Segment, tick: int) -> bool:
    """Whether the line, with a tile of its own, moves into a tick in parallel with a voice that is known there."""

    def pitch_at(moment: int) -> int | None:
        return own.code - PITCH_CODE if own.onset <= moment < own.end else line.pitch_at(moment)

    end = pitch_at(tick)
    for before in _earlier_ticks(tick):
        start = pitch_at(before)
        for other in state.lines:
            is_known = other is not line and start is not None and end is not None
            if (
                is_known
                and _parallel_mask(start, other.pitch_at(before), other.pitch_at(tick))[end]
            ):
                return True
    return False


def parallel_motion_mask(
    start: int, ends: NDArray[np.int64], other_start: int | None, other_end: int | None
) -> Mask:
    """Of each end, whether a voice going there moves in parallel fifths, octaves or unisons with the other one.

    >>> parallel_motion_mask(60, np.array([62, 60, 58]), 67, 69).tolist()
    [True, False, False]
    """
    if other_start is None or other_end is None or other_start == other_end:
        return np.zeros(len(ends), dtype=bool)
    interval = abs(start - other_start) % 12
    same_way = np.sign(ends - start) == (1 if other_end > other_start else -1)
    return np.asarray(
        same_way & (np.abs(ends - other_end) % 12 == interval) & (interval in _PERFECT_INTERVALS)
    )


def _earlier_ticks(tick: int) -> tuple[int, ...]:
    """Ticks to compare with: the one before, and on the sixteenth grid the sixteenth before."""
    return (tick - 1,) if tick % TICKS_PER_SIXTEENTH else (tick - 1, tick - TICKS_PER_SIXTEENTH)


def _nearby_segments(line: VoiceLine, tick: int) -> Iterator[Segment]:
    """What is known of a line from now to the longest note ahead, in order of time."""
    yield from line.past[-1:]
    yield from takewhile(
        lambda segment: segment.onset <= tick + MAX_DURATION, reversed(line.upcoming)
    )


def read_only(mask: Mask) -> Mask:
    mask.flags.writeable = False
    return mask
