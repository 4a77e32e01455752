"""The measures of some continuations together, each with an interval over pieces."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqmusic.evaluation.samples import RATES, Continuation
from seqmusic.metrics.bootstrap import bootstrap_interval, resampled_interval
from seqmusic.metrics.distributions import DISTRIBUTIONS, distance_interval
from seqmusic.metrics.rates import pooled_rate
from seqmusic.metrics.style import HARMONY_METRICS

UNITS: Mapping[str, str] = {
    "surprise": "nats per note",
    "held cells": "% of cells",
    "parallel fifths and octaves": "per 1000 moves of two voices",
    "voice crossings": "% of sixteenth steps",
    "stepwise motion": "% of melodic moves",
    **{metric.name: metric.unit for metric in HARMONY_METRICS},
    "repeated bars": "% of bars, voice by voice",
    "endings on the tonic": "% of pieces",
    **dict.fromkeys(DISTRIBUTIONS, "distance to the training works"),
    "longest copy": "notes, median of the pieces",
}
"""The measures and their units."""
_SCALES = {"parallel fifths and octaves": 1000}  # all others are percentages


@dataclass(frozen=True, slots=True)
class Estimate:
    """The value of one measure, and its 95 percent bootstrap interval over pieces."""

    value: float
    low: float
    high: float


_UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def estimates(
    pieces: Sequence[Continuation], corpus: Mapping[str, Mapping[Any, int]]
) -> dict[str, Estimate]:
    """Every measure of some pieces, in the order of UNITS; nan without a piece.

    Args:
        pieces: the measures of each.
        corpus: what they are compared with, counted, by the names in DISTRIBUTIONS.
    """
    if not pieces:
        return dict.fromkeys(UNITS, _UNKNOWN)
    nats, events = [piece.nats for piece in pieces], [piece.n_events for piece in pieces]
    found = {"surprise": Estimate(sum(nats) / sum(events), *bootstrap_interval(nats, events))}
    for name in RATES:
        rates, scale = [piece.rates[name] for piece in pieces], _SCALES.get(name, 100)
        pooled = pooled_rate(name, UNITS[name], rates, scale)
        found[name] = Estimate(pooled.value, pooled.low, pooled.high)
    for name in DISTRIBUTIONS:
        counts = [piece.counts[name] for piece in pieces]
        found[name] = Estimate(*distance_interval(counts, corpus[name]))
    found["longest copy"] = median_estimate([piece.copied_notes for piece in pieces])
    return found


def median_estimate(values: Sequence[int]) -> Estimate:
    """The median, with its bootstrap interval; nan of nothing.

    >>> median_estimate([8, 8, 8])
    Estimate(value=8.0, low=8.0, high=8.0)
    """
    if not values:
        return _UNKNOWN
    array = np.asarray(values, np.float64)
    interval = resampled_interval(len(array), lambda drawn: np.median(array[drawn], axis=1))
    return Estimate(float(np.median(array)), *interval)


def copy_lengths(pieces: Sequence[Continuation]) -> tuple[int, ...]:
    """Notes of the longest passage that each piece copies from a training work, ascending."""
    return tuple(sorted(piece.copied_notes for piece in pieces))
