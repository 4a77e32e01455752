"""Batches of padded sequences, and their negative log-likelihood under a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

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

    @property
    def targets(self) -> tuple[Tensor, Tensor]:
        """(N,) sounds and (N,) durations of the events that are scored."""
        sounds, durations = self.events[:, 1:][self.is_scored].unbind(-1)
        return sounds, durations


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


def masked_logits(model: Transformer, batch: Batch, masks: GrammarMasks) -> tuple[Tensor, Tensor]:
    """Logits of the N events that are scored, -inf for what the grammar forbids.

    Returns:
        (N, V) of the sounds, and (N, 97) of the durations given the actual sounds.
    """
    packing = Packing(batch.lengths, batch.is_scored)
    hidden = model(batch.events[:, :-1], batch.context, batch.ticks, packing=packing)  # (N, D)
    sounds, _ = batch.targets  # (N,)
    context = batch.context[batch.is_scored]  # (N, C)
    sound_rules, duration_rules = batch.rules[batch.is_scored].unbind(-1)
    sound_logits = model.heads.sound_logits(hidden, context)
    duration_logits = model.heads.duration_logits(hidden, context, sounds)
    # Adding 0 or -inf is faster than filling the forbidden logits in place.
    return (
        sound_logits.float() + masks.sounds.log().index_select(0, sound_rules),
        duration_logits.float() + masks.durations.log().index_select(0, duration_rules),
    )


def nll(model: Transformer, batch: Batch, masks: GrammarMasks) -> tuple[Tensor, Tensor]:
    """The negative log-likelihood of the next events, in nats; 0 where an event is not scored.

    Returns:
        (B, T) of the sounds, and (B, T) of the durations given their sounds.
    """
    pairs = zip(masked_logits(model, batch, masks), batch.targets, strict=True)
    scored = (F.cross_entropy(logits, target, reduction="none") for logits, target in pairs)
    zeros = torch.zeros(batch.is_scored.shape, device=batch.events.device)
    sound_nats, duration_nats = (zeros.masked_scatter(batch.is_scored, nats) for nats in scored)
    return sound_nats, duration_nats
