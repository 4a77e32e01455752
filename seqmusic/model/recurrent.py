"""The recurrent rival: the embeddings and heads of the transformer, with an LSTM between them.

It knows the past through its state alone, and musical time through the places of the events.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqmusic.model.operations import dropout
from seqmusic.model.output_layer import OutputLayer
from seqmusic.model.settings import Vocabulary
from seqmusic.model.transformer import Packing

_EMBEDDING_STD = 0.1  # of each of some thirty embeddings that are added up


@dataclass(frozen=True, kw_only=True)
class RecurrentSettings:
    """Size and regularization of the LSTM."""

    width: int = 256  # embedding size and state, 1 or more
    layers: int = 2  # 1 or more
    dropout: float = 0.3  # probability, before, between and after the layers, 0..1


class RecurrentCache:
    """State after the events so far: hidden and cell, (L, B, D) each."""

    def __init__(self, settings: RecurrentSettings, batch: int, device: torch.device) -> None:
        shape = (settings.layers, batch, settings.width)
        self.state = torch.zeros(shape, device=device), torch.zeros(shape, device=device)
        self.length = 0


class Recurrent(nn.Module):
    """Events and where they stand in; logits of the next sound, and of its duration given that sound, out."""

    starts: Tensor  # (C,) row of the place table where each context column begins

    def __init__(self, settings: RecurrentSettings, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.settings, self.vocabulary = settings, vocabulary
        width = settings.width
        self.sounds = nn.Embedding(vocabulary.n_sounds, width)
        self.durations = nn.Embedding(vocabulary.n_durations, width)
        self.places = nn.EmbeddingBag(sum(vocabulary.context_sizes), width, mode="sum")
        starts = torch.tensor(
            [sum(vocabulary.context_sizes[:i]) for i in range(len(vocabulary.context_sizes))]
        )
        self.register_buffer("starts", starts, persistent=False)
        between = settings.dropout if settings.layers > 1 else 0.0
        self.lstm = nn.LSTM(width, width, settings.layers, dropout=between, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.heads = OutputLayer(width, vocabulary)
        for embedding in (self.sounds, self.durations, self.places):
            nn.init.normal_(embedding.weight, std=_EMBEDDING_STD)
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("bias_ih"):
                nn.init.ones_(parameter[width : 2 * width])  # the forget gate: remember at first

    def forward(
        self,
        events: Tensor,
        context: Tensor,
        ticks: Tensor,
        cache: RecurrentCache | None = None,
        packing: Packing | None = None,
    ) -> Tensor:
        """(B, T, D) hidden states; row t predicts event t + 1. With a packing (N, D), those that are wanted.

        Args:
            events: (B, T, 2) sound and duration ids.
            context: (B, T, C) where the next event goes.
            ticks: (B, T + 1) onsets of the events; taken as every model takes them, not looked at.
            cache: what came before; it is made longer by T.
            packing: of sequences of different lengths; only what is wanted comes back, (N, D).
        """
        batch, n_new = events.shape[:2]
        places = (context + self.starts).view(batch * n_new, -1)
        x = (
            self.sounds(events[..., 0])
            + self.durations(events[..., 1])
            + self.places(places).view(batch, n_new, -1)
        )
        x, state = self.lstm(self._drop(x), None if cache is None else cache.state)
        if cache is not None:
            cache.state = state
            cache.length += n_new
        hidden: Tensor = self.norm(self._drop(x))
        return hidden if packing is None else hidden[packing.is_needed]

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.settings.dropout, self.training)
