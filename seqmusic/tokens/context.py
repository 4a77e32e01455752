"""The context: for each event a row of integers that describe the state of the music.

Every column is a small number from 0, where 0 means "nothing known". Ticks are clipped at 96.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.tokens.vocabulary import (
    KEY,
    MAX_DURATION,
    N_KEYS,
    N_TIMESIGS,
    N_VOICE_NAMES,
    VOICE,
    id_to_key,
)
from seqmusic.tonality import tonic_pitch_class

MAX_POSITION = 192  # ticks from a bar line; later positions count as the last
MAX_TO_END = 64  # quarters
MAX_INTERVAL = 24  # semitones
MAX_PHRASE = 32  # quarters from or to a fermata
REST_CODE = 1  # the sound code of a rest; 0 is nothing known
PITCH_CODE = 2  # + MIDI number
N_SOUND_CODES = PITCH_CODE + 128
MODES = ("major", "minor")  # that have scale degrees
GLOBAL_COLUMNS = (
    *("section", "voice", "position", "meter", "key", "to_end"),
    *("fermata", "since_fermata", "until_fermata"),
)
VOICE_COLUMNS = (
    *("sound", "elapsed", "remaining", "ahead", "until_ahead", "interval"),
    *("next_step", "then_step", "until_then", "parallel", "before", "degree", "degree_ahead"),
)
# Indices into a row.
SECTION_COLUMN, VOICE_COLUMN, POSITION_COLUMN = range(3)
METER_COLUMN, KEY_COLUMN, TO_END_COLUMN = range(3, 6)
FERMATA_COLUMN, SINCE_FERMATA_COLUMN, UNTIL_FERMATA_COLUMN = range(6, 9)
# Indices into the columns of one voice.
SOUND_COLUMN, ELAPSED_COLUMN, REMAINING_COLUMN, AHEAD_COLUMN, UNTIL_AHEAD_COLUMN = range(5)
INTERVAL_COLUMN, NEXT_STEP_COLUMN, THEN_STEP_COLUMN, UNTIL_THEN_COLUMN = range(5, 9)
PARALLEL_COLUMN, BEFORE_COLUMN, DEGREE_COLUMN, DEGREE_AHEAD_COLUMN = range(9, 13)

_N_INTERVALS = 2 + 2 * MAX_INTERVAL  # of semitones, signed
_N_DEGREES = 1 + 12 * len(MODES)  # none, 1.. for the tonic and up in major, 13.. in minor
_SIZES = {
    "section": 3,  # header, given, body
    "voice": 1 + N_VOICE_NAMES,  # VOICE index of the next note
    "position": MAX_POSITION,  # ticks since the bar line; without a meter, since a whole-note grid
    "meter": N_TIMESIGS,  # in force now
    "key": N_KEYS,
    "to_end": 2 + MAX_TO_END,  # quarters to the end, where it is known
    "fermata": 3,  # not marked in this piece, none here, one here
    "since_fermata": 2 + MAX_PHRASE,  # quarters from the last one
    "until_fermata": 2 + MAX_PHRASE,  # quarters to the next given one
    "sound": N_SOUND_CODES,  # what this voice sounds now: nothing known, rest, pitch
    "elapsed": 1 + MAX_DURATION,  # ticks since it started
    "remaining": 1 + MAX_DURATION,  # ticks until it ends, 0 when it has just ended
    "ahead": N_SOUND_CODES,  # the next given sound of this voice
    "until_ahead": 2 + MAX_DURATION,  # ticks until it starts
    "interval": _N_INTERVALS,  # from the last pitch of the next note's voice to this voice's
    "next_step": _N_INTERVALS,  # from this voice's sound to its next given one
    "then_step": _N_INTERVALS,  # from there to the given one after it
    "until_then": 2 + MAX_DURATION,  # ticks between the onsets of those two
    "parallel": N_SOUND_CODES,  # where the next note moves if in parallel with this voice
    "before": 13,  # 1 + semitones modulo 12 from there to this voice's pitch before it moved
    "degree": _N_DEGREES,  # of this voice's sound
    "degree_ahead": _N_DEGREES,  # of its next given sound
}

# By semitones; a negative number of them counts from the end of the list.
_INTERVALS: list[int] = [
    1 + MAX_INTERVAL + min(max(size, -MAX_INTERVAL), MAX_INTERVAL)
    for size in (*range(128), *range(-127, 0))
]


def encode_interval(start: int, end: int) -> int:
    """Column value of the interval between two sound codes; 0 where one of them is no pitch."""
    if start < PITCH_CODE or end < PITCH_CODE:
        return 0
    return _INTERVALS[end - start]


def encode_parallel(held: int, before: int, after: int) -> tuple[int, int]:
    """Column values `parallel` and `before` of a voice that has just moved.

    All intervals count here, unlike in `counterpoint.perfect_parallels`, and a pitch is named, not
    checked: the model learns from it which parallels the style avoids.

    Args:
        held: sound code that the voice of the next note holds.
        before: sound code of the voice that moved, before it moved.
        after: sound code of the voice that moved, now.

    Returns:
        The sound code to which the next note would move in parallel, and 1 plus the interval
        between the voices modulo 12; 0 and 0 where nothing moved or one of them is no pitch.
    """
    parallel = held + after - before
    if before == after or held < PITCH_CODE or before < PITCH_CODE or after < PITCH_CODE:
        return 0, 0
    if not PITCH_CODE <= parallel < N_SOUND_CODES:
        return 0, 0
    return parallel, 1 + (before - held) % 12


@cache
def key_tonics() -> tuple[tuple[int | None, ...], ...]:
    """(mode, key) pitch class of the tonic of the keys from KEY on; None for a key not of the mode.

    >>> [tonics[:3] for tonics in key_tonics()]  # no key, seven flats, six flats
    [(None, 11, 6), (None, None, None)]
    """
    keys = [id_to_key(sound) for sound in range(KEY, VOICE)]
    return tuple(
        tuple(tonic_pitch_class(key) if key and key.mode == mode else None for key in keys)
        for mode in MODES
    )


@cache
def degree_table() -> NDArray[np.int16]:
    """(key, sound code) column value of the scale degree; 0 without a key, a mode or a pitch."""
    table = np.zeros((N_KEYS, N_SOUND_CODES), np.int16)
    pitches = np.arange(N_SOUND_CODES - PITCH_CODE)
    for mode, tonics in enumerate(key_tonics()):
        for key, tonic in enumerate(tonics):
            if tonic is not None:
                table[key, PITCH_CODE:] = 1 + 12 * mode + (pitches - tonic) % 12
    table.flags.writeable = False
    return table


@cache
def degree_rows() -> tuple[tuple[int, ...], ...]:
    """`degree_table` as tuples, which are faster to look up one by one."""
    return tuple(map(tuple, degree_table().tolist()))


def first_column(voice_column: int) -> int:
    """Index in a row of the first context column of the voice with this `voice_column`.

    >>> context_columns(4)[first_column(2) + AHEAD_COLUMN]
    'ahead_2'
    """
    return len(GLOBAL_COLUMNS) + len(VOICE_COLUMNS) * voice_column


@cache
def context_columns(max_voices: int) -> tuple[str, ...]:
    """Names of the K columns for up to `max_voices` voices."""
    return GLOBAL_COLUMNS + tuple(
        f"{name}_{voice}" for voice in range(max_voices) for name in VOICE_COLUMNS
    )


def columns_to_max_voices(n_columns: int) -> int:
    """Number of voices in a context of `n_columns` columns.

    >>> columns_to_max_voices(len(context_columns(3)))
    3
    """
    return (n_columns - len(GLOBAL_COLUMNS)) // len(VOICE_COLUMNS)


@cache
def context_sizes(max_voices: int) -> tuple[int, ...]:
    """Number of values of each of the K columns."""
    names = (*GLOBAL_COLUMNS, *VOICE_COLUMNS * max_voices)
    return tuple(_SIZES[name] for name in names)
