"""What composed music must obey beyond the grammar, as masks over what may be drawn next.

A sound is drawn before its duration, so each constraint has two masks: may this pitch begin here,
and may it last so long. Both consider all known notes: composed ones, and given ones, also later
ones. A note that passes both masks obeys the constraints whatever follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seqmusic.array_types import Mask
from seqmusic.generation.restrictions import Restriction, sounding_pitch
from seqmusic.generation.voice_masks import (
    NO_MOTIONS,
    PITCHES,
    PerfectMotions,
    parallel_pitch_mask,
    read_only,
    strict_max_duration,
    voice_limits,
)
from seqmusic.score import Key
from seqmusic.tokens import rules
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.vocabulary import (
    HOLD,
    KEY,
    MAX_DURATION,
    PITCH,
    REST,
    TIMESIG,
    id_to_key,
    is_note_event,
    voice_name,
)
from seqmusic.tokens.voice_line import Segment, VoiceLine
from seqmusic.tonality import scale_pitch_classes, tonic_pitch_class

_ALL_PITCH_CLASSES = frozenset(range(12))
_SHORTEST_FINAL_TICKS, _LONGEST_FINAL_TICKS = 24, MAX_DURATION


@dataclass(frozen=True, slots=True)
class Constraints:
    """What composed music must obey; the key of the scale and of the cadence is that of the piece.

    Attributes:
        compass: lowest and highest pitch of voices, by name; other voices have the whole range.
        scale: only notes of the key's scale.
        cadence: the last chord is the tonic chord, with its root in the lowest voice and, in three
            or more voices, with its third; all voices hold it from the last strong beat on, or from
            the onset of the last given note.
        strict: no voice crosses another, and no two move in parallel fifths, octaves or unisons.
        lenience: without `strict`, the share of its probability that a sound keeps if it crosses
            or moves in parallel, 0..1; 1 is all.
        restrictions: what a form demands of its voices besides; all of them hold.
    """

    compass: Mapping[str, tuple[int, int]]
    scale: bool = False
    cadence: bool = False
    strict: bool = False
    lenience: float = 1.0
    restrictions: tuple[Restriction, ...] = ()


def allowed_sounds(state: GrammarState, constraints: Constraints) -> Mask:
    """(V,) sounds that may come next: those of the grammar that keep the constraints.

    Changes of meter and a rest at the end are never allowed. The mask must not be changed.
    """
    mask, line = _allowed_sounds(state, constraints), state.line
    if line is not None:
        for restriction in constraints.restrictions:
            mask = mask & restriction.sounds(state, line)
    return mask


def _allowed_sounds(state: GrammarState, constraints: Constraints) -> Mask:
    """(V,) `allowed_sounds` without the restrictions of a form."""
    line, rule = state.line, state.sound_rule
    if line is None:
        return _sound_mask(state.max_voices, rule)
    if constraints.cadence and _leads_to_final_chord(state):
        rule = rules.without_fermata(rule)
    low, high = constraints.compass.get(voice_name(line.voice), (0, 127))
    motions = NO_MOTIONS
    if constraints.strict:
        lowest, highest, motions = voice_limits(state, line)
        low, high = max(low, lowest), min(high, highest)
    is_end = constraints.cadence and _is_open_to_end(state, line) and _is_in_final_chord(state)
    may_rest = not is_end and (state.longest_ticks > 1 or not _reaches_end(state))
    pitch_classes = _allowed_pitch_classes(state, line, constraints.scale, is_end)
    held_pitch = _held_pitch(line)
    return _sound_mask(
        state.max_voices, rule, low, high, pitch_classes, motions, may_rest, held_pitch
    )


def _allowed_pitch_classes(
    state: GrammarState, line: VoiceLine, scale: bool, is_end: bool
) -> frozenset[int]:
    """Pitch classes of the key's scale, and of its tonic chord at the end; all without a key."""
    key = id_to_key(state.key_sound) if scale or is_end else None
    if key is None:
        return _ALL_PITCH_CLASSES
    classes = scale_pitch_classes(key) if scale else _ALL_PITCH_CLASSES
    return classes & _final_pitch_classes(state, line, key) if is_end else classes


def _held_pitch(line: VoiceLine) -> int | None:
    """The pitch that HOLD would prolong; None where the last event of the line is no full note."""
    sound, duration = line.last_event
    if duration != MAX_DURATION or sound == REST:
        return None
    return line.composed[-1].code - PITCH_CODE


@lru_cache(maxsize=4096)
def _sound_mask(
    max_voices: int,
    rule: int,
    low: int = 0,
    high: int = 127,
    pitch_classes: frozenset[int] = _ALL_PITCH_CLASSES,
    motions: PerfectMotions = NO_MOTIONS,
    may_rest: bool = True,
    held_pitch: int | None = None,
) -> Mask:
    """(V,) sounds that a rule of the grammar allows, with pitches in a range and of some classes.

    Pitches that would be reached in parallel with one of the motions are excluded.
    """
    mask: Mask = rules.sound_masks(max_voices)[rule].copy()
    mask[TIMESIG:] = False
    pitches = (
        (low <= PITCHES)
        & (high >= PITCHES)
        & np.isin(PITCHES % 12, list(pitch_classes))
        & ~parallel_pitch_mask(motions)
    )
    mask[PITCH:KEY] &= pitches
    mask[REST] &= may_rest
    mask[HOLD] &= held_pitch is None or pitches[held_pitch]
    return read_only(mask)


def allowed_durations(state: GrammarState, sound: int, constraints: Constraints) -> Mask:
    """(97,) durations in ticks that may follow the sound. The mask must not be changed."""
    mask, line = _allowed_durations(state, sound, constraints), state.line
    if line is not None and is_note_event(sound):
        for restriction in constraints.restrictions:
            mask = mask & restriction.durations(state, line, sound)
    return mask


def _allowed_durations(state: GrammarState, sound: int, constraints: Constraints) -> Mask:
    """(97,) `allowed_durations` without the restrictions of a form."""
    line, rule = state.line, state.duration_rule(sound)
    if line is None or not is_note_event(sound):
        return _duration_mask(rule)
    pitch = sounding_pitch(line, sound)
    max_duration = state.longest_ticks
    start = stop = max_duration
    if pitch is None and _reaches_end(state):
        stop += 1
    if constraints.cadence and state.end is not None and _is_near_open_end(state, line):
        key = id_to_key(state.key_sound)
        if key is not None:
            may_end = pitch is not None and pitch % 12 in _final_pitch_classes(state, line, key)
            start = max(0, final_chord_onset(state) - state.tick) + 1
            stop = state.end - state.tick if may_end else max_duration + 1
    if pitch is not None and constraints.strict:
        longest = start - 1 if start <= max_duration < stop else max_duration
        max_duration = strict_max_duration(state, line, pitch, longest)
    return _duration_mask(rule, start, stop, max_duration)


@lru_cache(maxsize=4096)
def _duration_mask(
    rule: int, start: int = 0, stop: int = 0, max_duration: int = MAX_DURATION
) -> Mask:
    """(97,) durations of a rule of the grammar, `max_duration` at most, without [start, stop)."""
    mask: Mask = rules.duration_masks()[rule].copy()
    mask[start:stop] = False
    mask[max_duration + 1 :] = False
    return read_only(mask)


def _reaches_end(state: GrammarState) -> bool:
    """Whether the longest event that fits here is the last of its voice."""
    return state.end is not None and state.tick + state.longest_ticks == state.end


def _is_in_final_chord(state: GrammarState) -> bool:
    return (
        state.end is not None
        and state.tick >= state.end - _LONGEST_FINAL_TICKS
        and state.tick >= final_chord_onset(state)
    )


def _leads_to_final_chord(state: GrammarState) -> bool:
    """Whether the last chord follows within a whole note, so that no phrase ends before it."""
    if state.end is None or state.end - state.tick > 2 * _LONGEST_FINAL_TICKS:
        return False
    return 0 < final_chord_onset(state) - state.tick < MAX_DURATION


def _is_open_to_end(state: GrammarState, line: VoiceLine) -> bool:
    """Whether no note of the line is given after the hole that is being filled."""
    return line.hole_end == state.end


def _is_near_open_end(state: GrammarState, line: VoiceLine) -> bool:
    """Whether the next note of the line can reach the final chord."""
    assert state.end is not None
    return state.end - state.tick < 2 * MAX_DURATION and _is_open_to_end(state, line)


def final_chord_onset(state: GrammarState) -> int:
    """Onset of the last chord: the last strong beat that leaves a quarter, or the last given note.

    A strong beat is the beginning of a bar or, with an even number of beats, its middle.
    """
    assert state.end is not None
    latest, earliest = state.end - _SHORTEST_FINAL_TICKS, max(0, state.end - _LONGEST_FINAL_TICKS)
    given = [
        line.given[-1].onset
        for line in state.lines
        if line.given and line.given[-1].end == state.end
    ]
    if given:
        return max(earliest, *given)
    signature, bar_position = state.meter_at(latest)
    if signature is None:
        return max(earliest, latest)
    strong_ticks = signature.bar_ticks // (1 if signature.numerator % 2 else 2)
    return max(earliest, latest - bar_position % strong_ticks)


def _final_pitch_classes(state: GrammarState, line: VoiceLine, key: Key) -> frozenset[int]:
    """Pitch classes on which a voice may end: the root in the lowest voice, the chord above it.

    The upper voices have one kind of third together, and the last of them takes it if no other has.
    """
    root, thirds = tonic_pitch_class(key), third_pitch_classes(key)
    if line is state.lines[-1]:
        return frozenset({root})
    others = [other for other in state.lines[:-1] if other is not line]
    final_notes = [_final_note(state, other) for other in others]
    sounding = {note.code - PITCH_CODE for note in final_notes if note is not None}
    known_thirds = {pitch % 12 for pitch in sounding} & thirds
    is_last_voice = bool(others) and None not in final_notes
    if is_last_voice and not known_thirds:
        return thirds
    return frozenset({root, (root + 7) % 12}) | (known_thirds or thirds)


def third_pitch_classes(key: Key) -> frozenset[int]:
    """Pitch classes of the third over the tonic; in minor both, as the piece may end in major."""
    thirds = (3, 4) if key.mode == "minor" else (4,)
    return frozenset((tonic_pitch_class(key) + third) % 12 for third in thirds)


def _final_note(state: GrammarState, line: VoiceLine) -> Segment | None:
    """The note that ends a line, if it is known already."""
    last = [
        segments[-1]
        for segments in (line.given, line.composed)
        if segments and segments[-1].end == state.end
    ]
    return last[0] if last and last[0].code >= PITCH_CODE else None
