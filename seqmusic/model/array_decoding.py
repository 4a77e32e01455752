"""The transformer's step in numpy, for a few sequences on a processor.

A step of a small model is bound by its calls, then by the bytes of its weights, hardly by arithmetic. So the weights are repacked
once, buffers are made once, and a step is some thirty numpy calls a layer, each a fraction of one into the module; for a few
rows the BLAS behind numpy is the faster one, too. Softmax and the error function are torch's, on the same memory.

What is constant is folded into the weights: the factor of the attention, the gains of the normalizations, the factors around the
error function in the GELU. Whatever is added to the residual stream is centered, and so the stream is: a normalization has no mean
to take off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqmusic.model.array_heads import GELU_FACTOR, ArrayHeads, as_array
from seqmusic.model.transformer import TICKS_PER_TURN_UNIT, Block, Cache, Transformer, turn_rates

Floats = NDArray[np.float32]
Ids = NDArray[np.integer[Any]]
_MOST_SINGLE_ROWS = 4  # up to here one matrix-vector product a row is faster than a matrix product


@dataclass(frozen=True, slots=True)
class _Layer:
    """Weights of a block, (in, out) each, ready for centered input; the last row of the first two is the bias."""

    project_in: Floats
    widen: Floats
    project_out: Floats
    narrow: Floats
    narrow_bias: Floats


class ArrayDecoder:
    """N sequences that grow by one event each at a time; see `decoding.Decoder`."""

    def __init__(self, model: Transformer, n_rows: int, length: int) -> None:
        settings, words = model.settings, model.vocabulary
        self.model, self.n_rows, self.n_heads, self.length = model, n_rows, settings.heads, 0
        self._table = _centered(np.concatenate([as_array(part.weight) for part in (model.sounds, model.durations, model.places)]))
        places = as_array(model.starts) + words.n_sounds + words.n_durations
        self._starts = np.concatenate([[0, words.n_sounds], places])  # in the table, of each id
        self._rates = as_array(turn_rates(settings, torch.device("cpu")))
        self._layers = [_packed(block) for block in model.blocks if isinstance(block, Block)]
        self._gain, self._shift = as_array(model.norm.weight) * settings.width**0.5, as_array(model.norm.bias)
        self._heads = ArrayHeads(model.heads, self._lead)
        self._make_buffers(settings.width, settings.feedforward * settings.width, length)
        self._stream[..., -1] = (settings.width * model.norm.eps) ** 0.5  # in the sum of squares it is the epsilon

    @property
    def _lead(self) -> tuple[int, int]:
        """The axes before the last one of all that goes through a matrix: rows one by one, or together."""
        return (self.n_rows, 1) if self.n_rows <= _MOST_SINGLE_ROWS else (1, self.n_rows)

    def _make_buffers(self, width: int, wide: int, length: int) -> None:
        n_rows, n_heads, lead = self.n_rows, self.n_heads, self._lead
        self._past = np.zeros((len(self._layers), 2, n_rows, n_heads, length, width // n_heads), np.float32)  # keys, values
        self._scores, self._shares = np.empty((2, n_rows * n_heads * length), np.float32)
        self._ids = np.empty((n_rows, len(self._starts)), np.int64)
        self._stream, self._normed = (np.ones((*lead, width + 1), np.float32) for _ in range(2))  # one more for constants
        self._x, self._normed_x = self._stream[..., :-1], self._normed[..., :-1]
        self._rows, self._columns = self._stream.reshape(n_rows, 1, -1), self._stream.reshape(n_rows, -1, 1)
        self._squares = np.empty((n_rows, 1, 1), np.float32)
        self._lengths = self._squares.reshape(*lead, 1)
        self._mixed, self._added = (np.empty((*lead, width), np.float32) for _ in range(2))
        self._mixed_heads = self._mixed.reshape(n_rows, n_heads, 1, -1)
        self._qkv = np.empty((*lead, 3 * width), np.float32)
        parts = self._qkv.reshape(n_rows, 3, n_heads, -1)  # views of it, as all that is made by reshaping here
        self._turned, self._query = parts[:, :2].view(np.complex64), parts[:, 0, ..., None]
        self._key_and_value = parts[:, 1:].swapaxes(0, 1)
        self._wide, self._erf = (np.empty((*lead, wide), np.float32) for _ in range(2))
        self._wide_tensor, self._erf_tensor = torch.from_numpy(self._wide), torch.from_numpy(self._erf)
        self._moments = np.empty((n_rows, 2, 2), np.float32)
        self._angles = np.empty((n_rows, 2, 2, len(self._rates)), np.float32)
        self._turns = np.empty((n_rows, 2, 1, 2 * len(self._rates)), np.complex64)
        turns = self._turns.reshape(self._angles.shape)
        self._turns_real, self._turns_imaginary = turns.real, turns.imag

    def prefill(self, events: Ids, context: Ids, ticks: Ids) -> Floats:
        """(N, D) hidden states after the first events, by the module; see `decoding.Decoder`."""
        n_given, n_events = events.shape[:2]
        check_room(n_events, self._past.shape[-2])
        cache = Cache(self.model.settings, n_given, n_events, torch.device("cpu"))
        heard, places, moments = (torch.from_numpy(own.astype(np.int64)) for own in (events, context, ticks))
        with torch.inference_mode():
            hidden = self.model(heard, places, moments, cache)[:, -1]
        self._past[:, 0, ..., :n_events, :], self._past[:, 1, ..., :n_events, :] = as_array(cache.keys), as_array(cache.values)
        self.length = n_events
        return self._said(np.broadcast_to(as_array(hidden), (self.n_rows, hidden.shape[-1])).reshape(*self._lead, -1))

    def step(self, events: Ids, context: Ids, ticks: Ids) -> Floats:
        """(N, D) hidden states after one event more; see `decoding.Decoder`."""
        end = self.length + 1
        check_room(end, self._past.shape[-2])
        self._embed(events, context)
        self._turn(ticks)
        size = self.n_rows * self.n_heads * end
        scores, shares = (own[:size].reshape(self.n_rows, self.n_heads, end) for own in (self._scores, self._shares))
        tensors = torch.from_numpy(scores), torch.from_numpy(shares)
        for layer, past in zip(self._layers, self._past[..., :end, :], strict=True):
            np.matmul(self._normalized(), layer.project_in, out=self._qkv)
            np.multiply(self._turned, self._turns, out=self._turned)
            past[..., -1, :] = self._key_and_value
            np.matmul(past[0], self._query, out=scores[..., None])
            torch.softmax(tensors[0], -1, out=tensors[1])
            np.matmul(shares[:, :, None], past[1], out=self._mixed_heads)
            np.add(self._x, np.matmul(self._mixed, layer.project_out, out=self._added), out=self._x)
            self._add_feedforward(layer)
        self.length = end
        return self._said(self._normalized()[..., :-1] * self._gain + self._shift)

    def _add_feedforward(self, layer: _Layer) -> None:
        wide, erf, added = self._wide, self._erf, self._added
        np.matmul(self._normalized(), layer.widen, out=wide)
        torch.erf(self._wide_tensor, out=self._erf_tensor)
        np.multiply(wide, np.add(erf, 1, out=erf), out=wide)
        np.add(np.matmul(wide, layer.narrow, out=added), layer.narrow_bias, out=added)
        np.add(self._x, added, out=self._x)

    def sound_logits(self, context: Ids) -> NDArray[np.float64]:
        """(N, V) logits of the next sounds; see `decoding.Decoder`."""
        return self._heads.sound_logits(context)

    def duration_logits(self, context: Ids, sounds: Ids) -> NDArray[np.float64]:
        """(N, 97) logits of the next durations; see `decoding.Decoder`."""
        return self._heads.duration_logits(context, sounds)

    def _embed(self, events: Ids, context: Ids) -> None:
        self._ids[:, :2], self._ids[:, 2:] = events, context
        self._ids += self._starts
        np.add.reduce(self._table.take(self._ids, axis=0), axis=1, out=self._rows[:, 0, :-1])

    def _turn(self, ticks: Ids) -> None:
        """How far queries and keys are turned: half of each head by order, half by time."""
        self._moments[:, :, 0] = self.length
        np.divide(ticks[:, ::-1], TICKS_PER_TURN_UNIT, out=self._moments[:, :, 1])  # the query stands at the event to come
        np.multiply(self._moments[..., None], self._rates, out=self._angles)
        np.cos(self._angles, out=self._turns_real)
        np.sin(self._angles, out=self._turns_imaginary)

    def _normalized(self) -> Floats:
        """The residual stream over its length, the root of the sum of its squares; and a 1, which takes the bias of a matrix."""
        np.matmul(self._rows, self._columns, out=self._squares)
        np.divide(self._x, np.sqrt(self._lengths, out=self._lengths), out=self._normed_x)
        return self._normed

    def _said(self, hidden: Floats) -> Floats:
        self._heads.hear(hidden)
        return hidden.reshape(self.n_rows, -1)


def check_room(n_events: int, length: int) -> None:
    """Raise ValueError where a decoder made for `length` events is given more."""
    if n_events > length:
        raise ValueError(f"this decoder was made for {length} events, got {n_events}")


def _packed(block: Block) -> _Layer:
    into, wide = block.project_in.weight.detach(), block.widen.weight.detach()
    scale = torch.ones(len(into))
    scale[: len(into) // 3] = (block.project_out.out_features // block.heads) ** -0.5  # of the queries
    widen = _after_norm(block.norm_feedforward, wide, block.widen.bias.detach()) * np.float32(GELU_FACTOR)
    return _Layer(
        project_in=_after_norm(block.norm_attention, into * scale[:, None], torch.zeros(len(into))),
        project_out=_centered(np.ascontiguousarray(as_array(block.project_out.weight).T)),
        widen=widen,
        narrow=_centered(np.ascontiguousarray(as_array(block.narrow.weight).T) * np.float32(GELU_FACTOR)),
        narrow_bias=_centered(as_array(block.narrow.bias)),
    )


def _after_norm(norm: nn.LayerNorm, weight: Tensor, bias: Tensor) -> Floats:
    """(D + 1, out) what is to be multiplied with a centered input over its length, and a 1 beside it."""
    gain, shift = norm.weight.detach(), norm.bias.detach()
    rows = torch.cat([(weight * gain * len(gain) ** 0.5).T, (weight @ shift + bias)[None]])
    return np.ascontiguousarray(as_array(rows))


def _centered(rows: Floats) -> Floats:
    """Without the mean over the width."""
    centered: Floats = rows - rows.mean(axis=-1, keepdims=True)
    return centered
