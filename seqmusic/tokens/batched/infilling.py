"""What is asked of many pieces at once: which tiles are missing, in which holes they lie, and whose end is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.tokens import rules
from seqmusic.tokens.batched.columns import IntColumn, NoteColumns
from seqmusic.tokens.vocabulary import (
    KEY,
    N_SOUNDS,
    N_VOICE_NAMES,
    PICKUP,
    STYLE,
    TIMESIG,
    VOICE,
    voice_column,
    voice_name,
)

Mask = NDArray[np.bool_]
VOICE_TO_COLUMN = np.zeros(N_SOUNDS, np.int64)
VOICE_TO_COLUMN[VOICE : VOICE + N_VOICE_NAMES] = [
    voice_column(VOICE + index) for index in range(N_VOICE_NAMES)
]


@dataclass(frozen=True, slots=True)
class InfillingMask:
    """What is given of the pieces of some tiles.

    Attributes:
        missing: (N,) tiles to be composed; the others are given.
        has_given: (P,) pieces with a GIVEN section; the others are composed as a whole.
        is_open: (P,) pieces whose lines go on from where their last tiles are missing, without a known end.
    """

    missing: Mask
    has_given: Mask
    is_open: Mask


@dataclass(frozen=True, slots=True)
class HoleColumns:
    """H runs of missing tiles of one line, sorted as the tiles are.

    Attributes:
        piece, voice, start, end: (H,) piece number, VOICE id, ticks, ticks.
        is_open: (H,) whether the line goes on from there, without an end that was told.
        hole_of_note: (N,) the run that a tile lies in, -1 for none.
    """

    piece: IntColumn
    voice: IntColumn
    start: IntColumn
    end: IntColumn
    is_open: Mask
    hole_of_note: IntColumn


@dataclass(frozen=True, slots=True)
class Headers:
    """What the headers of P pieces say; their E events are given too, as columns.

    Attributes:
        voice: (P, V) VOICE id of each column of the context, 0 where the piece has no such voice.
        turn: (P, V) place of each column's voice in the order of turns; V where the piece has no such voice.
        meter, pickup, key: (P,) TIMESIG id, ticks, KEY id.
        event_piece, event_index, event_sound, event_duration: (E,) piece number, place in its header, and the two ids.
    """

    voice: IntColumn
    turn: IntColumn
    meter: IntColumn
    pickup: IntColumn
    key: IntColumn
    event_piece: IntColumn
    event_index: IntColumn
    event_sound: IntColumn
    event_duration: IntColumn


@dataclass(frozen=True, slots=True)
class InfillingBatch:
    """P pieces and what is asked of them.

    Attributes:
        given: the numbers of the tiles that are given, rising.
        open_from: (P, V) tick where the line of a column is left open, -1 where it is not.
        has_end: (P,) whether the sequence tells the end of the music before it is composed.
    """

    notes: NoteColumns
    mask: InfillingMask
    holes: HoleColumns
    headers: Headers
    given: IntColumn
    open_from: IntColumn
    has_end: Mask


def infilling_batch(
    notes: NoteColumns, mask: InfillingMask | None, max_voices: int
) -> InfillingBatch:
    """The tiles with what is asked of them; None asks for the whole of every piece.

    Raises:
        ValueError: a voice has no column among `max_voices`.
    """
    n_pieces = len(notes.headers)
    mask = mask or InfillingMask(
        np.ones(len(notes.piece), bool), np.zeros(n_pieces, bool), np.ones(n_pieces, bool)
    )
    holes, headers = find_holes(notes, mask), header_columns(notes, max_voices)
    open_from = np.full((n_pieces, max_voices), -1)
    open_from[holes.piece[holes.is_open], VOICE_TO_COLUMN[holes.voice[holes.is_open]]] = (
        holes.start[holes.is_open]
    )
    is_closed = ((headers.voice > 0) & (open_from < 0)).any(axis=1)
    given = np.flatnonzero(~mask.missing & mask.has_given[notes.piece])
    return InfillingBatch(notes, mask, holes, headers, given, open_from, mask.has_given & is_closed)


def find_holes(notes: NoteColumns, mask: InfillingMask) -> HoleColumns:
    """The holes that the missing tiles leave."""
    goes_on = (
        mask.missing[1:]
        & mask.missing[:-1]
        & (notes.piece[1:] == notes.piece[:-1])
        & (notes.voice[1:] == notes.voice[:-1])
    )
    begins = mask.missing.copy()
    begins[1:] &= ~goes_on
    ends = mask.missing.copy()
    ends[:-1] &= ~goes_on
    piece, end = notes.piece[begins], notes.end[ends]
    is_open = (end == notes.end_ticks[piece]) & (mask.is_open | ~mask.has_given)[piece]
    hole_of_note = np.where(mask.missing, np.cumsum(begins) - 1, -1)
    return HoleColumns(piece, notes.voice[begins], notes.onset[begins], end, is_open, hole_of_note)


def header_columns(notes: NoteColumns, max_voices: int) -> Headers:
    """What the headers say.

    Raises:
        ValueError: a voice has no column among `max_voices`.
    """
    n_pieces = len(notes.headers)
    lengths = np.array([len(own) for own in notes.headers], dtype=np.int64)
    flat = np.array([event for own in notes.headers for event in own], dtype=np.int64).reshape(
        -1, 2
    )
    piece = np.repeat(np.arange(n_pieces), lengths)
    place = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    sound, duration = flat[:, 0], flat[:, 1]
    voices = np.zeros((n_pieces, max_voices), np.int64)
    is_voice = (sound >= VOICE) & (sound < STYLE)
    _check_voices(piece[is_voice], sound[is_voice], max_voices)
    voices[piece[is_voice], VOICE_TO_COLUMN[sound[is_voice]]] = sound[is_voice]
    meter, pickup, key = (np.zeros(n_pieces, np.int64) for _ in range(3))
    for column, told, rows in (
        (meter, sound, sound >= TIMESIG),
        (pickup, duration, sound == PICKUP),
        (key, sound, (sound >= KEY) & (sound < VOICE)),
    ):
        column[piece[rows]] = told[rows]
    return Headers(voices, _turns(voices), meter, pickup, key, piece, place, sound, duration)


def _turns(voices: IntColumn) -> IntColumn:
    """(P, V) the order of turns, as `in_turn_order` has it, of (P, V) VOICE ids; V where there is no voice."""
    is_there = voices > 0
    place, n_voices = np.cumsum(is_there, axis=1) - 1, is_there.sum(axis=1, keepdims=True)
    turn = np.where((place == n_voices - 1) & (place > 0), 1, place + (place > 0))
    return np.where(is_there, turn, voices.shape[1])


def _check_voices(piece: IntColumn, voice: IntColumn, max_voices: int) -> None:
    wrong = np.flatnonzero(~rules.sound_masks(max_voices)[rules.FIRST_VOICE, voice])
    if len(wrong):
        name, number = voice_name(int(voice[wrong[0]])), int(piece[wrong[0]])
        raise ValueError(
            f"max_voices {max_voices} leaves no column for the voice {name!r} of piece {number}; allow more voices"
        )
