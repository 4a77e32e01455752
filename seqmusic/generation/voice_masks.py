"""Voice leading of the next note: pitches that would cross another voice or move in parallel.

Everything known about the other voices counts: composed notes, and given notes, also later ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile

import numpy as np

from seqmusic.array_types import Mask
from seqmusic.counterpoint import PERFECT_INTERVALS, perfect_parallels
from seqmusic.score import TICKS_PER_SIXTEENTH
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.vocabulary import KEY, MAX_DURATION, N_SOUNDS, PITCH
from seqmusic.tokens.voice_line import Segment, VoiceLine

PerfectMotions = frozenset[tuple[int, int, int]]
"""Motions of other voices from a perfect interval: (pitch that our voice leaves, from, to)."""
NO_MOTIONS: PerfectMotions = frozenset()
PITCHES = np.arange(128, dtype=np.int64)


def faulty_sound_mask(state: GrammarState) -> Mask:
    """(V,) sounds with which the next voice would cross another voice or move in parallel with it.

    Parallel motion is that in fifths, octaves or unisons. The mask is read-only.
    """
    line = state.line
    if line is None:
        return read_only(np.zeros(N_SOUNDS, dtype=bool))
    return _fault_mask(*voice_limits(state, line))


@lru_cache(maxsize=4096)
def _fault_mask(low: int, high: int, motions: PerfectMotions) -> Mask:
    """(V,) pitches outside a range, and those to which a voice would move in parallel."""
    mask = np.zeros(N_SOUNDS, dtype=bool)
    mask[PITCH:KEY] = (low > PITCHES) | (high < PITCHES) | parallel_pitch_mask(motions)
    return read_only(mask)


def voice_limits(state: GrammarState, line: VoiceLine) -> tuple[int, int, PerfectMotions]:
    """Lowest and highest pitch of a line that cross no other voice, and the motions to avoid."""
    low, high, is_lower, motions = 0, 127, False, set()
    earlier = _earlier_ticks(state.tick)
    for other in state.lines:
        if other is line:
            is_lower = True
        elif (pitch := other.pitch_at(state.tick)) is not None:
            low, high = (max(low, pitch), high) if is_lower else (low, min(high, pitch))
            for before in earlier if other.past[-1].onset > earlier[-1] else ():
                start, other_start = line.pitch_at(before), other.pitch_at(before)
                if start is None or other_start is None or other_start == pitch:
                    continue
                if abs(start - other_start) % 12 in PERFECT_INTERVALS:
                    motions.add((start, other_start, pitch))
    return low, high, frozenset(motions)


def parallel_pitch_mask(motions: PerfectMotions) -> Mask:
    """(128,) pitches that would be reached in parallel with one of the motions."""
    found = np.zeros(len(PITCHES), dtype=bool)
    for motion in motions:
        found |= _parallel_mask(*motion)
    return found


@lru_cache(maxsize=4096)
def _parallel_mask(start: int, other_start: int, other_end: int) -> Mask:
    """(128,) pitches to which a voice would move in parallel with the other one."""
    return read_only(perfect_parallels(start, PITCHES, other_start, other_end))


def strict_max_duration(state: GrammarState, line: VoiceLine, pitch: int, max_duration: int) -> int:
    """How many ticks a pitch may last, `max_duration` at most, without crossing or parallels."""
    tick, hole_end = state.tick, line.hole_end
    limit = min([max_duration, *_crossing_durations(state, line, pitch)])
    grid = _next_sixteenth(tick + 1)
    if limit > grid - tick > 0 and _moves_in_parallel(
        state, line, Segment(tick, tick + limit, pitch + PITCH_CODE), grid
    ):
        limit = grid - tick
    if limit == hole_end - tick:
        note = Segment(tick, hole_end, pitch + PITCH_CODE)
        limit -= any(
            _moves_in_parallel(state, line, note, end)
            for end in (hole_end, _next_sixteenth(hole_end))
        )
    return limit


def _crossing_durations(state: GrammarState, line: VoiceLine, pitch: int) -> Iterator[int]:
    """Ticks from now to each known note that a pitch of the line would cross by lasting so long."""
    sign = -1  # the voices before the line are above it
    for other in state.lines:
        if other is line:
            sign = 1
            continue
        for segment in _nearby_segments(other, state.tick):
            is_pitch = segment.code >= PITCH_CODE
            crosses = is_pitch and (segment.code - PITCH_CODE - pitch) * sign > 0
            if crosses and segment.end > state.tick:
                yield segment.onset - state.tick


def _moves_in_parallel(state: GrammarState, line: VoiceLine, note: Segment, tick: int) -> bool:
    """Whether the line, with one more note, moves into a tick in parallel with a known voice."""

    def pitch_at(moment: int) -> int | None:
        is_in_note = note.onset <= moment < note.end
        return note.code - PITCH_CODE if is_in_note else line.pitch_at(moment)

    end = pitch_at(tick)
    for before in _earlier_ticks(tick):
        start = pitch_at(before)
        for other in state.lines:
            if other is line or start is None or end is None:
                continue
            other_start, other_end = other.pitch_at(before), other.pitch_at(tick)
            if other_start is None or other_end is None:
                continue
            if _parallel_mask(start, other_start, other_end)[end]:
                return True
    return False


def _next_sixteenth(tick: int) -> int:
    """The first tick of the sixteenth grid that is not before `tick`."""
    return -(-tick // TICKS_PER_SIXTEENTH) * TICKS_PER_SIXTEENTH


def _earlier_ticks(tick: int) -> tuple[int, ...]:
    """Ticks to compare with: the last one, and on the sixteenth grid also a sixteenth before."""
    return (tick - 1,) if tick % TICKS_PER_SIXTEENTH else (tick - 1, tick - TICKS_PER_SIXTEENTH)


def _nearby_segments(line: VoiceLine, tick: int) -> Iterator[Segment]:
    """What is known of a line from now to the longest note ahead, in order of onset."""
    yield from line.past[-1:]
    yield from takewhile(
        lambda segment: segment.onset <= tick + MAX_DURATION, reversed(line.upcoming)
    )


def read_only(mask: Mask) -> Mask:
    """The mask itself, which can no longer be written to."""
    mask.flags.writeable = False
    return mask
