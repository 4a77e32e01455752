"""How fast a model learns: held-out nats a cell against the processor seconds spent on training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import GrammarMasks, TokenSequence
from seqmusic.training.loop import TrainingState, train
from seqmusic.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One evaluation.

    Attributes:
        step: batches so far.
        cpu_seconds: processor time of all threads since the start, evaluations left out.
        nats_per_cell: on held-out pieces.
        positions: events that the model was shown so far, those that were given among them.
    """

    step: int
    cpu_seconds: float
    nats_per_cell: float
    positions: int


def measure_loss_curve(
    state: TrainingState,
    settings: TrainingSettings,
    draw: Callable[[int], Sequence[TokenSequence]],
    evaluate: Callable[[Transformer], float],
    masks: GrammarMasks,
    *,
    cpu_seconds: float,
) -> Iterator[CurvePoint]:
    """Train, whatever the representation, until `settings` end it or the processor time is spent; a point an evaluation.

    Args:
        state: changed in place; evaluated are the averaged weights, where there are any.
        settings: how; two curves compare when neither is ended by its minutes.
        draw: as in `train`.
        evaluate: nats a cell on held-out pieces.
        masks: what may follow what.
        cpu_seconds: most processor time to spend on training; the batch that passes it is the last.
    """
    evaluating, first, n_drawn = 0.0, state.step, {}

    def counted(step: int) -> Sequence[TokenSequence]:
        sequences = draw(step)
        n_drawn[step] = sum(len(sequence.events) - 1 for sequence in sequences)
        return sequences

    def positions(step: int) -> int:
        return sum(
            n_drawn[own] for own in range(first, step)
        )  # the batches after that are drawn, but not trained on

    def timed(model: Transformer) -> dict[str, float]:
        nonlocal evaluating
        before = time.process_time()
        figure = {"nats_per_cell": evaluate(model)}
        evaluating += time.process_time() - before
        return figure

    started = time.process_time()
    for report in train(state, settings, counted, timed, masks):
        spent = time.process_time() - started - evaluating
        if report.evaluation:
            yield CurvePoint(
                report.step, spent, report.evaluation["nats_per_cell"], positions(report.step)
            )
        elif spent >= cpu_seconds:
            nats = timed(state.averaged if settings.averaging else state.model)["nats_per_cell"]
            yield CurvePoint(report.step, spent, nats, positions(report.step))
        if spent >= cpu_seconds:
            return


def first_below(curve: Sequence[CurvePoint], nats_per_cell: float) -> float | None:
    """Processor seconds at which the curve first reaches a figure, straight between points; None if it never does.

    >>> first_below([CurvePoint(10, 20.0, 0.9, 5), CurvePoint(20, 40.0, 0.5, 9)], 0.6)
    35.0
    """
    before: CurvePoint | None = None
    for point in curve:
        if point.nats_per_cell <= nats_per_cell:
            if before is None:
                return point.cpu_seconds
            share = (before.nats_per_cell - nats_per_cell) / (
                before.nats_per_cell - point.nats_per_cell
            )
            return before.cpu_seconds + share * (point.cpu_seconds - before.cpu_seconds)
        before = point
    return None
