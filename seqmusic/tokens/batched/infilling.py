"""What is to be composed of many pieces: the missing notes, their holes, and the known ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.array_types import Ints, Mask
from seqmusic.tokens import rules
from seqmusic.tokens.batched.columns import NoteColumns, sort_keys
from seqmusic.tokens.vocabulary import (
    N_SOUNDS,
    PHRASES,
    PICKUP,
    STYLE,
    TIMESIG,
    VOICE,
    is_key,
    is_voice,
    voice_column,
    voice_name,
)

VOICE_TO_COLUMN = np.zeros(N_SOUNDS, np.int64)
VOICE_TO_COLUMN[VOICE:STYLE] = [voice_column(sound) for sound in range(VOICE, STYLE)]


@dataclass(frozen=True, slots=True)
class InfillingMask:
    """What is given of P pieces with N notes and rests.

    Attributes:
        missing: (N,) notes and rests to be composed; the others are given.
        has_given: (P,) pieces with a GIVEN section; the others are composed as a whole.
        is_open: (P,) pieces whose lines have no known end where their last notes are missing.
        gives_fermatas: (P,) pieces whose fermatas are given with the given notes, even where a
            missing note starts too.
    """

    missing: Mask
    has_given: Mask
    is_open: Mask
    gives_fermatas: Mask


@dataclass(frozen=True, slots=True)
class HoleColumns:
    """H holes: runs of missing notes and rests of one line, sorted as those are.

    Attributes:
        piece: (H,) piece number.
        voice: (H,) VOICE id.
        start, end: (H,) ticks.
        is_open: (H,) whether the line goes on from there without a known end.
        hole_of_note: (N,) the hole that a note lies in, -1 for none.
    """

    piece: Ints
    voice: Ints
    start: Ints
    end: Ints
    is_open: Mask
    hole_of_note: Ints


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of P pieces, by field and as columns of E events.

    Attributes:
        voice: (P, V) VOICE id of each column of the context, 0 where the piece has no such voice.
        rank: (P, V) that of each column's voice among those with a note at one tick; V for none.
        meter, pickup, key: (P,) TIMESIG id, ticks, KEY id.
        marks_phrases: (P,) whether fermatas are marked.
        event_piece, event_index: (E,) piece number, position in its header.
        event_sound, event_duration: (E,) the two ids.
    """

    voice: Ints
    rank: Ints
    meter: Ints
    pickup: Ints
    key: Ints
    marks_phrases: Mask
    event_piece: Ints
    event_index: Ints
    event_sound: Ints
    event_duration: Ints


@dataclass(frozen=True, slots=True)
class InfillingBatch:
    """P pieces and what is to be composed of them.

    Attributes:
        notes: the pieces.
        mask: which of their notes are missing.
        holes: where.
        headers: what their headers hold.
        given: the rows of the notes that are given, ascending.
        fermatas: the pieces and ticks of the fermatas in GIVEN, and of those in BODY.
        open_from: (P, V) tick from which the line of a column is open, -1 where it is not.
        has_end: (P,) whether the end of the music is known before it is composed.
    """

    notes: NoteColumns
    mask: InfillingMask
    holes: HoleColumns
    headers: Headers
    given: Ints
    fermatas: tuple[tuple[Ints, Ints], tuple[Ints, Ints]]
    open_from: Ints
    has_end: Mask


def infilling_batch(
    notes: NoteColumns, mask: InfillingMask | None, max_voices: int
) -> InfillingBatch:
    """The pieces with what is to be composed of them; None composes them as a whole.

    Raises:
        ValueError: a voice has no column among `max_voices`.
    """
    n_pieces = len(notes.headers)
    mask = mask or InfillingMask(
        np.ones(len(notes.piece), bool), *np.array([[False], [True], [True]]).repeat(n_pieces, 1)
    )
    holes, headers = find_holes(notes, mask), header_columns(notes, max_voices)
    open_from = np.full((n_pieces, max_voices), -1)
    open_column = VOICE_TO_COLUMN[holes.voice[holes.is_open]]
    open_from[holes.piece[holes.is_open], open_column] = holes.start[holes.is_open]
    is_closed = ((headers.voice > 0) & (open_from < 0)).any(axis=1)
    given = np.flatnonzero(~mask.missing & mask.has_given[notes.piece])
    fermatas = _divided_fermatas(notes, mask)
    has_end = mask.has_given & is_closed
    return InfillingBatch(notes, mask, holes, headers, given, fermatas, open_from, has_end)


def _divided_fermatas(
    notes: NoteColumns, mask: InfillingMask
) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """The pieces and ticks of the fermatas in GIVEN, and in BODY; none where no note starts."""
    piece, tick = notes.fermata_piece, notes.fermata_tick
    onsets, fermatas = sort_keys(notes.piece, notes.onset), sort_keys(piece, tick)
    sounds, is_given = notes.pitch >= 0, mask.has_given[notes.piece] & ~mask.missing
    over_given = np.isin(fermatas, onsets[sounds & is_given])
    over_missing = np.isin(fermatas, onsets[sounds & ~is_given])
    in_given = over_given & (mask.gives_fermatas[piece] | ~over_missing)
    in_body = over_missing & ~in_given
    return (piece[in_given], tick[in_given]), (piece[in_body], tick[in_body])


def find_holes(notes: NoteColumns, mask: InfillingMask) -> HoleColumns:
    """The holes that the missing notes leave."""
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
    """The headers of the pieces.

    Raises:
        ValueError: a voice has no column among `max_voices`.
    """
    n_pieces = len(notes.headers)
    lengths = np.array([len(header) for header in notes.headers], dtype=np.int64)
    events = np.array([event for header in notes.headers for event in header], dtype=np.int64)
    sound, duration = events.reshape(-1, 2).T
    piece = np.repeat(np.arange(n_pieces), lengths)
    index = np.arange(len(piece)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    voices = np.zeros((n_pieces, max_voices), np.int64)
    rows = is_voice(sound)
    _check_voices(piece[rows], sound[rows], max_voices)
    voices[piece[rows], VOICE_TO_COLUMN[sound[rows]]] = sound[rows]
    meter, pickup, key = (np.zeros(n_pieces, np.int64) for _ in range(3))
    for by_piece, values, rows in (
        (meter, sound, sound >= TIMESIG),
        (pickup, duration, sound == PICKUP),
        (key, sound, is_key(sound)),
    ):
        by_piece[piece[rows]] = values[rows]
    marks_phrases = np.zeros(n_pieces, bool)
    marks_phrases[piece[sound == PHRASES]] = True
    return Headers(
        *(voices, _ranks(voices), meter, pickup, key, marks_phrases),
        *(piece, index, sound, duration),
    )


def _ranks(voices: Ints) -> Ints:
    """(P, V) the ranks by `outer_first` of (P, V) VOICE ids; V where there is no voice."""
    exists = voices > 0
    index, n_voices = np.cumsum(exists, axis=1) - 1, exists.sum(axis=1, keepdims=True)
    is_last = (index == n_voices - 1) & (index > 0)
    return np.where(exists, np.where(is_last, 1, index + (index > 0)), voices.shape[1])


def _check_voices(piece: Ints, voice: Ints, max_voices: int) -> None:
    wrong = np.flatnonzero(~rules.sound_masks(max_voices)[rules.FIRST_VOICE, voice])
    if len(wrong):
        name, number = voice_name(int(voice[wrong[0]])), int(piece[wrong[0]])
        raise ValueError(
            f"max_voices {max_voices} leaves no column for the voice {name!r} of piece {number}; "
            "allow more voices"
        )
