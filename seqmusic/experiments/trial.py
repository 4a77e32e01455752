"""One trial: a training with a budget, and the figures of the model on held-out pieces."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from seqmusic.evaluation.held_out import EncodedPieces, grammar_masks_for, score_held_out
from seqmusic.evaluation.loss_curve import CurvePoint, measure_loss_curve
from seqmusic.metrics.likelihood import TrainableModel
from seqmusic.model.transformer import Transformer, n_parameters
from seqmusic.progress import progress_bar
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.data import TrainingData, draw_batch
from seqmusic.runs.pretrained import make_vocabulary
from seqmusic.training.batches import GrammarMasks, TokenSequence
from seqmusic.training.loop import new_training_state
from seqmusic.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of one training.

    Attributes:
        parameters: number of trainable parameters.
        curve: the evaluations on held-out pieces, in their order.
    """

    parameters: int
    curve: tuple[CurvePoint, ...]

    @property
    def best(self) -> CurvePoint:
        """The evaluation with the fewest nats per cell, the first of equal ones."""
        return min(self.curve, key=lambda point: point.nats_per_cell)

    def metrics(self) -> dict[str, object]:
        """Plain values by name, for a table or a JSON file."""
        return {
            "parameters": self.parameters,
            "nats_per_cell": self.best.nats_per_cell,
            "best_step": self.best.step,
            "steps": self.curve[-1].step,
            "positions": self.curve[-1].positions,
            "cpu_seconds": round(self.curve[-1].cpu_seconds, 2),
            "curve": [
                [point.step, point.positions, round(point.cpu_seconds, 2), point.nats_per_cell]
                for point in self.curve
            ],
        }


@dataclass
class _BestWeights:
    """Evaluates models on held-out pieces, and keeps a copy of the weights of the best one."""

    pieces: EncodedPieces
    masks: GrammarMasks
    nats_per_cell: float = math.inf
    weights: dict[str, Tensor] = field(default_factory=dict)

    def __call__(self, model: TrainableModel) -> float:
        nats = score_held_out(model, self.pieces, self.masks).nats_per_cell
        if nats < self.nats_per_cell:
            self.nats_per_cell = nats
            self.weights = {name: weight.clone() for name, weight in model.state_dict().items()}
        return nats


def train_trial(
    model: TrainableModel,
    settings: TrainingSettings,
    draw: Callable[[int], Sequence[TokenSequence]],
    pieces: EncodedPieces,
    *,
    cpu_seconds: float = math.inf,
    name: str = "training",
) -> Trial:
    """Train a model in place; it is left with the weights of its best evaluation.

    Averaged weights are evaluated if there are any.

    Args:
        model: on the processor.
        settings: of the training; `steps` and `patience` end it, or `cpu_seconds`.
        draw: gives the sequences of a batch, by its number.
        pieces: held-out pieces, for the evaluations.
        cpu_seconds: largest processor time for training, evaluations left out.
        name: of the progress bar.
    """
    masks = grammar_masks_for(model)
    evaluate = _BestWeights(pieces, masks)
    torch.manual_seed(settings.seed)
    state = new_training_state(model, settings)  # type: ignore[arg-type]
    points = measure_loss_curve(state, settings, draw, evaluate, masks, cpu_seconds=cpu_seconds)
    curve = tuple(_track(points, cpu_seconds, settings, name))
    model.load_state_dict(evaluate.weights)
    return Trial(n_parameters(model), curve)


def train_new_model(
    configuration: Configuration,
    data: TrainingData,
    pieces: EncodedPieces,
    *,
    cpu_seconds: float = math.inf,
    name: str = "training",
) -> tuple[Transformer, Trial]:
    """Train a transformer from random weights, as in `train_trial`.

    Args:
        configuration: of model and training; its seed decides the weights and the batches.
        data: the training works.
        pieces: held-out pieces, for the evaluations.
        cpu_seconds: largest processor time for training, evaluations left out.
        name: of the progress bar.
    """
    settings = configuration.training
    torch.manual_seed(settings.seed)
    model = Transformer(configuration.model, make_vocabulary(pieces.max_voices))
    trial = train_trial(
        model,
        settings,
        lambda step: draw_batch(data, settings, step),
        pieces,
        cpu_seconds=cpu_seconds,
        name=name,
    )
    return model, trial


def _track(
    points: Iterator[CurvePoint], cpu_seconds: float, settings: TrainingSettings, name: str
) -> Iterator[CurvePoint]:
    """The evaluations, with the spent budget reported as progress: batches, or seconds."""
    is_timed, done = math.isfinite(cpu_seconds), 0
    total = round(cpu_seconds) if is_timed else settings.steps
    with progress_bar(total, name, "s" if is_timed else "batch") as bar:
        for point in points:
            spent = min(total, round(point.cpu_seconds) if is_timed else point.step)
            bar.update(spent - done)
            bar.set_postfix_str(f"nats_per_cell={point.nats_per_cell:.4f}")
            done = spent
            yield point
