"""Many pieces encoded and traced at once, with whole columns; `tokenizer.trace` is the oracle.

What is computed for a row is what stands before it: where the event goes and what else might have come. So row r fills place r - 1
of a trace.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.tokens import rules
from seqmusic.tokens.batched.columns import REST_PITCH, IntColumn, NoteColumns
from seqmusic.tokens.batched.events import (
    BODY_NOTE,
    HEADER_ROW,
    PIECE_STRIDE,
    EventColumns,
    event_columns,
)
from seqmusic.tokens.batched.infilling import (
    VOICE_TO_COLUMN,
    InfillingBatch,
    InfillingMask,
    Mask,
    infilling_batch,
)
from seqmusic.tokens.batched.states import (
    BAR_TICKS,
    GrammarStates,
    grammar_states,
    section_end_masks,
)
from seqmusic.tokens.context import (
    GLOBAL_COLUMNS,
    MAX_INTERVAL,
    MAX_POSITION,
    MAX_TO_END,
    N_SOUND_CODES,
    PITCH_CODE,
    REST_CODE,
    VOICE_COLUMNS,
    context_columns,
    degree_table,
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

__all__ = ["InfillingMask", "trace_batch"]

_HEADER_RULES = np.zeros(N_SOUNDS, np.int64)  # of what follows each sound
_HEADER_RULES[VOICE:STYLE] = rules.AFTER_VOICE + np.arange(N_VOICE_NAMES)
_HEADER_RULES[STYLE:TIMESIG] = rules.AFTER_STYLE
_HEADER_RULES[TIMESIG:] = rules.AFTER_METER
_HEADER_RULES[PICKUP] = rules.AFTER_PICKUP
_HEADER_RULES[KEY:VOICE] = rules.AFTER_KEY


def trace_batch(
    notes: NoteColumns, mask: InfillingMask | None = None, max_voices: int = 4
) -> list[Trace]:
    """One trace a piece, each equal to what the step-by-step grammar gives; None asks for the whole of every piece.

    Raises:
        ValueError: a voice has no column among `max_voices`.
    """
    batch = infilling_batch(notes, mask, max_voices)
    rows = event_columns(batch)
    states = grammar_states(batch, rows)
    n_pieces = len(notes.headers)
    bounds = np.searchsorted(rows.piece, np.arange(n_pieces + 1))
    last = bounds[1:] - 1
    events = np.stack([rows.sound, rows.duration], axis=1).astype(np.int16)
    context = _shifted_back(_contexts(batch, rows, states).T, last, 0)
    rule = _shifted_back(np.stack([_sound_rules(batch, rows, states), _duration_rules(batch, rows, states)], axis=1), last,
                       (rules.NOTHING, rules.ONLY_ZERO)).astype(np.int16)  # fmt: skip
    is_scored = _shifted_back(_is_scored(rows), last, False)
    ticks = _shifted_back(states.tick, last, notes.end_ticks).astype(np.int32)
    spans = [
        slice(start, stop)
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    ]
    return [
        Trace(events[span], context[span], rule[span], is_scored[span], ticks[span])
        for span in spans
    ]


def _shifted_back(column: NDArray[Any], last: IntColumn, final: object) -> NDArray[Any]:
    """The column moved from each event to the one before it; what follows the last event of a piece is `final`."""
    moved = np.empty(column.shape, column.dtype)
    moved[:-1] = column[1:]
    moved[last] = final
    return moved


def _is_scored(rows: EventColumns) -> Mask:
    sound = rows.sound
    in_header = (sound >= TIMESIG) | (sound == PICKUP) | ((sound >= KEY) & (sound < VOICE))
    scored: Mask = (rows.kind >= BODY_NOTE) | ((rows.kind == HEADER_ROW) & in_header)
    return scored


# ---- what else might have come


def _sound_rules(batch: InfillingBatch, rows: EventColumns, states: GrammarStates) -> IntColumn:
    in_header = np.zeros(len(rows), np.int64)
    in_header[1:] = _HEADER_RULES[rows.sound[:-1]]
    bits = _note_bits(states) | _control_bits(batch, rows, states)
    return np.where(states.section > 0, rules.IN_SECTION + bits, in_header)


def _note_bits(states: GrammarStates) -> IntColumn:
    """(R,) notes, rests and holes that the line may go on with."""
    own, was_cut = states.last_sound, states.last_duration == MAX_DURATION
    bits = np.full(len(own), rules.NOTE_BIT)
    bits += rules.REST_BIT * ((own != REST) | was_cut)
    bits += rules.HOLD_BIT * (was_cut & (own != REST) & (own != HOLE))
    bits += rules.HOLE_BIT * ((states.section == GIVEN_SECTION) & ((own != HOLE) | was_cut))
    return np.where(states.voice > 0, bits, 0)


def _control_bits(batch: InfillingBatch, rows: EventColumns, states: GrammarStates) -> IntColumn:
    """(R,) a change of meter, BODY and EOS."""
    is_given, is_body, is_mute = (
        states.section == GIVEN_SECTION,
        states.section == BODY_SECTION,
        states.voice == 0,
    )
    may_open, may_end = section_end_masks(batch, rows, states)
    bits: IntColumn = rules.TIMESIG_BIT * ((states.max_meter_delay >= 0) & (is_body | ~is_mute))
    bits += rules.BODY_BIT * (is_given & (may_open | is_mute))
    bits += rules.EOS_BIT * (is_body & (is_mute | (may_end & ~batch.has_end[rows.piece])))
    return bits


def _duration_rules(batch: InfillingBatch, rows: EventColumns, states: GrammarStates) -> IntColumn:
    rule = np.where(rows.is_note, rows.max_duration, rules.ONLY_ZERO)
    rule[(rows.sound == HOLE) & (states.last_sound != HOLE)] = rules.ZERO_TO + MAX_DURATION
    change = np.flatnonzero(rows.is_change)
    rule[change] = rules.ZERO_TO + np.minimum(states.max_meter_delay[change], MAX_DURATION)
    pickup = np.flatnonzero(rows.sound == PICKUP)
    signature = batch.headers.meter[rows.piece[pickup]] - TIMESIG
    rule[pickup] = rules.ZERO_TO + np.where(
        signature > 0, np.minimum(BAR_TICKS[signature] - 1, MAX_DURATION), 0
    )
    return rule


# ---- where we are


def _contexts(
    batch: InfillingBatch, rows: EventColumns, states: GrammarStates
) -> NDArray[np.int16]:
    """(K, R) the columns of the context, one a row here."""
    max_voices = len(states.last)
    context = np.zeros((len(context_columns(max_voices)), len(rows)), np.int16)
    is_timed = (states.section == BODY_SECTION) & batch.has_end[rows.piece]
    context[0] = states.section
    context[1] = np.where(states.voice > 0, 1 + states.voice - VOICE, 0)
    context[2] = np.minimum(states.position, MAX_POSITION - 1)
    context[3] = states.meter - TIMESIG
    context[4] = batch.headers.key[rows.piece] - KEY
    context[5] = np.where(
        is_timed,
        1 + np.minimum((batch.notes.end_ticks[rows.piece] - states.tick) // 24, MAX_TO_END),
        0,
    )
    lines = context[len(GLOBAL_COLUMNS) :].reshape(max_voices, len(VOICE_COLUMNS), len(rows))
    before = [
        _write_sounding(lines[column], batch, rows, states, column) for column in range(max_voices)
    ]
    own = np.where(states.voice > 0, lines[states.line, 0, np.arange(len(rows))], 0)
    degrees = degree_table()
    for line, earlier in zip(lines, before, strict=True):
        line[5] = _intervals(own, line[0])
        line[11], line[12] = degrees[context[4], line[0]], degrees[context[4], line[3]]
        _write_parallel(line, own, np.where(states.section == BODY_SECTION, earlier, 0))
    context[:, states.section == 0] = 0
    return context


def _write_parallel(line: NDArray[np.int16], own: IntColumn, before: IntColumn) -> None:
    """Fill in what `encode_parallel` says, where a voice has just moved from `before`."""
    tick, parallel = line[0].astype(np.int64), own + line[0] - before
    moves = (
        (own >= PITCH_CODE)
        & (before >= PITCH_CODE)
        & (tick >= PITCH_CODE)
        & (before != tick)
        & (line[1] == 0)
    )
    moves &= (parallel >= PITCH_CODE) & (parallel < N_SOUND_CODES)
    line[9] = np.where(moves, parallel, 0)
    line[10] = np.where(moves, 1 + (before - own) % 12, 0)


def _write_sounding(
    line: NDArray[np.int16],
    batch: InfillingBatch,
    rows: EventColumns,
    states: GrammarStates,
    column: int,
) -> IntColumn:
    """Fill the context of one voice: what sounds, since when and how long still, and in BODY what is given next.

    Returns:
        (R,) what the voice sounded before, 0 for nothing known.
    """
    last = states.last[column]
    code = np.where(last >= 0, rows.note_code[last], 0)
    onset, end = rows.note_onset[last], rows.end[last]
    earlier = _rows_before(rows, last, column)
    before = np.where(earlier >= 0, rows.note_code[earlier], 0)
    before_onset = np.where(earlier >= 0, rows.note_onset[earlier], -1)
    body = np.flatnonzero((states.section == BODY_SECTION) & batch.mask.has_given[rows.piece])
    if len(body):
        past2, past, ahead, then = _nearest_given(
            batch, rows.piece[body], states.tick[body], column
        )
        notes = batch.notes
        is_latest = (past >= 0) & ((code[body] == 0) | (notes.onset[past] > onset[body]))
        between = np.flatnonzero(
            (past >= 0) & ~is_latest & (notes.onset[past] > before_onset[body])
        )
        before[body[between]] = _codes(notes.pitch[past[between]])
        told = np.flatnonzero(is_latest)
        row, tile, first = body[told], past[told], past2[told]
        is_given = (first >= 0) & ((code[row] == 0) | (notes.onset[first] > onset[row]))
        before[row] = np.where(is_given, _codes(notes.pitch[first]), code[row])
        code[row], onset[row], end[row] = (
            _codes(notes.pitch[tile]),
            notes.onset[tile],
            notes.end[tile],
        )
        row, tile = body[ahead >= 0], ahead[ahead >= 0]
        line[3, row] = _codes(notes.pitch[tile])
        line[4, row] = 1 + np.minimum(notes.onset[tile] - states.tick[row], MAX_DURATION)
        line[6, row] = _intervals(code[row], line[3, row])
        row, tile, later = body[then >= 0], ahead[then >= 0], then[then >= 0]
        line[7, row] = _intervals(line[3, row], _codes(notes.pitch[later]))
        line[8, row] = 1 + np.minimum(notes.onset[later] - notes.onset[tile], MAX_DURATION)
    heard = code > 0
    line[0] = code
    line[1] = np.where(heard, np.minimum(states.tick - onset, MAX_DURATION), 0)
    line[2] = np.where(heard, np.clip(end - states.tick, 0, MAX_DURATION), 0)
    return before


def _rows_before(rows: EventColumns, last: IntColumn, column: int) -> IntColumn:
    """(R,) the row of a line before the note or rest that its `last` row belongs to, in the same section; -1 for none."""
    is_mine = rows.is_note & (VOICE_TO_COLUMN[rows.voice] == column)
    begins = np.where(is_mine & (rows.onset == rows.note_onset), np.arange(len(rows)), -1)
    first = np.maximum.accumulate(begins)[last]
    return np.where((last >= 0) & (first >= 0), last[first], -1)


def _intervals(start: IntColumn, end: IntColumn) -> IntColumn:
    """What `encode_interval` says, of columns."""
    interval = 1 + MAX_INTERVAL + np.clip(end - start, -MAX_INTERVAL, MAX_INTERVAL)
    return np.where((start >= PITCH_CODE) & (end >= PITCH_CODE), interval, 0)


def _nearest_given(
    batch: InfillingBatch, piece: IntColumn, tick: IntColumn, column: int
) -> tuple[IntColumn, IntColumn, IntColumn, IntColumn]:
    """The given tiles of a line that start last but one and last at or before now, and first and second after; -1 for none."""
    notes = batch.notes
    mine = batch.given[
        notes.voice[batch.given] == batch.headers.voice[notes.piece[batch.given], column]
    ]
    after = np.searchsorted(
        notes.piece[mine] * PIECE_STRIDE + notes.onset[mine],
        piece * PIECE_STRIDE + tick,
        side="right",
    )
    around = np.concatenate([[-1, -1], mine, [-1, -1]])
    owner = np.concatenate([[-1, -1], notes.piece[mine], [-1, -1]])
    past2, past, ahead, then = (
        np.where(owner[after + place] == piece, around[after + place], -1) for place in range(4)
    )
    return past2, past, ahead, then


def _codes(pitch: IntColumn) -> IntColumn:
    return np.where(pitch == REST_PITCH, REST_CODE, PITCH_CODE + pitch)
