"""Transposition of a traced sequence, without encoding it again."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import Score, transposed_key
from seqmusic.tokens.context import SOUND_PITCH, context_columns
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import KEY, N_KEYS, N_SOUNDS, PITCH, id_key, key_id

# What the voices of the chorales sing, in MIDI numbers.
COMPASS = {"Soprano": (57, 81), "Alto": (52, 76), "Tenor": (46, 70), "Bass": (36, 66)}


def transposed(trace: Trace, semitones: int) -> Trace:
    """The trace of the same music moved by semitones; equal to tracing the transposed score."""
    if semitones == 0:
        return trace
    sounds, keys = _moved_ids(semitones)
    events = trace.events.copy()
    events[:, 0] = sounds[events[:, 0]]
    names = context_columns((trace.context.shape[1] - 6) // 6)
    context = trace.context.copy()
    pitched = [i for i, name in enumerate(names) if name.startswith(("sound_", "ahead_"))]
    part = context[:, pitched]
    context[:, pitched] = np.where(part >= SOUND_PITCH, part + semitones, part)
    column = names.index("key")
    context[:, column] = np.where(context[:, 0] > 0, keys[context[:, column]], 0)
    return replace(trace, events=events, context=context)


def legal_shifts(score: Score) -> list[int]:
    """Semitones, -6..6, by which every voice stays in its compass; 0 is always one."""
    shifts = []
    for shift in range(-6, 7):
        compasses = [(v.compass, COMPASS.get(v.name, (0, 127))) for v in score.voices if v.compass]
        if shift == 0 or all(own and low <= own[0] + shift and own[1] + shift <= high for own, (low, high) in compasses):
            shifts.append(shift)
    return shifts


@cache
def _moved_ids(semitones: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:

    sounds = np.arange(N_SOUNDS, dtype=np.int16)
    sounds[PITCH:KEY] = np.clip(sounds[PITCH:KEY] + semitones, PITCH, KEY - 1)
    keys = [id_key(KEY + index) for index in range(N_KEYS)]
    moved = np.array([key_id(key and transposed_key(key, semitones)) - KEY for key in keys], dtype=np.int16)
    sounds[KEY : KEY + N_KEYS] = KEY + moved
    return sounds, moved
