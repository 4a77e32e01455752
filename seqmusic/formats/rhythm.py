"""Where in its beats the notes of a performance are meant to stand: halves, thirds, quarters of a beat and so on, beat by beat.

A finer division always comes nearer to what was played, so it must pay for itself: of each beat that division is taken which makes
its onsets likeliest, a place counting as one of all that the division offers, and the way to it as a normal error of the player.

Source: Cemgil, Desain & Kappen, Rhythm quantization for transcription, Computer Music Journal 24(2), 2000, whose priors over
subdivisions these are in their simplest form.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from seqmusic.score import TICKS_PER_QUARTER

Quantizer = Callable[[float], int]
"""Moves a time in ticks to a tick where notes may stand."""

_STEPS = (24, 12, 6, 3, 8, 4)
_TRIPLETS = (8, 4)
_TRIPLET_COST = math.log(2)  # triplets are rarer
_PLAYER_TICKS = 1.0  # standard deviation; 21 milliseconds at 120 a minute
_MIN_OFF_GRID_POSITIONS = 12  # off the grid; quintuplets and septuplets together have 10


def step_quantizer(step_ticks: int) -> Quantizer:
    """To the nearest multiple of so many ticks.

    >>> step_quantizer(6)(14.0)
    12
    """
    return lambda ticks: step_ticks * round(ticks / step_ticks)


def beat_quantizer(onsets: Iterable[float]) -> Quantizer:
    """To the nearest place of the division that the onsets in the same quarter note keep to; onsets in ticks.

    >>> place = beat_quantizer([0.2, 7.5, 16.4, 23.8, 36.3, 42.1])
    >>> [place(ticks) for ticks in (7.5, 16.4, 23.8, 36.3, 42.1)]
    [8, 16, 24, 36, 42]
    """
    beats: defaultdict[int, list[float]] = defaultdict(list)
    for onset in sorted(set(onsets)):
        beats[int(onset // TICKS_PER_QUARTER)].append(onset % TICKS_PER_QUARTER)
    steps = {
        beat: min(_STEPS, key=lambda step: _division_cost(inside, step))
        for beat, inside in beats.items()
    }

    def place(ticks: float) -> int:
        beat = int(ticks // TICKS_PER_QUARTER)
        step = steps.get(beat, TICKS_PER_QUARTER // 4)
        return beat * TICKS_PER_QUARTER + step * round((ticks - beat * TICKS_PER_QUARTER) / step)

    return place


def is_performance(onsets: Iterable[float]) -> bool:
    """Whether most onsets, in ticks, stand off the ticks, and at more places of the beat than any notation has.

    >>> is_performance([0, 4.8, 9.6, 14.4, 19.2] * 10)
    False
    """
    places = [round(onset % TICKS_PER_QUARTER, 2) for onset in set(onsets)]
    off = [place for place in places if abs(place - round(place)) > 0.1]
    return len(off) > len(places) / 2 and len(set(off)) > _MIN_OFF_GRID_POSITIONS


def _division_cost(inside: Sequence[float], step: int) -> float:
    """Negative log-likelihood of onsets in a beat, up to a constant."""
    errors = sum((ticks - step * round(ticks / step)) ** 2 for ticks in inside)
    n_choices = TICKS_PER_QUARTER // step
    return (
        len(inside) * math.log(n_choices)
        + errors / (2 * _PLAYER_TICKS**2)
        + _TRIPLET_COST * (step in _TRIPLETS)
    )
