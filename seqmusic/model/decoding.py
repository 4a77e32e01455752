"""The model one event at a time, arrays in and arrays out: what generation asks, and the two ways to answer.

On a processor the step is `array_decoding`'s; elsewhere, on a GPU or with another normalization or
output layer, the module takes it.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqmusic.model.array_decoding import ArrayDecoder, check_room
from seqmusic.model.transformer import Cache, Transformer

Floats = NDArray[np.floating[Any]]
Ids = NDArray[np.integer[Any]]


class Decoder(Protocol):
    """N sequences that grow by one event each at a time; more than they were made for is a ValueError."""

    @property
    def length(self) -> int:
        """Events so far."""

    def prefill(self, events: Ids, context: Ids, ticks: Ids) -> Floats:
        """(N, D) hidden states after the first events; what is given once, with 1 for N, all sequences have in common.

        Args:
            events: (N, T, 2) sound and duration ids.
            context: (N, T, C) where the next event goes.
            ticks: (N, T + 1) onsets of the events and, last, of the one to come.
        """

    def step(self, events: Ids, context: Ids, ticks: Ids) -> Floats:
        """(N, D) hidden states after one event more.

        Args:
            events: (N, 2) sound and duration ids.
            context: (N, C) where the next event goes.
            ticks: (N, 2) onsets of the event and of the one to come.
        """

    def sound_logits(self, context: Ids) -> Floats:
        """(N, V) logits of the next sounds, given the (N, C) context where they go."""

    def duration_logits(self, context: Ids, sounds: Ids) -> Floats:
        """(N, 97) logits of the next durations, given also the (N,) sounds."""


def make_decoder(model: Transformer, n_rows: int, length: int) -> Decoder:
    """The faster way to decode `n_rows` sequences of at most `length` events on the model's device."""
    is_on_processor = next(model.parameters()).device.type == "cpu"
    is_usual = model.settings.normalization == "layer" and model.settings.relative_output
    return ArrayDecoder(model, n_rows, length) if is_on_processor and is_usual else ModuleDecoder(model, n_rows, length)


class ModuleDecoder:
    """Decodes with the module, on its device."""

    def __init__(self, model: Transformer, n_rows: int, length: int) -> None:
        self.model, self.n_rows = model, n_rows
        self.device = next(model.parameters()).device
        self.cache = Cache(model.settings, n_rows, length, self.device)
        self.hidden = torch.empty(0)

    @property
    def length(self) -> int:
        """Events so far."""
        return self.cache.length

    @torch.inference_mode()
    def prefill(self, events: Ids, context: Ids, ticks: Ids) -> Floats:
        """See `Decoder`."""
        check_room(self.length + events.shape[1], self.cache.keys.shape[-2])
        heard, places, moments = (self._tensor(own).expand(self.n_rows, *own.shape[1:]) for own in (events, context, ticks))
        self.hidden = self.model(heard, places, moments, self.cache)[:, -1]
        return self.hidden.cpu().numpy()

    def step(self, events: Ids, context: Ids, ticks: Ids) -> Floats:
        """See `Decoder`."""
        return self.prefill(events[:, None], context[:, None], ticks)

    @torch.inference_mode()
    def sound_logits(self, context: Ids) -> Floats:
        """See `Decoder`."""
        return self.model.heads.sound_logits(self.hidden, self._tensor(context)).cpu().numpy()

    @torch.inference_mode()
    def duration_logits(self, context: Ids, sounds: Ids) -> Floats:
        """See `Decoder`."""
        return self.model.heads.duration_logits(self.hidden, self._tensor(context), self._tensor(sounds)).cpu().numpy()

    def _tensor(self, ids: Ids) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(ids, dtype=np.int64)).to(self.device)
