"""Where we are: the integers that stand beside each event, one row an event, columns named here.

Every column is a small number from 0; 0 means "nothing to say". Ticks are cut at 96.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.tonality import tonic_pitch_class
from seqmusic.tokens.vocabulary import (
    KEY,
    MAX_DURATION,
    N_KEYS,
    N_TIMESIGS,
    N_VOICE_NAMES,
    id_to_key,
)

MAX_POSITION = 192  # of the place in the bar; later places count as the last
MAX_TO_END = 64  # quarters
MAX_INTERVAL = 24  # semitones
REST_CODE = 1  # the code of a rest; 0 is nothing known
PITCH_CODE = 2  # + MIDI number
N_SOUND_CODES = PITCH_CODE + 128
MODES = ("major", "minor")  # that have degrees
GLOBAL_COLUMNS = ("section", "voice", "position", "meter", "key", "to_end")
VOICE_COLUMNS = (
    *("sound", "elapsed", "remaining", "ahead", "until_ahead", "interval"),
    *("next_step", "then_step", "until_then", "parallel", "before", "degree", "degree_ahead"),
)
# The same as indices: of a row, and of the columns of one voice.
SECTION_COLUMN, VOICE_COLUMN, POSITION_COLUMN = range(3)
METER_COLUMN, KEY_COLUMN, TO_END_COLUMN = range(3, 6)
SOUND_COLUMN, ELAPSED_COLUMN, REMAINING_COLUMN, AHEAD_COLUMN, UNTIL_AHEAD_COLUMN = range(5)
INTERVAL_COLUMN, NEXT_STEP_COLUMN, THEN_STEP_COLUMN, UNTIL_THEN_COLUMN = range(5, 9)
PARALLEL_COLUMN, BEFORE_COLUMN, DEGREE_COLUMN, DEGREE_AHEAD_COLUMN = range(9, 13)
_SIZES = {
    "section": 3,  # header, given, body
    "voice": 1 + N_VOICE_NAMES,  # of the next note: its voice id
    "position": MAX_POSITION,  # ticks since the bar line; since a whole-note grid where there is no meter
    "meter": N_TIMESIGS,  # in force now
    "key": N_KEYS,
    "to_end": 2 + MAX_TO_END,  # quarters to the end, where it is known
    "sound": N_SOUND_CODES,  # what sounds now in this voice: nothing known, rest, pitch
    "elapsed": 1 + MAX_DURATION,  # ticks since it started
    "remaining": 1 + MAX_DURATION,  # ticks until it ends, 0 when it has just ended
    "ahead": N_SOUND_CODES,  # what is given next in this voice
    "until_ahead": 2 + MAX_DURATION,  # ticks until that starts
    "interval": 2
    + 2 * MAX_INTERVAL,  # semitones from the next voice's own last pitch to this voice's
    "next_step": 2
    + 2 * MAX_INTERVAL,  # semitones from what sounds in this voice to what is given next
    "then_step": 2 + 2 * MAX_INTERVAL,  # and from there to what is given after it
    "until_then": 2 + MAX_DURATION,  # ticks between those two
    "parallel": N_SOUND_CODES,  # the pitch to which the next voice would move in parallel with this one, which has just moved
    "before": 13,  # semitones, octaves apart, from the next voice's own last pitch to what this one sounded before it moved
    "degree": 1 + 12 * len(MODES),  # semitones from the tonic up to what sounds, 1.. in major, 13.. in minor
    "degree_ahead": 1 + 12 * len(MODES),  # and to what is given next
}

# By semitones, which may be negative.
_INTERVALS: list[int] = [
    1 + MAX_INTERVAL + min(max(size, -MAX_INTERVAL), MAX_INTERVAL)
    for size in (*range(128), *range(-127, 0))
]


def encode_interval(start: int, end: int) -> int:
    """The value of a column for the interval between two sounds; 0 where one of them is no pitch."""
    if start < PITCH_CODE or end < PITCH_CODE:
        return 0
    return _INTERVALS[end - start]


def encode_parallel(own: int, before: int, after: int) -> tuple[int, int]:
    """The values of `parallel` and `before` for a voice that sounded `own` while another moved; 0 and 0 where it did not."""
    parallel = own + after - before
    if before == after or own < PITCH_CODE or before < PITCH_CODE or after < PITCH_CODE:
        return 0, 0
    if not PITCH_CODE <= parallel < N_SOUND_CODES:
        return 0, 0
    return parallel, 1 + (before - own) % 12


@cache
def tonic_pitch_classes() -> tuple[tuple[int | None, ...], ...]:
    """(mode, key) pitch class of the tonic of each key that is of the mode, counted from KEY; None for the others.

    >>> [own[:4] for own in tonic_pitch_classes()]  # no key, then those with 7, 6 and 5 flats
    [(None, 11, 6, 1), (None, None, None, None)]
    """
    keys = [id_to_key(KEY + index) for index in range(N_KEYS)]
    return tuple(
        tuple(tonic_pitch_class(key) if key and key.mode == mode else None for key in keys)
        for mode in MODES
    )


@cache
def degree_table() -> NDArray[np.int16]:
    """(key, sound code) the degree of each sound, an entry of the columns `degree` and `degree_ahead`; 0 where there is none."""
    table = np.zeros((N_KEYS, N_SOUND_CODES), np.int16)
    pitches = np.arange(N_SOUND_CODES - PITCH_CODE)
    for place, tonics in enumerate(tonic_pitch_classes()):
        for key, tonic in enumerate(tonics):
            if tonic is not None:
                table[key, PITCH_CODE:] = 1 + 12 * place + (pitches - tonic) % 12
    table.flags.writeable = False
    return table


@cache
def degree_rows() -> tuple[tuple[int, ...], ...]:
    """The same as plain numbers, for one step at a time."""
    return tuple(map(tuple, degree_table().tolist()))


def first_column(voice_column: int) -> int:
    """Index of the first context column of the voice in a given column of the vocabulary.

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
    """Of how many voices so many columns tell.

    >>> columns_to_max_voices(len(context_columns(3)))
    3
    """
    return (n_columns - len(GLOBAL_COLUMNS)) // len(VOICE_COLUMNS)


@cache
def context_sizes(max_voices: int) -> tuple[int, ...]:
    """Number of values of each of the K columns."""
    return tuple(
        _SIZES[name.rpartition("_")[0] if name not in GLOBAL_COLUMNS else name]
        for name in context_columns(max_voices)
    )
