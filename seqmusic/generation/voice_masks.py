"""Voice leading as the next voice may make it: where it would cross another one, or move in parallel with it.

Looked at is all that is known around: what was composed, and what is given, ahead too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import TICKS_PER_SIXTEENTH
from seqmusic.tokens.context import SOUND_PITCH
from seqmusic.tokens.grammar import Walk
from seqmusic.tokens.vocabulary import KEY, MAX_DURATION, N_SOUNDS, PITCH
from seqmusic.tokens.voice_line import Line, Tile

Mask = NDArray[np.bool_]
Moves = frozenset[
    tuple[int, int, int]
]  # of each, the pitch that a voice leaves, and from where to where another one goes
NO_MOVES: Moves = frozenset()
PITCHES = np.arange(128)
_PERFECT = (0, 7)  # semitones of unisons, octaves and fifths, octaves apart


def faulty_sounds(walk: Walk) -> Mask:
    """(V,) sounds by which the next voice would cross another one, or move in parallel fifths, octaves or unisons with it.

    Not to be written to.
    """
    line = walk.line
    return fixed(np.zeros(N_SOUNDS, dtype=bool)) if line is None else _faults(*around(walk, line))


@lru_cache(maxsize=4096)
def _faults(low: int, high: int, moves: Moves) -> Mask:
    """(V,) pitches outside a range, and those to which a voice would move in parallel."""
    mask = np.zeros(N_SOUNDS, dtype=bool)
    mask[PITCH:KEY] = (low > PITCHES) | (high < PITCHES) | parallel_pitches(moves)
    return fixed(mask)


def around(walk: Walk, line: Line) -> tuple[int, int, Moves]:
    """The lowest and the highest pitch that crosses no other voice now, and what of the others a voice may be in parallel with."""
    low, high, is_lower, moves = 0, 127, False, set()
    befores = _befores(walk.now)
    for other in walk.lines:
        if other is line:
            is_lower = True
        elif (pitch := other.pitch_at(walk.now)) is not None:
            low, high = (max(low, pitch), high) if is_lower else (low, min(high, pitch))
            for before in befores if other.heard[-1].onset > befores[-1] else ():
                start, was = line.pitch_at(before), other.pitch_at(before)
                if (
                    start is not None
                    and was is not None
                    and was != pitch
                    and abs(start - was) % 12 in _PERFECT
                ):
                    moves.add((start, was, pitch))
    return low, high, frozenset(moves)


def parallel_pitches(moves: Moves) -> Mask:
    """(128,) pitches that would be reached in parallel with one of the moves."""
    found = np.zeros(len(PITCHES), dtype=bool)
    for move in moves:
        found |= _parallels(*move)
    return found


@lru_cache(maxsize=4096)
def _parallels(start: int, other_start: int | None, other_end: int | None) -> Mask:
    """(128,) the pitches to which a voice would move in parallel with the other one."""
    return fixed(parallel(start, PITCHES, other_start, other_end))


def strict_limit(walk: Walk, line: Line, pitch: int, longest: int) -> int:
    """How many ticks a pitch may last, `longest` at most, before it crosses a voice or moves in parallel with one."""
    limit, now, is_lower = longest, walk.now, False
    for other in walk.lines:
        if other is line:
            is_lower = True
            continue
        for tile in _near(other, now):
            crosses = (
                tile.code >= SOUND_PITCH
                and (tile.code - SOUND_PITCH - pitch) * (1 if is_lower else -1) > 0
            )
            if crosses and tile.end > now:
                limit = min(limit, tile.onset - now)
    grid = -(-(now + 1) // TICKS_PER_SIXTEENTH) * TICKS_PER_SIXTEENTH
    if limit > grid - now > 0 and _moves_in_parallel(
        walk, line, Tile(now, now + limit, pitch + SOUND_PITCH), grid
    ):
        limit = grid - now
    hole_end = line.until
    if limit == hole_end - now:
        own = Tile(now, hole_end, pitch + SOUND_PITCH)
        after = -(-hole_end // TICKS_PER_SIXTEENTH) * TICKS_PER_SIXTEENTH
        limit -= _moves_in_parallel(walk, line, own, hole_end) or _moves_in_parallel(
            walk, line, own, after
        )
    return limit


def _moves_in_parallel(walk: Walk, line: Line, own: Tile, tick: int) -> bool:
    """Whether the line, with a tile of its own, moves into a tick in parallel with a voice that is known there."""

    def pitch_at(moment: int) -> int | None:
        return own.code - SOUND_PITCH if own.onset <= moment < own.end else line.pitch_at(moment)

    end = pitch_at(tick)
    for before in _befores(tick):
        start = pitch_at(before)
        for other in walk.lines:
            is_known = other is not line and start is not None and end is not None
            if is_known and _parallels(start, other.pitch_at(before), other.pitch_at(tick))[end]:
                return True
    return False


def parallel(
    start: int, ends: NDArray[np.int64], other_start: int | None, other_end: int | None
) -> Mask:
    """Of each end, whether a voice going there moves in parallel fifths, octaves or unisons with the other one.

    >>> parallel(60, np.array([62, 60, 58]), 67, 69).tolist()
    [True, False, False]
    """
    if other_start is None or other_end is None or other_start == other_end:
        return np.zeros(len(ends), dtype=bool)
    interval = abs(start - other_start) % 12
    same_way = np.sign(ends - start) == (1 if other_end > other_start else -1)
    return np.asarray(
        same_way & (np.abs(ends - other_end) % 12 == interval) & (interval in _PERFECT)
    )


def _befores(tick: int) -> tuple[int, ...]:
    """Ticks to compare with: the one before, and on the sixteenth grid the sixteenth before."""
    return (tick - 1,) if tick % TICKS_PER_SIXTEENTH else (tick - 1, tick - TICKS_PER_SIXTEENTH)


def _near(line: Line, now: int) -> Iterator[Tile]:
    """What is known of a line from now to the longest note ahead, in order of time."""
    yield from line.heard[-1:]
    yield from takewhile(lambda tile: tile.onset <= now + MAX_DURATION, reversed(line.ahead))


def fixed(mask: Mask) -> Mask:
    mask.flags.writeable = False
    return mask
