"""The output layer in numpy: two matrix products, and each number that is said added where it points to.

The first product gives all that depends on the hidden state alone, the second all durations given the sounds. Both hold plain
logits and anchored ones side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.model.decoding.array_model import ArrayModel, Floats, Ids, TabulatedGelu
from seqmusic.model.settings import LONGEST_INTERVAL, LONGEST_LAG


class ArrayOutputLayer:
    """From hidden states to logits, N rows at a time: `project_hidden` the states, then ask."""

    def __init__(self, model: ArrayModel, batch_shape: tuple[int, ...]) -> None:
        """`batch_shape` are the axes of the hidden states before the last one, N in all."""
        vocabulary, weights, n_rows = model.vocabulary, model.heads, int(np.prod(batch_shape))
        width = weights.duration_sound.shape[1]
        self._vocabulary, self._weights, self._rows, self._width = (
            vocabulary,
            weights,
            np.arange(n_rows),
            width,
        )
        intervals, lags = (
            np.arange(-LONGEST_INTERVAL, LONGEST_INTERVAL + 1),
            np.arange(-LONGEST_LAG, LONGEST_LAG + 1),
        )
        n_pitch_anchors, longest = len(vocabulary.pitch_columns) + 1, vocabulary.n_durations - 1
        self._sounds = _AnchoredLogitSum(
            vocabulary.n_sounds,
            vocabulary.first_pitch,
            vocabulary.n_pitches,
            [intervals] * n_pitch_anchors,
            n_rows,
        )
        parts = [np.arange(2 * longest + 1), *([lags] * len(vocabulary.end_columns))]
        self._durations = _AnchoredLogitSum(vocabulary.n_durations, 0, vocabulary.n_durations, parts, n_rows)
        self._pitch_columns, self._voice_pitch = (
            np.array(vocabulary.pitch_columns),
            np.array(vocabulary.voice_pitch_column),
        )
        self._end_columns, self._end_shifts = np.array(vocabulary.end_columns).T
        self._projected = np.empty((*batch_shape, weights.project_hidden.shape[1]), np.float32)
        self._sound_outputs = self._projected.reshape(n_rows, -1)[:, : self._sounds.n_outputs]
        self._inner = np.ones((*batch_shape, width + 1), np.float32)
        self._duration_outputs = np.empty(
            (*batch_shape, weights.project_inner.shape[1]), np.float32
        )
        self._gelu = TabulatedGelu((*batch_shape, width))

    def project_hidden(self, normed: Floats) -> None:
        """Take the last residual stream over its length, with a 1 beside it."""
        np.matmul(normed, self._weights.project_hidden, out=self._projected)

    def sound_logits(self, context: Ids) -> NDArray[np.float64]:
        """(N, V) logits of the next sounds, given the (N, C) context where they go."""
        anchors, vocabulary = self._sounds.anchors, self._vocabulary
        pitches = anchors[:, 1:-1]
        np.subtract(context.take(self._pitch_columns, axis=1), vocabulary.pitch_shift, out=pitches)
        pitches[pitches < 0] = self._sounds.absent
        anchors[:, -1] = pitches[self._rows, self._voice_pitch.take(context[:, vocabulary.voice_column])]
        return self._sounds.summed(self._sound_outputs)

    def duration_logits(self, context: Ids, sounds: Ids) -> NDArray[np.float64]:
        """(N, 97) logits of the next durations, given also the (N,) sounds."""
        vocabulary, anchors, inner = self._vocabulary, self._durations.anchors, self._inner[..., :-1]
        np.add(
            self._projected[..., -self._width :],
            self._weights.duration_sound.take(sounds, axis=0).reshape(inner.shape),
            out=inner,
        )
        self._gelu(inner)
        np.matmul(self._inner, self._weights.project_inner, out=self._duration_outputs)
        np.remainder(context[:, vocabulary.position_column], vocabulary.n_durations - 1, out=anchors[:, 1])
        np.negative(anchors[:, 1], out=anchors[:, 1])
        ends = anchors[:, 2:]
        np.subtract(context.take(self._end_columns, axis=1), self._end_shifts, out=ends)
        ends[ends <= 0] = self._durations.absent
        return self._durations.summed(self._duration_outputs.reshape(len(anchors), -1))


class _AnchoredLogitSum:
    """Adds up plain logits and those relative to anchors.

    Each row has its own stretch of numbers: the plain logits, a window in which the relative ones fall where they belong, and
    beyond it what is relative to an absent anchor.

    Attributes:
        anchors: (N, 1 + A), to be filled in but for the first, which is that of what is plain; one that is not there is `absent`.
    """

    def __init__(
        self, n_plain: int, first: int, size: int, parts: Sequence[Ids], n_rows: int
    ) -> None:
        """`parts` are the numbers relative to each anchor; the plain logits that they speak of are `size` from `first` on."""
        lowest, highest = (
            int(min(part.min() for part in parts)),
            int(max(part.max() for part in parts)),
        )
        self.n_plain, self.first, self.size = n_plain, first, size
        self.window = (
            n_plain + size - lowest
        )  # where an anchor at 0 points to; anchors lie in -size..size
        self.absent = size + highest + 1 - lowest
        self.width = self.window + self.absent + highest + 1
        self.anchors = np.zeros((n_rows, 1 + len(parts)), np.int64)
        self._anchor_of_output = np.repeat(np.arange(1 + len(parts)), [n_plain, *map(len, parts)])
        self.n_outputs = len(self._anchor_of_output)
        places = np.concatenate([np.arange(n_plain), *(self.window + part for part in parts)])
        self._offsets = places + self.width * np.arange(n_rows)[:, None]
        self._indices = np.empty_like(self._offsets)

    def summed(self, outputs: Floats) -> NDArray[np.float64]:
        """(N, n_plain) logits from (N, O) said."""
        places = self.anchors.take(self._anchor_of_output, axis=1, out=self._indices, mode="clip")
        np.add(places, self._offsets, out=places)
        sums: NDArray[Any] = np.bincount(
            places.reshape(-1), weights=outputs.reshape(-1), minlength=len(outputs) * self.width
        )
        sums = sums.reshape(-1, self.width)
        logits = sums[:, : self.n_plain]
        logits[:, self.first : self.first + self.size] += sums[
            :, self.window : self.window + self.size
        ]
        return logits
