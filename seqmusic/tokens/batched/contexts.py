"""The contexts of the events of many pieces, written column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Ints
from seqmusic.tokens.batched.columns import NoteColumns, sort_keys
from seqmusic.tokens.batched.events import EventColumns, sound_codes
from seqmusic.tokens.batched.global_columns import write_global_columns
from seqmusic.tokens.batched.infilling import VOICE_TO_COLUMN, InfillingBatch
from seqmusic.tokens.batched.states import GrammarStates
from seqmusic.tokens.context import (
    AHEAD_COLUMN,
    BEFORE_COLUMN,
    DEGREE_AHEAD_COLUMN,
    DEGREE_COLUMN,
    ELAPSED_COLUMN,
    INTERVAL_COLUMN,
    KEY_COLUMN,
    MAX_INTERVAL,
    N_SOUND_CODES,
    NEXT_STEP_COLUMN,
    PARALLEL_COLUMN,
    PITCH_CODE,
    REMAINING_COLUMN,
    SOUND_COLUMN,
    THEN_STEP_COLUMN,
    UNTIL_AHEAD_COLUMN,
    UNTIL_THEN_COLUMN,
    VOICE_COLUMNS,
    degree_table,
    first_column,
)
from seqmusic.tokens.grammar import BODY_SECTION
from seqmusic.tokens.vocabulary import MAX_DURATION

_VoiceContext = NDArray[np.int16]  # (len(VOICE_COLUMNS), R) the columns of one voice, one a row


def batch_contexts(
    batch: InfillingBatch, events: EventColumns, states: GrammarStates
) -> NDArray[np.int16]:
    """(K, R) the columns of the context, one in each row."""
    max_voices, n_rows = len(states.last_rows), len(events)
    context = np.zeros((first_column(max_voices), n_rows), np.int16)
    write_global_columns(context, batch, events, states)
    degrees, key = degree_table(), context[KEY_COLUMN]
    voices = context[first_column(0) :].reshape(max_voices, len(VOICE_COLUMNS), n_rows)
    before = [
        _write_sounding(voices[column], batch, events, states, column)
        for column in range(max_voices)
    ]
    code = voices[states.column, SOUND_COLUMN, np.arange(n_rows)]
    held = np.where(states.voice > 0, code, 0)  # by the voice of the next note
    is_body = states.section == BODY_SECTION
    for voice, code_before in zip(voices, before, strict=True):
        voice[INTERVAL_COLUMN] = _intervals(held, voice[SOUND_COLUMN])
        voice[DEGREE_COLUMN] = degrees[key, voice[SOUND_COLUMN]]
        voice[DEGREE_AHEAD_COLUMN] = degrees[key, voice[AHEAD_COLUMN]]
        _write_motion(voice, held, np.where(is_body, code_before, 0))
    context[:, states.section == 0] = 0
    return context


@dataclass(frozen=True, slots=True)
class _Sounding:
    """What one voice sounds at each of R ticks, and what it sounded before; given notes are added.

    Attributes:
        code, onset, end: (R,) sound code, 0 for nothing known, and ticks.
        before, before_onset: (R,) the same of the note or rest before.
    """

    code: Ints
    onset: Ints
    end: Ints
    before: Ints
    before_onset: Ints


def _write_sounding(
    voice: _VoiceContext,
    batch: InfillingBatch,
    events: EventColumns,
    states: GrammarStates,
    column: int,
) -> Ints:
    """Write what one voice sounds, and in BODY what is given next.

    Returns:
        (R,) code of what the voice sounded before, 0 for nothing known.
    """
    sounding = _section_sounding(events, states.last_rows[column], column)
    rows = np.flatnonzero((states.section == BODY_SECTION) & batch.mask.has_given[events.piece])
    if len(rows):
        tick = states.tick[rows]
        earlier, latest, ahead, then = _nearest_given(batch, events.piece[rows], tick, column)
        _add_given(sounding, batch.notes, rows, earlier, latest)
        _write_upcoming(voice, batch.notes, rows, sounding.code[rows], tick, ahead, then)
    is_known = sounding.code > 0
    elapsed = np.minimum(states.tick - sounding.onset, MAX_DURATION)
    remaining = np.clip(sounding.end - states.tick, 0, MAX_DURATION)
    voice[SOUND_COLUMN] = sounding.code
    voice[ELAPSED_COLUMN] = np.where(is_known, elapsed, 0)
    voice[REMAINING_COLUMN] = np.where(is_known, remaining, 0)
    return sounding.before


def _section_sounding(events: EventColumns, last: Ints, column: int) -> _Sounding:
    """What a voice sounds by the events of the section alone; `last` (R,) is its latest event."""
    earlier = _rows_before(events, last, column)
    return _Sounding(
        code=np.where(last >= 0, events.note_code[last], 0),
        onset=events.note_onset[last],
        end=events.end[last],
        before=np.where(earlier >= 0, events.note_code[earlier], 0),
        before_onset=np.where(earlier >= 0, events.note_onset[earlier], -1),
    )


def _rows_before(events: EventColumns, last: Ints, column: int) -> Ints:
    """(R,) the row of a line before the note of its `last` row, in its section; -1 for none."""
    in_line = events.is_note & (VOICE_TO_COLUMN[events.voice] == column)
    begins_note = in_line & (events.onset == events.note_onset)
    starts = np.maximum.accumulate(np.where(begins_note, np.arange(len(events)), -1))
    start = starts[last]
    return np.where((last >= 0) & (start >= 0), last[start], -1)


def _nearest_given(
    batch: InfillingBatch, piece: Ints, tick: Ints, column: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """The given notes of a line around some ticks, as rows of the notes; -1 for none.

    Returns:
        The last note but one and the last note that start at or before the tick, and the first and
        the second that start after it.
    """
    notes, given = batch.notes, batch.given
    line = given[notes.voice[given] == batch.headers.voice[notes.piece[given], column]]
    line_keys = sort_keys(notes.piece[line], notes.onset[line])
    n_before = np.searchsorted(line_keys, sort_keys(piece, tick), side="right")
    # With two rows of no piece on either side, there always are notes around.
    around = np.concatenate([[-1, -1], line, [-1, -1]])
    piece_around = np.concatenate([[-1, -1], notes.piece[line], [-1, -1]])
    earlier, latest, ahead, then = (
        np.where(piece_around[n_before + index] == piece, around[n_before + index], -1)
        for index in range(4)
    )
    return earlier, latest, ahead, then


def _add_given(
    sounding: _Sounding, notes: NoteColumns, rows: Ints, earlier: Ints, latest: Ints
) -> None:
    """Add the given notes at some rows: of given and composed notes, the later onset counts.

    Args:
        sounding: what the composed notes sound; changed in place.
        notes: the pieces.
        rows: (M,) the rows of events.
        earlier: (M,) the given note before `latest`.
        latest: (M,) the given note that starts last, -1 for none.
    """
    code, onset = sounding.code, sounding.onset
    is_latest = (latest >= 0) & ((code[rows] == 0) | (notes.onset[latest] > onset[rows]))
    is_second = (latest >= 0) & ~is_latest & (notes.onset[latest] > sounding.before_onset[rows])
    sounding.before[rows[is_second]] = sound_codes(notes.pitch[latest[is_second]])
    row, note, previous = rows[is_latest], latest[is_latest], earlier[is_latest]
    follows_given = (previous >= 0) & ((code[row] == 0) | (notes.onset[previous] > onset[row]))
    sounding.before[row] = np.where(follows_given, sound_codes(notes.pitch[previous]), code[row])
    code[row] = sound_codes(notes.pitch[note])
    onset[row], sounding.end[row] = notes.onset[note], notes.end[note]


def _write_upcoming(
    voice: _VoiceContext,
    notes: NoteColumns,
    rows: Ints,
    code: Ints,
    tick: Ints,
    ahead: Ints,
    then: Ints,
) -> None:
    """Write the next two given notes, `ahead` and `then` (M,), into the rows of some events."""
    has_next = ahead >= 0
    row, note = rows[has_next], ahead[has_next]
    next_code = sound_codes(notes.pitch[note])
    voice[AHEAD_COLUMN, row] = next_code
    voice[UNTIL_AHEAD_COLUMN, row] = 1 + np.minimum(
        notes.onset[note] - tick[has_next], MAX_DURATION
    )
    voice[NEXT_STEP_COLUMN, row] = _intervals(code[has_next], next_code)
    has_two = then >= 0
    row, note, following = rows[has_two], ahead[has_two], then[has_two]
    next_code, then_code = sound_codes(notes.pitch[note]), sound_codes(notes.pitch[following])
    gap = notes.onset[following] - notes.onset[note]
    voice[THEN_STEP_COLUMN, row] = _intervals(next_code, then_code)
    voice[UNTIL_THEN_COLUMN, row] = 1 + np.minimum(gap, MAX_DURATION)


def _write_motion(voice: _VoiceContext, held: Ints, before: Ints) -> None:
    """Write what `encode_parallel` gives, where a voice has just moved from `before`."""
    code = voice[SOUND_COLUMN].astype(np.int64)
    parallel = held + code - before
    moves = (held >= PITCH_CODE) & (before >= PITCH_CODE) & (code >= PITCH_CODE)
    moves &= (before != code) & (voice[ELAPSED_COLUMN] == 0)
    moves &= (parallel >= PITCH_CODE) & (parallel < N_SOUND_CODES)
    voice[PARALLEL_COLUMN] = np.where(moves, parallel, 0)
    voice[BEFORE_COLUMN] = np.where(moves, 1 + (before - held) % 12, 0)


def _intervals(start: Ints, end: Ints) -> Ints:
    """What `encode_interval` gives, for columns of sound codes."""
    interval = 1 + MAX_INTERVAL + np.clip(end - start, -MAX_INTERVAL, MAX_INTERVAL)
    return np.where((start >= PITCH_CODE) & (end >= PITCH_CODE), interval, 0)
