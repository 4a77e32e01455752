"""The transformer in numpy, for a few sequences on a processor.

A step of a small model is bound by its calls, then by the bytes of its weights, hardly by arithmetic. So the weights are repacked
once (`pack_model`), buffers are made once, and a step is some twenty numpy calls a layer, each a fraction of one into a module.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqmusic.model.decoding.array_model import ArrayModel, Floats, Ids, TabulatedGelu
from seqmusic.model.decoding.array_output import ArrayOutputLayer
from seqmusic.model.settings import NORM_EPSILON, TICKS_PER_ROTARY_UNIT, ModelSettings

_INITIAL_CAPACITY = 320  # events: eighteen bars of a chorale
_MAX_SINGLE_ROWS = 4  # up to here one matrix-vector product a row is faster than a matrix product


class ArrayDecoder:
    """N sequences that grow by one event each at a time; see `decoding.Decoder`."""

    def __init__(self, model: ArrayModel, n_rows: int, length: int) -> None:
        self.model, self.n_rows, self.length, self._max_length = model, n_rows, 0, length
        self._frequencies = rotary_frequencies(model.settings)
        self._batch_shape = (n_rows, 1) if 1 < n_rows <= _MAX_SINGLE_ROWS else (n_rows,)
        self._output_layer = ArrayOutputLayer(model, self._batch_shape)
        self._make_buffers(model.settings)

    def _make_buffers(self, settings: ModelSettings) -> None:
        n_rows, n_heads, width, batch_shape = (
            self.n_rows,
            settings.heads,
            settings.width,
            self._batch_shape,
        )
        # Keys and values; beside the values stands a 1, so that a mixture also gives the sum of what it was mixed with.
        self._kv_cache = np.empty(
            (settings.layers, 2, n_rows, n_heads, 0, width // n_heads + 1), np.float32
        )
        self._scores, self._max_scores = (
            np.empty((n_rows, n_heads, self._max_length), np.float32),
            np.empty((n_rows, n_heads, 1), np.float32),
        )
        self._ids = np.empty((n_rows, len(self.model.starts)), np.int64)
        self._residual, self._normed = (
            np.ones((*batch_shape, width + 1), np.float32) for _ in range(2)
        )  # one more for constants
        self._residual[..., -1] = (
            width * NORM_EPSILON
        ) ** 0.5  # in the sum of squares it is the epsilon
        self._x, self._normed_x = self._residual[..., :-1], self._normed[..., :-1]
        self._row_vectors, self._column_vectors = (
            self._residual.reshape(n_rows, 1, -1),
            self._residual.reshape(n_rows, -1, 1),
        )
        self._squared_norms = np.empty((n_rows, 1, 1), np.float32)
        self._norms = self._squared_norms.reshape(*batch_shape, 1)
        self._attention_output, self._residual_update = (
            np.empty((*batch_shape, width), np.float32) for _ in range(2)
        )
        self._weighted_values = np.empty((n_rows, n_heads, 1, width // n_heads + 1), np.float32)
        self._weighted_sums, self._normalizers = (
            self._weighted_values[..., :-1],
            self._weighted_values[..., -1:],
        )
        self._attention_by_head = self._attention_output.reshape(n_rows, n_heads, 1, -1)
        self._qkv = np.empty((*batch_shape, 3 * width), np.float32)
        parts = self._qkv.reshape(
            n_rows, 3, n_heads, -1
        )  # views of it, as all that is made by reshaping here
        self._rotated_qk, self._query = parts[:, :2].view(np.complex64), parts[:, 0, ..., None]
        self._key_and_value = parts[:, 1:].swapaxes(0, 1)
        self._wide = np.ones((*batch_shape, settings.feedforward * width + 1), np.float32)
        self._gelu = TabulatedGelu((*batch_shape, settings.feedforward * width))
        self._positions = np.empty((n_rows, 2, 2), np.float32)
        self._rotations = np.empty((n_rows, 2, 1, 2 * len(self._frequencies)), np.complex64)

    def prefill(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """Take the first events; see `decoding.Decoder`."""
        self.length = events.shape[1]
        self._kv_cache = with_capacity(self._kv_cache, self.length, self._max_length)
        known, normed = forward(self.model, events, context, ticks)
        for kv_cache, own in zip(self._kv_cache[..., : self.length, :], known, strict=True):
            kv_cache[0, ..., :-1], kv_cache[1, ..., :-1] = own
        self._kv_cache[:, 1, ..., : self.length, -1] = 1
        self._output_layer.project_hidden(
            np.broadcast_to(normed[:, -1], (self.n_rows, normed.shape[-1])).reshape(
                *self._batch_shape, -1
            )
        )

    def step(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """Take one event more; see `decoding.Decoder`."""
        end = self.length + 1
        self._kv_cache = with_capacity(self._kv_cache, end, self._max_length)
        self._embed(events, context)
        self._update_rotations(ticks)
        self._kv_cache[:, 1, ..., self.length, -1] = 1
        scores = self._scores[..., :end]
        column = scores[..., None]
        pasts = zip(
            self._kv_cache[..., :end, :], self._kv_cache[..., self.length, :-1], strict=True
        )
        for (project_in, project_out, widen, narrow), (kv_cache, here) in zip(
            self.model.blocks.per_layer(), pasts, strict=True
        ):
            np.matmul(self._normalized(), project_in, out=self._qkv)
            np.multiply(self._rotated_qk, self._rotations, out=self._rotated_qk)
            np.copyto(here, self._key_and_value)
            np.matmul(kv_cache[0, ..., :-1], self._query, out=column)
            np.subtract(
                scores,
                np.maximum.reduce(scores, axis=-1, keepdims=True, out=self._max_scores),
                out=scores,
            )
            np.matmul(
                np.exp(scores, out=scores)[:, :, None], kv_cache[1], out=self._weighted_values
            )
            np.divide(self._weighted_sums, self._normalizers, out=self._attention_by_head)
            np.add(
                self._x,
                np.matmul(self._attention_output, project_out, out=self._residual_update),
                out=self._x,
            )
            np.matmul(self._normalized(), widen, out=self._wide[..., :-1])
            self._gelu(self._wide[..., :-1])
            np.add(self._x, np.matmul(self._wide, narrow, out=self._residual_update), out=self._x)
        self.length = end
        self._output_layer.project_hidden(self._normalized())

    def sound_logits(self, context: Ids) -> NDArray[np.float64]:
        """(N, V) logits of the next sounds; see `decoding.Decoder`."""
        return self._output_layer.sound_logits(context)

    def duration_logits(self, context: Ids, sounds: Ids) -> NDArray[np.float64]:
        """(N, 97) logits of the next durations; see `decoding.Decoder`."""
        return self._output_layer.duration_logits(context, sounds)

    def _embed(self, events: Ids, context: Ids) -> None:
        self._ids[:, :2], self._ids[:, 2:] = events, context
        self._ids += self.model.starts
        np.add.reduce(
            self.model.embeddings.take(self._ids, axis=0), axis=1, out=self._row_vectors[:, 0, :-1]
        )

    def _update_rotations(self, ticks: Ids) -> None:
        self._positions[:, :, 0] = self.length
        np.divide(
            ticks[:, ::-1], TICKS_PER_ROTARY_UNIT, out=self._positions[:, :, 1]
        )  # the query stands at the event to come
        angles = self._positions[..., None] * self._frequencies
        rotations = self._rotations.reshape(angles.shape)
        np.cos(angles, out=rotations.real)
        np.sin(angles, out=rotations.imag)

    def _normalized(self) -> Floats:
        """The residual stream over its length, the root of the sum of its squares; and a 1, which takes the bias of a matrix."""
        if self.model.settings.normalization == "none":
            np.copyto(self._normed_x, self._x)
        elif self.n_rows == 1:
            row = self._row_vectors[0, 0]
            np.multiply(self._x, row.dot(row) ** np.float32(-0.5), out=self._normed_x)
        else:
            np.matmul(self._row_vectors, self._column_vectors, out=self._squared_norms)
            np.divide(self._x, np.sqrt(self._norms, out=self._norms), out=self._normed_x)
        return self._normed


def forward(
    model: ArrayModel, events: Ids, context: Ids, ticks: Ids
) -> tuple[list[tuple[Floats, Floats]], Floats]:
    """(N, H, T, K) keys and values of each layer, and (N, T, D + 1) what the output layer hears; takes the same as `prefill`."""
    n_rows, n_events = events.shape[:2]
    n_heads, frequencies = model.settings.heads, rotary_frequencies(model.settings)
    ids = np.concatenate([events, context], axis=-1) + model.starts
    x = np.stack([model.embeddings[own].sum(axis=-2) for own in ids])
    rotations = np.stack(
        [_rotations(ticks[:, 1:], frequencies), _rotations(ticks[:, :-1], frequencies)], axis=2
    )  # (N, T, 2, 1, K / 2)
    later = np.where(np.tri(n_events, dtype=bool), np.float32(0), np.float32(-np.inf))
    known = []
    for project_in, project_out, widen, narrow in model.blocks.per_layer():
        qkv = (_l2_normalized(x, model.settings) @ project_in).reshape(
            n_rows, n_events, 3, n_heads, -1
        )
        turned = qkv[:, :, :2].view(np.complex64)
        turned *= rotations
        query, key, value = (qkv[:, :, part].swapaxes(1, 2) for part in range(3))  # (N, H, T, K)
        scores = query @ key.swapaxes(2, 3) + later
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (shares @ value) / shares.sum(axis=-1, keepdims=True)
        x = x + mixed.swapaxes(1, 2).reshape(x.shape) @ project_out
        x = x + _feed_forward(_l2_normalized(x, model.settings), widen, narrow)
        known.append((key, value))
    return known, _l2_normalized(x, model.settings)


def _feed_forward(normed: Floats, widen: Floats, narrow: Floats) -> Floats:
    wide = np.ones((*normed.shape[:-1], len(narrow)), np.float32)
    np.matmul(normed, widen, out=wide[..., :-1])
    TabulatedGelu(wide[..., :-1].shape)(wide[..., :-1])
    narrowed: Floats = wide @ narrow
    return narrowed


def _l2_normalized(x: Floats, settings: ModelSettings) -> Floats:
    """(N, T, D + 1) as `ArrayDecoder._normalized`."""
    lengths = np.sqrt(
        np.square(x).sum(axis=-1, keepdims=True) + np.float32(x.shape[-1] * NORM_EPSILON)
    )
    if settings.normalization == "none":
        lengths[:] = 1
    return np.concatenate([x / lengths, np.ones_like(lengths)], axis=-1)


def _rotations(ticks: Ids, frequencies: Floats) -> NDArray[np.complex64]:
    """(N, T, 1, K / 2) how far what stands at these ticks is turned: half of each head by order, half by time."""
    order = np.broadcast_to(np.arange(ticks.shape[1]), ticks.shape)
    moments = np.stack([order, ticks / TICKS_PER_ROTARY_UNIT], axis=-1).astype(np.float32)
    angles = (moments[..., None] * frequencies).reshape(*ticks.shape, 1, -1)
    rotations: NDArray[np.complex64] = np.cos(angles) + np.complex64(1j) * np.sin(angles)
    return rotations


def rotary_frequencies(settings: ModelSettings) -> Floats:
    """(K / 4,) radians by which pairs of a head turn for each event, and for each sixteenth."""
    n_each = settings.width // settings.heads // 4
    return (
        np.float32(512.0) ** -(np.arange(n_each, dtype=np.float32) / np.float32(n_each))
    ).astype(np.float32)


def check_capacity(n_events: int, length: int) -> None:
    """Raise ValueError where a decoder made for `length` events is given more."""
    if n_events > length:
        raise ValueError(f"this decoder was made for {length} events, got {n_events}")


def with_capacity(kv_cache: Floats, n_events: int, length: int) -> Floats:
    """(..., T, K) keys and values with room for `n_events`; where more is needed, for twice as many, `length` at most.

    Raises:
        ValueError: the decoder was made for less.
    """
    check_capacity(n_events, length)
    n_before = kv_cache.shape[-2]
    if n_events <= n_before:
        return kv_cache
    roomy = np.empty(
        (
            *kv_cache.shape[:-2],
            min(length, max(_INITIAL_CAPACITY, 2 * n_events)),
            kv_cache.shape[-1],
        ),
        np.float32,
    )
    roomy[..., :n_before, :] = kv_cache
    return roomy
