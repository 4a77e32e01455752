"""Where the events of many pieces go: whose turn it is and when, what its line last said, and where that is in the bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.tokens import grammar
from seqmusic.tokens.batched.columns import Column
from seqmusic.tokens.batched.events import BODY_NOTE, BODY_ROW, FAR, GIVEN_NOTE, LATE_ROW, Rows
from seqmusic.tokens.batched.infilling import COLUMN_OF_VOICE, Asked, Mask
from seqmusic.tokens.grammar import BODY_SECTION, GIVEN_SECTION
from seqmusic.tokens.vocabulary import TIMESIG

BAR_TICKS = np.array(grammar.BAR_TICKS)


@dataclass(frozen=True, slots=True)
class Places:
    """What the grammar knows before each of R events.

    Attributes:
        section: (R,) the section that it stands in.
        voice, line: (R,) VOICE id of the line that would speak next, 0 for none; its column, 0 for none.
        now: (R,) ticks.
        last: (V, R) the latest row of each column's line in this section, -1 for none.
        own_sound, own_duration: (R,) ids of the event of `line` that ends now, 0 for none.
        meter: (R,) TIMESIG id in force.
        position: (R,) ticks since the bar line.
        meter_limit: (R,) how long ago the meter may have changed, in ticks; negative where it cannot have.
    """

    section: Column
    voice: Column
    line: Column
    now: Column
    last: Column
    own_sound: Column
    own_duration: Column
    meter: Column
    position: Column
    meter_limit: Column


def places_of(asked: Asked, rows: Rows) -> Places:
    """Where each event goes."""
    section = _sections(asked, rows)
    voice, now = _turns(asked, rows)
    line = COLUMN_OF_VOICE[voice]
    last = _last_rows(rows, section, asked.heads.voice.shape[1])
    own = last[line, np.arange(len(rows))]
    has_own = (own >= 0) & (voice > 0) & (rows.end[own] == now)
    own_sound, own_duration = (
        np.where(has_own, column[own], 0) for column in (rows.sound, rows.duration)
    )
    return Places(
        section, voice, line, now, last, own_sound, own_duration, *_meters(asked, rows, now)
    )


def _sections(asked: Asked, rows: Rows) -> Column:
    """(R,) sections; what opens one stands in the one before."""
    section = np.where(rows.kind >= BODY_NOTE, BODY_SECTION, 0)
    section[
        (rows.kind == GIVEN_NOTE) | ((rows.kind == BODY_ROW) & asked.ask.has_given[rows.piece])
    ] = GIVEN_SECTION
    return section


def _turns(asked: Asked, rows: Rows) -> tuple[Column, Column]:
    """(R,) VOICE id whose turn it is, 0 for none, and when.

    Once all is said, the highest line that may go on is the next: of those that were not left open where BODY may come.
    """
    piece, kind = rows.piece, rows.kind
    voice, now = (
        rows.voice.copy(),
        np.where((kind == GIVEN_NOTE) | (kind == BODY_NOTE), rows.onset, 0),
    )
    notes, changes = (
        np.flatnonzero(rows.is_note),
        np.flatnonzero(rows.is_change & (kind != LATE_ROW)),
    )
    voice[changes] = rows.voice[notes[np.searchsorted(notes, changes)]]
    is_over = np.flatnonzero(kind >= LATE_ROW)
    now[is_over] = asked.tiles.end_ticks[piece[is_over]]
    is_endless = is_over[~asked.has_end[piece[is_over]]]
    voice[is_endless] = _highest(asked.heads.voice)[piece[is_endless]]
    to_body = np.flatnonzero((kind == BODY_ROW) & asked.has_end[piece])
    voice[to_body] = _highest(np.where(asked.open_from < 0, asked.heads.voice, 0))[piece[to_body]]
    now[to_body] = asked.tiles.end_ticks[piece[to_body]]
    return voice, now


def _highest(voices: Column) -> Column:
    """(P,) the first of (P, V) VOICE ids that is not 0."""
    first: Column = voices[np.arange(len(voices)), np.argmax(voices > 0, axis=1)]
    return first


def _last_rows(rows: Rows, section: Column, max_voices: int) -> Column:
    """(V, R) the latest row of each line before each row, in the same piece and section; -1 for none."""
    last = np.full((max_voices, len(rows)), -1)
    columns = np.where(rows.is_note, COLUMN_OF_VOICE[rows.voice], -1)
    numbers = np.arange(len(rows))
    starts = _section_starts(rows, section)
    for column in range(max_voices):
        latest = np.maximum.accumulate(np.where(columns == column, numbers, -1))[:-1]
        last[column, 1:] = np.where(latest >= starts[1:], latest, -1)
    return last


def _section_starts(rows: Rows, section: Column) -> Column:
    """(R,) the first row of the section that each row stands in."""
    begins = np.ones(len(rows), bool)
    begins[1:] = (section[1:] != section[:-1]) | (rows.piece[1:] != rows.piece[:-1])
    starts: Column = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
    return starts


def _meters(asked: Asked, rows: Rows, now: Column) -> tuple[Column, Column, Column]:
    """(R,) TIMESIG id in force, ticks since the bar line, how long ago the meter may have changed."""
    tiles, piece = asked.tiles, rows.piece
    first, pickup = asked.heads.meter[piece], asked.heads.pickup[piece]
    n_said, start = (
        _changes_said(rows),
        np.searchsorted(tiles.change_piece, np.arange(len(tiles.headers)))[piece],
    )
    n_passed = (
        np.searchsorted(
            tiles.change_piece * FAR + tiles.change_tick, piece * FAR + now, side="right"
        )
        - start
    )
    meter, base, changed = first.copy(), pickup.copy(), np.zeros(len(rows), np.int64)
    n_known = np.minimum(n_passed, n_said)
    known, said = np.flatnonzero(n_known > 0), np.flatnonzero(n_said > 0)
    latest = (start + n_known - 1)[known]
    meter[known], base[known] = tiles.change_sound[latest], tiles.change_tick[latest]
    changed[said] = tiles.change_tick[(start + n_said - 1)[said]]
    earliest = np.maximum(np.maximum(_floors(rows), changed), pickup - 1) + 1
    limit = np.where(first == TIMESIG, -1, now - earliest)
    return meter, (now - base) % BAR_TICKS[meter - TIMESIG], limit


def _changes_said(rows: Rows) -> Column:
    """(R,) changes of meter before each row, in the same piece."""
    is_change = rows.is_change
    before: Column = np.cumsum(is_change) - is_change
    n_said: Column = before - before[np.searchsorted(rows.piece, rows.piece)]
    return n_said


def _floors(rows: Rows) -> Column:
    """(R,) the latest onset of a note before each row, in the same piece; 0 for none."""
    reached = np.maximum.accumulate(rows.piece * FAR + np.where(rows.is_note, rows.onset, 0))
    floor = np.zeros(len(rows), np.int64)
    floor[1:] = np.maximum(reached[:-1] - rows.piece[1:] * FAR, 0)
    return floor


def lines_that_may(asked: Asked, rows: Rows, places: Places) -> tuple[Mask, Mask]:
    """(R,) whether all lines have come to now, and whether all are left open there or before: GIVEN may end, or the music."""
    may_open, may_end = places.now > 0, places.now > 0
    for column in range(len(places.last)):
        absent = (asked.heads.voice[:, column] == 0)[rows.piece]
        last = places.last[column]
        end = np.where(last >= 0, rows.end[last], 0)
        is_left_open = (last >= 0) & (rows.tile_code[last] == 0) & (rows.duration[last] == 0)
        may_open &= absent | (end == places.now) | (is_left_open & (end <= places.now))
        open_from = asked.open_from[:, column][rows.piece]
        may_end &= absent | (np.maximum(open_from, end) == places.now)
    return may_open, may_end
