"""One trial: a model is trained with a budget, and what it reaches on held-out pieces is told in plain values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from seqmusic.evaluation.held_out import EncodedPieces, score_held_out
from seqmusic.evaluation.loss_curve import CurvePoint, measure_loss_curve
from seqmusic.metrics.likelihood import TrainableModel
from seqmusic.model.transformer import n_parameters
from seqmusic.runs.pretrained import make_grammar_masks
from seqmusic.training.batches import TokenSequence
from seqmusic.training.loop import new_training_state
from seqmusic.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one training.

    Attributes:
        parameters: trainable numbers.
        curve: the evaluations on held-out pieces, in their order.
    """

    parameters: int
    curve: tuple[CurvePoint, ...]

    @property
    def best(self) -> CurvePoint:
        """The evaluation with the fewest nats a cell, the first of equal ones."""
        return min(self.curve, key=lambda point: point.nats_per_cell)

    def metrics(self) -> dict[str, object]:
        """Plain values by name, as a table or a file of JSON takes them."""
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


def train_trial(
    model: TrainableModel,
    settings: TrainingSettings,
    draw: Callable[[int], Sequence[TokenSequence]],
    pieces: EncodedPieces,
    *,
    cpu_seconds: float = math.inf,
    name: str = "",
) -> Trial:
    """Train a model, in place; it is left with the weights of its best evaluation (the averaged ones, where there are any).

    Args:
        model: on the processor.
        settings: how; `steps` and `patience` end it, or `cpu_seconds`.
        draw: the sequences of a batch, by its number.
        pieces: what it is evaluated on.
        cpu_seconds: most processor time for training, evaluations left out.
        name: what its progress bar is called; "" for no bar.
    """
    kept: dict[str, Tensor] = {}
    best = math.inf

    def evaluate(own: TrainableModel) -> float:
        nonlocal best
        nats = score_held_out(own, pieces, masks).nats_per_cell
        if nats < best:
            best = nats
            kept.update({key: tensor.clone() for key, tensor in own.state_dict().items()})
        return nats

    masks = make_grammar_masks(torch.device("cpu"), model.vocabulary.max_voices)
    total = settings.steps if math.isinf(cpu_seconds) else round(cpu_seconds)
    curve: list[CurvePoint] = []
    torch.manual_seed(settings.seed)
    with tqdm(
        total=total,
        unit="batch" if math.isinf(cpu_seconds) else "s",
        desc=name,
        leave=False,
        disable=not name,
    ) as bar:
        state = new_training_state(model, settings)  # type: ignore[arg-type]
        for point in measure_loss_curve(
            state, settings, draw, evaluate, masks, cpu_seconds=cpu_seconds
        ):
            curve.append(point)
            bar.update(
                min(total, point.step if math.isinf(cpu_seconds) else round(point.cpu_seconds))
                - bar.n
            )
            bar.set_postfix(nats_per_cell=f"{point.nats_per_cell:.4f}")
    model.load_state_dict(kept)
    return Trial(n_parameters(model), tuple(curve))
