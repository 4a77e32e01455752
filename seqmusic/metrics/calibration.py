"""Calibration: whether probabilities match how often a model is right, and temperatures for it.

Source: C. Guo et al., On Calibration of Modern Neural Networks, 2017 (temperature scaling;
expected calibration error).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqmusic.array_types import Floats
from seqmusic.metrics.likelihood import Predictions, TrainableModel, predict_events
from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import GrammarMasks, TokenSequence

N_BINS = 15
_LOWEST_TEMPERATURE, _HIGHEST_TEMPERATURE = 0.25, 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """N choices among V ids: the predicted distributions and the actual outcomes.

    Attributes:
        log_probabilities: (N, V), -inf where an id is not allowed.
        targets: (N,) actual ids.
    """

    log_probabilities: Floats
    targets: NDArray[np.int64]

    def at_temperature(self, temperature: float) -> Choices:
        """The same choices with their log-probabilities divided by a temperature."""
        highest = self.log_probabilities.max(axis=1, keepdims=True)
        scaled = (self.log_probabilities - highest) / temperature
        scaled -= np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return Choices(scaled, self.targets)

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood of the targets, in nats."""
        return float(-self.log_probabilities[np.arange(len(self.targets)), self.targets].mean())


def predict_choices(
    model: TrainableModel,
    traces: Sequence[TokenSequence],
    masks: GrammarMasks,
    batch_size: int = 16,
) -> tuple[Choices, Choices]:
    """The choices of sounds and of durations that a model makes in whole pieces."""
    return choices_from_predictions(
        [predicted for _, predicted in predict_events(model, traces, masks, batch_size)]
    )


def choices_from_predictions(pieces: Sequence[Predictions]) -> tuple[Choices, Choices]:
    """The choices of sounds and of durations, without those in which the grammar allows one id."""
    sounds = [_with_alternatives(piece.sound_log_p, piece.sounds) for piece in pieces]
    durations = [_with_alternatives(piece.duration_log_p, piece.durations) for piece in pieces]
    sound, duration = (
        Choices(*map(np.concatenate, zip(*parts, strict=True))) for parts in (sounds, durations)
    )
    return sound, duration


def _with_alternatives(
    log_p: NDArray[Any], targets: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64]]:
    is_choice = np.isfinite(log_p).sum(axis=1) > 1
    return log_p[is_choice].astype(np.float64), targets[is_choice]


@dataclass(frozen=True, slots=True)
class Bin:
    """The choices whose first choice had a confidence in a range.

    Attributes:
        low: lower end of the confidences, 0..1.
        high: upper end, excluded.
        n: number of choices.
        confidence: mean probability of the first choice; nan without choices.
        accuracy: share of the first choices that were right, 0..1; nan without choices.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


def reliability_bins(choices: Choices, n_bins: int = N_BINS) -> list[Bin]:
    """The choices in bins of equal width by their confidence, as in a reliability diagram.

    >>> choices = Choices(np.log([[0.75, 0.25]] * 4), np.array([0, 0, 1, 1]))
    >>> [(round(b.confidence, 2), b.accuracy) for b in reliability_bins(choices, 2) if b.n]
    [(0.75, 0.5)]
    """
    is_right = choices.log_probabilities.argmax(axis=1) == choices.targets
    confidence = np.exp(choices.log_probabilities.max(axis=1))
    index = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    counts = np.bincount(index, minlength=n_bins)
    confidence_sums, hits = (
        np.bincount(index, weights=values, minlength=n_bins) for values in (confidence, is_right)
    )
    with np.errstate(invalid="ignore"):  # nan in empty bins
        means, accuracies = confidence_sums / counts, hits / counts
    columns = (counts, means, accuracies)
    rows = zip(range(n_bins), *(column.tolist() for column in columns), strict=True)
    return [Bin(i / n_bins, (i + 1) / n_bins, *row) for i, *row in rows]


def calibration_error(choices: Choices, n_bins: int = N_BINS) -> float:
    """Expected calibration error, 0..1: the mean gap between confidence and top-1 accuracy.

    The gap is taken in bins of equal width by confidence, weighted by the choices in each.

    >>> log_probabilities = np.log([[0.75, 0.25]] * 4)
    >>> calibration_error(Choices(log_probabilities, np.array([0, 0, 0, 1])))
    0.0
    """
    bins = [b for b in reliability_bins(choices, n_bins) if b.n]
    gaps = [b.n * abs(b.confidence - b.accuracy) for b in bins]
    return sum(gaps) / len(choices.targets)


def best_temperature(choices: Choices) -> float:
    """The temperature, 0.25..4, with the smallest negative log-likelihood of the targets.

    It is found by golden-section search to three digits.
    """
    low, high = math.log(_LOWEST_TEMPERATURE), math.log(_HIGHEST_TEMPERATURE)
    ratio = (math.sqrt(5) - 1) / 2
    while high - low > 1e-3:
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if choices.at_temperature(math.exp(a)).nll < choices.at_temperature(math.exp(b)).nll:
            high = b
        else:
            low = a
    return math.exp((low + high) / 2)


@torch.no_grad()
def temperature_scaled(model: Transformer, sound: float, duration: float) -> Transformer:
    """A copy of a model whose output layer is divided by a temperature for sounds and durations."""
    scaled = copy.deepcopy(model)
    heads = scaled.heads
    for temperature, layers in (
        (sound, (heads.sound, heads.interval.project)),
        (duration, (heads.duration, heads.lag.project, heads.place.project)),
    ):
        for layer in layers:
            layer.weight.div_(temperature)
            layer.bias.div_(temperature)
    return scaled
