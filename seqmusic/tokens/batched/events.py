"""The events of many pieces as columns, in the order of the grammar."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from seqmusic.array_types import Ints, Mask
from seqmusic.tokens.batched.columns import sort_keys
from seqmusic.tokens.batched.infilling import VOICE_TO_COLUMN, InfillingBatch
from seqmusic.tokens.context import PITCH_CODE, REST_CODE
from seqmusic.tokens.section_events import REST_PITCH
from seqmusic.tokens.vocabulary import (
    BODY,
    EOS,
    FERMATA,
    GIVEN,
    HOLD,
    HOLE,
    MAX_DURATION,
    PITCH,
    REST,
    TIMESIG,
)

# Kinds of rows, in the order of a sequence. A change of meter or a fermata has the kind of the
# note that it stands before; a change that stands before none is LATE.
HEADER_ROW, GIVEN_ROW, GIVEN_NOTE, BODY_ROW, BODY_NOTE, LATE_CHANGE_ROW, EOS_ROW = range(7)
_NO_LIMIT = np.int64(1) << 30


@dataclass(frozen=True, slots=True)
class EventColumns:
    """R events, sorted by piece, kind and onset.

    At one onset, changes of meter come first, then a fermata, then the outer voices, then the
    others.

    Attributes:
        piece, kind: (R,) piece number, kind of row.
        voice: (R,) VOICE id of a note, rest or hole; 0 for all others.
        sound, duration: (R,) the ids of the event.
        onset: (R,) ticks; in a header, the position in it.
        note_onset, note_code: (R,) onset and sound code of the note or rest that the event is a
            part of; code 0 for all others.
        max_duration: (R,) longest duration that fits, in ticks.
    """

    piece: Ints
    kind: Ints
    voice: Ints
    sound: Ints
    duration: Ints
    onset: Ints
    note_onset: Ints
    note_code: Ints
    max_duration: Ints

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
    def is_fermata(self) -> Mask:
        """(R,) fermatas."""
        fermata: Mask = self.sound == FERMATA
        return fermata

    @property
    def end(self) -> Ints:
        """(R,) first tick after the event."""
        return self.onset + self.duration


def event_columns(batch: InfillingBatch) -> EventColumns:
    """The events of all pieces, in order."""
    parts = [_given_notes(batch), _given_holes(batch), _body_notes(batch), *_control_events(batch)]
    parts += [
        _without_voice(piece, kind, np.full(len(piece), FERMATA), np.zeros_like(tick), tick)
        for kind, (piece, tick) in zip((GIVEN_NOTE, BODY_NOTE), batch.fermatas, strict=True)
    ]
    events = _sorted(batch, _concatenated(parts))
    changes = _meter_changes(batch, events)
    return _sorted(batch, _concatenated([events, changes])) if len(changes) else events


def sound_codes(pitch: Ints) -> Ints:
    """The sound codes of MIDI numbers and rests."""
    return np.where(pitch == REST_PITCH, REST_CODE, PITCH_CODE + pitch)


def _given_notes(batch: InfillingBatch) -> EventColumns:
    return _split_notes(batch, batch.given, GIVEN_NOTE, np.full(len(batch.given), _NO_LIMIT))


def _body_notes(batch: InfillingBatch) -> EventColumns:
    holes, missing = batch.holes, np.flatnonzero(batch.mask.missing)
    is_endless = holes.is_open & ~batch.has_end[holes.piece]
    hole_end = np.where(is_endless, _NO_LIMIT, holes.end)
    return _split_notes(batch, missing, BODY_NOTE, hole_end[holes.hole_of_note[missing]])


def _split_notes(batch: InfillingBatch, rows: Ints, kind: int, limit: Ints) -> EventColumns:
    """Notes and rests as events of at most a whole note: a long note goes on with HOLD.

    Args:
        batch: the pieces.
        rows: (M,) the rows of the notes.
        kind: of the events.
        limit: (M,) the tick that no event in the place of a note may cross.
    """
    notes = batch.notes
    pitch, onset, end = notes.pitch[rows], notes.onset[rows], notes.end[rows]
    note, shift = _split_lengths(end - onset)  # both as long as there are events
    start = onset[note] + shift
    sound = np.where(pitch == REST_PITCH, REST, PITCH + pitch)[note]
    sound[(shift > 0) & (sound != REST)] = HOLD
    return EventColumns(
        piece=notes.piece[rows][note],
        kind=np.full(len(note), kind),
        voice=notes.voice[rows][note],
        sound=sound,
        duration=np.minimum(end[note] - start, MAX_DURATION),
        onset=start,
        note_onset=onset[note],
        note_code=sound_codes(pitch)[note],
        max_duration=np.minimum(limit[note] - start, MAX_DURATION),
    )


def _given_holes(batch: InfillingBatch) -> EventColumns:
    """The holes as events; an open one has duration 0."""
    holes = batch.holes
    rows = np.flatnonzero(batch.mask.has_given[holes.piece])
    length = np.where(holes.is_open, 0, holes.end - holes.start)[rows]
    hole, shift = _split_lengths(length)
    zeros = np.zeros(len(hole), np.int64)
    return EventColumns(
        piece=holes.piece[rows][hole],
        kind=zeros + GIVEN_NOTE,
        voice=holes.voice[rows][hole],
        sound=zeros + HOLE,
        duration=np.minimum(length[hole] - shift, MAX_DURATION),
        onset=holes.start[rows][hole] + shift,
        note_onset=zeros,
        note_code=zeros,
        max_duration=zeros + MAX_DURATION,
    )


def _split_lengths(length: Ints) -> tuple[Ints, Ints]:
    """Lengths in ticks, split into parts of at most a whole note.

    Returns:
        For each part, the index of the length that it belongs to, and where in it the part begins.
    """
    n_parts = np.maximum(1, -(-length // MAX_DURATION))
    whole = np.repeat(np.arange(len(length)), n_parts)
    index = np.arange(len(whole)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    return whole, MAX_DURATION * index


def _control_events(batch: InfillingBatch) -> list[EventColumns]:
    """Headers, GIVEN, BODY and EOS."""
    headers, pieces = batch.headers, np.arange(len(batch.notes.headers))
    header_events = _without_voice(
        headers.event_piece,
        HEADER_ROW,
        headers.event_sound,
        headers.event_duration,
        headers.event_index,
    )
    return [
        header_events,
        _delimiters(pieces[batch.mask.has_given], GIVEN_ROW, GIVEN),
        _delimiters(pieces, BODY_ROW, BODY),
        _delimiters(pieces, EOS_ROW, EOS),
    ]


def _delimiters(piece: Ints, kind: int, sound: int) -> EventColumns:
    zeros = np.zeros(len(piece), np.int64)
    return _without_voice(piece, kind, zeros + sound, zeros, zeros)


def _without_voice(
    piece: Ints, kind: int | Ints, sound: Ints, duration: Ints, onset: Ints
) -> EventColumns:
    zeros = np.zeros(len(piece), np.int64)
    return EventColumns(piece, zeros + kind, zeros, sound, duration, onset, zeros, zeros, zeros)


def _meter_changes(batch: InfillingBatch, events: EventColumns) -> EventColumns:
    """Changes of meter, each before the first event at or after its tick.

    That is a given event where there is one, or else a composed one, or else the end.
    """
    piece, tick = batch.notes.change_piece, batch.notes.change_tick
    onset, kind = batch.notes.end_ticks[piece], np.full(len(piece), LATE_CHANGE_ROW)
    for section in (BODY_NOTE, GIVEN_NOTE):
        rows = np.flatnonzero(events.kind == section)
        index = np.searchsorted(
            sort_keys(events.piece[rows], events.onset[rows]), sort_keys(piece, tick)
        )
        found = np.flatnonzero(index < len(rows))
        found = found[events.piece[rows[index[found]]] == piece[found]]
        onset[found], kind[found] = events.onset[rows[index[found]]], section
    return _without_voice(piece, kind, batch.notes.change_sound, onset - tick, onset)


def _concatenated(parts: list[EventColumns]) -> EventColumns:
    return EventColumns(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(EventColumns)
        )
    )


def _sorted(batch: InfillingBatch, events: EventColumns) -> EventColumns:
    """The events in order; events without a voice and a fermata keep their order at each onset."""
    # One sort key: 3 bits for the kind, 28 for the onset, 8 for the rank of the voice.
    rank = 2 + batch.headers.rank[events.piece, VOICE_TO_COLUMN[events.voice]]
    rank = np.where(events.is_note, rank, events.is_fermata)
    key = ((events.piece << 3 | events.kind) << 28 | events.onset) << 8 | rank
    order = np.argsort(key, kind="stable")
    return EventColumns(*(getattr(events, field.name)[order] for field in fields(EventColumns)))
