"""Transposition of a traced sequence, without encoding it again; `tasks.moved` moves many pieces before they are traced."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import Score, transposed_key
from seqmusic.tokens.context import GLOBAL_COLUMNS, PITCH_CODE, VOICE_COLUMNS
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import KEY, N_KEYS, N_SOUNDS, PITCH, id_to_key, key_to_id

# What the voices of the chorales sing, in MIDI numbers.
COMPASS = {"Soprano": (57, 81), "Alto": (52, 76), "Tenor": (46, 70), "Bass": (36, 66)}


def transposed(trace: Trace, semitones: int) -> Trace:
    """The trace of the same music moved by semitones; equal to tracing the transposed score.

    Raises:
        ValueError: a pitch would leave 0..127.
    """
    if semitones == 0:
        return trace
    sounds, keys = _transposed_ids(semitones)
    events, context = trace.events.copy(), trace.context.copy()
    events[:, 0] = sounds[events[:, 0]]
    if (events[:, 0] < 0).any():
        pitches = (
            trace.events[(trace.events[:, 0] >= PITCH) & (trace.events[:, 0] < KEY), 0] - PITCH
        )
        raise ValueError(
            f"pitch must be a MIDI number in 0..127, got {pitches.min()}..{pitches.max()} transposed by {semitones:+d}; "
            f"{-int(pitches.min()):+d}..{127 - int(pitches.max()):+d} is what this sequence allows"
        )
    for name in ("sound", "ahead", "parallel"):
        column = context[:, len(GLOBAL_COLUMNS) + VOICE_COLUMNS.index(name) :: len(VOICE_COLUMNS)]
        column[column >= PITCH_CODE] += semitones
    key, is_music = GLOBAL_COLUMNS.index("key"), context[:, GLOBAL_COLUMNS.index("section")] > 0
    context[is_music, key] = keys[context[is_music, key]]
    return replace(trace, events=events, context=context)


def legal_shifts(score: Score) -> list[int]:
    """Semitones, -6..6, by which every voice stays in its compass; 0 is always one."""
    shifts = []
    for shift in range(-6, 7):
        compasses = [(v.compass, COMPASS.get(v.name, (0, 127))) for v in score.voices if v.compass]
        if shift == 0 or all(
            own and low <= own[0] + shift and own[1] + shift <= high
            for own, (low, high) in compasses
        ):
            shifts.append(shift)
    return shifts


@cache
def _transposed_ids(semitones: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """The sound id that each becomes, -1 for a pitch that leaves its range; and the same for keys counted from 0."""
    sounds = np.arange(N_SOUNDS, dtype=np.int16)
    pitches = np.arange(128) + semitones
    sounds[PITCH:KEY] = np.where((pitches >= 0) & (pitches <= 127), PITCH + pitches, -1)
    keys = [id_to_key(KEY + index) for index in range(N_KEYS)]
    moved = np.array(
        [key_to_id(key and transposed_key(key, semitones)) - KEY for key in keys], dtype=np.int16
    )
    sounds[KEY : KEY + N_KEYS] = KEY + moved
    return sounds, moved
