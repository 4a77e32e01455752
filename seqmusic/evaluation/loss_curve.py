"""How fast a model learns: held-out nats per cell against the processor time spent on training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import GrammarMasks, TokenSequence
from seqmusic.training.loop import TrainingState, train
from seqmusic.training.settings import TrainingSettings

DrawBatch = Callable[[int], Sequence[TokenSequence]]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One evaluation.

    Attributes:
        step: batches so far.
        cpu_seconds: processor time of all threads since the start, without evaluations.
        nats_per_cell: on held-out pieces.
        positions: events that the model was shown so far, those that were given included.
    """

    step: int
    cpu_seconds: float
    nats_per_cell: float
    positions: int


@dataclass
class _CountedDraws:
    """Draws batches, and counts the events in each."""

    draw: DrawBatch
    n_events: dict[int, int] = field(default_factory=dict)

    def __call__(self, step: int) -> Sequence[TokenSequence]:
        sequences = self.draw(step)
        self.n_events[step] = sum(len(sequence.events) - 1 for sequence in sequences)
        return sequences

    def positions(self, first: int, end: int) -> int:
        """Events in the batches from `first` to before `end`; later ones may be drawn already."""
        return sum(self.n_events[step] for step in range(first, end))


@dataclass
class _UntimedEvaluation:
    """Evaluates, and adds up the processor time that this takes."""

    evaluate: Callable[[Transformer], float]
    cpu_seconds: float = 0.0

    def __call__(self, model: Transformer) -> dict[str, float]:
        started = time.process_time()
        figures = {"nats_per_cell": self.evaluate(model)}
        self.cpu_seconds += time.process_time() - started
        return figures


def measure_loss_curve(
    state: TrainingState,
    settings: TrainingSettings,
    draw: DrawBatch,
    evaluate: Callable[[Transformer], float],
    masks: GrammarMasks,
    *,
    cpu_seconds: float,
) -> Iterator[CurvePoint]:
    """Train until `settings` end it or the processor time is spent, and yield every evaluation.

    Args:
        state: changed in place; its averaged weights, if there are any, are evaluated.
        settings: two curves are comparable if neither ends by its minutes.
        draw: as in `train`.
        evaluate: gives nats per cell on held-out pieces.
        masks: which tokens may follow which.
        cpu_seconds: processor time for training; the batch that exceeds it is the last.
    """
    first, draws, untimed = state.step, _CountedDraws(draw), _UntimedEvaluation(evaluate)
    started = time.process_time()
    for report in train(state, settings, draws, untimed, masks):
        spent = time.process_time() - started - untimed.cpu_seconds
        evaluation = report.evaluation
        if not evaluation and spent >= cpu_seconds:
            evaluation = untimed(state.evaluated_model(settings))
        if evaluation:
            positions = draws.positions(first, report.step)
            yield CurvePoint(report.step, spent, evaluation["nats_per_cell"], positions)
        if spent >= cpu_seconds:
            return


def first_below(curve: Sequence[CurvePoint], nats_per_cell: float) -> float | None:
    """Processor seconds at which a curve first reaches a figure; None if it never does.

    Between two points the curve is taken to be straight.

    >>> first_below([CurvePoint(10, 20.0, 0.9, 5), CurvePoint(20, 40.0, 0.5, 9)], 0.6)
    35.0
    """
    before: CurvePoint | None = None
    for point in curve:
        if point.nats_per_cell > nats_per_cell:
            before = point
        elif before is None:
            return point.cpu_seconds
        else:
            fall = before.nats_per_cell - point.nats_per_cell
            share = (before.nats_per_cell - nats_per_cell) / fall
            return before.cpu_seconds + share * (point.cpu_seconds - before.cpu_seconds)
    return None
