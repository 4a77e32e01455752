"""Training: one loop, read top to bottom, that yields what happened."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import Masks, Sequenced, make_batch, nll

OPTIMIZERS = ("adamw", "adam", "sgd", "rmsprop", "adagrad")
SCHEDULES = ("constant", "linear", "cosine")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How the model is trained."""

    steps: int = 600  # batches
    minutes: float = 0.0  # stop after this long, 0 = no limit
    batch_size: int = 16  # pieces
    optimizer: str = "adamw"  # adamw, adam, sgd, rmsprop or adagrad
    learning_rate: float = 2e-3  # at its highest
    warmup: float = 0.05  # share of the steps in which the rate rises, 0..1
    schedule: str = "cosine"  # constant, linear or cosine
    weight_decay: float = 0.05  # L2, 0 or more
    l1: float = 0.0  # L1, 0 or more
    clip: float = 1.0  # largest norm of the gradient, 0 = no limit
    averaging: float = 0.99  # decay of the averaged weights, 0 = none
    evaluate_every: int = 100  # steps
    patience: int = 0  # evaluations without progress before stopping, 0 = never stop early
    given_share: float = 0.5  # share of pieces in which a part is given, 0..1
    seed: int = 0


@dataclass(slots=True)
class TrainingState:
    """Everything that a run needs to go on where it stopped."""

    model: Transformer
    averaged: Transformer
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    best: float = math.inf
    since_best: int = 0


@dataclass(frozen=True, slots=True)
class Report:
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


def new_state(model: Transformer, settings: TrainingSettings) -> TrainingState:
    """A run that has not begun."""
    return TrainingState(model, copy.deepcopy(model).eval(), make_optimizer(model, settings))


def make_optimizer(model: Transformer, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The optimizer asked for; weight decay falls on matrices only."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    rate = settings.learning_rate
    if settings.optimizer in ("adamw", "adam"):
        kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
        return kind(groups, lr=rate, betas=(0.9, 0.98), fused=True)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9)
    return (torch.optim.RMSprop if settings.optimizer == "rmsprop" else torch.optim.Adagrad)(groups, lr=rate)


def train(
    state: TrainingState,
    settings: TrainingSettings,
    draw: Callable[[int], Sequence[Sequenced]],
    evaluate: Callable[[Transformer], dict[str, float]],
    masks: Masks,
) -> Iterator[Report]:
    """Train, and yield what happened after each batch; `state` is always ready to be saved.

    Args:
        state: changed in place.
        settings: how.
        draw: the sequences of batch number `step`, the same each time it is asked.
        evaluate: figures of the averaged model on held-out pieces; the first is made small.
        masks: what may follow what.
    """
    device = next(state.model.parameters()).device
    while not _is_over(state, settings):
        started = time.monotonic()
        torch.manual_seed(settings.seed * 1_000_003 + state.step)
        for group in state.optimizer.param_groups:
            group["lr"] = settings.learning_rate * _rate(state, settings)
        loss, n_events = _step(state, settings, make_batch_loss(state.model.train(), draw(state.step), masks, device))
        state.step += 1
        state.seconds += time.monotonic() - started
        if state.step % settings.evaluate_every and not _is_over(state, settings):
            yield Report(state.step, loss, n_events)
            continue
        figures = evaluate(state.averaged if settings.averaging else state.model.eval())
        is_best = next(iter(figures.values())) < state.best
        state.best, state.since_best = (next(iter(figures.values())), 0) if is_best else (state.best, state.since_best + 1)
        yield Report(state.step, loss, n_events, figures, is_best)
        if settings.patience and state.since_best >= settings.patience:
            return


def make_batch_loss(model: Transformer, sequences: Sequence[Sequenced], masks: Masks, device: torch.device) -> tuple[Tensor, int]:
    """Nats a scored event, and how many there are."""
    batch = make_batch(sequences, device)
    sound, duration = nll(model, batch, masks)
    n_events = int(batch.is_scored.sum())
    return (sound + duration).sum() / n_events, n_events


def _step(state: TrainingState, settings: TrainingSettings, loss_and_size: tuple[Tensor, int]) -> tuple[float, int]:
    loss, n_events = loss_and_size
    total = loss + settings.l1 * sum(p.abs().sum() for p in state.model.parameters()) if settings.l1 else loss
    state.optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    if settings.clip:
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), settings.clip)
    state.optimizer.step()
    if settings.averaging:
        decay = min(settings.averaging, (1 + state.step) / (10 + state.step))
        with torch.no_grad():
            for mean, new in zip(state.averaged.parameters(), state.model.parameters(), strict=True):
                mean.lerp_(new, 1 - decay)
    return float(loss.detach()), n_events


def _is_over(state: TrainingState, settings: TrainingSettings) -> bool:
    return state.step >= settings.steps or bool(settings.minutes and state.seconds > 60 * settings.minutes)


def _rate(state: TrainingState, settings: TrainingSettings) -> float:
    """Share of the highest learning rate; by the clock where the minutes decide."""
    done = (state.step + 1) / settings.steps
    if settings.minutes:
        done = min(1.0, max(done, state.seconds / (60 * settings.minutes)))
    if done < settings.warmup:
        return done / settings.warmup
    rest = (done - settings.warmup) / max(1e-9, 1 - settings.warmup)
    return {"constant": 1.0, "linear": 1 - rest, "cosine": 0.5 + 0.5 * math.cos(math.pi * rest)}[settings.schedule]
