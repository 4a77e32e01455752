"""Where the events of many pieces go: whose turn it is and when, what its line last said, and where that is in the bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.tokens import grammar
from seqmusic.tokens.batched.columns import IntColumn
from seqmusic.tokens.batched.events import (
    BODY_NOTE,
    BODY_ROW,
    GIVEN_NOTE,
    LATE_CHANGE_ROW,
    PIECE_STRIDE,
    EventColumns,
)
from seqmusic.tokens.batched.infilling import VOICE_TO_COLUMN, InfillingBatch, Mask
from seqmusic.tokens.grammar import BODY_SECTION, GIVEN_SECTION
from seqmusic.tokens.vocabulary import TIMESIG

BAR_TICKS = np.array(grammar.BAR_TICKS)


@dataclass(frozen=True, slots=True)
class GrammarStates:
    """What the grammar knows before each of R events.

    Attributes:
        section: (R,) the section that it stands in.
        voice, line: (R,) VOICE id of the line that would speak next, 0 for none; its column, 0 for none.
        tick: (R,) ticks.
        last: (V, R) the latest row of each column's line in this section, -1 for none.
        last_sound, last_duration: (R,) ids of the event of `line` that ends now, 0 for none.
        meter: (R,) TIMESIG id in force.
        position: (R,) ticks since the bar line.
        max_meter_delay: (R,) how long ago the meter may have changed, in ticks; negative where it cannot have.
    """

    section: IntColumn
    voice: IntColumn
    line: IntColumn
    tick: IntColumn
    last: IntColumn
    last_sound: IntColumn
    last_duration: IntColumn
    meter: IntColumn
    position: IntColumn
    max_meter_delay: IntColumn


def grammar_states(batch: InfillingBatch, rows: EventColumns) -> GrammarStates:
    """Where each event goes."""
    section = _sections(batch, rows)
    voice, tick = _next_voices(batch, rows)
    line = VOICE_TO_COLUMN[voice]
    last = _last_rows(rows, section, batch.headers.voice.shape[1])
    own = last[line, np.arange(len(rows))]
    has_own = (own >= 0) & (voice > 0) & (rows.end[own] == tick)
    last_sound, last_duration = (
        np.where(has_own, column[own], 0) for column in (rows.sound, rows.duration)
    )
    return GrammarStates(
        section, voice, line, tick, last, last_sound, last_duration, *_meters(batch, rows, tick)
    )


def _sections(batch: InfillingBatch, rows: EventColumns) -> IntColumn:
    """(R,) sections; what opens one stands in the one before."""
    section = np.where(rows.kind >= BODY_NOTE, BODY_SECTION, 0)
    section[
        (rows.kind == GIVEN_NOTE) | ((rows.kind == BODY_ROW) & batch.mask.has_given[rows.piece])
    ] = GIVEN_SECTION
    return section


def _next_voices(batch: InfillingBatch, rows: EventColumns) -> tuple[IntColumn, IntColumn]:
    """(R,) VOICE id whose turn it is, 0 for none, and when.

    Once all is said, the first line that may go on is the next: of those that were not left open where BODY may come.
    """
    piece, kind = rows.piece, rows.kind
    voice, tick = (
        rows.voice.copy(),
        np.where((kind == GIVEN_NOTE) | (kind == BODY_NOTE), rows.onset, 0),
    )
    notes, changes = (
        np.flatnonzero(rows.is_note),
        np.flatnonzero(rows.is_change & (kind != LATE_CHANGE_ROW)),
    )
    voice[changes] = rows.voice[notes[np.searchsorted(notes, changes)]]
    is_over = np.flatnonzero(kind >= LATE_CHANGE_ROW)
    tick[is_over] = batch.notes.end_ticks[piece[is_over]]
    is_endless = is_over[~batch.has_end[piece[is_over]]]
    voice[is_endless] = _first_voice(batch, np.ones_like(batch.open_from, bool))[piece[is_endless]]
    to_body = np.flatnonzero((kind == BODY_ROW) & batch.has_end[piece])
    voice[to_body] = _first_voice(batch, batch.open_from < 0)[piece[to_body]]
    tick[to_body] = batch.notes.end_ticks[piece[to_body]]
    return voice, tick


def _first_voice(batch: InfillingBatch, may_speak: Mask) -> IntColumn:
    """(P,) VOICE id of the voice that speaks first, of those whose columns in (P, V) may; 0 for none."""
    turn = np.where(may_speak, batch.headers.turn, may_speak.shape[1])
    first: IntColumn = batch.headers.voice[np.arange(len(turn)), np.argmin(turn, axis=1)]
    return first


def _last_rows(rows: EventColumns, section: IntColumn, max_voices: int) -> IntColumn:
    """(V, R) the latest row of each line before each row, in the same piece and section; -1 for none."""
    last = np.full((max_voices, len(rows)), -1)
    columns = np.where(rows.is_note, VOICE_TO_COLUMN[rows.voice], -1)
    numbers = np.arange(len(rows))
    starts = _section_starts(rows, section)
    for column in range(max_voices):
        latest = np.maximum.accumulate(np.where(columns == column, numbers, -1))[:-1]
        last[column, 1:] = np.where(latest >= starts[1:], latest, -1)
    return last


def _section_starts(rows: EventColumns, section: IntColumn) -> IntColumn:
    """(R,) the first row of the section that each row stands in."""
    begins = np.ones(len(rows), bool)
    begins[1:] = (section[1:] != section[:-1]) | (rows.piece[1:] != rows.piece[:-1])
    starts: IntColumn = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
    return starts


def _meters(
    batch: InfillingBatch, rows: EventColumns, tick: IntColumn
) -> tuple[IntColumn, IntColumn, IntColumn]:
    """(R,) TIMESIG id in force, ticks since the bar line, how long ago the meter may have changed."""
    notes, piece = batch.notes, rows.piece
    first, pickup = batch.headers.meter[piece], batch.headers.pickup[piece]
    n_said, start = (
        _n_meter_changes(rows),
        np.searchsorted(notes.change_piece, np.arange(len(notes.headers)))[piece],
    )
    n_passed = (
        np.searchsorted(
            notes.change_piece * PIECE_STRIDE + notes.change_tick,
            piece * PIECE_STRIDE + tick,
            side="right",
        )
        - start
    )
    meter, base, changed = first.copy(), pickup.copy(), np.zeros(len(rows), np.int64)
    n_known = np.minimum(n_passed, n_said)
    known, said = np.flatnonzero(n_known > 0), np.flatnonzero(n_said > 0)
    latest = (start + n_known - 1)[known]
    meter[known], base[known] = notes.change_sound[latest], notes.change_tick[latest]
    changed[said] = notes.change_tick[(start + n_said - 1)[said]]
    earliest = np.maximum(np.maximum(_latest_onsets(rows), changed), pickup - 1) + 1
    limit = np.where(first == TIMESIG, -1, tick - earliest)
    return meter, (tick - base) % BAR_TICKS[meter - TIMESIG], limit


def _n_meter_changes(rows: EventColumns) -> IntColumn:
    """(R,) changes of meter before each row, in the same piece."""
    is_change = rows.is_change
    before: IntColumn = np.cumsum(is_change) - is_change
    n_said: IntColumn = before - before[np.searchsorted(rows.piece, rows.piece)]
    return n_said


def _latest_onsets(rows: EventColumns) -> IntColumn:
    """(R,) the latest onset of a note before each row, in the same piece; 0 for none."""
    reached = np.maximum.accumulate(
        rows.piece * PIECE_STRIDE + np.where(rows.is_note, rows.onset, 0)
    )
    floor = np.zeros(len(rows), np.int64)
    floor[1:] = np.maximum(reached[:-1] - rows.piece[1:] * PIECE_STRIDE, 0)
    return floor


def section_end_masks(
    batch: InfillingBatch, rows: EventColumns, states: GrammarStates
) -> tuple[Mask, Mask]:
    """(R,) whether all lines have come to now, and whether all are left open there or before: GIVEN may end, or the music."""
    may_open, may_end = states.tick > 0, states.tick > 0
    for column in range(len(states.last)):
        absent = (batch.headers.voice[:, column] == 0)[rows.piece]
        last = states.last[column]
        end = np.where(last >= 0, rows.end[last], 0)
        is_left_open = (last >= 0) & (rows.note_code[last] == 0) & (rows.duration[last] == 0)
        may_open &= absent | (end == states.tick) | (is_left_open & (end <= states.tick))
        open_from = batch.open_from[:, column][rows.piece]
        may_end &= absent | (np.maximum(open_from, end) == states.tick)
    return may_open, may_end
