"""One round of alignment: batches of pairs and of training works, from a reference model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqmusic.alignment.objectives import preference_loss
from seqmusic.alignment.settings import AlignmentSettings
from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import GrammarMasks, TokenSequence, make_batch, nll
from seqmusic.training.optimizer import learning_rate, make_optimizer
from seqmusic.training.settings import TrainingSettings

_BATCH_SIZE = 16


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """Two sequences that begin alike, of which one is preferred; only what differs is scored."""

    chosen: TokenSequence
    rejected: TokenSequence


@dataclass(frozen=True, slots=True)
class RoundStep:
    """What happened in one step.

    Attributes:
        step: batches so far.
        loss: of the pairs.
        nats: per event of the training works.
    """

    step: int
    loss: float
    nats: float


def align_round(
    model: Transformer,
    pairs: Sequence[PreferencePair],
    draw_works: Callable[[int], Sequence[TokenSequence]],
    settings: AlignmentSettings,
    masks: GrammarMasks,
) -> Iterator[RoundStep]:
    """Train `model` in place, with itself as it is now as the reference; yields each step.

    Args:
        model: without dropout from now on.
        pairs: at least one.
        draw_works: from the number of a step to training works.
        settings: of the objective, the steps and the batches.
        masks: which tokens may follow which, on the device of the model.
    """
    model.eval()
    sequences = [sequence for pair in pairs for sequence in (pair.chosen, pair.rejected)]
    reference = log_probabilities(model, sequences, masks).view(-1, 2)
    order = _batches(len(pairs), settings)
    schedule = _schedule(settings)
    optimizer = make_optimizer(model, schedule)
    for step, numbers in enumerate(order):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(schedule, step, 0.0)
        optimizer.zero_grad(set_to_none=True)
        chosen = [pairs[number] for number in numbers]
        loss = _pair_loss(model, chosen, reference[numbers], settings, masks)
        nats = _anchor_loss(model, draw_works(step), masks)
        torch.autograd.backward([loss, settings.anchor * nats])
        torch.nn.utils.clip_grad_norm_(model.parameters(), schedule.clip)
        optimizer.step()
        yield RoundStep(step + 1, float(loss.detach()), float(nats.detach()))


@torch.no_grad()
def log_probabilities(
    model: Transformer, sequences: Sequence[TokenSequence], masks: GrammarMasks
) -> Tensor:
    """(N,) log-probability of the scored events of each sequence, in nats, without a gradient."""
    found = torch.zeros(len(sequences))
    order = sorted(range(len(sequences)), key=lambda number: len(sequences[number].events))
    for start in range(0, len(order), _BATCH_SIZE):
        numbers = order[start : start + _BATCH_SIZE]
        found[numbers] = _log_p(model, [sequences[number] for number in numbers], masks)
    return found


def frozen_copy(model: Transformer) -> Transformer:
    """The model as it is now, which later training leaves alone."""
    return copy.deepcopy(model).eval()


def _log_p(model: Transformer, sequences: Sequence[TokenSequence], masks: GrammarMasks) -> Tensor:
    device = next(model.parameters()).device
    sounds, durations = nll(model, make_batch(sequences, device), masks)
    return -(sounds + durations).sum(dim=1)


def _pair_loss(
    model: Transformer,
    pairs: Sequence[PreferencePair],
    reference: Tensor,
    settings: AlignmentSettings,
    masks: GrammarMasks,
) -> Tensor:
    """The loss of P pairs, of which the reference has (P, 2) log-probabilities."""
    sequences = [sequence for pair in pairs for sequence in (pair.chosen, pair.rejected)]
    ratios = _log_p(model, sequences, masks).view(-1, 2) - reference
    n_events = torch.tensor([int(pair.chosen.is_scored.sum()) for pair in pairs])
    return preference_loss(settings, ratios[:, 0], ratios[:, 1], n_events)


def _anchor_loss(model: Transformer, works: Sequence[TokenSequence], masks: GrammarMasks) -> Tensor:
    """Nats per scored event."""
    n_events = sum(int(work.is_scored.sum()) for work in works)
    return -_log_p(model, works, masks).sum() / n_events


def _batches(n_pairs: int, settings: AlignmentSettings) -> list[list[int]]:
    """The pairs of each step: all pairs in a new order, again and again."""
    rng = np.random.default_rng(settings.seed)
    n_needed = settings.steps * settings.pairs
    n_times = -(-n_needed // n_pairs)
    order = np.concatenate([rng.permutation(n_pairs) for _ in range(n_times)])[:n_needed]
    return [batch.tolist() for batch in order.reshape(settings.steps, settings.pairs)]


def _schedule(settings: AlignmentSettings) -> TrainingSettings:
    """The settings of the optimizer and of its learning rate."""
    return TrainingSettings(
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        warmup=settings.warmup,
        schedule="cosine",
        weight_decay=0.0,
    )
