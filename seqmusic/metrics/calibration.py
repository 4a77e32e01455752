"""Whether a model is as sure as it is right, and the temperatures that make it so.

Source: C. Guo et al., On Calibration of Modern Neural Networks, 2017 (temperature scaling; expected calibration error).
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

from seqmusic.metrics.likelihood import TrainableModel, Predictions, predictions
from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import GrammarMasks, TokenSequence

N_BINS = 15
_LOWEST, _HIGHEST = 0.25, 4.0
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """N choices of one kind: (N, V) log-probabilities, -inf where not allowed, and the (N,) ids that came."""

    log_probabilities: _Floats
    targets: NDArray[np.int64]

    def at_temperature(self, temperature: float) -> Choices:
        """The same choices at a temperature."""
        scaled = (
            self.log_probabilities - self.log_probabilities.max(axis=1, keepdims=True)
        ) / temperature
        scaled -= np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return Choices(scaled, self.targets)

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood of what came, in nats."""
        return float(-self.log_probabilities[np.arange(len(self.targets)), self.targets].mean())


def predict_choices(
    model: TrainableModel, traces: Sequence[TokenSequence], masks: GrammarMasks, batch_size: int = 16
) -> tuple[Choices, Choices]:
    """The choices of sounds and of durations in whole pieces, those left out in which the grammar leaves no choice."""
    return choices_from_predictions(
        [predicted for _, predicted in predictions(model, traces, masks, batch_size)]
    )


def choices_from_predictions(pieces: Sequence[Predictions]) -> tuple[Choices, Choices]:
    """The choices of sounds and of durations among what a model expected, those left out in which the grammar leaves no choice."""
    sounds = [_with_alternatives(own.sound_log_p, own.sounds) for own in pieces]
    durations = [_with_alternatives(own.duration_log_p, own.durations) for own in pieces]
    sound, duration = (
        Choices(*map(np.concatenate, zip(*parts, strict=True))) for parts in (sounds, durations)
    )
    return sound, duration


def _with_alternatives(
    log_p: NDArray[Any], targets: NDArray[np.int64]
) -> tuple[_Floats, NDArray[np.int64]]:
    is_choice = np.isfinite(log_p).sum(axis=1) > 1
    return log_p[is_choice].astype(np.float64), targets[is_choice]


@dataclass(frozen=True, slots=True)
class Bin:
    """The choices whose first one was about equally sure.

    Attributes:
        low, high: how sure, 0..1: from `low` to below `high`.
        n: how many they are.
        confidence: how sure the first choice was in the mean; nan where there are none.
        accuracy: how often it came, 0..1; nan where there are none.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


def reliability_bins(made: Choices, n_bins: int = N_BINS) -> list[Bin]:
    """The choices in bins of equal width by how sure the first choice was: what a reliability diagram draws.

    >>> sure = Choices(np.log([[0.75, 0.25]] * 4), np.array([0, 0, 1, 1]))
    >>> [(round(own.confidence, 2), own.accuracy) for own in reliability_bins(sure, 2) if own.n]
    [(0.75, 0.5)]
    """
    surest = made.log_probabilities.argmax(axis=1)
    confidence = np.exp(made.log_probabilities.max(axis=1))
    place = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    counts = np.bincount(place, minlength=n_bins)
    sure, targets = (
        np.bincount(place, weights=own, minlength=n_bins)
        for own in (confidence, surest == made.targets)
    )
    rows = zip(range(n_bins), counts.tolist(), sure.tolist(), targets.tolist(), strict=True)
    return [
        Bin(i / n_bins, (i + 1) / n_bins, n, *((a / n, b / n) if n else (math.nan, math.nan)))
        for i, n, a, b in rows
    ]


def calibration_error(made: Choices, n_bins: int = N_BINS) -> float:
    """Expected calibration error, 0..1: the mean gap between how sure the first choice was and how often it came.

    The choices are put into bins of equal width by how sure the first choice was; each bin weighs as much as it holds.

    >>> sure = np.log([[0.75, 0.25]] * 4)
    >>> calibration_error(Choices(sure, np.array([0, 0, 0, 1])))
    0.0
    """
    return sum(
        own.n * abs(own.confidence - own.accuracy)
        for own in reliability_bins(made, n_bins)
        if own.n
    ) / len(made.targets)


def best_temperature(made: Choices) -> float:
    """The temperature, 0.25..4, at which what came is likeliest; found by golden-section search to three digits."""
    low, high, ratio = math.log(_LOWEST), math.log(_HIGHEST), (math.sqrt(5) - 1) / 2
    while high - low > 1e-3:
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if made.at_temperature(math.exp(a)).nll < made.at_temperature(math.exp(b)).nll:
            high = b
        else:
            low = a
    return math.exp((low + high) / 2)


@torch.no_grad()
def temperature_scaled(model: Transformer, sound: float, duration: float) -> Transformer:
    """A copy with the temperatures in the weights of its output layer: what it gives at 1, `model` gives at them."""
    changed = copy.deepcopy(model)
    heads = changed.heads
    for temperature, layers in (
        (sound, (heads.sound, heads.interval.project)),
        (duration, (heads.duration, heads.lag.project, heads.place.project)),
    ):
        for layer in layers:
            layer.weight.div_(temperature)
            layer.bias.div_(temperature)
    return changed
