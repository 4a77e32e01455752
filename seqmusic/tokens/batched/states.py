"""The state of the grammar before each event of many pieces: voice, tick, last event, meter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.array_types import Ints, Mask
from seqmusic.tokens.batched.columns import sort_keys
from seqmusic.tokens.batched.events import (
    BODY_NOTE,
    BODY_ROW,
    GIVEN_NOTE,
    LATE_CHANGE_ROW,
    EventColumns,
)
from seqmusic.tokens.batched.infilling import VOICE_TO_COLUMN, InfillingBatch
from seqmusic.tokens.grammar import BODY_SECTION, GIVEN_SECTION
from seqmusic.tokens.meters import BAR_TICKS_ARRAY
from seqmusic.tokens.vocabulary import TIMESIG


@dataclass(frozen=True, slots=True)
class GrammarStates:
    """The state of the grammar before each of R events.

    Attributes:
        section: (R,) the section that the event is in.
        voice: (R,) VOICE id of the line that the next note goes to, 0 for none.
        column: (R,) the column of that voice in the context, 0 for none.
        tick: (R,) onset of the next event.
        last_rows: (V, R) the latest row of each column's line in this section, -1 for none.
        last_sound, last_duration: (R,) ids of the line's event that ends at `tick`, 0 for none.
        meter: (R,) TIMESIG id in force.
        position: (R,) ticks since the bar line.
        max_meter_delay: (R,) how long ago the meter may have changed, in ticks; negative where it
            cannot have changed.
    """

    section: Ints
    voice: Ints
    column: Ints
    tick: Ints
    last_rows: Ints
    last_sound: Ints
    last_duration: Ints
    meter: Ints
    position: Ints
    max_meter_delay: Ints


def grammar_states(batch: InfillingBatch, events: EventColumns) -> GrammarStates:
    """The state before each event."""
    section = _sections(batch, events)
    voice, tick = _next_voices(batch, events)
    column = VOICE_TO_COLUMN[voice]
    last_rows = _last_rows(events, section, batch.headers.voice.shape[1])
    row = last_rows[column, np.arange(len(events))]
    has_last = (row >= 0) & (voice > 0) & (events.end[row] == tick)
    last_sound = np.where(has_last, events.sound[row], 0)
    last_duration = np.where(has_last, events.duration[row], 0)
    meters = _meters(batch, events, tick)
    return GrammarStates(
        section, voice, column, tick, last_rows, last_sound, last_duration, *meters
    )


def section_end_masks(
    batch: InfillingBatch, events: EventColumns, states: GrammarStates
) -> tuple[Mask, Mask]:
    """(R,) where GIVEN may end, and where music without a known end may.

    GIVEN may end where all lines end at the tick or were left open before; the music may end where
    the lines that were left open end there too.
    """
    given_may_end, music_may_end = states.tick > 0, states.tick > 0
    for column, last in enumerate(states.last_rows):
        absent = (batch.headers.voice[:, column] == 0)[events.piece]
        end = np.where(last >= 0, events.end[last], 0)
        is_hole = (last >= 0) & (events.note_code[last] == 0)
        is_left_open = is_hole & (events.duration[last] == 0)
        given_may_end &= absent | (end == states.tick) | (is_left_open & (end <= states.tick))
        open_from = batch.open_from[:, column][events.piece]
        music_may_end &= absent | (np.maximum(open_from, end) == states.tick)
    return given_may_end, music_may_end


def fermata_mask(batch: InfillingBatch, events: EventColumns, states: GrammarStates) -> Mask:
    """(R,) where a fermata may come: before the first event of a tick that has no given one."""
    follows, is_later = _follows_in_section(events, states), np.zeros(len(events), bool)
    is_later[1:] = (events.is_note | events.is_fermata)[:-1]
    is_later[1:] &= events.onset[:-1] == states.tick[1:]
    is_given = np.isin(sort_keys(events.piece, states.tick), sort_keys(*batch.fermatas[0]))
    may_come: Mask = batch.headers.marks_phrases[events.piece] & (states.voice > 0)
    may_come &= ~(is_later & follows) & ~(is_given & (states.section == BODY_SECTION))
    return may_come


def follows_fermata(events: EventColumns) -> Mask:
    """(R,) whether the event before is a fermata."""
    follows = np.zeros(len(events), bool)
    follows[1:] = events.is_fermata[:-1]
    return follows


def _follows_in_section(events: EventColumns, states: GrammarStates) -> Mask:
    """(R,) whether the event before is in the same piece and section."""
    follows = np.zeros(len(events), bool)
    follows[1:] = states.section[1:] == states.section[:-1]
    follows[1:] &= events.piece[1:] == events.piece[:-1]
    return follows


def _sections(batch: InfillingBatch, events: EventColumns) -> Ints:
    """(R,) sections; the event that opens a section is in the one before."""
    section = np.where(events.kind >= BODY_NOTE, BODY_SECTION, 0)
    ends_given = (events.kind == BODY_ROW) & batch.mask.has_given[events.piece]
    section[(events.kind == GIVEN_NOTE) | ends_given] = GIVEN_SECTION
    return section


def _next_voices(batch: InfillingBatch, events: EventColumns) -> tuple[Ints, Ints]:
    """(R,) VOICE id of the voice that comes next, 0 for none, and the tick.

    At the end of a section it is the first voice in rank that may go on: where BODY may come, of
    those that were not left open.
    """
    piece, kind = events.piece, events.kind
    voice = events.voice.copy()
    tick = np.where((kind == GIVEN_NOTE) | (kind == BODY_NOTE), events.onset, 0)
    # A change of meter or a fermata stands before a note, and that note comes next.
    notes = np.flatnonzero(events.is_note)
    is_mark = events.is_fermata | (events.is_change & (kind != LATE_CHANGE_ROW))
    marks = np.flatnonzero(is_mark)
    voice[marks] = events.voice[notes[np.searchsorted(notes, marks)]]
    at_end = np.flatnonzero(kind >= LATE_CHANGE_ROW)
    tick[at_end] = batch.notes.end_ticks[piece[at_end]]
    endless = at_end[~batch.has_end[piece[at_end]]]
    voice[endless] = _first_voice(batch, batch.headers.voice > 0)[piece[endless]]
    to_body = np.flatnonzero((kind == BODY_ROW) & batch.has_end[piece])
    voice[to_body] = _first_voice(batch, batch.open_from < 0)[piece[to_body]]
    tick[to_body] = batch.notes.end_ticks[piece[to_body]]
    return voice, tick


def _first_voice(batch: InfillingBatch, is_eligible: Mask) -> Ints:
    """(P,) VOICE id of the first voice in rank whose column is eligible (P, V)."""
    rank = np.where(is_eligible, batch.headers.rank, is_eligible.shape[1])
    first: Ints = batch.headers.voice[np.arange(len(rank)), np.argmin(rank, axis=1)]
    return first


def _last_rows(events: EventColumns, section: Ints, max_voices: int) -> Ints:
    """(V, R) the latest row of each line before each row, in its piece and section; -1 for none."""
    last_rows = np.full((max_voices, len(events)), -1)
    columns = np.where(events.is_note, VOICE_TO_COLUMN[events.voice], -1)
    rows = np.arange(len(events))
    starts = _section_starts(events, section)
    for column in range(max_voices):
        latest = np.maximum.accumulate(np.where(columns == column, rows, -1))[:-1]
        last_rows[column, 1:] = np.where(latest >= starts[1:], latest, -1)
    return last_rows


def _section_starts(events: EventColumns, section: Ints) -> Ints:
    """(R,) the first row of the section that each row is in."""
    begins = np.ones(len(events), bool)
    begins[1:] = (section[1:] != section[:-1]) | (events.piece[1:] != events.piece[:-1])
    starts: Ints = np.maximum.accumulate(np.where(begins, np.arange(len(events)), 0))
    return starts


def _meters(batch: InfillingBatch, events: EventColumns, tick: Ints) -> tuple[Ints, Ints, Ints]:
    """(R,) TIMESIG id in force, ticks since the bar line, and the largest delay of a change."""
    notes, piece = batch.notes, events.piece
    first_meter, pickup = batch.headers.meter[piece], batch.headers.pickup[piece]
    n_written = _n_meter_changes(events)
    first_change = np.searchsorted(notes.change_piece, np.arange(len(notes.headers)))[piece]
    change_keys = sort_keys(notes.change_piece, notes.change_tick)
    n_passed = np.searchsorted(change_keys, sort_keys(piece, tick), side="right") - first_change
    # In force is the last change that is written and whose tick has come.
    meter, bar_start, last_change = first_meter.copy(), pickup.copy(), np.zeros_like(tick)
    n_in_force = np.minimum(n_passed, n_written)
    changed = np.flatnonzero(n_in_force > 0)
    change = (first_change + n_in_force - 1)[changed]
    meter[changed], bar_start[changed] = notes.change_sound[change], notes.change_tick[change]
    written = np.flatnonzero(n_written > 0)
    last_change[written] = notes.change_tick[(first_change + n_written - 1)[written]]
    earliest = np.maximum(np.maximum(_latest_onsets(events), last_change), pickup - 1) + 1
    max_delay = np.where(first_meter == TIMESIG, -1, tick - earliest)
    return meter, (tick - bar_start) % BAR_TICKS_ARRAY[meter - TIMESIG], max_delay


def _n_meter_changes(events: EventColumns) -> Ints:
    """(R,) changes of meter before each row, in the same piece."""
    is_change = events.is_change
    before: Ints = np.cumsum(is_change) - is_change
    in_piece: Ints = before - before[np.searchsorted(events.piece, events.piece)]
    return in_piece


def _latest_onsets(events: EventColumns) -> Ints:
    """(R,) the latest onset of a note or fermata before each row, in its piece; 0 for none."""
    begins_chord = events.is_note | events.is_fermata
    latest = np.maximum.accumulate(sort_keys(events.piece, np.where(begins_chord, events.onset, 0)))
    onsets = np.zeros(len(events), np.int64)
    onsets[1:] = np.maximum(latest[:-1] - sort_keys(events.piece[1:], 0), 0)
    return onsets
