"""Many pieces encoded and traced at once, with whole columns; `tokenizer.trace` is the oracle.

Rows are events in the order of the grammar. What is computed for a row is what stands before it: where the event goes and what else
might have come; so row r fills place r - 1 of a trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.tokens import rules
from seqmusic.tokens.context import GLOBAL, MAX_INTERVAL, MAX_POSITION, MAX_TO_END, PER_VOICE, SOUND_PITCH, SOUND_REST, context_columns
from seqmusic.tokens.grammar import BODY_SECTION, GIVEN_SECTION, WHOLE_GRID
from seqmusic.tokens.tiles import REST_TILE, Column, Tiles
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import (
    BODY, EOS, GIVEN, HOLD, HOLE, KEY, MAX_DURATION, N_SOUNDS, N_TIMESIGS, N_VOICE_NAMES, PICKUP, PITCH, REST, STYLE, TIMESIG, VOICE,
    id_timesig, voice_column,
)

_HEADER, _GIVEN, _GIVEN_NOTE, _BODY, _BODY_NOTE, _LATE, _EOS = range(7)  # kinds of rows, in order
_HOLE_TILE = -2
_FAR = np.int64(1) << 40
_NO_LIMIT = np.int64(1) << 30


@dataclass(frozen=True, slots=True)
class Ask:
    """What is given of the pieces of some tiles.

    Attributes:
        missing: (N,) tiles to be composed; the others are given.
        has_given: (P,) pieces with a GIVEN section; the others are composed as a whole.
        is_open: (P,) pieces whose lines go on from where their last tiles are missing, without a known end.
    """

    missing: NDArray[np.bool_]
    has_given: NDArray[np.bool_]
    is_open: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Rows:
    """R events in order.

    Attributes:
        piece, kind, voice, sound, duration, onset: of the event; voice 0 where it has none.
        tile_onset: where the note began that the event belongs to.
        limit: longest duration that fits.
    """

    piece: Column
    kind: Column
    voice: Column
    sound: Column
    duration: Column
    onset: Column
    tile_onset: Column
    limit: Column

    def __len__(self) -> int:
        return len(self.piece)


def trace_tiles(tiles: Tiles, ask: Ask | None = None, max_voices: int = 4) -> list[Trace]:
    """One trace a piece, each equal to what the step-by-step grammar gives."""
    n_pieces = len(tiles.headers)
    ask = ask or Ask(np.ones(len(tiles.piece), bool), np.zeros(n_pieces, bool), np.ones(n_pieces, bool))
    holes = _holes(tiles, ask)
    rows = _rows(tiles, ask, holes)
    events, context, rule, scored, ticks = places(tiles, ask, holes, rows, max_voices)
    bounds = np.searchsorted(rows.piece, np.arange(n_pieces + 1))
    spans = [slice(int(a), int(b)) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
    return [Trace(events[span], context[span], rule[span], scored[span], ticks[span]) for span in spans]


@dataclass(frozen=True, slots=True)
class _Holes:
    """Runs of missing tiles of one line: (H,) piece, voice, start, end, whether it is open; and the run of each tile, -1 for none."""

    piece: Column
    voice: Column
    start: Column
    end: Column
    is_open: NDArray[np.bool_]
    of_tile: Column


def _holes(tiles: Tiles, ask: Ask) -> _Holes:
    same_line = np.r_[False, (tiles.piece[1:] == tiles.piece[:-1]) & (tiles.voice[1:] == tiles.voice[:-1])]
    begins = ask.missing & ~(same_line & np.r_[False, ask.missing[:-1]])
    of_tile = np.where(ask.missing, np.cumsum(begins) - 1, -1)
    first = np.flatnonzero(begins)
    last = np.flatnonzero(ask.missing & ~np.r_[same_line[1:] & ask.missing[1:], False])
    piece, end = tiles.piece[first], tiles.end[last]
    is_open = (end == tiles.end_ticks[piece]) & (ask.is_open | ~ask.has_given)[piece]
    return _Holes(piece, tiles.voice[first], tiles.onset[first], end, is_open, of_tile)


def _rows(tiles: Tiles, ask: Ask, holes: _Holes) -> _Rows:
    given = ~ask.missing & ask.has_given[tiles.piece]
    asked = ask.has_given[holes.piece]
    known_end = ask.has_given & _has_closed_line(tiles, ask, holes)
    run = holes.of_tile[ask.missing]
    until = np.where(holes.is_open[run] & ~known_end[holes.piece[run]], _NO_LIMIT, holes.end[run])
    parts = [
        _cut(tiles.piece[given], _GIVEN_NOTE, tiles.voice[given], tiles.onset[given], tiles.end[given], tiles.pitch[given], _NO_LIMIT),
        _cut(holes.piece[asked], _GIVEN_NOTE, holes.voice[asked], holes.start[asked],
             np.where(holes.is_open, holes.start, holes.end)[asked], np.full(int(asked.sum()), _HOLE_TILE), _NO_LIMIT),
        _cut(tiles.piece[ask.missing], _BODY_NOTE, tiles.voice[ask.missing], tiles.onset[ask.missing], tiles.end[ask.missing],
             tiles.pitch[ask.missing], until),
    ]
    rows = _joined([*parts, *_marks(tiles, ask)])
    order = np.argsort(_order_key(rows, rows.voice), kind="stable")
    notes = _sorted(rows, order)
    meters, ties = _meter_rows(tiles, notes)
    whole = _joined([notes, meters])
    return _sorted(whole, np.argsort(_order_key(whole, np.r_[notes.voice + 64, ties]), kind="stable"))


def _cut(piece: Column, kind: int, voice: Column, onset: Column, end: Column, pitch: Column, until: Column | np.int64) -> _Rows:
    """Tiles as events of at most a whole note: the rest of a long note is HOLD."""
    n_parts = np.maximum(1, -((onset - end) // MAX_DURATION))
    tile = np.repeat(np.arange(len(piece)), n_parts)
    shift = MAX_DURATION * (np.arange(len(tile)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts))
    start = onset[tile] + shift
    plain = np.where(pitch == _HOLE_TILE, HOLE, np.where(pitch == REST_TILE, REST, PITCH + pitch))
    sound = np.where((shift > 0) & (pitch[tile] >= 0), HOLD, plain[tile])
    limit = np.minimum(np.broadcast_to(until, piece.shape)[tile] - start, MAX_DURATION)
    kinds = np.full(len(tile), kind)
    return _Rows(piece[tile], kinds, voice[tile], sound, np.minimum(end[tile] - start, MAX_DURATION), start, onset[tile], limit)


def _marks(tiles: Tiles, ask: Ask) -> list[_Rows]:
    """Headers, GIVEN, BODY and EOS."""
    n_pieces = len(tiles.headers)
    lengths = np.array([len(own) for own in tiles.headers])
    flat = np.array([event for own in tiles.headers for event in own], dtype=np.int64).reshape(-1, 2)
    piece = np.repeat(np.arange(n_pieces), lengths)
    place = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    marks = [_mark(piece, _HEADER, flat[:, 0], flat[:, 1], place)]
    numbers = np.arange(n_pieces)
    for kind, sound, pieces in ((_GIVEN, GIVEN, numbers[ask.has_given]), (_BODY, BODY, numbers), (_EOS, EOS, numbers)):
        onset = tiles.end_ticks[pieces] if kind == _EOS else np.zeros(len(pieces), np.int64)
        marks.append(_mark(pieces, kind, np.full(len(pieces), sound), np.zeros(len(pieces), np.int64), onset))
    return marks


def _mark(piece: Column, kind: int, sound: Column, duration: Column, onset: Column) -> _Rows:
    zeros = np.zeros(len(piece), np.int64)
    return _Rows(piece, np.full(len(piece), kind), zeros, sound, duration, onset, zeros, zeros)


def _meter_rows(tiles: Tiles, notes: _Rows) -> tuple[_Rows, Column]:
    """Changes of meter, each before the first event at or after it, and their order among events of one onset."""
    piece, tick, sound = tiles.change_piece, tiles.change_tick, tiles.change_sound
    onset, kind = tiles.end_ticks[piece], np.full(len(piece), _LATE)
    for section in (_BODY_NOTE, _GIVEN_NOTE):
        own = notes.kind == section
        keys = notes.piece[own] * _FAR + notes.onset[own]
        place = np.searchsorted(keys, piece * _FAR + tick)
        found = (place < len(keys)) & (notes.piece[own][np.minimum(place, len(keys) - 1)] == piece) if len(keys) else np.zeros(len(piece), bool)
        onset = np.where(found, notes.onset[own][np.minimum(place, max(0, len(keys) - 1))] if len(keys) else onset, onset)
        kind = np.where(found, section, kind)
    zeros = np.zeros(len(piece), np.int64)
    rank = np.arange(len(piece)) - np.searchsorted(piece, piece)
    return _Rows(piece, kind, zeros, sound, onset - tick, onset, zeros, zeros), np.minimum(rank, 63)


def _order_key(rows: _Rows, tie: Column) -> Column:
    key: Column = ((rows.piece << 3 | rows.kind) << 28 | rows.onset) << 9 | tie
    return key


def _joined(parts: list[_Rows]) -> _Rows:
    return _Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Rows.__slots__))


def _sorted(rows: _Rows, order: Column) -> _Rows:
    return _Rows(*(getattr(rows, name)[order] for name in _Rows.__slots__))


def _has_closed_line(tiles: Tiles, ask: Ask, holes: _Holes) -> NDArray[np.bool_]:
    """(P,) pieces in which some line ends where the music ends, rather than being left open."""
    n_open = np.bincount(holes.piece[holes.is_open], minlength=len(tiles.headers))
    n_lines = np.array([sum(VOICE <= sound < STYLE for sound, _ in own) for own in tiles.headers])
    return n_open < n_lines


# ---- where each row stands


def places(tiles, ask, holes, rows, max_voices):
    n = len(rows)
    piece, kind, sound = rows.piece, rows.kind, rows.sound
    n_pieces = len(tiles.headers)
    is_note = (kind == _GIVEN_NOTE) & (sound < TIMESIG) | (kind == _BODY_NOTE) & (sound < TIMESIG)
    is_meter = (sound >= TIMESIG) & (kind != _HEADER)
    has_given = ask.has_given[piece]
    section = np.select([(kind == _GIVEN_NOTE) | (kind == _BODY) & has_given, kind >= _BODY_NOTE], [GIVEN_SECTION, BODY_SECTION], 0)
    known_end = (ask.has_given & _has_closed_line(tiles, ask, holes))[piece]
    end = tiles.end_ticks[piece]
    columns = np.where(rows.voice > 0, _COLUMN_OF_VOICE[rows.voice], -1)

    # lines of each piece: VOICE id by column, 0 where absent; where a line is open from
    line_voice = np.zeros((n_pieces, max_voices), np.int64)
    for number, own in enumerate(tiles.headers):
        for voice, _ in own:
            if VOICE <= voice < STYLE:
                line_voice[number, voice_column(voice)] = voice
    open_from = np.full((n_pieces, max_voices), -1)
    own = holes.is_open
    open_from[holes.piece[own], _COLUMN_OF_VOICE[holes.voice[own]]] = holes.start[own]

    present = line_voice[piece] > 0  # (R, V)
    opens = open_from[piece]  # (R, V)
    # last row of each column before r, in the same section
    index = np.arange(n)
    last = np.full((n, max_voices), -1)
    wanted = np.where(section == GIVEN_SECTION, _GIVEN_NOTE, _BODY_NOTE)
    for c in range(max_voices):
        mine = np.maximum.accumulate(np.where(is_note & (columns == c), index, -1))
        before = np.r_[-1, mine[:-1]]
        good = (before >= 0) & (piece[before] == piece) & (kind[before] == wanted) & (section > 0)
        last[:, c] = np.where(good, before, -1)
    has_last = last >= 0
    row_end = rows.onset + rows.duration
    last_sound = np.where(has_last, sound[last], 0)
    last_end = np.where(has_last, row_end[last], 0)
    last_duration = np.where(has_last, rows.duration[last], 0)

    # now, voice
    not_open = present & (opens < 0)
    top = np.argmax(present, axis=1)
    top_closed = np.argmax(not_open, axis=1)
    voice = rows.voice.copy()
    lines = line_voice[piece]
    following = np.minimum.accumulate(np.where(is_note, index, n)[::-1])[::-1]
    follows = is_meter & (kind != _LATE)
    voice[follows] = rows.voice[following[follows]]
    at_end = (kind >= _LATE) & ~known_end
    voice[at_end] = lines[at_end, top[at_end]]
    body = (kind == _BODY) & has_given & not_open.any(axis=1)
    voice[body] = lines[body, top_closed[body]]
    now = np.where((kind == _GIVEN_NOTE) | (kind == _BODY_NOTE), rows.onset, np.where((kind >= _LATE) | body, end, 0))
    line = np.where(voice > 0, _COLUMN_OF_VOICE[voice], 0)
    own_sound = np.take_along_axis(last_sound, line[:, None], 1)[:, 0]
    own_end = np.take_along_axis(last_end, line[:, None], 1)[:, 0]
    own_duration = np.take_along_axis(last_duration, line[:, None], 1)[:, 0]
    own_has = np.take_along_axis(has_last, line[:, None], 1)[:, 0] & (own_end == now) & (voice > 0) & (own_sound > 0)
    own_sound, own_duration = np.where(own_has, own_sound, 0), np.where(own_has, own_duration, 0)

    # meter
    is_first_meter = (kind == _HEADER) & (sound >= TIMESIG)
    first_meter = np.zeros(n_pieces, np.int64)
    first_meter[piece[is_first_meter]] = sound[is_first_meter]
    pickups = np.zeros(n_pieces, np.int64)
    pickups[piece[sound == PICKUP]] = rows.duration[sound == PICKUP]
    keys = np.zeros(n_pieces, np.int64)
    is_key = (sound >= KEY) & (sound < VOICE) & (kind == _HEADER)
    keys[piece[is_key]] = sound[is_key] - KEY
    pushed_all = np.r_[0, np.cumsum(is_meter)[:-1]]
    piece_start = np.searchsorted(piece, np.arange(n_pieces))
    pushed = pushed_all - pushed_all[piece_start][piece]
    change_start = np.searchsorted(tiles.change_piece, np.arange(n_pieces))
    change_key = tiles.change_piece * _FAR + tiles.change_tick
    passed = np.searchsorted(change_key, piece * _FAR + now, side="right") - change_start[piece]
    known = np.minimum(passed, pushed)
    change_sound, change_tick = np.r_[tiles.change_sound, 0], np.r_[tiles.change_tick, 0]
    def at_change(count, table, first):
        return np.where(count > 0, table[np.maximum(change_start[piece] + count - 1, 0)], first)
    meter = at_change(known, change_sound, first_meter[piece])
    base = at_change(known, change_tick, pickups[piece])
    position = (now - base) % _BAR_TICKS[meter - TIMESIG]
    last_change = at_change(pushed, change_tick, 0)
    reach = np.maximum.accumulate(piece * _FAR + np.where(is_note, rows.onset, 0))
    floor = np.r_[0, reach[:-1]] - piece * _FAR
    floor = np.where(floor < 0, 0, floor)
    meter_limit = np.where(
        first_meter[piece] == TIMESIG, -1, now - np.maximum(np.maximum(floor, last_change), pickups[piece] - 1) - 1
    )

    # rules
    bits = np.zeros(n, np.int64)
    speaks = voice > 0
    not_short = own_duration == MAX_DURATION
    bits |= np.where(speaks, rules.NOTE_BIT, 0)
    bits |= np.where(speaks & ((own_sound != REST) | not_short), rules.REST_BIT, 0)
    bits |= np.where(speaks & not_short & (own_sound != REST) & (own_sound != HOLE), rules.HOLD_BIT, 0)
    bits |= np.where(speaks & (section == GIVEN_SECTION) & ((own_sound != HOLE) | not_short), rules.HOLE_BIT, 0)
    bits |= np.where((meter_limit >= 0) & (speaks | (section == BODY_SECTION)), rules.TIMESIG_BIT, 0)
    opened = (last_sound == HOLE) & (last_duration == 0) & has_last
    ready = (~present | np.where(opened, last_end <= now[:, None], last_end == now[:, None])).all(axis=1) & (now > 0)
    bits |= np.where((section == GIVEN_SECTION) & (ready | ~speaks), rules.BODY_BIT, 0)
    reached = np.maximum(opens, last_end)
    together = (~present | (reached == now[:, None])).all(axis=1) & (now > 0) & ~known_end
    bits |= np.where((section == BODY_SECTION) & (together | ~speaks), rules.EOS_BIT, 0)
    before = np.r_[0, sound[:-1]]
    sound_rule = np.where(section > 0, rules.LINE + bits, _HEADER_RULES[before])
    is_line = PITCH_LIKE[sound]
    longest = np.where(section == BODY_SECTION, rows.limit, MAX_DURATION)
    duration_rule = np.where(is_line, np.minimum(longest, MAX_DURATION), rules.ONLY_ZERO)
    duration_rule = np.where((sound == HOLE) & (own_sound != HOLE), rules.ZERO_TO + MAX_DURATION, duration_rule)
    duration_rule = np.where(is_meter, rules.ZERO_TO + np.minimum(meter_limit, MAX_DURATION), duration_rule)
    signature = first_meter[piece] - TIMESIG
    longest_pickup = np.where(signature > 0, np.minimum(MAX_DURATION, _BAR_TICKS[signature] - 1), 0)
    duration_rule = np.where(sound == PICKUP, rules.ZERO_TO + longest_pickup, duration_rule)

    # context
    context = np.zeros((n, len(context_columns(max_voices))), np.int64)
    to_end = np.where((section == BODY_SECTION) & known_end, 1 + np.minimum((end - now) // 24, MAX_TO_END), 0)
    head = (section, np.where(speaks, 1 + voice - VOICE, 0), np.minimum(position, MAX_POSITION - 1), meter - TIMESIG, keys[piece], to_end)
    for c, column in enumerate(head):
        context[:, c] = column
    codes = np.zeros((n, max_voices), np.int64)
    given = np.flatnonzero(~ask.missing & ask.has_given[tiles.piece])
    tile_code = np.where(tiles.pitch == REST_TILE, SOUND_REST, SOUND_PITCH + tiles.pitch)
    row_code = _code_of_rows(rows, is_note)
    is_body = section == BODY_SECTION
    for c in range(max_voices):
        start = len(GLOBAL) + len(PER_VOICE) * c
        made = last[:, c]
        has = has_last[:, c] & (sound[made] != HOLE)
        onset = np.where(has, rows.tile_onset[made], -1)
        until = np.where(has, row_end[made], 0)
        code = np.where(has, row_code[made], 0)
        mine = given[_COLUMN_OF_VOICE[tiles.voice[given]] == c]
        if len(mine):
            table = tiles.piece[mine] * _FAR + tiles.onset[mine]
            after = np.searchsorted(table, piece * _FAR + now, side="right")
            past = mine[np.maximum(after - 1, 0)]
            use = is_body & (after > 0) & (tiles.piece[past] == piece) & (tiles.onset[past] > onset)
            onset, until, code = np.where(use, tiles.onset[past], onset), np.where(use, tiles.end[past], until), np.where(use, tile_code[past], code)
            ahead = mine[np.minimum(after, len(mine) - 1)]
            coming = is_body & (after < len(mine)) & (tiles.piece[ahead] == piece)
            context[:, start + 3] = np.where(coming, tile_code[ahead], 0)
            context[:, start + 4] = np.where(coming, 1 + np.minimum(tiles.onset[ahead] - now, MAX_DURATION), 0)
        heard = code > 0
        codes[:, c] = code
        context[:, start] = code
        context[:, start + 1] = np.where(heard, np.minimum(now - onset, MAX_DURATION), 0)
        context[:, start + 2] = np.where(heard, np.clip(until - now, 0, MAX_DURATION), 0)
    own_code = np.where(speaks, np.take_along_axis(codes, line[:, None], 1)[:, 0], 0)
    for c in range(max_voices):
        both = (own_code >= SOUND_PITCH) & (codes[:, c] >= SOUND_PITCH)
        interval = 1 + MAX_INTERVAL + np.clip(codes[:, c] - own_code, -MAX_INTERVAL, MAX_INTERVAL)
        context[:, len(GLOBAL) + len(PER_VOICE) * c + 5] = np.where(both, interval, 0)
    context[section == 0] = 0

    scored = (kind >= _BODY_NOTE) | is_first_meter | is_key | (sound == PICKUP)
    # shift: place r - 1 is about row r; after EOS nothing comes
    is_last = np.r_[piece[1:] != piece[:-1], True]
    def shifted(column, final):
        moved = np.roll(column, -1, axis=0)
        moved[is_last] = final
        return moved
    events = np.stack([sound, rows.duration], axis=1).astype(np.int16)
    rule = shifted(np.stack([sound_rule, duration_rule], axis=1), (rules.NOTHING, rules.ONLY_ZERO)).astype(np.int16)
    ticks = shifted(now, 0)
    ticks[is_last] = end[is_last]
    return events, shifted(context, 0).astype(np.int16), rule, shifted(scored, False), ticks.astype(np.int32)


def _code_of_rows(rows, is_note):
    """SOUND codes of note rows; a HOLD has the code of the note it continues."""
    code = np.where(rows.sound == REST, SOUND_REST, SOUND_PITCH + rows.sound - PITCH)
    held = np.flatnonzero(rows.sound == HOLD)
    if len(held):
        starts = np.flatnonzero(is_note & (rows.sound >= PITCH))
        keys = ((rows.piece[starts] << 3 | rows.kind[starts]) << 9 | rows.voice[starts]) << 28 | rows.onset[starts]
        order = np.argsort(keys)
        wanted = ((rows.piece[held] << 3 | rows.kind[held]) << 9 | rows.voice[held]) << 28 | rows.tile_onset[held]
        code[held] = code[starts[order[np.searchsorted(keys[order], wanted)]]]
    return code


_COLUMN_OF_VOICE = np.zeros(N_SOUNDS, np.int64)
_COLUMN_OF_VOICE[VOICE : VOICE + N_VOICE_NAMES] = [voice_column(VOICE + i) for i in range(N_VOICE_NAMES)]
_BAR_TICKS = np.array([s.bar_ticks if (s := id_timesig(TIMESIG + i)) else WHOLE_GRID for i in range(N_TIMESIGS)])
PITCH_LIKE = np.zeros(N_SOUNDS, bool)
PITCH_LIKE[[REST, HOLD, HOLE]] = True
PITCH_LIKE[PITCH:KEY] = True
_HEADER_RULES = np.zeros(N_SOUNDS, np.int64)
_HEADER_RULES[VOICE : VOICE + N_VOICE_NAMES] = rules.AFTER_VOICE + np.arange(N_VOICE_NAMES)
_HEADER_RULES[STYLE:TIMESIG] = rules.AFTER_STYLE
_HEADER_RULES[TIMESIG:] = rules.AFTER_METER
_HEADER_RULES[PICKUP] = rules.AFTER_PICKUP
_HEADER_RULES[KEY:VOICE] = rules.AFTER_KEY
