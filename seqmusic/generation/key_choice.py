"""Which key a head is in, as the model hears it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqmusic.generation.prediction import log_likelihoods
from seqmusic.generation.prompts import fitting_shift
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.score import Key, Score, transposed_key
from seqmusic.tokens.tokenizer import normalized
from seqmusic.tonality import key_correlations, scale_pitch_classes

_MAX_EVENTS = 128  # of the head; more would cost time and hardly change the answer
_NATS_PER_CORRELATION = 4.0  # how much the profile of a key counts beside the model


def likeliest_key(model: DecodableModel, theme: Score, *, is_whole: bool = False) -> Key:
    """The key whose scale holds most notes of the head; of several, the one the model and the key's profile find likeliest.

    On the first eight soprano notes of the validation chorales the key signature is right more often than by the profile alone,
    after a short training as after a long one.

    Args:
        model: a trained model.
        theme: its voices named as the model knows them.
        is_whole: whether it ends as a piece ends, which tells of the key, too.

    Raises:
        UnencodableError: the tokens cannot say the head.
    """
    shift = fitting_shift(theme)
    moved = normalized(replace(theme, key=None).transposed(shift))
    correlations = key_correlations(moved, is_whole=is_whole)
    classes = [note.pitch % 12 for voice in moved.voices for note in voice.notes]
    strange = {
        key: sum(own not in scale_pitch_classes(key) for own in classes) for key in correlations
    }
    keys = [key for key, n_notes in strange.items() if n_notes == min(strange.values())]
    likelihoods = log_likelihoods(model, [replace(moved, key=key) for key in keys], _MAX_EVENTS)
    sums = [
        own + _NATS_PER_CORRELATION * correlations[key]
        for key, (own, _) in zip(keys, likelihoods, strict=True)
    ]
    return transposed_key(keys[int(np.argmax(sums))], -shift)
