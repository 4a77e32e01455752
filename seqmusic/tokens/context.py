"""The context: for each event a row of integers that describe the state of the music.

Every column is a small number from 0, where 0 means "nothing known". Ticks are clipped at 96.
"""

from __future__ import annotations

from functools import cache

from seqmusic.tokens.vocabulary import MAX_DURATION, N_KEYS, N_TIMESIGS, N_VOICE_NAMES

MAX_POSITION = 192  # ticks from a bar line; later positions count as the last
MAX_TO_END = 64  # quarters
MAX_INTERVAL = 24  # semitones
REST_CODE = 1  # the sound code of a rest; 0 is nothing known
PITCH_CODE = 2  # + MIDI number
N_SOUND_CODES = PITCH_CODE + 128
GLOBAL_COLUMNS = ("section", "voice", "position", "meter", "key", "to_end")
VOICE_COLUMNS = (
    *("sound", "elapsed", "remaining", "ahead", "until_ahead", "interval"),
    *("next_step", "then_step", "until_then", "parallel", "before"),
)
# Indices into a row.
SECTION_COLUMN, VOICE_COLUMN, POSITION_COLUMN = range(3)
METER_COLUMN, KEY_COLUMN, TO_END_COLUMN = range(3, 6)
# Indices into the columns of one voice.
SOUND_COLUMN, ELAPSED_COLUMN, REMAINING_COLUMN, AHEAD_COLUMN, UNTIL_AHEAD_COLUMN = range(5)
INTERVAL_COLUMN, NEXT_STEP_COLUMN, THEN_STEP_COLUMN, UNTIL_THEN_COLUMN = range(5, 9)
PARALLEL_COLUMN, BEFORE_COLUMN = range(9, 11)

_N_INTERVALS = 2 + 2 * MAX_INTERVAL  # of semitones, signed
_SIZES = {
    "section": 3,  # header, given, body
    "voice": 1 + N_VOICE_NAMES,  # VOICE index of the next note
    "position": MAX_POSITION,  # ticks since the bar line; without a meter, since a whole-note grid
    "meter": N_TIMESIGS,  # in force now
    "key": N_KEYS,
    "to_end": 2 + MAX_TO_END,  # quarters to the end, where it is known
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
