"""What is asked of many pieces at once: which tiles are missing, in which holes they lie, and whose end is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.tokens import rules
from seqmusic.tokens.batched.columns import Column, Tiles
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
COLUMN_OF_VOICE = np.zeros(N_SOUNDS, np.int64)
COLUMN_OF_VOICE[VOICE : VOICE + N_VOICE_NAMES] = [
    voice_column(VOICE + index) for index in range(N_VOICE_NAMES)
]


@dataclass(frozen=True, slots=True)
class Ask:
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
class Holes:
    """H runs of missing tiles of one line, sorted as the tiles are.

    Attributes:
        piece, voice, start, end: (H,) piece number, VOICE id, ticks, ticks.
        is_open: (H,) whether the line goes on from there, without an end that was told.
        of_tile: (N,) the run that a tile lies in, -1 for none.
    """

    piece: Column
    voice: Column
    start: Column
    end: Column
    is_open: Mask
    of_tile: Column


@dataclass(frozen=True, slots=True)
class Heads:
    """What the headers of P pieces say; their E events are given too, as columns.

    Attributes:
        voice: (P, V) VOICE id of each column of the context, 0 where the piece has no such voice.
        meter, pickup, key: (P,) TIMESIG id, ticks, KEY id.
        event_piece, event_place, event_sound, event_duration: (E,) piece number, place in its header, and the two ids.
    """

    voice: Column
    meter: Column
    pickup: Column
    key: Column
    event_piece: Column
    event_place: Column
    event_sound: Column
    event_duration: Column


@dataclass(frozen=True, slots=True)
class Asked:
    """P pieces and what is asked of them.

    Attributes:
        given: the numbers of the tiles that are given, rising.
        open_from: (P, V) tick where the line of a column is left open, -1 where it is not.
        has_end: (P,) whether the sequence tells the end of the music before it is composed.
    """

    tiles: Tiles
    ask: Ask
    holes: Holes
    heads: Heads
    given: Column
    open_from: Column
    has_end: Mask


def asked_of(tiles: Tiles, ask: Ask | None, max_voices: int) -> Asked:
    """The tiles with what is asked of them; None asks for the whole of every piece.

    Raises:
        ValueError: a voice has no column among `max_voices`.
    """
    n_pieces = len(tiles.headers)
    ask = ask or Ask(
        np.ones(len(tiles.piece), bool), np.zeros(n_pieces, bool), np.ones(n_pieces, bool)
    )
    holes, heads = holes_of(tiles, ask), heads_of(tiles, max_voices)
    open_from = np.full((n_pieces, max_voices), -1)
    open_from[holes.piece[holes.is_open], COLUMN_OF_VOICE[holes.voice[holes.is_open]]] = (
        holes.start[holes.is_open]
    )
    is_closed = ((heads.voice > 0) & (open_from < 0)).any(axis=1)
    given = np.flatnonzero(~ask.missing & ask.has_given[tiles.piece])
    return Asked(tiles, ask, holes, heads, given, open_from, ask.has_given & is_closed)


def holes_of(tiles: Tiles, ask: Ask) -> Holes:
    """The holes that the missing tiles leave."""
    goes_on = (
        ask.missing[1:]
        & ask.missing[:-1]
        & (tiles.piece[1:] == tiles.piece[:-1])
        & (tiles.voice[1:] == tiles.voice[:-1])
    )
    begins = ask.missing.copy()
    begins[1:] &= ~goes_on
    ends = ask.missing.copy()
    ends[:-1] &= ~goes_on
    piece, end = tiles.piece[begins], tiles.end[ends]
    is_open = (end == tiles.end_ticks[piece]) & (ask.is_open | ~ask.has_given)[piece]
    of_tile = np.where(ask.missing, np.cumsum(begins) - 1, -1)
    return Holes(piece, tiles.voice[begins], tiles.onset[begins], end, is_open, of_tile)


def heads_of(tiles: Tiles, max_voices: int) -> Heads:
    """What the headers say.

    Raises:
        ValueError: a voice has no column among `max_voices`.
    """
    n_pieces = len(tiles.headers)
    lengths = np.array([len(own) for own in tiles.headers], dtype=np.int64)
    flat = np.array([event for own in tiles.headers for event in own], dtype=np.int64).reshape(
        -1, 2
    )
    piece = np.repeat(np.arange(n_pieces), lengths)
    place = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    sound, duration = flat[:, 0], flat[:, 1]
    voices = np.zeros((n_pieces, max_voices), np.int64)
    is_voice = (sound >= VOICE) & (sound < STYLE)
    _check_voices(piece[is_voice], sound[is_voice], max_voices)
    voices[piece[is_voice], COLUMN_OF_VOICE[sound[is_voice]]] = sound[is_voice]
    meter, pickup, key = (np.zeros(n_pieces, np.int64) for _ in range(3))
    for column, told, rows in (
        (meter, sound, sound >= TIMESIG),
        (pickup, duration, sound == PICKUP),
        (key, sound, (sound >= KEY) & (sound < VOICE)),
    ):
        column[piece[rows]] = told[rows]
    return Heads(voices, meter, pickup, key, piece, place, sound, duration)


def _check_voices(piece: Column, voice: Column, max_voices: int) -> None:
    wrong = np.flatnonzero(~rules.sound_masks(max_voices)[rules.FIRST_VOICE, voice])
    if len(wrong):
        name, number = voice_name(int(voice[wrong[0]])), int(piece[wrong[0]])
        raise ValueError(
            f"max_voices {max_voices} leaves no column for the voice {name!r} of piece {number}; allow more voices"
        )
