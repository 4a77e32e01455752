"""The columns of the context that do not belong to one voice, for many pieces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Ints
from seqmusic.score import TICKS_PER_QUARTER
from seqmusic.tokens.batched.columns import sort_keys
from seqmusic.tokens.batched.events import BODY_NOTE, GIVEN_NOTE, EventColumns
from seqmusic.tokens.batched.infilling import InfillingBatch
from seqmusic.tokens.batched.states import GrammarStates
from seqmusic.tokens.context import (
    FERMATA_COLUMN,
    KEY_COLUMN,
    MAX_PHRASE,
    MAX_POSITION,
    MAX_TO_END,
    METER_COLUMN,
    POSITION_COLUMN,
    SECTION_COLUMN,
    SINCE_FERMATA_COLUMN,
    TO_END_COLUMN,
    UNTIL_FERMATA_COLUMN,
    VOICE_COLUMN,
)
from seqmusic.tokens.grammar import BODY_SECTION
from seqmusic.tokens.vocabulary import KEY, TIMESIG, VOICE


def write_global_columns(
    context: NDArray[np.int16], batch: InfillingBatch, events: EventColumns, states: GrammarStates
) -> None:
    """Write these columns into (K, R) rows of the context."""
    piece = events.piece
    to_end = (batch.notes.end_ticks[piece] - states.tick) // TICKS_PER_QUARTER
    knows_end = (states.section == BODY_SECTION) & batch.has_end[piece]
    context[SECTION_COLUMN] = states.section
    context[VOICE_COLUMN] = np.where(states.voice > 0, 1 + states.voice - VOICE, 0)
    context[POSITION_COLUMN] = np.minimum(states.position, MAX_POSITION - 1)
    context[METER_COLUMN] = states.meter - TIMESIG
    context[KEY_COLUMN] = batch.headers.key[piece] - KEY
    context[TO_END_COLUMN] = np.where(knows_end, 1 + np.minimum(to_end, MAX_TO_END), 0)
    if batch.headers.marks_phrases.any():
        _write_fermatas(context, batch, events, states)


def _write_fermatas(
    context: NDArray[np.int16], batch: InfillingBatch, events: EventColumns, states: GrammarStates
) -> None:
    start = sort_keys(events.piece, 0)
    here, is_body = start + states.tick, states.section == BODY_SECTION
    given = sort_keys(*batch.fermatas[0])
    n_passed = np.searchsorted(given, here, side="right")
    around = np.concatenate([[-1], given, [-1]])
    latest = np.where(
        is_body, _latest_fermatas(events, BODY_NOTE), _latest_fermatas(events, GIVEN_NOTE)
    )
    latest = np.where(is_body, np.maximum(latest, around[n_passed]), latest)
    following = np.where(is_body, around[n_passed + 1], -1)
    is_marked = batch.headers.marks_phrases[events.piece]
    since = 1 + np.minimum((here - latest) // TICKS_PER_QUARTER, MAX_PHRASE)
    until = 1 + np.minimum((following - here) // TICKS_PER_QUARTER, MAX_PHRASE)
    is_in_piece = (following >= 0) & (following < start + sort_keys(np.ones(1, np.int64), 0))
    context[FERMATA_COLUMN] = np.where(is_marked, 1 + (latest == here), 0)
    context[SINCE_FERMATA_COLUMN] = np.where(
        is_marked & (latest >= start) & (latest <= here), since, 0
    )
    context[UNTIL_FERMATA_COLUMN] = np.where(is_marked & is_in_piece, until, 0)


def _latest_fermatas(events: EventColumns, kind: int) -> Ints:
    """(R,) sort key of the latest fermata of a kind before each row, in any piece; -1 for none."""
    is_fermata = events.is_fermata & (events.kind == kind)
    keys = np.where(is_fermata, sort_keys(events.piece, events.onset), -1)
    latest = np.full(len(events), -1)
    latest[1:] = np.maximum.accumulate(keys)[:-1]
    return latest
