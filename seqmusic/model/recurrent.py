"""The recurrent rival: an LSTM between the embeddings and the output layer of the transformer.

It knows the past through its state alone, and musical time through the context of the events.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from seqmusic.model.embedding import EventModel
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


class Recurrent(EventModel):
    """Hidden states, from which the output layer makes logits, by an LSTM over the events."""

    def __init__(self, settings: RecurrentSettings, vocabulary: Vocabulary) -> None:
        width = settings.width
        super().__init__(width, vocabulary)
        self.settings = settings
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
        self, events: Tensor, context: Tensor, ticks: Tensor, packing: Packing | None = None
    ) -> Tensor:
        """(B, T, D) hidden states; row t predicts event t + 1. With a packing, (N, D).

        Args:
            events: (B, T, 2) sound and duration ids.
            context: (B, T, C) where the next event goes.
            ticks: (B, T + 1) onsets of the events; not used, every model takes them.
            packing: lengths of the sequences, and which hidden states are needed.
        """
        embedded = self.embed_events(events)
        x = embedded + self.places(self.context_rows(context)).view_as(embedded)
        x, _ = self.lstm(self._drop(x))
        hidden: Tensor = self.norm(self._drop(x))
        return hidden if packing is None else hidden[packing.is_needed]

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.settings.dropout, self.training)
