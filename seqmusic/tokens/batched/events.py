"""The events of many pieces as columns, in the order of the grammar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.tokens.batched.columns import REST_TILE, Column
from seqmusic.tokens.batched.infilling import Asked, Mask
from seqmusic.tokens.context import SOUND_PITCH, SOUND_REST
from seqmusic.tokens.vocabulary import (
    BODY,
    EOS,
    GIVEN,
    HOLD,
    HOLE,
    MAX_DURATION,
    PITCH,
    REST,
    TIMESIG,
)

# Kinds of rows, in the order of a sequence; a change of meter has the kind of the note that it stands before, or else LATE.
HEADER_ROW, GIVEN_ROW, GIVEN_NOTE, BODY_ROW, BODY_NOTE, LATE_ROW, EOS_ROW = range(7)
FAR = np.int64(1) << 40  # ticks; no piece is that long
_NO_LIMIT = np.int64(1) << 30


@dataclass(frozen=True, slots=True)
class Rows:
    """R events; sorted by piece, kind and onset, and at one onset changes of meter first, then the voices from the highest.

    Attributes:
        piece, kind: (R,) piece number, kind of row.
        voice: (R,) VOICE id of a note, rest or hole; 0 for what has no voice.
        sound, duration: (R,) the ids of the event.
        onset: (R,) ticks; of a header, the place in it.
        tile_onset, tile_code: (R,) onset and sound code of the tile that the event is a part of; code 0 for what is no tile.
        limit: (R,) longest duration that fits, in ticks.
    """

    piece: Column
    kind: Column
    voice: Column
    sound: Column
    duration: Column
    onset: Column
    tile_onset: Column
    tile_code: Column
    limit: Column

    def __len__(self) -> int:
        return len(self.piece)

    @property
    def is_note(self) -> Mask:
        """(R,) notes, rests and holes."""
        return self.voice > 0

    @property
    def is_change(self) -> Mask:
        """(R,) changes of meter."""
        change: Mask = (self.sound >= TIMESIG) & (self.kind != HEADER_ROW)
        return change

    @property
    def end(self) -> Column:
        """(R,) first tick after the event."""
        return self.onset + self.duration


def rows_of(asked: Asked) -> Rows:
    """The events of all pieces, in order."""
    notes = _sorted(
        _joined([_given_notes(asked), _given_holes(asked), _body_notes(asked), *_marks(asked)])
    )
    changes = _changes(asked, notes)
    return _sorted(_joined([notes, changes])) if len(changes) else notes


def _given_notes(asked: Asked) -> Rows:
    tiles, given = asked.tiles, asked.given
    limit = np.full(len(given), _NO_LIMIT)
    return _cut(
        tiles.piece[given],
        GIVEN_NOTE,
        tiles.voice[given],
        tiles.onset[given],
        tiles.end[given],
        tiles.pitch[given],
        limit,
    )


def _body_notes(asked: Asked) -> Rows:
    tiles, holes, made = asked.tiles, asked.holes, np.flatnonzero(asked.ask.missing)
    is_endless = holes.is_open & ~asked.has_end[holes.piece]
    limit = np.where(is_endless, _NO_LIMIT, holes.end)[holes.of_tile[made]]
    return _cut(
        tiles.piece[made],
        BODY_NOTE,
        tiles.voice[made],
        tiles.onset[made],
        tiles.end[made],
        tiles.pitch[made],
        limit,
    )


def _cut(
    piece: Column,
    kind: int,
    voice: Column,
    onset: Column,
    end: Column,
    pitch: Column,
    limit: Column,
) -> Rows:
    """Tiles as events of at most a whole note: the rest of a long note is HOLD."""
    code = np.where(pitch == REST_TILE, SOUND_REST, SOUND_PITCH + pitch)
    tile, shift = _parts(end - onset)
    start = onset[tile] + shift
    sound = np.where(pitch == REST_TILE, REST, PITCH + pitch)[tile]
    sound[(shift > 0) & (sound != REST)] = HOLD
    return Rows(
        piece[tile], np.full(len(tile), kind), voice[tile], sound, np.minimum(end[tile] - start, MAX_DURATION), start,
        onset[tile], code[tile], np.minimum(limit[tile] - start, MAX_DURATION),
    )  # fmt: skip


def _given_holes(asked: Asked) -> Rows:
    """The holes as events: an open one has no length."""
    holes = asked.holes
    told = np.flatnonzero(asked.ask.has_given[holes.piece])
    start, length = holes.start[told], np.where(holes.is_open, 0, holes.end - holes.start)[told]
    hole, shift = _parts(length)
    zeros, onset = np.zeros(len(hole), np.int64), start[hole] + shift
    return Rows(
        holes.piece[told][hole], np.full(len(hole), GIVEN_NOTE), holes.voice[told][hole], np.full(len(hole), HOLE),
        np.minimum(length[hole] - shift, MAX_DURATION), onset, zeros, zeros, np.full(len(hole), MAX_DURATION),
    )  # fmt: skip


def _parts(length: Column) -> tuple[Column, Column]:
    """The parts, a whole note at most, of lengths in ticks: which length each is a part of, and where in it the part begins."""
    n_parts = np.maximum(1, -(-length // MAX_DURATION))
    whole = np.repeat(np.arange(len(length)), n_parts)
    shift = MAX_DURATION * (
        np.arange(len(whole)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    )
    return whole, shift


def _marks(asked: Asked) -> list[Rows]:
    """Headers, GIVEN, BODY and EOS."""
    heads = asked.heads
    pieces = np.arange(len(asked.tiles.headers))
    return [
        _without_voice(
            heads.event_piece,
            HEADER_ROW,
            heads.event_sound,
            heads.event_duration,
            heads.event_place,
        ),
        _sign(pieces[asked.ask.has_given], GIVEN_ROW, GIVEN),
        _sign(pieces, BODY_ROW, BODY),
        _sign(pieces, EOS_ROW, EOS),
    ]


def _sign(piece: Column, kind: int, sound: int) -> Rows:
    zeros = np.zeros(len(piece), np.int64)
    return _without_voice(piece, kind, np.full(len(piece), sound), zeros, zeros)


def _without_voice(
    piece: Column, kind: int | Column, sound: Column, duration: Column, onset: Column
) -> Rows:
    zeros = np.zeros(len(piece), np.int64)
    return Rows(piece, zeros + kind, zeros, sound, duration, onset, zeros, zeros, zeros)


def _changes(asked: Asked, notes: Rows) -> Rows:
    """Changes of meter, each before the first event at or after it that is given, or else composed, or else at the end."""
    piece, tick = asked.tiles.change_piece, asked.tiles.change_tick
    onset, kind = asked.tiles.end_ticks[piece], np.full(len(piece), LATE_ROW)
    for section in (BODY_NOTE, GIVEN_NOTE):
        rows = np.flatnonzero(notes.kind == section)
        place = np.searchsorted(notes.piece[rows] * FAR + notes.onset[rows], piece * FAR + tick)
        found = np.flatnonzero(place < len(rows))
        found = found[notes.piece[rows[place[found]]] == piece[found]]
        onset[found], kind[found] = notes.onset[rows[place[found]]], section
    return _without_voice(piece, kind, asked.tiles.change_sound, onset - tick, onset)


def _joined(parts: list[Rows]) -> Rows:
    return Rows(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__slots__)
    )


def _sorted(rows: Rows) -> Rows:
    """The rows in order; those without a voice come first at their onset, and stay as they came among themselves."""
    order = np.argsort(
        ((rows.piece << 3 | rows.kind) << 28 | rows.onset) << 8 | rows.voice, kind="stable"
    )
    return Rows(*(getattr(rows, name)[order] for name in Rows.__slots__))
