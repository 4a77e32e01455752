"""Batches of padded sequences, and their negative log-likelihood under a model."""

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
    """One sequence of a batch; row t of its columns is about the event that follows event t."""

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
    """Which tokens a rule of the grammar allows.

    Attributes:
        sounds: (rule, sound) booleans.
        durations: (rule, duration) booleans.
    """

    sounds: Tensor
    durations: Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """B sequences padded to T + 1 events.

    Attributes:
        lengths: (B,) numbers of events without the last one, which no event follows.
        events: (B, T + 1, 2) sound and duration.
        context: (B, T, C).
        ticks: (B, T + 1).
        rules: (B, T, 2) of the next sound, and of its duration.
        is_scored: (B, T) whether the next event is to be predicted.
    """

    lengths: tuple[int, ...]
    events: Tensor
    context: Tensor
    ticks: Tensor
    rules: Tensor
    is_scored: Tensor


def make_batch(sequences: Sequence[TokenSequence], device: torch.device) -> Batch:
    """The sequences as tensors, the shorter ones padded with zeros."""
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
    columns = (events, context, ticks, rules, is_scored)
    return Batch(lengths, *(torch.from_numpy(column).to(device) for column in columns))


def nll(model: Transformer, batch: Batch, masks: GrammarMasks) -> tuple[Tensor, Tensor]:
    """The negative log-likelihood of the next events, in nats; 0 where an event is not scored.

    Returns:
        (B, T) of the sounds, and (B, T) of the durations given their sounds.
    """
    packing = Packing(batch.lengths, batch.is_scored)
    hidden = model(batch.events[:, :-1], batch.context, batch.ticks, packing=packing)  # (N, D)
    sounds, durations = batch.events[:, 1:][batch.is_scored].unbind(-1)  # (N,) each
    context = batch.context[batch.is_scored]  # (N, C)
    sound_rules, duration_rules = batch.rules[batch.is_scored].unbind(-1)
    sound_logits = model.heads.sound_logits(hidden, context)
    duration_logits = model.heads.duration_logits(hidden, context, sounds)
    scored = (
        _masked_nll(sound_logits, masks.sounds, sound_rules, sounds),
        _masked_nll(duration_logits, masks.durations, duration_rules, durations),
    )
    zeros = torch.zeros(batch.is_scored.shape, device=hidden.device)
    sound_nats, duration_nats = (zeros.masked_scatter(batch.is_scored, nats) for nats in scored)
    return sound_nats, duration_nats


class BatchLoss(nn.Module):
    """The training loss as one module: from a batch to the nats of its scored events."""

    def __init__(self, model: Transformer, masks: GrammarMasks, precision: torch.dtype) -> None:
        super().__init__()
        self.model, self.masks, self.precision = model, masks, precision

    def forward(self, batch: Batch) -> Tensor:
        """The sum over all scored events, a scalar."""
        device_type, is_half = batch.events.device.type, self.precision == torch.bfloat16
        with torch.autocast(device_type, torch.bfloat16, enabled=is_half):
            sound_nats, duration_nats = nll(self.model, batch, self.masks)
        return sound_nats.sum() + duration_nats.sum()


def _masked_nll(logits: Tensor, allowed: Tensor, rule: Tensor, target: Tensor) -> Tensor:
    # Adding 0 or -inf is faster than filling the forbidden logits in place.
    forbidden = allowed.log().index_select(0, rule)
    return F.cross_entropy(logits.float() + forbidden, target, reduction="none")
