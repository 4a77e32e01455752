"""What the temperature does: samples along a ladder of settings, measured beside Bach, and which setting comes closest.

Closest is what has the smallest mean gap. The gap of a setting in one measure is how far its value lies outside the interval of
the works themselves, divided by the farthest of all settings: 0 where it cannot be told from them, 1 at the worst setting. A
distance of distributions is never too small. All measures count alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqmusic.evaluation.samples import (
    N_CANDIDATES,
    RATES,
    Continuation,
    draw_openings,
    find_openings,
    original_continuations,
    sample_continuations,
)
from seqmusic.generation.request import Request
from seqmusic.metrics.distributions import (
    DISTRIBUTIONS,
    distance_interval,
    pooled_counts,
    split_half_distance,
)
from seqmusic.metrics.likelihood import N_RESAMPLES, bootstrap_interval
from seqmusic.metrics.originality import CopyIndex
from seqmusic.metrics.rates import pooled_rate
from seqmusic.model.transformer import Transformer
from seqmusic.score import Score

TEMPERATURES = (0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3)
DEFAULT_RULES_TEMPERATURES = (0.6, 0.8, 1.0, 1.15)
MIN_PS = (0.02, 0.05, 0.1, 0.2)
MODEL_ALONE, DEFAULT_RULES, MIN_P = "model alone", "default rules", "min-p"
LADDERS: Mapping[str, str] = {
    MODEL_ALONE: "what the model says, within the compass of each voice",
    DEFAULT_RULES: "with the lenience and the cadence that music is composed with when nothing else is said",
    MIN_P: "the model alone at temperature 1, without what is less likely than this share of the likeliest",
}
"""The ladders of settings."""
UNITS: Mapping[str, str] = {
    "surprise": "nats a note",
    "held cells": "% of cells",
    "parallel fifths and octaves": "per 1000 moves of two voices",
    "voice crossings": "% of sixteenth steps",
    "repeated bars": "% of bars, voice by voice",
    "endings on the tonic": "% of pieces",
    **dict.fromkeys(DISTRIBUTIONS, "distance to the training works"),
    "longest copy": "notes, median of the pieces",
}
"""What is measured, and in what."""
_SCALES = {"parallel fifths and octaves": 1000}  # all others are percentages


@dataclass(frozen=True, slots=True)
class SamplingSetting:
    """A way to draw samples.

    Attributes:
        ladder: which of LADDERS it belongs to.
        level: the temperature; on the ladder of min-p, that share.
        request: how candidates are drawn, and what they must obey.
    """

    ladder: str
    level: float
    request: Request

    @property
    def name(self) -> str:
        """What it is called.

        >>> SamplingSetting("min-p", 0.05, Request(min_p=0.05)).name, SamplingSetting("model alone", 1.0, Request()).name
        ('min-p 0.05', 'temperature 1, model alone')
        """
        return (
            f"min-p {self.level:g}"
            if self.ladder == MIN_P
            else f"temperature {self.level:g}, {self.ladder}"
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """One measure of some pieces: its value, and where 95 percent of the values lie when whole pieces are drawn again."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """What was measured at one setting.

    Attributes:
        setting: how the pieces were drawn.
        pieces: how many.
        estimates: by the names in UNITS.
        copy_lengths: notes of the longest passage that each piece copies from a training work, rising.
    """

    setting: SamplingSetting
    pieces: int
    estimates: Mapping[str, Estimate]
    copy_lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TemperatureSweep:
    """The settings of a ladder beside the works themselves.

    Attributes:
        points: one a setting.
        works: readings of the works as they are written, in place of what the model composed.
        works_copy_lengths: notes of the longest passage that each work copies from a training work, rising.
        floors: mean distance between two halves of the training works, by the names in DISTRIBUTIONS.
    """

    points: tuple[SweepPoint, ...]
    works: Mapping[str, Estimate]
    works_copy_lengths: tuple[int, ...]
    floors: Mapping[str, float]

    def gaps(self) -> dict[str, dict[str, float]]:
        """The gap of each setting in each measure, 0..1, by the names of both; measures without a value are left out."""
        found: dict[str, dict[str, float]] = {point.setting.name: {} for point in self.points}
        for name, work in self.works.items():
            low = 0.0 if name in self.floors else work.low
            told = {
                setting: max(0.0, low - own, own - work.high)
                for setting, own in self._values_by_setting(name).items()
            }
            worst = max(told.values(), default=0.0)
            for setting, gap in told.items():
                found[setting][name] = gap / worst if worst else 0.0
        return found

    def mean_gaps(self) -> dict[str, float]:
        """The mean gap of each setting over the measures, 0..1, by its name."""
        return {
            name: float(np.mean(list(own.values()))) if own else math.nan
            for name, own in self.gaps().items()
        }

    def recommended(self) -> SamplingSetting:
        """The setting with the smallest mean gap."""
        means = self.mean_gaps()
        return min(
            (point.setting for point in self.points),
            key=lambda own: (math.isnan(means[own.name]), means[own.name]),
        )

    def best(self) -> dict[str, str]:
        """By the name of each measure, the setting whose value is closest to that of the works (the smallest distance)."""
        found = {}
        for name, work in self.works.items():
            target = 0.0 if name in self.floors else work.value
            away = {
                setting: abs(own - target) for setting, own in self._values_by_setting(name).items()
            }
            if away:
                found[name] = min(away, key=lambda setting: away[setting])
        return found

    def _values_by_setting(self, name: str) -> dict[str, float]:
        """The values of one measure, by settings; those without one are left out."""
        values = {point.setting.name: point.estimates[name].value for point in self.points}
        return {setting: value for setting, value in values.items() if not math.isnan(value)}


def sampling_settings(
    alone_temperatures: Sequence[float] = TEMPERATURES,
    rules_temperatures: Sequence[float] = DEFAULT_RULES_TEMPERATURES,
    min_p: Sequence[float] = MIN_PS,
) -> list[SamplingSetting]:
    """The settings of all LADDERS, each at the temperatures or min-p given."""
    return [
        *(
            SamplingSetting(
                MODEL_ALONE, level, Request(temperature=level, lenience=1.0, cadence=False)
            )
            for level in alone_temperatures
        ),
        *(
            SamplingSetting(DEFAULT_RULES, level, Request(temperature=level))
            for level in rules_temperatures
        ),
        *(
            SamplingSetting(
                MIN_P, level, Request(temperature=1.0, min_p=level, lenience=1.0, cadence=False)
            )
            for level in min_p
        ),
    ]


def sweep_temperatures(
    model: Transformer,
    held_out: Sequence[Score],
    training: Sequence[Score],
    settings: Sequence[SamplingSetting],
    *,
    n: int = 100,
    seed: int = 0,
    on_progress: Callable[[int], object] = lambda n: None,
) -> TemperatureSweep:
    """Continue the beginnings of held-out works at each setting, the same ones at all, and measure what comes of it.

    Args:
        model: a trained model.
        held_out: works that it was not trained on.
        training: those that it was trained on.
        settings: how samples are drawn.
        n: how many a setting, about.
        seed: another seed, other samples.
        on_progress: told how many samples were drawn, again and again.

    Raises:
        ValueError: none of the held-out works can be continued.
    """
    words, index = model.vocabulary, CopyIndex(training)
    found = find_openings(
        held_out, context_length=model.settings.context_length, max_voices=words.max_voices
    )
    if not found:
        raise ValueError(
            "a dial needs held-out works of more than two bars and at most sixteen, got none"
        )
    corpus = [{name: count(own) for name, count in DISTRIBUTIONS.items()} for own in training]
    together = {name: pooled_counts([own[name] for own in corpus]) for name in DISTRIBUTIONS}
    chosen = draw_openings(found, -(-n // N_CANDIDATES), seed)
    points = []
    for setting in settings:
        request = replace(setting.request, n=N_CANDIDATES, seed=seed)
        pieces = sample_continuations(model, chosen, request, index, on_progress)
        points.append(
            SweepPoint(setting, len(pieces), estimates(pieces, together), copy_lengths(pieces))
        )
    written = original_continuations(model, found, index)
    floors = {name: split_half_distance([own[name] for own in corpus]) for name in DISTRIBUTIONS}
    return TemperatureSweep(
        tuple(points), estimates(written, together), copy_lengths(written), floors
    )


def copy_lengths(pieces: Sequence[Continuation]) -> tuple[int, ...]:
    """Notes of the longest passage that each piece copies from a training work, rising."""
    return tuple(sorted(piece.copied_notes for piece in pieces))


def estimates(
    pieces: Sequence[Continuation], corpus: Mapping[str, Mapping[Any, int]]
) -> dict[str, Estimate]:
    """Every measure of some pieces, in the order of UNITS; nan without a piece.

    Args:
        pieces: what was measured of each.
        corpus: what they are compared with, counted, by the names in DISTRIBUTIONS.
    """
    if not pieces:
        return {name: Estimate(*(math.nan,) * 3) for name in UNITS}
    nats, events = [piece.nats for piece in pieces], [piece.n_events for piece in pieces]
    found = {"surprise": Estimate(sum(nats) / sum(events), *bootstrap_interval(nats, events))}
    for name in RATES:
        figure = pooled_rate(
            name, UNITS[name], [piece.rates[name] for piece in pieces], _SCALES.get(name, 100)
        )
        found[name] = Estimate(figure.value, figure.low, figure.high)
    for name in DISTRIBUTIONS:
        found[name] = Estimate(
            *distance_interval([piece.counts[name] for piece in pieces], corpus[name])
        )
    found["longest copy"] = median_estimate([piece.copied_notes for piece in pieces])
    return found


def median_estimate(values: Sequence[int]) -> Estimate:
    """The median, with its bootstrap interval; nan of nothing.

    >>> median_estimate([8, 8, 8])
    Estimate(value=8.0, low=8.0, high=8.0)
    """
    if not values:
        return Estimate(*(math.nan,) * 3)
    own = np.asarray(values, np.float64)
    drawn = np.random.default_rng(0).integers(len(own), size=(N_RESAMPLES, len(own)))
    low, high = np.quantile(np.median(own[drawn], axis=1), [0.025, 0.975])
    return Estimate(float(np.median(own)), float(low), float(high))
