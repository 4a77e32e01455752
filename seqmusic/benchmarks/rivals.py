"""Rivals that are trained: the same data, loss and optimizer, the same processor time, and about as many parameters.

What differs is the representation and the trunk: a transformer on the voice-order grammar, an LSTM on the same, and a transformer
on the four-voice sixteenth grid. None is given tasks or hidden inputs here, so that only what differs is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from seqmusic.baselines.grid_tokens import (
    GRID_VOCABULARY,
    draw_grid_batch,
    grid_data,
    grid_masks,
    grid_traces,
)
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces
from seqmusic.corpus.dataset import Work
from seqmusic.corpus.loading import benchmark_dataset
from seqmusic.evaluation.loss_curve import CurvePoint, first_below, measure_loss_curve
from seqmusic.metrics.likelihood import TrainableModel, score_pieces
from seqmusic.model.grid_transformer import GridTransformer
from seqmusic.model.recurrent import Recurrent, RecurrentSettings
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer, n_parameters
from seqmusic.runs.data import draw_batch, training_data
from seqmusic.runs.pretrained import make_grammar_masks, make_vocabulary
from seqmusic.tokens.tokenizer import Trace
from seqmusic.training.batches import GrammarMasks
from seqmusic.training.loop import new_training_state
from seqmusic.training.settings import TrainingSettings

MILESTONE = 0.45  # nats a cell
SETTINGS = TrainingSettings(
    steps=100_000,
    batch_size=4,
    schedule="constant",
    warmup=0.0005,
    averaging=0.98,
    given_share=0.0,
    evaluate_every=60,
)


@dataclass(frozen=True, slots=True)
class Contender:
    """A model with its own way to say pieces.

    Attributes:
        name: for people.
        make: a new model.
        draw: the sequences of a batch, by its number.
        traces: of the held-out pieces.
        masks: what may follow what.
    """

    name: str
    make: Callable[[], TrainableModel]
    draw: Callable[[int], Sequence[Trace]]
    traces: Sequence[Trace]
    masks: GrammarMasks


def train_contenders(
    data: Path, cpu_seconds: float, *, show: Callable[[str], None] = print
) -> dict[str, dict[str, object]]:
    """Train each contender for so long on the training pieces of a benchmark file; validation pieces say what it learned.

    Args:
        data: a file like ``Jsb16thSeparated.json``.
        cpu_seconds: processor time for each, evaluations left out.
        show: takes lines for people.

    Returns:
        By name: parameters, cpu_seconds, nats_per_cell, cpu_seconds_to_0.45 (None where that was not reached), and the curve.

    Raises:
        FormatError: the file is not of its shape.
    """
    dataset = benchmark_dataset(data)
    training, pieces = (
        dataset.works_in("train"),
        encode_pieces([work.score for work in dataset.works_in("valid")]),
    )
    report: dict[str, dict[str, object]] = {}
    for contender in contenders(training, pieces):
        torch.manual_seed(SETTINGS.seed)
        model = contender.make()

        def evaluate(own: TrainableModel, contender: Contender = contender) -> float:
            scored = score_pieces(
                own, contender.traces, contender.masks, cells=pieces.cells, notes=pieces.notes
            )
            return scored.nats_per_cell

        state = new_training_state(model, SETTINGS)  # type: ignore[arg-type]
        curve = list(
            measure_loss_curve(
                state, SETTINGS, contender.draw, evaluate, contender.masks, cpu_seconds=cpu_seconds
            )
        )
        report[contender.name] = _figures(model, curve)
        show(_format_result(contender.name, report[contender.name]))
    return report


def contenders(training: Sequence[Work], pieces: EncodedPieces) -> list[Contender]:
    """All three, each ready to be trained on the works."""
    cells_data = grid_data([work.score for work in training])
    deep = ModelSettings(width=128, layers=4, heads=4, feedforward=4, dropout=0.1)
    grid = Contender(
        "sixteenth-grid transformer",
        lambda: GridTransformer(deep, GRID_VOCABULARY),
        lambda step: draw_grid_batch(cells_data, SETTINGS, step),
        grid_traces(pieces.scores),
        grid_masks(torch.device("cpu")),
    )
    return [*grammar_contenders(training, pieces), grid]


def grammar_contenders(training: Sequence[Work], pieces: EncodedPieces) -> list[Contender]:
    """The two on the voice-order grammar, for as many voices as the traces of `pieces` tell of."""
    words, masks = (
        make_vocabulary(pieces.max_voices),
        make_grammar_masks(torch.device("cpu"), pieces.max_voices),
    )
    data = replace(training_data(training), max_voices=pieces.max_voices)
    small = ModelSettings(width=128, layers=2, heads=4, feedforward=2, dropout=0.1)
    recurrent = RecurrentSettings(width=144, layers=2, dropout=0.2)

    def draw(step: int) -> Sequence[Trace]:
        return draw_batch(data, SETTINGS, step)

    return [
        Contender(
            "voice-order transformer", lambda: Transformer(small, words), draw, pieces.traces, masks
        ),
        Contender(
            "voice-order LSTM", lambda: Recurrent(recurrent, words), draw, pieces.traces, masks
        ),
    ]


def _figures(model: nn.Module, curve: Sequence[CurvePoint]) -> dict[str, object]:
    return {
        "parameters": n_parameters(model),
        "batches": curve[-1].step,
        "cpu_seconds": curve[-1].cpu_seconds,
        "nats_per_cell": min(point.nats_per_cell for point in curve),
        f"cpu_seconds_to_{MILESTONE}": first_below(curve, MILESTONE),
        "curve": [(point.step, point.cpu_seconds, point.nats_per_cell) for point in curve],
    }


def _format_result(name: str, own: dict[str, object]) -> str:
    reached = own[f"cpu_seconds_to_{MILESTONE}"]
    when = (
        f"{MILESTONE} after {reached:.0f} s" if reached is not None else f"{MILESTONE} not reached"
    )
    return (
        f"{name:<28} {own['parameters']:>9,} parameters  {own['batches']:>5} batches in {own['cpu_seconds']:.0f} s "
        f"of processor time  {own['nats_per_cell']:.4f} nats a cell; {when}"
    )
