"""The training loss: the nats of the music itself, or in part of what teachers expect instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmusic.model.transformer import Transformer
from seqmusic.training.batches import Batch, GrammarMasks, masked_logits


@dataclass(frozen=True, slots=True, eq=False)
class Teachers:
    """Trained models from whose mean prediction another one learns.

    Source: G. Hinton, O. Vinyals and J. Dean, Distilling the Knowledge in a Neural Network, 2015.

    Attributes:
        models: on the device of the batches, and in evaluation mode.
        weight: of their prediction, against what the music has, 0..1.
        temperature: at which they predict.
    """

    models: Sequence[Transformer]
    weight: float
    temperature: float

    @torch.no_grad()
    def predict(self, batch: Batch, masks: GrammarMasks) -> tuple[Tensor, Tensor]:
        """(N, V) probabilities of the next sounds, and (N, 97) of durations given the sounds."""
        each = [masked_logits(model, batch, masks) for model in self.models]
        sounds, durations = (
            torch.stack([(logits / self.temperature).softmax(-1) for logits in by_model]).mean(0)
            for by_model in zip(*each, strict=True)
        )
        return sounds, durations


class BatchLoss(nn.Module):
    """The training loss as one module: from a batch to the nats of its scored events."""

    def __init__(
        self,
        model: Transformer,
        masks: GrammarMasks,
        precision: torch.dtype,
        teachers: Teachers | None = None,
    ) -> None:
        super().__init__()
        self.model, self.masks, self.precision, self.teachers = model, masks, precision, teachers

    def forward(self, batch: Batch) -> Tensor:
        """The sum over all scored events, a scalar."""
        device_type, is_half = batch.events.device.type, self.precision == torch.bfloat16
        with torch.autocast(device_type, torch.bfloat16, enabled=is_half):
            both = masked_logits(self.model, batch, self.masks)
            taught = self.teachers and self.teachers.predict(batch, self.masks)
        log_p = [logits.log_softmax(-1) for logits in both]
        nats = torch.stack(
            [F.nll_loss(*pair, reduction="sum") for pair in zip(log_p, batch.targets, strict=True)]
        ).sum()
        if not self.teachers or not taught:
            return nats
        expected = torch.stack(
            [_expected_nats(*pair) for pair in zip(log_p, taught, strict=True)]
        ).sum()
        return torch.lerp(nats, expected, self.teachers.weight)


def _expected_nats(log_p: Tensor, probabilities: Tensor) -> Tensor:
    """The cross-entropy of (N, V) log-probabilities under probabilities, summed."""
    return -(probabilities * log_p.masked_fill(probabilities == 0, 0.0)).sum()
