"""The events of many pieces as columns, in the order of the grammar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.tokens.batched.columns import REST_PITCH, IntColumn
from seqmusic.tokens.batched.infilling import VOICE_TO_COLUMN, InfillingBatch, Mask
from seqmusic.tokens.context import PITCH_CODE, REST_CODE
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
HEADER_ROW, GIVEN_ROW, GIVEN_NOTE, BODY_ROW, BODY_NOTE, LATE_CHANGE_ROW, EOS_ROW = range(7)
PIECE_STRIDE = np.int64(1) << 40  # ticks; no piece is that long
_NO_LIMIT = np.int64(1) << 30


@dataclass(frozen=True, slots=True)
class EventColumns:
    """R events; sorted by piece, kind and onset, and at one onset changes of meter first, then the voices in the order of turns.

    Attributes:
        piece, kind: (R,) piece number, kind of row.
        voice: (R,) VOICE id of a note, rest or hole; 0 for what has no voice.
        sound, duration: (R,) the ids of the event.
        onset: (R,) ticks; of a header, the place in it.
        note_onset, note_code: (R,) onset and sound code of the tile that the event is a part of; code 0 for what is no tile.
        max_duration: (R,) longest duration that fits, in ticks.
    """

    piece: IntColumn
    kind: IntColumn
    voice: IntColumn
    sound: IntColumn
    duration: IntColumn
    onset: IntColumn
    note_onset: IntColumn
    note_code: IntColumn
    max_duration: IntColumn

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
    def end(self) -> IntColumn:
        """(R,) first tick after the event."""
        return self.onset + self.duration


def event_columns(batch: InfillingBatch) -> EventColumns:
    """The events of all pieces, in order."""
    notes = _sorted(
        batch,
        _concatenated(
            [_given_notes(batch), _given_holes(batch), _body_notes(batch), *_control_events(batch)]
        ),
    )
    changes = _meter_changes(batch, notes)
    return _sorted(batch, _concatenated([notes, changes])) if len(changes) else notes


def _given_notes(batch: InfillingBatch) -> EventColumns:
    notes, given = batch.notes, batch.given
    max_duration = np.full(len(given), _NO_LIMIT)
    return _split_notes(
        notes.piece[given],
        GIVEN_NOTE,
        notes.voice[given],
        notes.onset[given],
        notes.end[given],
        notes.pitch[given],
        max_duration,
    )


def _body_notes(batch: InfillingBatch) -> EventColumns:
    notes, holes, made = batch.notes, batch.holes, np.flatnonzero(batch.mask.missing)
    is_endless = holes.is_open & ~batch.has_end[holes.piece]
    max_duration = np.where(is_endless, _NO_LIMIT, holes.end)[holes.hole_of_note[made]]
    return _split_notes(
        notes.piece[made],
        BODY_NOTE,
        notes.voice[made],
        notes.onset[made],
        notes.end[made],
        notes.pitch[made],
        max_duration,
    )


def _split_notes(
    piece: IntColumn,
    kind: int,
    voice: IntColumn,
    onset: IntColumn,
    end: IntColumn,
    pitch: IntColumn,
    max_duration: IntColumn,
) -> EventColumns:
    """Tiles as events of at most a whole note: the rest of a long note is HOLD."""
    code = np.where(pitch == REST_PITCH, REST_CODE, PITCH_CODE + pitch)
    tile, shift = _split_lengths(end - onset)
    start = onset[tile] + shift
    sound = np.where(pitch == REST_PITCH, REST, PITCH + pitch)[tile]
    sound[(shift > 0) & (sound != REST)] = HOLD
    return EventColumns(
        piece[tile], np.full(len(tile), kind), voice[tile], sound, np.minimum(end[tile] - start, MAX_DURATION), start,
        onset[tile], code[tile], np.minimum(max_duration[tile] - start, MAX_DURATION),
    )  # fmt: skip


def _given_holes(batch: InfillingBatch) -> EventColumns:
    """The holes as events: an open one has no length."""
    holes = batch.holes
    told = np.flatnonzero(batch.mask.has_given[holes.piece])
    start, length = holes.start[told], np.where(holes.is_open, 0, holes.end - holes.start)[told]
    hole, shift = _split_lengths(length)
    zeros, onset = np.zeros(len(hole), np.int64), start[hole] + shift
    return EventColumns(
        holes.piece[told][hole], np.full(len(hole), GIVEN_NOTE), holes.voice[told][hole], np.full(len(hole), HOLE),
        np.minimum(length[hole] - shift, MAX_DURATION), onset, zeros, zeros, np.full(len(hole), MAX_DURATION),
    )  # fmt: skip


def _split_lengths(length: IntColumn) -> tuple[IntColumn, IntColumn]:
    """The parts, a whole note at most, of lengths in ticks: which length each is a part of, and where in it the part begins."""
    n_parts = np.maximum(1, -(-length // MAX_DURATION))
    whole = np.repeat(np.arange(len(length)), n_parts)
    shift = MAX_DURATION * (
        np.arange(len(whole)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    )
    return whole, shift


def _control_events(batch: InfillingBatch) -> list[EventColumns]:
    """Headers, GIVEN, BODY and EOS."""
    headers = batch.headers
    pieces = np.arange(len(batch.notes.headers))
    return [
        _without_voice(
            headers.event_piece,
            HEADER_ROW,
            headers.event_sound,
            headers.event_duration,
            headers.event_index,
        ),
        _delimiters(pieces[batch.mask.has_given], GIVEN_ROW, GIVEN),
        _delimiters(pieces, BODY_ROW, BODY),
        _delimiters(pieces, EOS_ROW, EOS),
    ]


def _delimiters(piece: IntColumn, kind: int, sound: int) -> EventColumns:
    zeros = np.zeros(len(piece), np.int64)
    return _without_voice(piece, kind, np.full(len(piece), sound), zeros, zeros)


def _without_voice(
    piece: IntColumn, kind: int | IntColumn, sound: IntColumn, duration: IntColumn, onset: IntColumn
) -> EventColumns:
    zeros = np.zeros(len(piece), np.int64)
    return EventColumns(piece, zeros + kind, zeros, sound, duration, onset, zeros, zeros, zeros)


def _meter_changes(batch: InfillingBatch, notes: EventColumns) -> EventColumns:
    """Changes of meter, each before the first event at or after it that is given, or else composed, or else at the end."""
    piece, tick = batch.notes.change_piece, batch.notes.change_tick
    onset, kind = batch.notes.end_ticks[piece], np.full(len(piece), LATE_CHANGE_ROW)
    for section in (BODY_NOTE, GIVEN_NOTE):
        rows = np.flatnonzero(notes.kind == section)
        place = np.searchsorted(
            notes.piece[rows] * PIECE_STRIDE + notes.onset[rows], piece * PIECE_STRIDE + tick
        )
        found = np.flatnonzero(place < len(rows))
        found = found[notes.piece[rows[place[found]]] == piece[found]]
        onset[found], kind[found] = notes.onset[rows[place[found]]], section
    return _without_voice(piece, kind, batch.notes.change_sound, onset - tick, onset)


def _concatenated(parts: list[EventColumns]) -> EventColumns:
    return EventColumns(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in EventColumns.__slots__
        )
    )


def _sorted(batch: InfillingBatch, rows: EventColumns) -> EventColumns:
    """The rows in order; those without a voice come first at their onset, and stay as they came among themselves."""
    turn = batch.headers.turn[rows.piece, VOICE_TO_COLUMN[rows.voice]]
    turn = np.where(rows.is_note, 1 + turn, 0)
    order = np.argsort(
        ((rows.piece << 3 | rows.kind) << 28 | rows.onset) << 8 | turn, kind="stable"
    )
    return EventColumns(*(getattr(rows, name)[order] for name in EventColumns.__slots__))
