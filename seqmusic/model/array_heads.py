"""The output layer in numpy: two matrix products, and each number that is said added where it points to.

The first product gives all that depends on the hidden state alone, the second all durations given the sounds. Both hold plain
logits and anchored ones side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqmusic.model.heads import AnchoredLogits, Heads

Floats = NDArray[np.float32]
Ids = NDArray[np.integer[Any]]
GELU_FACTOR = 0.5**0.5  # gelu(x) = y * (1 + erf(y)) * this, with y = x * this


class ArrayHeads:
    """From hidden states to logits, N rows at a time: `hear` the states, then ask."""

    def __init__(self, heads: Heads, lead: tuple[int, int]) -> None:
        """`lead` are the axes of the hidden states before the last one, N in all."""
        words, n_rows = heads.vocabulary, max(lead)
        self._words, self._rows = words, np.arange(n_rows)
        self._pitch_columns, self._voice_pitch = np.array(words.pitch_columns), np.array(words.voice_pitch_column)
        self._end_columns, self._end_shifts = np.array(words.end_columns).T
        self._sounds = _Sums(heads.sound, [heads.interval], words.first_pitch, n_rows)
        self._durations = _Sums(heads.duration, [heads.place, heads.lag], 0, n_rows)
        self._hear, self._hear_bias = _packed([heads.sound, heads.interval.project, heads.duration_in])
        width = heads.duration_in.out_features
        self._hear[:, -width:] *= GELU_FACTOR
        self._hear_bias[-width:] *= GELU_FACTOR
        self._duration_sound = as_array(heads.duration_sound.weight) * np.float32(GELU_FACTOR)
        self._last, self._last_bias = _packed([heads.duration, heads.place.project, heads.lag.project])
        self._last *= GELU_FACTOR
        self._heard, self._lasting = (np.empty((*lead, bias.size), np.float32) for bias in (self._hear_bias, self._last_bias))
        self._inner, self._erf = (np.empty((*lead, width), np.float32) for _ in range(2))

    def hear(self, hidden: Floats) -> None:
        """Take the hidden states."""
        np.add(np.matmul(hidden, self._hear, out=self._heard), self._hear_bias, out=self._heard)

    def sound_logits(self, context: Ids) -> NDArray[np.float64]:
        """(N, V) logits of the next sounds, given the (N, C) context where they go."""
        pitches = context.take(self._pitch_columns, axis=1) - self._words.pitch_shift
        pitches[pitches < 0] = self._sounds.absent
        own = pitches[self._rows, self._voice_pitch[context[:, self._words.voice_column]]]
        said = self._heard.reshape(len(context), -1)[:, : self._sounds.n_said]
        return self._sounds(said, pitches, own[:, None])

    def duration_logits(self, context: Ids, sounds: Ids) -> NDArray[np.float64]:
        """(N, 97) logits of the next durations, given also the (N,) sounds."""
        inner, erf, words = self._inner, self._erf, self._words
        np.add(self._heard[..., -inner.shape[-1] :], self._duration_sound[sounds].reshape(inner.shape), out=inner)
        torch.erf(torch.from_numpy(inner), out=torch.from_numpy(erf))
        np.multiply(inner, np.add(erf, 1, out=erf), out=inner)
        np.add(np.matmul(inner, self._last, out=self._lasting), self._last_bias, out=self._lasting)
        position = context[:, words.position_column, None] % (words.n_durations - 1)
        ends = context.take(self._end_columns, axis=1) - self._end_shifts
        ends[ends <= 0] = self._durations.absent
        return self._durations(self._lasting.reshape(len(context), -1), -position, ends)


class _Sums:
    """Adds up plain logits and those relative to anchors.

    Each row has its own stretch of numbers: the plain logits, a window in which the relative ones fall where they belong, and
    beyond it what is relative to an absent anchor.
    """

    def __init__(self, plain: nn.Linear, relative: Sequence[AnchoredLogits], first: int, n_rows: int) -> None:
        """Of `plain`, those from `first` on are the ones that `relative` speaks of."""
        size, n_plain = relative[0].size, plain.out_features
        offsets = [(as_array(own.offsets) - own.margin, own.project.out_features // len(own.offsets)) for own in relative]
        lowest, highest = (int(edge) for edge in (min(o.min() for o, _ in offsets), max(o.max() for o, _ in offsets)))
        self.n_plain, self.first, self.size = n_plain, first, size
        self.window = n_plain + size - lowest  # where an anchor at 0 points to; anchors lie in -size..size
        self.absent = size + highest + 1 - lowest
        self.width = self.window + self.absent + highest + 1
        parts = [np.arange(n_plain), *(self.window + own for own, n_anchors in offsets for _ in range(n_anchors))]
        self.offsets = np.concatenate(parts) + self.width * np.arange(n_rows)[:, None]
        self.counts = np.array([len(part) for part in parts])
        self.n_said = int(self.counts.sum())
        self.zero = np.zeros((n_rows, 1), np.int64)  # the anchor of what is plain

    def __call__(self, said: Floats, *anchors: Ids) -> NDArray[np.float64]:
        """(N, n_plain) logits from (N, O) said and anchors, (N, A) in all; those that are not there are at `absent`."""
        places = np.repeat(np.concatenate([self.zero, *anchors], axis=1), self.counts, axis=1)
        places += self.offsets
        sums: NDArray[Any] = np.bincount(places.ravel(), weights=said.ravel(), minlength=len(said) * self.width)
        sums = sums.reshape(-1, self.width)
        logits = sums[:, : self.n_plain]
        logits[:, self.first : self.first + self.size] += sums[:, self.window : self.window + self.size]
        return logits


def as_array(tensor: Tensor) -> Any:
    """The tensor's numbers, where they are."""
    return tensor.detach().numpy()


def _packed(layers: Sequence[nn.Linear]) -> tuple[Floats, Floats]:
    """(in, out) weights and (out,) biases of all layers side by side."""
    weights = np.concatenate([as_array(layer.weight) for layer in layers])
    return np.ascontiguousarray(weights.T), np.concatenate([as_array(layer.bias) for layer in layers])
