"""The key of a theme, as the model and the theme's pitch classes suggest it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqmusic.generation.prediction import log_likelihoods
from seqmusic.generation.prompts import fitting_shift
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.score import Key, Score, transposed_key
from seqmusic.tokens.tokenizer import normalized
from seqmusic.tonality import key_correlations, scale_pitch_classes

_MAX_EVENTS = 128  # of the theme; more would take time and hardly change the result
_NATS_PER_CORRELATION = 4.0  # weight of the key's profile beside the model


def likeliest_key(model: DecodableModel, theme: Score, *, is_whole: bool = False) -> Key:
    """The likeliest of the keys whose scales hold the most notes of a theme.

    Each key is scored by the log-probability of the theme in it, plus a multiple of its
    `key_correlations`. On the first eight soprano notes of the validation chorales this finds the
    written key signature more often than the correlation alone, after a short training as well as
    after a long one.

    Args:
        model: a trained model.
        theme: its voices named as the model knows them.
        is_whole: whether it ends where a piece ends, which is evidence of the key, too.

    Raises:
        UnencodableError: the tokens cannot express the theme.
    """
    shift = fitting_shift(theme)
    moved = normalized(replace(theme, key=None).transposed(shift))
    correlations = key_correlations(moved, is_whole=is_whole)
    classes = [note.pitch % 12 for voice in moved.voices for note in voice.notes]
    n_foreign = {
        key: sum(pitch_class not in scale_pitch_classes(key) for pitch_class in classes)
        for key in correlations
    }
    keys = [key for key, n_notes in n_foreign.items() if n_notes == min(n_foreign.values())]
    likelihoods = log_likelihoods(model, [replace(moved, key=key) for key in keys], _MAX_EVENTS)
    sums = [
        nats + _NATS_PER_CORRELATION * correlations[key]
        for key, (nats, _) in zip(keys, likelihoods, strict=True)
    ]
    return transposed_key(keys[int(np.argmax(sums))], -shift)
