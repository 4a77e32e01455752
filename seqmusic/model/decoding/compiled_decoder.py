"""The transformer as compiled loops (`compiled_kernels`), for many pieces on a processor; the prompt is `array_decoding`'s."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from seqmusic.model.decoding import kernels
from seqmusic.model.decoding.array_decoder import forward, rotary_frequencies, with_capacity
from seqmusic.model.decoding.array_model import ArrayModel, Floats, Ids, gelu_table
from seqmusic.model.settings import (
    LONGEST_INTERVAL,
    LONGEST_LAG,
    NORM_EPSILON,
    TICKS_PER_ROTARY_UNIT,
)


class CompiledDecoder:
    """N sequences that grow by one event each at a time; see `decoding.Decoder`."""

    def __init__(self, model: ArrayModel, n_rows: int, length: int) -> None:
        settings, vocabulary, width = model.settings, model.vocabulary, model.settings.width
        self.model, self.n_rows, self.length, self._max_length = model, n_rows, 0, length
        self._frequencies, self._gelu_table = rotary_frequencies(settings), gelu_table()
        self._epsilon = -1.0 if settings.normalization == "none" else width * NORM_EPSILON
        size = width // settings.heads
        self._kv_cache = np.empty((settings.layers, 2, n_rows, settings.heads, 0, size), np.float32)
        self._rotations = np.empty((n_rows, 2, size // 2, 2), np.float32)
        self._residual, self._normed, self._attention_output = (
            np.empty((n_rows, width), np.float32) for _ in range(3)
        )
        self._qkv = np.empty((n_rows, 3 * width), np.float32)
        self._wide = np.empty((n_rows, settings.feedforward * width), np.float32)
        self._blocks, self._project_hidden, self._project_inner = _transposed_weights(model)
        self._pitches = (
            np.array(vocabulary.pitch_columns),
            np.array(vocabulary.voice_pitch_column),
            vocabulary.voice_column,
        )
        self._pitch_sizes = (
            vocabulary.first_pitch,
            vocabulary.n_pitches,
            vocabulary.pitch_shift,
            LONGEST_INTERVAL,
        )
        self._ends = (*np.array(vocabulary.end_columns).T.copy(), vocabulary.position_column)

    def prefill(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """Take the first events; see `decoding.Decoder`."""
        self.length = events.shape[1]
        self._kv_cache = with_capacity(self._kv_cache, self.length, self._max_length)
        known, normed = forward(self.model, events, context, ticks)
        for kv_cache, own in zip(self._kv_cache[..., : self.length, :], known, strict=True):
            kv_cache[0], kv_cache[1] = own
        self._normed[:] = normed[:, -1, :-1]

    def step(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """Take one event more; see `decoding.Decoder`."""
        self._kv_cache = with_capacity(self._kv_cache, self.length + 1, self._max_length)
        ids = np.concatenate([events, context], axis=1) + self.model.starts
        kernels.embed(ids, self.model.embeddings, self._residual)
        kernels.fill_rotations(
            (ticks / TICKS_PER_ROTARY_UNIT).astype(np.float32, order="C"),
            self.length,
            self._frequencies,
            self._rotations,
        )
        buffers = (self._residual, self._normed, self._qkv, self._attention_output, self._wide)
        kernels.step(
            self._blocks,
            self._gelu_table,
            self._kv_cache,
            buffers,
            self._rotations,
            (self.length, self._epsilon),
        )
        self.length += 1

    def sound_logits(self, context: Ids) -> Floats:
        """(N, V) logits of the next sounds; see `decoding.Decoder`."""
        logits = np.empty((len(context), self.model.vocabulary.n_sounds), np.float32)
        places = np.ascontiguousarray(
            context, np.int64
        )  # the one kind that the kernels are compiled for
        kernels.sound_logits(
            self._normed, self._project_hidden, places, self._pitches, self._pitch_sizes, logits
        )
        return logits

    def duration_logits(self, context: Ids, sounds: Ids) -> Floats:
        """(N, 97) logits of the next durations; see `decoding.Decoder`."""
        logits = np.empty((len(context), self.model.vocabulary.n_durations), np.float32)
        places = np.ascontiguousarray(context, np.int64)
        inner = self.model.heads.duration_sound.take(sounds, axis=0)
        kernels.add_hidden_and_gelu(
            self._normed, self._project_hidden[-inner.shape[1] :], self._gelu_table, inner
        )
        kernels.duration_logits(inner, self._project_inner, places, self._ends, LONGEST_LAG, logits)
        return logits


@lru_cache(maxsize=2)
def _transposed_weights(
    model: ArrayModel,
) -> tuple[tuple[Floats, Floats, Floats, Floats], Floats, Floats]:
    """Weights of the blocks, (L, out, in + 1) each, and of the output layer, (out, in + 1)."""
    blocks = model.blocks
    unbiased = np.pad(blocks.project_out, ((0, 0), (0, 1), (0, 0)))
    turned = [
        np.ascontiguousarray(own.swapaxes(1, 2))
        for own in (blocks.project_in, unbiased, blocks.widen, blocks.narrow)
    ]
    return (
        (turned[0], turned[1], turned[2], turned[3]),
        np.ascontiguousarray(model.heads.project_hidden.T),
        np.ascontiguousarray(model.heads.project_inner.T),
    )
