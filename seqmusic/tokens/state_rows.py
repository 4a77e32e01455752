"""The context of a grammar state as a row of integers, before its columns are clipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqmusic.score import TICKS_PER_QUARTER
from seqmusic.tokens.context import (
    BODY_SECTION,
    GIVEN_SECTION,
    KEY_COLUMN,
    METER_COLUMN,
    POSITION_COLUMN,
    SECTION_COLUMN,
    TO_END_COLUMN,
    VOICE_COLUMN,
    degree_rows,
    first_column,
)
from seqmusic.tokens.context_rows import write_fermatas, write_motion, write_past, write_upcoming
from seqmusic.tokens.meters import meter_at
from seqmusic.tokens.vocabulary import KEY, TIMESIG, VOICE

if TYPE_CHECKING:
    from seqmusic.tokens.grammar import GrammarState


def state_row(state: GrammarState) -> list[int]:
    """(K,) the state in the columns of `context.context_columns`, not clipped."""
    row = [0] * first_column(state.max_voices)
    if state.section not in (GIVEN_SECTION, BODY_SECTION):
        return row
    tick, line = state.tick, state.next_line
    _write_global_columns(row, state)
    held = line.past[-1].code if line is not None and line.past else 0
    degrees = degree_rows()[state.key_sound - KEY]
    for other in state.lines:
        if other.past:
            write_past(row, other, held, tick, degrees)
            if state.section == BODY_SECTION:
                write_motion(row, other, held, tick)
        if other.upcoming:
            write_upcoming(row, other, tick, degrees)
    return row


def _write_global_columns(row: list[int], state: GrammarState) -> None:
    line, tick = state.next_line, state.tick
    meter, position = meter_at(state.meters, state.pickup, tick)
    row[SECTION_COLUMN] = state.section
    row[VOICE_COLUMN] = 0 if line is None else 1 + line.voice - VOICE
    row[POSITION_COLUMN] = position
    row[METER_COLUMN] = meter - TIMESIG
    row[KEY_COLUMN] = state.key_sound - KEY
    if state.end is not None:
        row[TO_END_COLUMN] = 1 + (state.end - tick) // TICKS_PER_QUARTER
    if state.marks_phrases and state.section == BODY_SECTION:
        write_fermatas(row, state.composed_fermatas, state.given_fermatas, tick)
    elif state.marks_phrases:
        write_fermatas(row, state.given_fermatas, [], tick)
