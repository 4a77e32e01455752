"""The output layer on arrays: plain logits, and logits relative to anchors."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from seqmusic.model.decoding.packed_model import ArrayModel, Floats, Ids, gelu_table
from seqmusic.model.settings import LONGEST_INTERVAL, LONGEST_LAG


class ArrayOutputLayer:
    """From (M, D + 1) hidden states, each with a 1 at the end, to logits."""

    def __init__(self, model: ArrayModel, backend: ModuleType) -> None:
        """`backend` as for `ArrayDecoder`."""
        vocabulary = model.vocabulary
        self._vocabulary, self._weights, self._backend = vocabulary, model.heads, backend
        self._voice_pitch = np.array(vocabulary.voice_pitch_column)
        self._pitch_columns = np.array(vocabulary.pitch_columns)
        self._end_columns, end_shifts = np.array(vocabulary.end_columns).T
        lowest_pitch = vocabulary.first_pitch - LONGEST_INTERVAL
        self._tonic_starts = lowest_pitch + np.array(vocabulary.tonics).T  # (keys, groups of keys)
        self._n_codes = len(self._pitch_columns) + 1
        n_pitches, n_ends = self._n_codes + len(vocabulary.tonics), len(self._end_columns)
        # The logit that the first output of a part is added to, less the value in the context
        self._pitch_shift = lowest_pitch - vocabulary.pitch_shift
        self._end_shifts = -LONGEST_LAG - end_shifts
        self._lowest_pitches = np.full(n_pitches, lowest_pitch)
        self._lowest_ends = np.array([-vocabulary.n_durations, *[1 - LONGEST_LAG] * n_ends])
        intervals, lags = [2 * LONGEST_INTERVAL + 1] * n_pitches, [2 * LONGEST_LAG + 1] * n_ends
        positions = 2 * vocabulary.n_durations - 1
        self._sound_parts = np.cumsum([vocabulary.n_sounds, *intervals])
        self._duration_parts = np.cumsum([vocabulary.n_durations, positions, *lags])

    def sound_logits(self, hidden: Floats, context: Ids) -> Floats:
        """(M, V) logits of the next sounds, given the (M, C) context where they go."""
        vocabulary, weight = self._vocabulary, self._weights.sound
        starts = np.empty((len(hidden), len(self._lowest_pitches)), np.int64)
        sounding = starts[:, : self._n_codes]
        np.add(context.take(self._pitch_columns, axis=1), self._pitch_shift, out=sounding[:, :-1])
        voice_pitch = self._voice_pitch.take(context[:, vocabulary.voice_column])
        sounding[:, -1] = sounding[np.arange(len(hidden)), voice_pitch]
        starts[:, self._n_codes :] = self._tonic_starts[context[:, vocabulary.key_column]]
        window = vocabulary.first_pitch, vocabulary.first_pitch + vocabulary.n_pitches
        logits: Floats = self._backend.sound_logits(
            hidden, weight, self._sound_parts, starts, self._lowest_pitches, window
        )
        return logits

    def duration_logits(self, hidden: Floats, context: Ids, sounds: Ids) -> Floats:
        """(M, 97) logits of the next durations, given also the (M,) sounds."""
        vocabulary, weights = self._vocabulary, self._weights
        starts = np.empty((len(hidden), len(self._lowest_ends)), np.int64)
        starts[:, 0] = -(context[:, vocabulary.position_column] % (vocabulary.n_durations - 1))
        np.add(context.take(self._end_columns, axis=1), self._end_shifts, out=starts[:, 1:])
        logits: Floats = self._backend.duration_logits(
            hidden,
            weights.duration_sound.take(sounds, axis=0),
            (weights.duration_in, weights.duration),
            gelu_table(),
            self._duration_parts,
            starts,
            self._lowest_ends,
        )
        return logits
