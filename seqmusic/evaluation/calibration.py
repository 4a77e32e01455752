"""Whether a model is as sure as it is right, and the temperatures that make it so.

Source: C. Guo et al., On Calibration of Modern Neural Networks, 2017 (temperature scaling; expected calibration error).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import Masks, Sequenced, make_batch

N_BINS = 15
_LOWEST, _HIGHEST = 0.25, 4.0
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """N choices of one kind: (N, V) log-probabilities, -inf where not allowed, and the (N,) ids that came."""

    log_probabilities: _Floats
    came: NDArray[np.int64]

    def at(self, temperature: float) -> Choices:
        """The same choices at a temperature."""
        scaled = self.log_probabilities / temperature
        scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return Choices(scaled, self.came)

    @property
    def nll(self) -> float:
        """Mean negative log-likelihood of what came, in nats."""
        return float(-self.log_probabilities[np.arange(len(self.came)), self.came].mean())


@torch.inference_mode()
def choices(model: Transformer, traces: Sequence[Sequenced], masks: Masks, batch_size: int = 16) -> tuple[Choices, Choices]:
    """The choices of sounds and of durations in whole pieces, those left out in which the grammar leaves no choice."""
    model.eval()
    parts: list[list[tuple[Tensor, Tensor]]] = [[], []]
    for start in range(0, len(traces), batch_size):
        batch = make_batch(traces[start : start + batch_size], next(model.parameters()).device)
        scored = batch.is_scored
        hidden, context = model(batch.events[:, :-1], batch.context, batch.ticks)[scored], batch.context[scored]
        sounds, durations = batch.events[:, 1:][scored].unbind(-1)
        sound_rule, duration_rule = batch.rules[scored].unbind(-1)
        logits = model.heads.sound_logits(hidden, context), model.heads.duration_logits(hidden, context, sounds)
        allowed = masks.sounds[sound_rule], masks.durations[duration_rule]
        for part, own, mask, came in zip(parts, logits, allowed, (sounds, durations), strict=True):
            is_choice = mask.sum(-1) > 1
            log_p = own.double().masked_fill(~mask, -torch.inf).log_softmax(-1)
            part.append((log_p[is_choice].cpu(), came[is_choice].cpu()))
    sound, duration = (Choices(*(torch.cat(column).numpy() for column in zip(*part, strict=True))) for part in parts)
    return sound, duration


def calibration_error(made: Choices, n_bins: int = N_BINS) -> float:
    """Expected calibration error, 0..1: the mean gap between how sure the first choice was and how often it came.

    The choices are put into bins of equal width by how sure the first choice was; each bin weighs as much as it holds.

    >>> sure = np.log([[0.75, 0.25]] * 4)
    >>> calibration_error(Choices(sure, np.array([0, 0, 0, 1])))
    0.0
    """
    surest = made.log_probabilities.argmax(axis=1)
    confidence = np.exp(made.log_probabilities.max(axis=1))
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gap = np.bincount(bins, weights=confidence - (surest == made.came), minlength=n_bins)
    return float(np.abs(gap).sum() / len(made.came))


def best_temperature(made: Choices) -> float:
    """The temperature, 0.25..4, at which what came is likeliest; found by golden-section search to three digits."""
    low, high, ratio = math.log(_LOWEST), math.log(_HIGHEST), (math.sqrt(5) - 1) / 2
    while high - low > 1e-3:
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if made.at(math.exp(a)).nll < made.at(math.exp(b)).nll:
            high = b
        else:
            low = a
    return math.exp((low + high) / 2)


@torch.no_grad()
def tempered(model: Transformer, sound: float, duration: float) -> Transformer:
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
