"""What every model of events shares: how events and their places come in, and how the next sound and its duration go out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Sizes that the tokens impose on a model."""

    n_sounds: int
    n_durations: int
    context_sizes: tuple[int, ...]  # values of each of the K context columns


class EventModel(nn.Module):
    """Embeddings and heads; a model puts its own layers between them.

    It offers ``forward(events, context, ticks, cache=None)``, which gives hidden states (B, T, D), row t about event t + 1.
    Parameters are numbered in the order they are made, so `add_heads` is called once the layers between stand.
    """

    starts: Tensor  # (C,) row of the place table where each context column begins

    def __init__(self, vocabulary: Vocabulary, width: int, dropout: float) -> None:
        super().__init__()
        self.vocabulary, self._dropout = vocabulary, dropout
        self.sounds = nn.Embedding(vocabulary.n_sounds, width)
        self.durations = nn.Embedding(vocabulary.n_durations, width)
        self.places = nn.EmbeddingBag(sum(vocabulary.context_sizes), width, mode="sum")
        starts = torch.tensor([sum(vocabulary.context_sizes[:i]) for i in range(len(vocabulary.context_sizes))])
        self.register_buffer("starts", starts, persistent=False)

    def add_heads(self, width: int) -> None:
        """Make the layers from hidden states, `width` wide, to logits."""
        self.sound_head = nn.Linear(width, self.vocabulary.n_sounds)
        self.duration_in = nn.Linear(width, width)
        self.duration_sound = nn.Embedding(self.vocabulary.n_sounds, width)
        self.duration_head = nn.Linear(width, self.vocabulary.n_durations)

    def embedded(self, events: Tensor, context: Tensor) -> Tensor:
        """(B, T, D) events (B, T, 2) and the places of the next ones (B, T, C), summed, with dropout."""
        batch, n_new = events.shape[:2]
        places = (context + self.starts).view(batch * n_new, -1)
        x = self.sounds(events[..., 0]) + self.durations(events[..., 1]) + self.places(places).view(batch, n_new, -1)
        return F.dropout(x, self._dropout, self.training)

    def sound_logits(self, hidden: Tensor) -> Tensor:
        """(..., V) logits of the next sound."""
        logits: Tensor = self.sound_head(hidden)
        return logits

    def duration_logits(self, hidden: Tensor, sounds: Tensor) -> Tensor:
        """(..., 97) logits of the next duration, given the next sound (...)."""
        logits: Tensor = self.duration_head(F.gelu(self.duration_in(hidden) + self.duration_sound(sounds)))
        return logits


def n_parameters(model: nn.Module) -> int:
    """Trainable numbers of a model."""
    return sum(parameter.numel() for parameter in model.parameters())
