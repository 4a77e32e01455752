"""The embeddings that the transformer and its recurrent rival have in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqmusic.model.settings import Vocabulary


class EventModel(nn.Module):
    """A model of events: embeddings of sounds, durations and context columns, (D,) each.

    Attributes:
        starts: (C,) row of the table `places` where each context column begins.
    """

    starts: Tensor

    def __init__(self, width: int, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.sounds = nn.Embedding(vocabulary.n_sounds, width)
        self.durations = nn.Embedding(vocabulary.n_durations, width)
        self.places = nn.EmbeddingBag(sum(vocabulary.context_sizes), width, mode="sum")
        sizes = torch.tensor(vocabulary.context_sizes)
        self.register_buffer("starts", sizes.cumsum(0) - sizes, persistent=False)

    def embed_events(self, events: Tensor) -> Tensor:
        """(..., D) from (..., 2) sound and duration ids."""
        embedded: Tensor = self.sounds(events[..., 0]) + self.durations(events[..., 1])
        return embedded

    def context_rows(self, context: Tensor) -> Tensor:
        """(B T, C) rows of the table `places` from the (B, T, C) context."""
        return (context + self.starts).flatten(0, -2)
