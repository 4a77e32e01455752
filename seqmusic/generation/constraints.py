"""What composed music must obey beyond the grammar, as masks over what may be drawn next.

A sound is drawn before its duration, so each rule is asked twice: may this pitch begin here, and may it last so long. Both look at
all that is known around: what was composed, and what is given, ahead too. Whatever passes both masks obeys the rules for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seqmusic.array_types import Mask
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
    """What is asked of composed music; the key of the scale and of the cadence is that of the piece.

    Attributes:
        compass: lowest and highest pitch of voices, by name; a voice that is not named has the whole range.
        scale: only notes of the key's scale.
        cadence: the last chord is that of the tonic, with its root in the lowest voice, and its third where it has three voices;
            all voices rest on it from the last strong beat on, or from where the last note that is given begins.
        strict: no voice crosses another, and no two move in parallel fifths, octaves or unisons.
        lenience: without that, how much of its probability a sound keeps that crosses or moves so; 1 is all.
    """

    compass: Mapping[str, tuple[int, int]]
    scale: bool = False
    cadence: bool = False
    strict: bool = False
    lenience: float = 1.0


def allowed_sounds(state: GrammarState, constraints: Constraints) -> Mask:
    """(V,) which sounds may come next: those of the grammar, without changes of meter, without a rest at the end, by the rules.

    Not to be written to.
    """
    line, rule = state.line, state.sound_rule
    if line is None:
        return _sound_mask(state.max_voices, rule)
    low, high = constraints.compass.get(voice_name(line.voice), (0, 127))
    motions = NO_MOTIONS
    if constraints.strict:
        lowest, highest, motions = voice_limits(state, line)
        low, high = max(low, lowest), min(high, highest)
    is_end = constraints.cadence and _is_open_to_end(state, line) and _is_in_final_chord(state)
    key = id_to_key(state.key_sound) if constraints.scale or is_end else None
    pitch_classes = _ALL_PITCH_CLASSES
    if key is not None:
        pitch_classes = frozenset(scale_pitch_classes(key)) if constraints.scale else pitch_classes
        pitch_classes = (
            pitch_classes & _final_pitch_classes(state, line, key) if is_end else pitch_classes
        )
    may_rest = not is_end and (state.longest_ticks > 1 or not _reaches_end(state))
    held_pitch = (
        line.composed[-1].code - PITCH_CODE
        if line.last_event[1] == MAX_DURATION and line.last_event[0] != REST
        else None
    )
    return _sound_mask(
        state.max_voices, rule, low, high, pitch_classes, motions, may_rest, held_pitch
    )


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
    """(V,) sounds that a rule of the grammar allows, with pitches in a range and of some classes, without some moves."""
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
    """(97,) which durations may follow the sound; not to be written to."""
    line, rule = state.line, state.duration_rule(sound)
    if line is None or not is_note_event(sound):
        return _duration_mask(rule)
    pitch = (
        None
        if sound == REST
        else line.composed[-1].code - PITCH_CODE
        if sound == HOLD
        else sound - PITCH
    )
    max_duration = state.longest_ticks
    start = stop = max_duration
    if pitch is None and _reaches_end(state):
        stop += 1
    if (
        constraints.cadence
        and state.end is not None
        and state.end - state.tick < 2 * MAX_DURATION
        and _is_open_to_end(state, line)
    ):
        key = id_to_key(state.key_sound)
        if key is not None:
            may_end = pitch is not None and pitch % 12 in _final_pitch_classes(state, line, key)
            start = max(0, final_chord_onset(state) - state.tick) + 1
            stop = state.end - state.tick if may_end else max_duration + 1
    if pitch is not None and constraints.strict:
        max_duration = strict_max_duration(
            state, line, pitch, start - 1 if start <= max_duration < stop else max_duration
        )
    return _duration_mask(rule, start, stop, max_duration)


@lru_cache(maxsize=4096)
def _duration_mask(
    rule: int, start: int = 0, stop: int = 0, max_duration: int = MAX_DURATION
) -> Mask:
    """(97,) durations that a rule of the grammar allows, `max_duration` at most, without those from `start` to `stop`."""
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


def _is_open_to_end(state: GrammarState, line: VoiceLine) -> bool:
    """Whether nothing is given after what is composed here."""
    return line.hole_end == state.end


def final_chord_onset(state: GrammarState) -> int:
    """Where the last chord begins: on the last strong beat that leaves it a quarter, or with the last note that is given.

    Strong is the beginning of a bar, and its middle where the bar has one.
    """
    assert state.end is not None
    latest, soonest = state.end - _SHORTEST_FINAL_TICKS, max(0, state.end - _LONGEST_FINAL_TICKS)
    given = [
        line.given[-1].onset
        for line in state.lines
        if line.given and line.given[-1].end == state.end
    ]
    if given:
        return max(soonest, *given)
    signature = state.meter_at(latest)[0]
    if signature is None:
        return max(soonest, latest)
    strong = signature.bar_ticks // (1 if signature.numerator % 2 else 2)
    return max(soonest, latest - state.meter_at(latest)[1] % strong)


def _final_pitch_classes(state: GrammarState, line: VoiceLine, key: Key) -> set[int]:
    """Pitch classes on which a voice may end: the root in the lowest voice, the chord above it, with no more than one third."""
    if line is state.lines[-1]:
        return {tonic_pitch_class(key)}
    upper = [other for other in state.lines[:-1] if other is not line]
    finals = {
        segment.code - PITCH_CODE
        for other in upper
        for segment in (_final_note(state, other),)
        if segment is not None
    }
    known = {pitch % 12 for pitch in finals} & (third_pitch_classes(key))
    thirds = known or third_pitch_classes(key)
    is_last_chance = bool(upper) and all(_final_note(state, other) is not None for other in upper)
    return (
        set(thirds)
        if is_last_chance and not known
        else {tonic_pitch_class(key), (tonic_pitch_class(key) + 7) % 12, *thirds}
    )


def third_pitch_classes(key: Key) -> set[int]:
    """Pitch classes of the third over the tonic: the major one, and in minor both, since a minor piece may end in major."""
    return {
        (tonic_pitch_class(key) + third) % 12 for third in ((3, 4) if key.mode == "minor" else (4,))
    }


def _final_note(state: GrammarState, line: VoiceLine) -> Segment | None:
    """The note that ends a line, where it is known already."""
    last = [
        segments[-1]
        for segments in (line.given, line.composed)
        if segments and segments[-1].end == state.end
    ]
    return last[0] if last and last[0].code >= PITCH_CODE else None
