"""The effect of the temperature: samples at a ladder of settings, measured beside the works.

The recommended setting has the smallest mean gap. The gap of a setting in one measure is how far
its value lies outside the interval of the works themselves, divided by the largest such distance:
0 inside the interval, 1 at the worst setting. A distance of distributions is never too small. All
measures have the same weight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.evaluation.estimates import Estimate, copy_lengths, estimates
from seqmusic.evaluation.samples import (
    N_CANDIDATES,
    Continuation,
    Opening,
    draw_openings,
    original_continuations,
    sample_continuations,
)
from seqmusic.evaluation.sampling_settings import SamplingSetting
from seqmusic.metrics.distributions import DISTRIBUTIONS, pooled_counts, split_half_distance
from seqmusic.metrics.originality import CopyIndex
from seqmusic.model.transformer import Transformer
from seqmusic.progress import progress_bar
from seqmusic.score import Score


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """The measures at one setting.

    Attributes:
        setting: how the pieces were drawn.
        pieces: number of pieces.
        estimates: by the names in UNITS.
        copy_lengths: notes of the longest passage that each piece copies from a training work,
            ascending.
    """

    setting: SamplingSetting
    pieces: int
    estimates: Mapping[str, Estimate]
    copy_lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TemperatureSweep:
    """The measures at several settings beside those of the works themselves.

    Attributes:
        points: one for each setting.
        works: estimates of the works as they are written.
        works_copy_lengths: notes of the longest passage that each work copies from a training
            work, ascending.
        floors: mean distance between two halves of the training works, by the names in
            DISTRIBUTIONS.
    """

    points: tuple[SweepPoint, ...]
    works: Mapping[str, Estimate]
    works_copy_lengths: tuple[int, ...]
    floors: Mapping[str, float]

    def gaps(self) -> dict[str, dict[str, float]]:
        """The gaps, 0..1, by name of the setting and of the measure, without unknown ones."""
        gaps: dict[str, dict[str, float]] = {point.setting.name: {} for point in self.points}
        for name, work in self.works.items():
            low = 0.0 if name in self.floors else work.low
            outside = {
                setting: max(0.0, low - value, value - work.high)
                for setting, value in self._values_by_setting(name).items()
            }
            worst = max(outside.values(), default=0.0)
            for setting, distance in outside.items():
                gaps[setting][name] = distance / worst if worst else 0.0
        return gaps

    def mean_gaps(self) -> dict[str, float]:
        """The mean gap of each setting over the measures, 0..1, by its name."""
        return {
            setting: float(np.mean(list(gaps.values()))) if gaps else math.nan
            for setting, gaps in self.gaps().items()
        }

    def recommended(self) -> SamplingSetting:
        """The setting with the smallest mean gap."""
        means = self.mean_gaps()
        settings = [point.setting for point in self.points]
        return min(settings, key=lambda s: (math.isnan(means[s.name]), means[s.name]))

    def best(self) -> dict[str, str]:
        """By measure, the setting with the value closest to that of the works.

        Of a distance it is the setting with the smallest one.
        """
        best = {}
        for name, work in self.works.items():
            values = self._values_by_setting(name)
            target = 0.0 if name in self.floors else work.value
            if values:
                best[name] = min(values, key=lambda setting: abs(values[setting] - target))
        return best

    def _values_by_setting(self, name: str) -> dict[str, float]:
        """The known values of one measure, by name of the setting."""
        values = {point.setting.name: point.estimates[name].value for point in self.points}
        return {setting: value for setting, value in values.items() if not math.isnan(value)}


def sweep_temperatures(
    model: Transformer,
    openings: Sequence[Opening],
    training: Sequence[Score],
    settings: Sequence[SamplingSetting],
    *,
    n: int = 100,
    seed: int = 0,
) -> TemperatureSweep:
    """Continue the same openings at each setting, and measure the continuations.

    Args:
        model: a trained model.
        openings: of works that it was not trained on, as from `find_openings`.
        training: the works that it was trained on.
        settings: how samples are drawn.
        n: number of samples for each setting, rounded up to a multiple of four.
        seed: of the samples.

    Raises:
        ValueError: there are no openings.
    """
    if not openings:
        raise ValueError("a temperature sweep needs openings of held-out works, got none")
    index = CopyIndex(training)
    counts = {name: [count(score) for score in training] for name, count in DISTRIBUTIONS.items()}
    corpus = {name: pooled_counts(pieces) for name, pieces in counts.items()}
    points = [
        SweepPoint(setting, len(pieces), estimates(pieces, corpus), copy_lengths(pieces))
        for setting, pieces in _samples(model, openings, settings, index, n, seed)
    ]
    originals = original_continuations(model, openings, index)
    return TemperatureSweep(
        tuple(points),
        estimates(originals, corpus),
        copy_lengths(originals),
        {name: split_half_distance(pieces) for name, pieces in counts.items()},
    )


def _samples(
    model: Transformer,
    openings: Sequence[Opening],
    settings: Sequence[SamplingSetting],
    index: CopyIndex,
    n: int,
    seed: int,
) -> Iterator[tuple[SamplingSetting, list[Continuation]]]:
    """The continuations at each setting, of the same openings."""
    sampled = draw_openings(openings, -(-n // N_CANDIDATES), seed)
    with progress_bar(n * len(settings), "sampling", "piece") as bar:
        for setting in settings:
            request = replace(setting.request, n=N_CANDIDATES, seed=seed)
            pieces = []
            for continuations in sample_continuations(model, sampled, request, index):
                pieces += continuations
                bar.update(N_CANDIDATES)
            yield setting, pieces
