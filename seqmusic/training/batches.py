"""A batch: padded sequences as tensors, and the likelihood of what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from seqmusic.model.transformer import Packing, Transformer


class TokenSequence(Protocol):
    """What a batch is made of: one sequence, row t about what follows event t."""

    @property
    def events(self) -> NDArray[np.int16]: ...
    @property
    def context(self) -> NDArray[np.int16]: ...
    @property
    def rules(self) -> NDArray[np.int16]: ...
    @property
    def is_scored(self) -> NDArray[np.bool_]: ...
    @property
    def ticks(self) -> NDArray[np.int32]: ...


@dataclass(frozen=True, slots=True)
class GrammarMasks:
    """Tables of what may follow: (rule, sound) and (rule, duration)."""

    sounds: Tensor
    durations: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """B sequences padded to T + 1 events.

    Attributes:
        lengths: (B,) events of each but the last, which nothing follows.
        events: (B, T + 1, 2), context: (B, T, C), ticks: (B, T + 1), rules: (B, T, 2), is_scored: (B, T).
    """

    lengths: tuple[int, ...]
    events: Tensor
    context: Tensor
    ticks: Tensor
    rules: Tensor
    is_scored: Tensor


def make_batch(sequences: Sequence[TokenSequence], device: torch.device) -> Batch:
    """The sequences side by side, zeros after the shorter ones."""
    n_rows, length = len(sequences), max(len(s.events) for s in sequences)
    n_columns = sequences[0].context.shape[1]
    events = np.zeros((n_rows, length, 2), dtype=np.int64)
    context = np.zeros((n_rows, length - 1, n_columns), dtype=np.int64)
    ticks = np.zeros((n_rows, length), dtype=np.int64)
    rules = np.zeros((n_rows, length - 1, 2), dtype=np.int64)
    is_scored = np.zeros((n_rows, length - 1), dtype=bool)
    for row, sequence in enumerate(sequences):
        n = len(sequence.events)
        events[row, :n] = sequence.events
        context[row, : n - 1], ticks[row, 1:n] = sequence.context[:-1], sequence.ticks[:-1]
        rules[row, : n - 1], is_scored[row, : n - 1] = sequence.rules[:-1], sequence.is_scored[:-1]
    lengths = tuple(len(sequence.events) - 1 for sequence in sequences)
    return Batch(
        lengths,
        *(torch.from_numpy(own).to(device) for own in (events, context, ticks, rules, is_scored)),
    )


def nll(model: Transformer, batch: Batch, masks: GrammarMasks) -> tuple[Tensor, Tensor]:
    """(B, T) negative log-likelihood in nats of each next sound, and of its duration; 0 where nothing is scored."""
    sounds, durations = batch.events[:, 1:, 0], batch.events[:, 1:, 1]
    packing = Packing(batch.lengths, batch.is_scored)
    hidden = model(batch.events[:, :-1], batch.context, batch.ticks, packing=packing)  # (N, D)
    target, lasting, rule = (
        sounds[batch.is_scored],
        durations[batch.is_scored],
        batch.rules[batch.is_scored],
    )
    context = batch.context[batch.is_scored]
    sound = _masked_nll(model.heads.sound_logits(hidden, context), masks.sounds, rule[:, 0], target)
    duration = _masked_nll(
        model.heads.duration_logits(hidden, context, target), masks.durations, rule[:, 1], lasting
    )
    zeros = torch.zeros(batch.is_scored.shape, device=sound.device)
    return zeros.masked_scatter(batch.is_scored, sound), zeros.masked_scatter(
        batch.is_scored, duration
    )


class BatchLoss(nn.Module):
    """From a batch to the nats of all that is scored in it: what is differentiated in training, as one module."""

    def __init__(self, model: Transformer, masks: GrammarMasks, precision: torch.dtype) -> None:
        super().__init__()
        self.model, self.masks, self.precision = model, masks, precision

    def forward(self, batch: Batch) -> Tensor:
        """Nats, a scalar."""
        with torch.autocast(
            batch.events.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16
        ):
            sound, duration = nll(self.model, batch, self.masks)
        return sound.sum() + duration.sum()


def _masked_nll(logits: Tensor, allowed: Tensor, rule: Tensor, target: Tensor) -> Tensor:
    forbidden = allowed.log().index_select(
        0, rule
    )  # 0 or -inf; filling in place by place takes longer
    return F.cross_entropy(logits.float() + forbidden, target, reduction="none")
