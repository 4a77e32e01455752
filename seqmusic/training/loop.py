"""Training: one loop, read top to bottom, that yields what happened."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import torch
from torch import nn

from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import Batch, BatchLoss, GrammarMasks, TokenSequence, make_batch
from seqmusic.training.device import choose_precision
from seqmusic.training.distributed import SINGLE_PROCESS, ProcessGroup, to_local_tensor
from seqmusic.training.settings import TrainingSettings


@dataclass(slots=True)
class TrainingState:
    """Everything that a run needs to go on where it stopped."""

    model: Transformer
    averaged: Transformer
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    best: float = math.inf
    best_step: int = 0
    since_best: int = 0
    notes: int = 0  # a checksum of what is learned


@dataclass(frozen=True, slots=True)
class StepReport:
    """What happened in one step.

    Attributes:
        step: batches so far.
        loss: nats a scored event in this batch.
        n_events: scored events in this batch.
        evaluation: what `evaluate` returned, where this step ended with an evaluation; the first figure decides.
        is_best: whether that evaluation is the best so far.
    """

    step: int
    loss: float
    n_events: int
    evaluation: dict[str, float] = field(default_factory=dict)
    is_best: bool = False


def new_training_state(
    model: Transformer, settings: TrainingSettings, group: ProcessGroup = SINGLE_PROCESS
) -> TrainingState:
    """A run that has not begun; where the group is sharded, so is the model now."""
    averaged = group.sharded(copy.deepcopy(model).eval())
    return TrainingState(group.sharded(model), averaged, make_optimizer(model, settings))


def make_optimizer(model: Transformer, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The optimizer asked for; weight decay falls on matrices only."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    rate = settings.learning_rate
    if settings.optimizer in ("adamw", "adam"):
        kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
        return kind(groups, lr=rate, betas=(0.9, 0.98), fused=True)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9)
    return (torch.optim.RMSprop if settings.optimizer == "rmsprop" else torch.optim.Adagrad)(
        groups, lr=rate
    )


def train(
    state: TrainingState,
    settings: TrainingSettings,
    draw: Callable[[int], Sequence[TokenSequence]],
    evaluate: Callable[[Transformer], dict[str, float]],
    masks: GrammarMasks,
    group: ProcessGroup = SINGLE_PROCESS,
) -> Iterator[StepReport]:
    """Train, and yield what happened after each batch; `state` is always ready to be saved.

    Args:
        state: changed in place.
        settings: how.
        draw: the sequences of batch number `step`, the same each time it is asked; asked in a thread, one batch ahead.
        evaluate: figures of the averaged model on held-out pieces; the first is made small.
        masks: what may follow what.
        group: the processes that share the work.
    """
    device = next(state.model.parameters()).device
    scorer = group.data_parallel(
        BatchLoss(state.model, masks, choose_precision(settings.precision, device))
    )

    def prepared(step: int) -> tuple[list[Batch], int]:
        return make_microbatches(draw(step), settings, group, device)

    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(prepared, state.step)
        while not _is_finished(state, settings):
            started = time.monotonic()
            torch.manual_seed(settings.seed * 1_000_003 + state.step + (group.rank << 40))
            for part in state.optimizer.param_groups:
                part["lr"] = settings.learning_rate * _learning_rate_factor(state, settings)
            batches, n_events = coming.result()
            coming = ahead.submit(prepared, state.step + 1)
            nats = _optimizer_step(state, settings, scorer.train(), batches, n_events, group)
            state.step += 1
            loss, seconds = group.sum_over_ranks(
                nats / n_events, (time.monotonic() - started) / group.size
            )
            state.seconds += seconds
            if state.step % settings.evaluate_every and not _is_finished(state, settings):
                yield StepReport(state.step, loss, n_events)
                continue
            figures = evaluate(state.averaged if settings.averaging else state.model.eval())
            is_best = next(iter(figures.values())) < state.best
            if is_best:
                state.best, state.best_step = next(iter(figures.values())), state.step
            state.since_best = 0 if is_best else state.since_best + 1
            yield StepReport(state.step, loss, n_events, figures, is_best)


def make_microbatches(
    sequences: Sequence[TokenSequence],
    settings: TrainingSettings,
    group: ProcessGroup,
    device: torch.device,
) -> tuple[list[Batch], int]:
    """What one process has to compute of a batch, in as many parts as the settings say; and how many events all of it scores."""
    by_length = sorted(sequences, key=lambda own: len(own.events))
    mine = group.rank_slice(by_length)
    parts = [mine[start :: settings.accumulate] for start in range(settings.accumulate)]
    return [make_batch(part, device) for part in parts if part], sum(
        int(own.is_scored.sum()) for own in sequences
    )


def _optimizer_step(
    state: TrainingState,
    settings: TrainingSettings,
    scorer: nn.Module,
    batches: Sequence[Batch],
    n_events: int,
    group: ProcessGroup,
) -> float:
    """One step of the optimizer; returns the nats of this process's share."""
    state.optimizer.zero_grad(set_to_none=True)
    total = 0.0
    for number, batch in enumerate(batches, start=1):
        with group.gradient_sync(scorer, number == len(batches)):
            nats = scorer(batch)
            (nats * (group.size / n_events)).backward()  # the group takes the mean of its processes
        total += float(nats.detach())
    parameters = list(state.model.parameters())
    if settings.l1:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.add_(parameter.detach().sign(), alpha=settings.l1)
    if settings.clip:
        torch.nn.utils.clip_grad_norm_(parameters, settings.clip)
    state.optimizer.step()
    if settings.averaging:
        decay = min(settings.averaging, (1 + state.step) / (10 + state.step))
        with torch.no_grad():
            for mean, new in zip(state.averaged.parameters(), parameters, strict=True):
                to_local_tensor(mean).lerp_(to_local_tensor(new), 1 - decay)
    return total


def _is_finished(state: TrainingState, settings: TrainingSettings) -> bool:
    is_stuck = bool(settings.patience) and state.since_best >= settings.patience
    return (
        is_stuck
        or state.step >= settings.steps
        or bool(settings.minutes and state.seconds > 60 * settings.minutes)
    )


def _learning_rate_factor(state: TrainingState, settings: TrainingSettings) -> float:
    """Share of the highest learning rate; by the clock where the minutes decide."""
    done = (state.step + 1) / settings.steps
    if settings.minutes:
        done = min(1.0, max(done, state.seconds / (60 * settings.minutes)))
    if done < settings.warmup:
        return done / settings.warmup
    rest = (done - settings.warmup) / max(1e-9, 1 - settings.warmup)
    return {"constant": 1.0, "linear": 1 - rest, "cosine": 0.5 + 0.5 * math.cos(math.pi * rest)}[
        settings.schedule
    ]
