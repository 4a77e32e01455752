"""The divisions of the beat to which the notes of a performance belong, found beat by beat.

A finer division always fits what was played more closely, so it must pay for itself. Each beat gets
the division under which its onsets are most likely: a position counts as one of all that the
division has, and the distance to it as a normal error of the player.

Source: Cemgil, Desain & Kappen, Rhythm quantization for transcription, Computer Music Journal
24(2), 2000, whose priors over subdivisions these are in their simplest form.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from seqmusic.score import TICKS_PER_QUARTER, TICKS_PER_SIXTEENTH

Quantizer = Callable[[float], int]
"""Moves a time in ticks to a tick where notes may start and end."""

_STEPS = (24, 12, 6, 3, 8, 4)
_TRIPLETS = (8, 4)
_TRIPLET_COST = math.log(2)  # triplets are rarer
_PLAYER_ERROR_TICKS = 1.0  # standard deviation; 21 milliseconds at 120 a minute
_MIN_OFF_GRID_POSITIONS = 12  # quintuplets and septuplets together have 10


def step_quantizer(step_ticks: int) -> Quantizer:
    """To the nearest multiple of so many ticks.

    >>> step_quantizer(6)(14.0)
    12
    """
    return lambda ticks: step_ticks * round(ticks / step_ticks)


def beat_quantizer(onsets: Iterable[float]) -> Quantizer:
    """To the nearest position in the division that the onsets of the same quarter note keep to.

    Args:
        onsets: of all parts, in ticks.

    >>> quantizer = beat_quantizer([0.2, 7.5, 16.4, 23.8, 36.3, 42.1])
    >>> [quantizer(ticks) for ticks in (7.5, 16.4, 23.8, 36.3, 42.1)]
    [8, 16, 24, 36, 42]
    """
    beats: defaultdict[int, list[float]] = defaultdict(list)
    for onset in sorted(set(onsets)):
        beats[int(onset // TICKS_PER_QUARTER)].append(onset % TICKS_PER_QUARTER)
    steps = {
        beat: min(_STEPS, key=lambda step: _division_cost(inside, step))
        for beat, inside in beats.items()
    }

    def quantizer(ticks: float) -> int:
        beat = int(ticks // TICKS_PER_QUARTER)
        step = steps.get(beat, TICKS_PER_SIXTEENTH)
        return beat * TICKS_PER_QUARTER + step * round((ticks - beat * TICKS_PER_QUARTER) / step)

    return quantizer


def is_performance(onsets: Iterable[float]) -> bool:
    """Whether most onsets are off the ticks, at more positions of the beat than any notation has.

    Args:
        onsets: in ticks.

    >>> is_performance([0, 4.8, 9.6, 14.4, 19.2] * 10)
    False
    """
    positions = [round(onset % TICKS_PER_QUARTER, 2) for onset in set(onsets)]
    off_grid = [position for position in positions if abs(position - round(position)) > 0.1]
    return len(off_grid) > len(positions) / 2 and len(set(off_grid)) > _MIN_OFF_GRID_POSITIONS


def _division_cost(inside: Sequence[float], step: int) -> float:
    """Negative log-likelihood of onsets in a beat, up to a constant."""
    errors = sum((ticks - step * round(ticks / step)) ** 2 for ticks in inside)
    n_positions = TICKS_PER_QUARTER // step
    return (
        len(inside) * math.log(n_positions)
        + errors / (2 * _PLAYER_ERROR_TICKS**2)
        + _TRIPLET_COST * (step in _TRIPLETS)
    )
