"""Many pieces encoded and traced at once, with whole columns; `tokenizer.trace` is the oracle.

What is computed for a row is what stands before it: where the event goes and what else might have come. So row r fills place r - 1
of a trace.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.tokens import rules
from seqmusic.tokens.batched.columns import REST_TILE, Column, Tiles
from seqmusic.tokens.batched.events import BODY_NOTE, FAR, HEADER_ROW, Rows, rows_of
from seqmusic.tokens.batched.infilling import COLUMN_OF_VOICE, Ask, Asked, Mask, asked_of
from seqmusic.tokens.batched.states import BAR_TICKS, Places, lines_that_may, places_of
from seqmusic.tokens.context import (
    GLOBAL,
    MAX_INTERVAL,
    MAX_POSITION,
    MAX_TO_END,
    N_SOUND_CODES,
    PER_VOICE,
    SOUND_PITCH,
    SOUND_REST,
    context_columns,
)
from seqmusic.tokens.grammar import BODY_SECTION, GIVEN_SECTION
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import (
    HOLE,
    KEY,
    MAX_DURATION,
    N_SOUNDS,
    N_VOICE_NAMES,
    PICKUP,
    REST,
    STYLE,
    TIMESIG,
    VOICE,
)

__all__ = ["Ask", "trace_tiles"]

_HEADER_RULES = np.zeros(N_SOUNDS, np.int64)  # of what follows each sound
_HEADER_RULES[VOICE:STYLE] = rules.AFTER_VOICE + np.arange(N_VOICE_NAMES)
_HEADER_RULES[STYLE:TIMESIG] = rules.AFTER_STYLE
_HEADER_RULES[TIMESIG:] = rules.AFTER_METER
_HEADER_RULES[PICKUP] = rules.AFTER_PICKUP
_HEADER_RULES[KEY:VOICE] = rules.AFTER_KEY


def trace_tiles(tiles: Tiles, ask: Ask | None = None, max_voices: int = 4) -> list[Trace]:
    """One trace a piece, each equal to what the step-by-step grammar gives; None asks for the whole of every piece.

    Raises:
        ValueError: a voice has no column among `max_voices`.
    """
    asked = asked_of(tiles, ask, max_voices)
    rows = rows_of(asked)
    places = places_of(asked, rows)
    n_pieces = len(tiles.headers)
    bounds = np.searchsorted(rows.piece, np.arange(n_pieces + 1))
    last = bounds[1:] - 1
    events = np.stack([rows.sound, rows.duration], axis=1).astype(np.int16)
    context = _moved_back(_contexts(asked, rows, places).T, last, 0)
    rule = _moved_back(np.stack([_sound_rules(asked, rows, places), _duration_rules(asked, rows, places)], axis=1), last,
                       (rules.NOTHING, rules.ONLY_ZERO)).astype(np.int16)  # fmt: skip
    is_scored = _moved_back(_is_scored(rows), last, False)
    ticks = _moved_back(places.now, last, tiles.end_ticks).astype(np.int32)
    spans = [
        slice(start, stop)
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    ]
    return [
        Trace(events[span], context[span], rule[span], is_scored[span], ticks[span])
        for span in spans
    ]


def _moved_back(column: NDArray[Any], last: Column, final: object) -> NDArray[Any]:
    """The column moved from each event to the one before it; what follows the last event of a piece is `final`."""
    moved = np.empty(column.shape, column.dtype)
    moved[:-1] = column[1:]
    moved[last] = final
    return moved


def _is_scored(rows: Rows) -> Mask:
    sound = rows.sound
    in_header = (sound >= TIMESIG) | (sound == PICKUP) | ((sound >= KEY) & (sound < VOICE))
    scored: Mask = (rows.kind >= BODY_NOTE) | ((rows.kind == HEADER_ROW) & in_header)
    return scored


# ---- what else might have come


def _sound_rules(asked: Asked, rows: Rows, places: Places) -> Column:
    in_header = np.zeros(len(rows), np.int64)
    in_header[1:] = _HEADER_RULES[rows.sound[:-1]]
    bits = _note_bits(places) | _turn_bits(asked, rows, places)
    return np.where(places.section > 0, rules.LINE + bits, in_header)


def _note_bits(places: Places) -> Column:
    """(R,) notes, rests and holes that the line may go on with."""
    own, was_cut = places.own_sound, places.own_duration == MAX_DURATION
    bits = np.full(len(own), rules.NOTE_BIT)
    bits += rules.REST_BIT * ((own != REST) | was_cut)
    bits += rules.HOLD_BIT * (was_cut & (own != REST) & (own != HOLE))
    bits += rules.HOLE_BIT * ((places.section == GIVEN_SECTION) & ((own != HOLE) | was_cut))
    return np.where(places.voice > 0, bits, 0)


def _turn_bits(asked: Asked, rows: Rows, places: Places) -> Column:
    """(R,) a change of meter, BODY and EOS."""
    is_given, is_body, is_mute = (
        places.section == GIVEN_SECTION,
        places.section == BODY_SECTION,
        places.voice == 0,
    )
    may_open, may_end = lines_that_may(asked, rows, places)
    bits: Column = rules.TIMESIG_BIT * ((places.meter_limit >= 0) & (is_body | ~is_mute))
    bits += rules.BODY_BIT * (is_given & (may_open | is_mute))
    bits += rules.EOS_BIT * (is_body & (is_mute | (may_end & ~asked.has_end[rows.piece])))
    return bits


def _duration_rules(asked: Asked, rows: Rows, places: Places) -> Column:
    rule = np.where(rows.is_note, rows.limit, rules.ONLY_ZERO)
    rule[(rows.sound == HOLE) & (places.own_sound != HOLE)] = rules.ZERO_TO + MAX_DURATION
    change = np.flatnonzero(rows.is_change)
    rule[change] = rules.ZERO_TO + np.minimum(places.meter_limit[change], MAX_DURATION)
    pickup = np.flatnonzero(rows.sound == PICKUP)
    signature = asked.heads.meter[rows.piece[pickup]] - TIMESIG
    rule[pickup] = rules.ZERO_TO + np.where(
        signature > 0, np.minimum(BAR_TICKS[signature] - 1, MAX_DURATION), 0
    )
    return rule


# ---- where we are


def _contexts(asked: Asked, rows: Rows, places: Places) -> NDArray[np.int16]:
    """(K, R) the columns of the context, one a row here."""
    max_voices = len(places.last)
    context = np.zeros((len(context_columns(max_voices)), len(rows)), np.int16)
    is_timed = (places.section == BODY_SECTION) & asked.has_end[rows.piece]
    context[0] = places.section
    context[1] = np.where(places.voice > 0, 1 + places.voice - VOICE, 0)
    context[2] = np.minimum(places.position, MAX_POSITION - 1)
    context[3] = places.meter - TIMESIG
    context[4] = asked.heads.key[rows.piece] - KEY
    context[5] = np.where(
        is_timed,
        1 + np.minimum((asked.tiles.end_ticks[rows.piece] - places.now) // 24, MAX_TO_END),
        0,
    )
    lines = context[len(GLOBAL) :].reshape(max_voices, len(PER_VOICE), len(rows))
    before = [
        _write_sounding(lines[column], asked, rows, places, column) for column in range(max_voices)
    ]
    own = np.where(places.voice > 0, lines[places.line, 0, np.arange(len(rows))], 0)
    for line, earlier in zip(lines, before, strict=True):
        line[5] = _intervals(own, line[0])
        _write_parallel(line, own, np.where(places.section == BODY_SECTION, earlier, 0))
    context[:, places.section == 0] = 0
    return context


def _write_parallel(line: NDArray[np.int16], own: Column, before: Column) -> None:
    """Fill in what `parallel_to` says, where a voice has just moved from `before`."""
    now, parallel = line[0].astype(np.int64), own + line[0] - before
    moves = (
        (own >= SOUND_PITCH)
        & (before >= SOUND_PITCH)
        & (now >= SOUND_PITCH)
        & (before != now)
        & (line[1] == 0)
    )
    moves &= (parallel >= SOUND_PITCH) & (parallel < N_SOUND_CODES)
    line[9] = np.where(moves, parallel, 0)
    line[10] = np.where(moves, 1 + (before - own) % 12, 0)


def _write_sounding(
    line: NDArray[np.int16], asked: Asked, rows: Rows, places: Places, column: int
) -> Column:
    """Fill the context of one voice: what sounds, since when and how long still, and in BODY what is given next.

    Returns:
        (R,) what the voice sounded before, 0 for nothing known.
    """
    last = places.last[column]
    code = np.where(last >= 0, rows.tile_code[last], 0)
    onset, end = rows.tile_onset[last], rows.end[last]
    earlier = _rows_before(rows, last, column)
    before = np.where(earlier >= 0, rows.tile_code[earlier], 0)
    before_onset = np.where(earlier >= 0, rows.tile_onset[earlier], -1)
    body = np.flatnonzero((places.section == BODY_SECTION) & asked.ask.has_given[rows.piece])
    if len(body):
        past2, past, ahead, then = _given_around(asked, rows.piece[body], places.now[body], column)
        tiles = asked.tiles
        is_latest = (past >= 0) & ((code[body] == 0) | (tiles.onset[past] > onset[body]))
        between = np.flatnonzero(
            (past >= 0) & ~is_latest & (tiles.onset[past] > before_onset[body])
        )
        before[body[between]] = _codes(tiles.pitch[past[between]])
        told = np.flatnonzero(is_latest)
        row, tile, first = body[told], past[told], past2[told]
        is_given = (first >= 0) & ((code[row] == 0) | (tiles.onset[first] > onset[row]))
        before[row] = np.where(is_given, _codes(tiles.pitch[first]), code[row])
        code[row], onset[row], end[row] = (
            _codes(tiles.pitch[tile]),
            tiles.onset[tile],
            tiles.end[tile],
        )
        row, tile = body[ahead >= 0], ahead[ahead >= 0]
        line[3, row] = _codes(tiles.pitch[tile])
        line[4, row] = 1 + np.minimum(tiles.onset[tile] - places.now[row], MAX_DURATION)
        line[6, row] = _intervals(code[row], line[3, row])
        row, tile, later = body[then >= 0], ahead[then >= 0], then[then >= 0]
        line[7, row] = _intervals(line[3, row], _codes(tiles.pitch[later]))
        line[8, row] = 1 + np.minimum(tiles.onset[later] - tiles.onset[tile], MAX_DURATION)
    heard = code > 0
    line[0] = code
    line[1] = np.where(heard, np.minimum(places.now - onset, MAX_DURATION), 0)
    line[2] = np.where(heard, np.clip(end - places.now, 0, MAX_DURATION), 0)
    return before


def _rows_before(rows: Rows, last: Column, column: int) -> Column:
    """(R,) the row of a line before the note or rest that its `last` row belongs to, in the same section; -1 for none."""
    is_mine = rows.is_note & (COLUMN_OF_VOICE[rows.voice] == column)
    begins = np.where(is_mine & (rows.onset == rows.tile_onset), np.arange(len(rows)), -1)
    first = np.maximum.accumulate(begins)[last]
    return np.where((last >= 0) & (first >= 0), last[first], -1)


def _intervals(start: Column, end: Column) -> Column:
    """What `coded_interval` says, of columns."""
    interval = 1 + MAX_INTERVAL + np.clip(end - start, -MAX_INTERVAL, MAX_INTERVAL)
    return np.where((start >= SOUND_PITCH) & (end >= SOUND_PITCH), interval, 0)


def _given_around(
    asked: Asked, piece: Column, now: Column, column: int
) -> tuple[Column, Column, Column, Column]:
    """The given tiles of a line that start last but one and last at or before now, and first and second after; -1 for none."""
    tiles = asked.tiles
    mine = asked.given[
        tiles.voice[asked.given] == asked.heads.voice[tiles.piece[asked.given], column]
    ]
    after = np.searchsorted(
        tiles.piece[mine] * FAR + tiles.onset[mine], piece * FAR + now, side="right"
    )
    around = np.concatenate([[-1, -1], mine, [-1, -1]])
    owner = np.concatenate([[-1, -1], tiles.piece[mine], [-1, -1]])
    past2, past, ahead, then = (
        np.where(owner[after + place] == piece, around[after + place], -1) for place in range(4)
    )
    return past2, past, ahead, then


def _codes(pitch: Column) -> Column:
    return np.where(pitch == REST_TILE, SOUND_REST, SOUND_PITCH + pitch)
