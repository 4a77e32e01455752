"""Transposition, of a traced sequence or of many pieces before they are traced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Ints
from seqmusic.score import SATB, Score, transposed_key
from seqmusic.tokens.batched.columns import NoteColumns
from seqmusic.tokens.context import (
    AHEAD_COLUMN,
    KEY_COLUMN,
    PARALLEL_COLUMN,
    PITCH_CODE,
    SECTION_COLUMN,
    SOUND_COLUMN,
    VOICE_COLUMNS,
    first_column,
)
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import (
    KEY,
    N_SOUNDS,
    PITCH,
    STYLE,
    VOICE,
    id_to_key,
    is_key,
    is_pitch,
    key_to_id,
)

COMPASS = {"Soprano": (57, 81), "Alto": (52, 76), "Tenor": (46, 70), "Bass": (36, 66)}
"""What the voices of the chorales sing: lowest and highest MIDI number."""
_FULL_COMPASS = (0, 127)
_MAX_SHIFT = 6  # semitones


def transposed(trace: Trace, semitones: int) -> Trace:
    """The trace of the transposed music; equal to tracing the transposed score.

    Raises:
        ValueError: a pitch would leave 0..127.
    """
    if semitones == 0:
        return trace
    sounds = _transposed_sounds(semitones)
    events, context = trace.events.copy(), trace.context.copy()
    events[:, 0] = sounds[events[:, 0]]
    if (events[:, 0] < 0).any():
        pitches = trace.events[is_pitch(trace.events[:, 0]), 0] - PITCH
        low, high = int(pitches.min()), int(pitches.max())
        raise ValueError(
            f"pitch must be a MIDI number in 0..127, got {low}..{high} transposed by "
            f"{semitones:+d}; {-low:+d}..{127 - high:+d} is what this sequence allows"
        )
    for index in (SOUND_COLUMN, AHEAD_COLUMN, PARALLEL_COLUMN):
        column = context[:, first_column(0) + index :: len(VOICE_COLUMNS)]
        column[column >= PITCH_CODE] += semitones
    after_header = context[:, SECTION_COLUMN] > 0
    keys = context[after_header, KEY_COLUMN]
    context[after_header, KEY_COLUMN] = sounds[KEY + keys] - KEY
    return replace(trace, events=events, context=context)


def transpose_pieces(notes: NoteColumns, shifts: Sequence[int]) -> NoteColumns:
    """The pieces transposed, each by the number of semitones in `shifts` (P,)."""
    by_piece = np.asarray(shifts, dtype=np.int64)
    pitch = np.where(notes.pitch >= 0, notes.pitch + by_piece[notes.piece], notes.pitch)
    headers = tuple(
        tuple(
            (_transposed_key_id(sound, shift), duration) if is_key(sound) else (sound, duration)
            for sound, duration in header
        )
        for header, shift in zip(notes.headers, shifts, strict=True)
    )
    return replace(notes, pitch=pitch, headers=headers)


def legal_shifts(score: Score) -> list[int]:
    """Semitones in -6..6 that keep every voice in its compass, and 0.

    >>> from seqmusic.score import Note, Voice
    >>> soprano, bass = Voice("Soprano", (Note(0, 24, 59),)), Voice("Bass", (Note(0, 24, 62),))
    >>> legal_shifts(Score((soprano, bass)))
    [-2, -1, 0, 1, 2, 3, 4]
    """
    low, high = -_MAX_SHIFT, _MAX_SHIFT
    for voice in score.voices:
        if voice.compass:
            lowest, highest = COMPASS.get(voice.name, _FULL_COMPASS)
            low, high = max(low, lowest - voice.compass[0]), min(high, highest - voice.compass[1])
    return shifts_between(low, high)


def shift_bounds(notes: NoteColumns) -> tuple[Ints, Ints]:
    """(P,) the lowest and the highest of the shifts in -6..6 that keep a piece in its compass."""
    compass = np.full((STYLE - VOICE, 2), _FULL_COMPASS)
    compass[: len(SATB)] = [COMPASS[name] for name in SATB]
    sounding = notes.pitch >= 0
    piece, pitch = notes.piece[sounding], notes.pitch[sounding]
    lowest, highest = compass[notes.voice[sounding] - VOICE].T
    n_pieces = len(notes.headers)
    low, high = np.full(n_pieces, -_MAX_SHIFT), np.full(n_pieces, _MAX_SHIFT)
    np.maximum.at(low, piece, lowest - pitch)
    np.minimum.at(high, piece, highest - pitch)
    return low, high


def shifts_between(low: int, high: int) -> list[int]:
    """The shifts from `low` to `high`, and 0, which is always allowed."""
    return sorted({0, *range(low, high + 1)})


@cache
def _transposed_sounds(semitones: int) -> NDArray[np.int16]:
    """The transposed sound of each sound id; -1 for a pitch that leaves 0..127."""
    sounds = np.arange(N_SOUNDS, dtype=np.int16)
    pitches = np.arange(128) + semitones
    sounds[PITCH:KEY] = np.where((pitches >= 0) & (pitches <= 127), PITCH + pitches, -1)
    sounds[KEY:VOICE] = [_transposed_key_id(sound, semitones) for sound in range(KEY, VOICE)]
    return sounds


@cache
def _transposed_key_id(sound: int, semitones: int) -> int:
    key = id_to_key(sound)
    return KEY if key is None else key_to_id(transposed_key(key, semitones))
