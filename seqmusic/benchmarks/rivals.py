"""Trained baselines: same data, loss, optimizer and processor time, and about as many parameters.

What differs is the representation and the architecture: a transformer on tokens of the voice-order
grammar, an LSTM on the same, and a transformer on the sixteenth grid of four voices. Training has
neither given parts nor input dropout, so that nothing else differs.
"""

from __future__ import annotations

import logging
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
from seqmusic.corpus.dataset import Work
from seqmusic.corpus.loading import benchmark_dataset
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces, score_held_out
from seqmusic.evaluation.loss_curve import CurvePoint, first_below, measure_loss_curve
from seqmusic.metrics.likelihood import TrainableModel
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

MILESTONE = 0.45  # nats per cell
SETTINGS = TrainingSettings(
    steps=100_000,
    batch_size=4,
    schedule="constant",
    warmup=0.0005,
    averaging=0.98,
    given_share=0.0,
    evaluate_every=60,
)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contender:
    """A model with the representation that it learns.

    Attributes:
        name: in tables.
        make: creates a new model.
        draw: draws the sequences of a batch by its number.
        held_out: the held-out pieces in this representation.
        masks: which tokens may follow which.
    """

    name: str
    make: Callable[[], TrainableModel]
    draw: Callable[[int], Sequence[Trace]]
    held_out: EncodedPieces
    masks: GrammarMasks


def train_contenders(data: Path, cpu_seconds: float) -> dict[str, dict[str, object]]:
    """Train each contender on the training pieces of a benchmark file; evaluate it on validation.

    Args:
        data: a file like ``Jsb16thSeparated.json``.
        cpu_seconds: processor time for each, without evaluations.

    Returns:
        By name: parameters, cpu_seconds, nats_per_cell, cpu_seconds_to_0.45 (None if that was not
        reached), and the curve.

    Raises:
        FormatError: the file is not of this format.
    """
    dataset = benchmark_dataset(data)
    pieces = encode_pieces([work.score for work in dataset.works_in("valid")])
    report: dict[str, dict[str, object]] = {}
    for contender in contenders(dataset.works_in("train"), pieces):
        figures = _train(contender, cpu_seconds)
        report[contender.name] = figures
        logger.info(_result_text(contender.name, figures))
    return report


def contenders(training: Sequence[Work], pieces: EncodedPieces) -> list[Contender]:
    """All three contenders, to be trained on the works."""
    cells = grid_data([work.score for work in training])
    deep = ModelSettings(width=128, layers=4, heads=4, feedforward=4, dropout=0.1)
    grid = Contender(
        "sixteenth-grid transformer",
        lambda: GridTransformer(deep, GRID_VOCABULARY),
        lambda step: draw_grid_batch(cells, SETTINGS, step),
        EncodedPieces(pieces.scores, tuple(grid_traces(pieces.scores))),
        grid_masks(torch.device("cpu")),
    )
    return [*grammar_contenders(training, pieces), grid]


def grammar_contenders(training: Sequence[Work], pieces: EncodedPieces) -> list[Contender]:
    """The two on the voice-order grammar, for as many voices as the traces of `pieces` can have."""
    max_voices = pieces.max_voices
    vocabulary = make_vocabulary(max_voices)
    masks = make_grammar_masks(torch.device("cpu"), max_voices)
    data = replace(training_data(training), max_voices=max_voices)
    small = ModelSettings(width=128, layers=2, heads=4, feedforward=2, dropout=0.1)
    recurrent = RecurrentSettings(width=144, layers=2, dropout=0.2)

    def draw(step: int) -> Sequence[Trace]:
        return draw_batch(data, SETTINGS, step)

    def make_transformer() -> Transformer:
        return Transformer(small, vocabulary)

    def make_lstm() -> Recurrent:
        return Recurrent(recurrent, vocabulary)

    return [
        Contender("voice-order transformer", make_transformer, draw, pieces, masks),
        Contender("voice-order LSTM", make_lstm, draw, pieces, masks),
    ]


def _train(contender: Contender, cpu_seconds: float) -> dict[str, object]:
    torch.manual_seed(SETTINGS.seed)
    model = contender.make()

    def evaluate(averaged: TrainableModel) -> float:
        return score_held_out(averaged, contender.held_out, contender.masks).nats_per_cell

    state = new_training_state(model, SETTINGS)  # type: ignore[arg-type]
    curve = measure_loss_curve(
        state, SETTINGS, contender.draw, evaluate, contender.masks, cpu_seconds=cpu_seconds
    )
    return _figures(model, list(curve))


def _figures(model: nn.Module, curve: Sequence[CurvePoint]) -> dict[str, object]:
    return {
        "parameters": n_parameters(model),
        "batches": curve[-1].step,
        "cpu_seconds": curve[-1].cpu_seconds,
        "nats_per_cell": min(point.nats_per_cell for point in curve),
        f"cpu_seconds_to_{MILESTONE}": first_below(curve, MILESTONE),
        "curve": [(point.step, point.cpu_seconds, point.nats_per_cell) for point in curve],
    }


def _result_text(name: str, figures: dict[str, object]) -> str:
    reached = figures[f"cpu_seconds_to_{MILESTONE}"]
    milestone = f"after {reached:.0f} s" if reached is not None else "not reached"
    return (
        f"{name:<28} {figures['parameters']:>9,} parameters  {figures['batches']:>5} batches "
        f"in {figures['cpu_seconds']:.0f} s of processor time  "
        f"{figures['nats_per_cell']:.4f} nats per cell; {MILESTONE} {milestone}"
    )
