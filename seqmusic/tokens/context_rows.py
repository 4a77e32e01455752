"""Rows of the context, written voice by voice from the lines of a grammar state."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import TICKS_PER_QUARTER
from seqmusic.tokens.context import (
    AHEAD_COLUMN,
    BEFORE_COLUMN,
    DEGREE_AHEAD_COLUMN,
    DEGREE_COLUMN,
    ELAPSED_COLUMN,
    FERMATA_COLUMN,
    INTERVAL_COLUMN,
    METER_COLUMN,
    NEXT_STEP_COLUMN,
    PARALLEL_COLUMN,
    POSITION_COLUMN,
    REMAINING_COLUMN,
    SINCE_FERMATA_COLUMN,
    SOUND_COLUMN,
    THEN_STEP_COLUMN,
    UNTIL_AHEAD_COLUMN,
    UNTIL_FERMATA_COLUMN,
    UNTIL_THEN_COLUMN,
    context_sizes,
    degree_rows,
    encode_interval,
    encode_parallel,
)
from seqmusic.tokens.fermatas import FermataTicks
from seqmusic.tokens.meters import meter_at
from seqmusic.tokens.vocabulary import TIMESIG
from seqmusic.tokens.voice_line import VoiceLine


def write_meter(row: list[int], meters: Sequence[tuple[int, int]], pickup: int, tick: int) -> None:
    """Write into a row where in its bar a tick falls; the arguments are those of `meter_at`."""
    meter, row[POSITION_COLUMN] = meter_at(meters, pickup, tick)
    row[METER_COLUMN] = meter - TIMESIG


def write_lines(
    row: list[int],
    lines: Sequence[VoiceLine],
    next_line: VoiceLine | None,
    tick: int,
    key: int,
    *,
    is_body: bool,
) -> None:
    """Write into a row what all voices sound, have sounded and will sound.

    Args:
        row: (K,) the row to write into.
        lines: the voices.
        next_line: the voice of the next note; None for none.
        tick: onset of the next event.
        key: column value of the key.
        is_body: whether the section is BODY.
    """
    degrees = degree_rows()[key]
    past = [] if next_line is None else next_line.past
    held = past[-1].code if past else 0
    for line in lines:
        if line.past:
            write_past(row, line, held, tick, degrees)
            if is_body:
                write_motion(row, line, held, tick)
        if line.upcoming:
            write_upcoming(row, line, tick, degrees)


def write_past(
    row: list[int], line: VoiceLine, held: int, tick: int, degrees: Sequence[int]
) -> None:
    """Write into a row what a line sounds at a tick; its `past` is not empty.

    Args:
        row: (K,) the row to write into.
        line: the line of the voice that the columns describe.
        held: sound code that the voice of the next note holds.
        tick: onset of the next event.
        degrees: column value of the scale degree of each sound code.
    """
    start, segment = line.first_column, line.past[-1]
    remaining = segment.end - tick
    row[start + SOUND_COLUMN] = segment.code
    row[start + ELAPSED_COLUMN] = tick - segment.onset
    row[start + REMAINING_COLUMN] = remaining if remaining > 0 else 0
    row[start + INTERVAL_COLUMN] = encode_interval(held, segment.code)
    row[start + DEGREE_COLUMN] = degrees[segment.code]


def write_motion(row: list[int], line: VoiceLine, held: int, tick: int) -> None:
    """Write into a row how a line has moved, if it has a note that starts at this tick."""
    past = line.past
    if len(past) > 1 and past[-1].onset == tick:
        parallel, before = encode_parallel(held, past[-2].code, past[-1].code)
        row[line.first_column + PARALLEL_COLUMN] = parallel
        row[line.first_column + BEFORE_COLUMN] = before


def write_upcoming(row: list[int], line: VoiceLine, tick: int, degrees: Sequence[int]) -> None:
    """Write into a row the next two given segments of a line; its `upcoming` is not empty."""
    start, upcoming = line.first_column, line.upcoming
    segment, sound = upcoming[-1], line.past[-1].code if line.past else 0
    row[start + AHEAD_COLUMN] = segment.code
    row[start + DEGREE_AHEAD_COLUMN] = degrees[segment.code]
    row[start + UNTIL_AHEAD_COLUMN] = 1 + segment.onset - tick
    row[start + NEXT_STEP_COLUMN] = encode_interval(sound, segment.code)
    if len(upcoming) > 1:
        following = upcoming[-2]
        row[start + THEN_STEP_COLUMN] = encode_interval(segment.code, following.code)
        row[start + UNTIL_THEN_COLUMN] = 1 + following.onset - segment.onset


def write_fermatas(row: list[int], fermatas: FermataTicks, tick: int) -> None:
    """Write into a row how far the known fermatas around a tick are."""
    latest, following = fermatas.latest(tick), fermatas.following(tick)
    row[FERMATA_COLUMN] = 2 if latest == tick else 1
    if latest >= 0:
        row[SINCE_FERMATA_COLUMN] = 1 + (tick - latest) // TICKS_PER_QUARTER
    if following is not None:
        row[UNTIL_FERMATA_COLUMN] = 1 + (following - tick) // TICKS_PER_QUARTER


def clipped_contexts(rows: Sequence[Sequence[int]], max_voices: int) -> NDArray[np.int32]:
    """(N, K) the rows of `GrammarState.context_row`, each column clipped to its largest value."""
    columns = np.array(rows, np.int32)
    np.minimum(columns, _max_column_values(max_voices), out=columns)
    return columns


@cache
def _max_column_values(max_voices: int) -> NDArray[np.int32]:
    """(K,) the largest value of each column."""
    return np.array(context_sizes(max_voices), np.int32) - 1
