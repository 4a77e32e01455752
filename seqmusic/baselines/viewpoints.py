"""What a counting predictor looks at before each event of a piece, like a counterpoint teacher.

A sound has three viewpoints (the line, the voices around it, the step between the two), and so has
a duration whose sound is known (the step taken, how long the other voices still sound, the meter).
A viewpoint is a list of context items, the most telling one first. Pitches are relative to the last
one of their voice, which itself counts as a degree of the key, so that all keys are counted
together; a first note, or one after a rest, is relative to the key.

Source: M. Pearce, The Construction and Evaluation of Statistical Models of Melodic Structure in
Music Perception and Composition, 2005, chapters 6 and 7.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from seqmusic.tokens.context import (
    ELAPSED_COLUMN,
    GLOBAL_COLUMNS,
    KEY_COLUMN,
    METER_COLUMN,
    PITCH_CODE,
    POSITION_COLUMN,
    REMAINING_COLUMN,
    SOUND_COLUMN,
    VOICE_COLUMN,
    VOICE_COLUMNS,
)
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import (
    KEY,
    PITCH,
    VOICE,
    id_to_key,
    is_note_event,
    is_pitch,
    voice_column,
)

Items = tuple[Hashable, ...]
Viewpoints = tuple[Items, ...]
MAX_ORDER = 5  # context items of a viewpoint
N_VIEWPOINTS = 3
NO_EVENT = (0, 0)  # stands where a voice has no event yet
_BEAT_TICKS = 24
_ANCHOR = 60  # MIDI number to which the last pitch of the voice is moved


@dataclass(frozen=True, slots=True)
class Example:
    """An event with the viewpoints on it.

    Attributes:
        row: row of the trace that the event follows.
        sound: sound id of the event.
        duration: duration id of the event.
        shift: semitones that move the last pitch of the voice to a fixed one, or, without a last
            pitch, the key to the one without sharps or flats.
        sound_viewpoints: context items of the sound, by viewpoint.
        duration_viewpoints: context items of the duration, by viewpoint.
    """

    row: int
    sound: int
    duration: int
    shift: int
    sound_viewpoints: Viewpoints
    duration_viewpoints: Viewpoints


def scored_examples(trace: Trace) -> Iterator[Example]:
    """The scored events of a piece in order, each with its viewpoints."""
    events, context = trace.events.tolist(), trace.context.tolist()
    past_events: defaultdict[int, list[tuple[int, int]]] = defaultdict(lambda: [NO_EVENT] * 2)
    for row, (context_row, (sound, duration)) in enumerate(zip(context, events[1:], strict=False)):
        voice = context_row[VOICE_COLUMN]
        if trace.is_scored[row]:
            if voice:
                yield note_example(context_row, past_events[voice], sound, duration, row)
            else:
                before = [tuple(event) for event in events[max(row - 1, 0) : row + 1]]
                yield _header_example(before, sound, duration, row)
        if voice > 0 and is_note_event(sound):
            past_events[voice].append((sound, duration))


def note_example(
    context_row: Sequence[int],
    past_events: Sequence[tuple[int, int]],
    sound: int,
    duration: int = 0,
    row: int = 0,
) -> Example:
    """A note or rest, to be predicted or counted.

    Args:
        context_row: the context of the event, with the columns of `Trace.context`.
        past_events: the events of its voice so far, after two of NO_EVENT.
        sound: its sound id, which only the duration viewpoints see.
        duration: its duration id, which no viewpoint sees.
        row: row of the trace.
    """
    globals_, states = context_row[: len(GLOBAL_COLUMNS)], _voice_states(context_row)
    shift = _shift(context_row)
    return Example(
        row,
        sound,
        duration,
        shift,
        _sound_viewpoints(globals_, states, past_events, shift),
        _duration_viewpoints(globals_, states, past_events[-1][1], sound, shift),
    )


def _header_example(before: list[tuple[int, ...]], sound: int, duration: int, row: int) -> Example:
    """An event where no note can come: its viewpoints are the events just before."""
    return Example(
        row,
        sound,
        duration,
        0,
        ((0, *reversed(before)),) * N_VIEWPOINTS,
        ((-sound, before[-1]),) * N_VIEWPOINTS,
    )


def _voice_states(context_row: Sequence[int]) -> list[Sequence[int]]:
    """The VOICE_COLUMNS of each voice."""
    size = len(VOICE_COLUMNS)
    starts = range(len(GLOBAL_COLUMNS), len(context_row), size)
    return [context_row[start : start + size] for start in starts]


def _sound_viewpoints(
    globals_: Sequence[int],
    states: list[Sequence[int]],
    past_events: Sequence[tuple[int, int]],
    shift: int,
) -> Viewpoints:
    voice, beat = globals_[VOICE_COLUMN], globals_[POSITION_COLUMN] % _BEAT_TICKS
    column = voice_column(VOICE + voice - 1)
    degree = _degree(states[column][SOUND_COLUMN], globals_[KEY_COLUMN])
    others = [_sounding_item(states[c], shift) for c in _by_salience(column, states)]
    last_duration, earlier = past_events[-1][1], transpose_sound(past_events[-2][0], shift)
    line = (voice, degree, beat, last_duration, earlier)
    chord = (voice, *others[:3], degree)[:MAX_ORDER]
    if len(others) > 1:
        return line, chord, (voice, degree, others[0], beat, others[1])
    return line, chord, (voice, degree, *others, beat)


def _duration_viewpoints(
    globals_: Sequence[int],
    states: list[Sequence[int]],
    last_duration: int,
    sound: int,
    shift: int,
) -> Viewpoints:
    voice, position = globals_[VOICE_COLUMN], globals_[POSITION_COLUMN]
    beat, bar = position % _BEAT_TICKS, (globals_[METER_COLUMN], position)
    kind = min(sound, PITCH) if sound < KEY else sound
    last_sound = states[voice_column(VOICE + voice - 1)][SOUND_COLUMN]
    step = transpose_sound(sound, shift) if kind == PITCH and last_sound >= PITCH_CODE else None
    sounding = [state for state in states if state[SOUND_COLUMN]]
    remaining = tuple(sorted(state[REMAINING_COLUMN] for state in sounding))
    just_begun = min((s[REMAINING_COLUMN] for s in sounding if not s[ELAPSED_COLUMN]), default=0)
    return (
        (kind, bar, step, last_duration, voice),
        (kind, remaining, beat, voice, bar),
        (kind, just_begun, beat, bar, last_duration),
    )


def _sounding_item(state: Sequence[int], shift: int) -> tuple[int, bool]:
    """The transposed sound of a voice, and whether it still sounds rather than has just ended."""
    code = state[SOUND_COLUMN]
    return code + shift if code >= PITCH_CODE else code, state[REMAINING_COLUMN] > 0


def _by_salience(column: int, states: list[Sequence[int]]) -> list[int]:
    """The other voices, the most telling first: sounding ones, then outer ones, then neighbors."""
    outer = (0, len(states) - 1)
    others = [c for c in range(len(states)) if c != column]
    return sorted(
        others, key=lambda c: (not states[c][REMAINING_COLUMN], c not in outer, abs(c - column))
    )


def _degree(code: int, key: int) -> int:
    """Semitones above the major tonic of the key signature, 0..11; negative without a pitch."""
    return (code - PITCH_CODE + _key_shift(key)) % 12 if code >= PITCH_CODE else code - PITCH_CODE


def _shift(context_row: Sequence[int]) -> int:
    column = voice_column(VOICE + context_row[VOICE_COLUMN] - 1)
    code = context_row[len(GLOBAL_COLUMNS) + len(VOICE_COLUMNS) * column + SOUND_COLUMN]
    return (
        _ANCHOR - (code - PITCH_CODE) if code >= PITCH_CODE else _key_shift(context_row[KEY_COLUMN])
    )


def _key_shift(key: int) -> int:
    """Semitones, -6..5, from the signature of a key to the one without accidentals."""
    known = id_to_key(KEY + key)
    return 0 if known is None else (6 - 7 * known.sharps) % 12 - 6


def transpose_sound(sound: int, shift: int) -> int:
    """The sound id with its pitch, if it is one, moved by semitones, modulo 128."""
    return PITCH + (sound - PITCH + shift) % (KEY - PITCH) if is_pitch(sound) else sound
