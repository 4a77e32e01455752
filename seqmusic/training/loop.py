"""Training: one loop, read from top to bottom, that yields what happened."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import nn

from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import Batch, GrammarMasks, TokenSequence, make_batch
from seqmusic.training.device import choose_precision
from seqmusic.training.distributed import SINGLE_PROCESS, ProcessGroup, to_local_tensor
from seqmusic.training.loss import BatchLoss, Teachers
from seqmusic.training.optimizer import learning_rate, make_optimizer
from seqmusic.training.settings import TrainingSettings


@dataclass(slots=True)
class TrainingState:
    """All that a run needs to resume.

    Attributes:
        model: the model in training.
        averaged: the same model with a moving average of its weights.
        optimizer: of the model.
        step: batches so far.
        seconds: spent on them.
        best: the lowest loss of an evaluation so far.
        best_step: batches before that evaluation.
        since_best: evaluations since then.
        notes: checksum of the training notes.
    """

    model: Transformer
    averaged: Transformer
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    best: float = math.inf
    best_step: int = 0
    since_best: int = 0
    notes: int = 0

    def is_finished(self, settings: TrainingSettings) -> bool:
        """Whether the steps or the minutes are over, or the evaluations no longer improve."""
        if settings.patience and self.since_best >= settings.patience:
            return True
        if settings.minutes and self.seconds > 60 * settings.minutes:
            return True
        return self.step >= settings.steps

    def record_evaluation(self, losses: dict[str, float]) -> bool:
        """Record an evaluation, whose first loss counts; returns whether it is the best so far."""
        loss = next(iter(losses.values()))
        is_best = loss < self.best
        if is_best:
            self.best, self.best_step = loss, self.step
        self.since_best = 0 if is_best else self.since_best + 1
        return is_best

    def evaluated_model(self, settings: TrainingSettings) -> Transformer:
        """The model that evaluations measure: the averaged one if the settings average."""
        return self.averaged if settings.averaging else self.model


@dataclass(slots=True)
class StepReport:
    """What happened in one step.

    Attributes:
        step: batches so far.
        loss: nats per scored event of this batch.
        n_events: scored events of this batch.
        evaluation: what `evaluate` returned after this step, empty where it was not called.
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
    """The state before the first step; a sharded group shards the model in place."""
    averaged = group.sharded(copy.deepcopy(model).eval())
    return TrainingState(group.sharded(model), averaged, make_optimizer(model, settings))


def train(
    state: TrainingState,
    settings: TrainingSettings,
    draw: Callable[[int], Sequence[TokenSequence]],
    evaluate: Callable[[Transformer], dict[str, float]],
    masks: GrammarMasks,
    group: ProcessGroup = SINGLE_PROCESS,
    teachers: Teachers | None = None,
) -> Iterator[StepReport]:
    """Train, and yield what happened after each batch; `state` can be saved at each of them.

    Args:
        state: changed in place.
        settings: of the optimizer, the schedule and the evaluations.
        draw: returns the sequences of batch number `step`; a thread calls it one batch ahead.
        evaluate: returns losses of a model on held-out pieces; the first one is minimized.
        masks: which tokens may follow which, on the device of the model.
        group: the processes that share the work.
        teachers: trained models from which the model also learns.
    """
    device = next(state.model.parameters()).device
    precision = choose_precision(settings.precision, device)
    loss_module = group.data_parallel(BatchLoss(state.model, masks, precision, teachers))
    prepare = partial(_draw_microbatches, draw, settings, group, device)
    with ThreadPoolExecutor(1) as executor:
        next_batch = executor.submit(prepare, state.step)
        while not state.is_finished(settings):
            started = time.monotonic()
            torch.manual_seed(settings.seed * 1_000_003 + state.step + (group.rank << 40))
            microbatches, n_events = next_batch.result()
            next_batch = executor.submit(prepare, state.step + 1)
            nats = _optimizer_step(state, settings, loss_module, microbatches, n_events, group)
            state.step += 1
            loss, seconds = group.sum_over_ranks(nats / n_events, time.monotonic() - started)
            state.seconds += seconds / group.size
            report = StepReport(state.step, loss, n_events)
            if state.step % settings.evaluate_every == 0 or state.is_finished(settings):
                report.evaluation = evaluate(state.evaluated_model(settings).eval())
                report.is_best = state.record_evaluation(report.evaluation)
            yield report


def _draw_microbatches(
    draw: Callable[[int], Sequence[TokenSequence]],
    settings: TrainingSettings,
    group: ProcessGroup,
    device: torch.device,
    step: int,
) -> tuple[list[Batch], int]:
    """The part of a batch that one process computes, and the scored events of the whole batch."""
    sequences = draw(step)
    by_length = sorted(sequences, key=lambda sequence: len(sequence.events))
    share = group.rank_slice(by_length)
    parts = [share[start :: settings.accumulate] for start in range(settings.accumulate)]
    n_events = sum(int(sequence.is_scored.sum()) for sequence in sequences)
    return [make_batch(part, device) for part in parts if part], n_events


def _optimizer_step(
    state: TrainingState,
    settings: TrainingSettings,
    loss_module: nn.Module,
    microbatches: Sequence[Batch],
    n_events: int,
    group: ProcessGroup,
) -> float:
    """Update the weights; returns the nats of the part that this process computed."""
    for parameters in state.optimizer.param_groups:
        parameters["lr"] = learning_rate(settings, state.step, state.seconds)
    loss_module.train()
    state.optimizer.zero_grad(set_to_none=True)
    total = 0.0
    for number, batch in enumerate(microbatches, start=1):
        with group.gradient_sync(loss_module, is_last=number == len(microbatches)):
            nats = loss_module(batch)
            (nats * (group.size / n_events)).backward()  # the group averages over its processes
        total += float(nats.detach())
    _regularize_gradients(state.model, settings)
    state.optimizer.step()
    if settings.averaging:
        _update_average(state, settings)
    return total


def _regularize_gradients(model: Transformer, settings: TrainingSettings) -> None:
    if settings.l1:
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad.add_(parameter.detach().sign(), alpha=settings.l1)
    if settings.clip:
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)


@torch.no_grad()
def _update_average(state: TrainingState, settings: TrainingSettings) -> None:
    """Move the averaged weights towards the new ones, faster in the first steps."""
    decay = min(settings.averaging, (1 + state.step) / (10 + state.step))
    pairs = zip(state.averaged.parameters(), state.model.parameters(), strict=True)
    for average, new in pairs:
        to_local_tensor(average).lerp_(to_local_tensor(new), 1 - decay)
