"""The transformer on arrays, without torch: sequences that grow, with a cache of keys and values.

A prompt is a forward pass of many new events, a step is one of a single event. The forward pass is
that of `forward`, with the inner loops of numpy, or that of `compiled_kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import numpy as np

from seqmusic.model.decoding.array_output import ArrayOutputLayer
from seqmusic.model.decoding.packed_model import ArrayModel, Floats, Ids, gelu_table
from seqmusic.model.settings import NORM_EPSILON

_INITIAL_CAPACITY = 320  # events: eighteen bars of a chorale


class ArrayDecoder:
    """N sequences that grow by one event each at a time; see `decoder.Decoder`."""

    def __init__(
        self, model: ArrayModel, n_rows: int, max_length: int, backend: ModuleType
    ) -> None:
        """`backend` holds the forward pass: the module `forward` or `compiled_kernels`."""
        settings = model.settings
        self.model, self.n_rows, self.max_length, self.length = model, n_rows, max_length, 0
        self.output_layer = ArrayOutputLayer(model, backend)
        self.backend = backend
        self._epsilon = -1.0 if settings.normalization == "none" else settings.width * NORM_EPSILON
        self._hidden = np.empty((n_rows, settings.width + 1), np.float32)
        head_width = settings.width // settings.heads
        self._kv_cache: Floats = np.empty(
            (settings.layers, 2, n_rows, settings.heads, 0, head_width), np.float32
        )

    def prefill(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """Take the first events; see `decoder.Decoder`."""
        n_given, n_new = events.shape[:2]
        self._hidden[:] = self.forward(events, context, ticks)[:, -1]
        if n_given < self.n_rows:
            cached = self._kv_cache[..., :n_new, :]
            cached[:, :, n_given:] = cached[:, :, :n_given]

    def step(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """Take one event more; see `decoder.Decoder`."""
        self._hidden = self.forward(events[:, None], context[:, None], ticks)[:, 0]

    def select(self, rows: Sequence[int]) -> None:
        """Make each sequence a copy of another; see `decoder.Decoder`."""
        chosen = list(rows)
        cached = self._kv_cache[..., : self.length, :]
        cached[:] = cached[:, :, chosen]
        self._hidden = self._hidden[chosen]

    def forward(self, events: Ids, context: Ids, ticks: Ids) -> Floats:
        """(N, T, D + 1) hidden states of T new events, each with a 1 at the end.

        The arguments are those of `prefill`.
        """
        n_rows, n_new = events.shape[:2]
        self._reserve(self.length + n_new)
        hidden: Floats = self.backend.hidden_states(
            np.concatenate([events, context], axis=-1, dtype=np.int64) + self.model.starts,
            np.ascontiguousarray(ticks, np.int64),
            self.length,
            self.model.weights,
            gelu_table(),
            self._kv_cache,
            self._epsilon,
        )
        self.length += n_new
        return hidden.reshape(n_rows, n_new, -1)

    def sound_logits(self, context: Ids) -> Floats:
        """(N, V) logits of the next sounds; see `decoder.Decoder`."""
        return self.output_layer.sound_logits(self._hidden, context)

    def duration_logits(self, context: Ids, sounds: Ids) -> Floats:
        """(N, 97) logits of the next durations; see `decoder.Decoder`."""
        return self.output_layer.duration_logits(self._hidden, context, sounds)

    def _reserve(self, n_events: int) -> None:
        """Make room for `n_events` in the cache.

        Where there is none, it is made for twice as many, but for `max_length` at most.
        """
        check_capacity(n_events, self.max_length)
        *shape, n_before, head_width = self._kv_cache.shape
        if n_events > n_before:
            capacity = min(self.max_length, max(_INITIAL_CAPACITY, 2 * n_events))
            larger = np.empty((*shape, capacity, head_width), np.float32)
            larger[..., :n_before, :] = self._kv_cache
            self._kv_cache = larger


def check_capacity(n_events: int, max_length: int) -> None:
    """Raise ValueError where a decoder made for `max_length` events is given more."""
    if n_events > max_length:
        raise ValueError(f"this decoder was made for {max_length} events, got {n_events}")
