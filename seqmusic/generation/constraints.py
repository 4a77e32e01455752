"""What composed music must obey beyond the grammar, as masks over what may be drawn next.

A sound is drawn before its duration, so each rule is asked twice: may this pitch begin here, and may it last so long. Both look at
all that is known around: what was composed, and what is given, ahead too. Whatever passes both masks obeys the rules for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seqmusic.generation.voice_masks import (
    NO_MOVES,
    PITCHES,
    Mask,
    Moves,
    around,
    fixed,
    parallel_pitches,
    strict_limit,
)
from seqmusic.score import Key
from seqmusic.tokens import rules
from seqmusic.tokens.context import SOUND_PITCH
from seqmusic.tokens.grammar import Walk
from seqmusic.tokens.vocabulary import (
    HOLD,
    KEY,
    MAX_DURATION,
    PITCH,
    REST,
    TIMESIG,
    id_key,
    voice_name,
)
from seqmusic.tokens.voice_line import Line, Tile
from seqmusic.tonality import scale_classes, tonic_class

_ALL_CLASSES = frozenset(range(12))
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


def allowed_sounds(walk: Walk, constraints: Constraints) -> Mask:
    """(V,) which sounds may come next: those of the grammar, without changes of meter, without a rest at the end, by the rules.

    Not to be written to.
    """
    line, rule = walk.line, walk.sound_rule
    if line is None:
        return _sounds(walk.max_voices, rule)
    low, high = constraints.compass.get(voice_name(line.voice), (0, 127))
    moves = NO_MOVES
    if constraints.strict:
        lowest, highest, moves = around(walk, line)
        low, high = max(low, lowest), min(high, highest)
    is_end = constraints.cadence and _is_final(walk, line) and _is_in_final_chord(walk)
    key = id_key(walk.key_sound) if constraints.scale or is_end else None
    classes = _ALL_CLASSES
    if key is not None:
        classes = frozenset(scale_classes(key)) if constraints.scale else classes
        classes = classes & _final_classes(walk, line, key) if is_end else classes
    may_rest = not is_end and (walk.longest_ticks > 1 or not _reaches_end(walk))
    held = (
        line.made[-1].code - SOUND_PITCH
        if line.last[1] == MAX_DURATION and line.last[0] != REST
        else None
    )
    return _sounds(walk.max_voices, rule, low, high, classes, moves, may_rest, held)


@lru_cache(maxsize=4096)
def _sounds(
    max_voices: int,
    rule: int,
    low: int = 0,
    high: int = 127,
    classes: frozenset[int] = _ALL_CLASSES,
    moves: Moves = NO_MOVES,
    may_rest: bool = True,
    held: int | None = None,
) -> Mask:
    """(V,) sounds that a rule of the grammar allows, with pitches in a range and of some classes, without some moves."""
    mask: Mask = rules.sound_masks(max_voices)[rule].copy()
    mask[TIMESIG:] = False
    pitches = (
        (low <= PITCHES)
        & (high >= PITCHES)
        & np.isin(PITCHES % 12, list(classes))
        & ~parallel_pitches(moves)
    )
    mask[PITCH:KEY] &= pitches
    mask[REST] &= may_rest
    mask[HOLD] &= held is None or pitches[held]
    return fixed(mask)


def allowed_durations(walk: Walk, sound: int, constraints: Constraints) -> Mask:
    """(97,) which durations may follow the sound; not to be written to."""
    line, rule = walk.line, walk.duration_rule(sound)
    if line is None or not (PITCH <= sound < KEY or sound in (REST, HOLD)):
        return _durations(rule)
    pitch = (
        None
        if sound == REST
        else line.made[-1].code - SOUND_PITCH
        if sound == HOLD
        else sound - PITCH
    )
    longest = walk.longest_ticks
    start = stop = longest
    if pitch is None and _reaches_end(walk):
        stop += 1
    if (
        constraints.cadence
        and walk.end is not None
        and walk.end - walk.now < 2 * MAX_DURATION
        and _is_final(walk, line)
    ):
        key = id_key(walk.key_sound)
        if key is not None:
            may_end = pitch is not None and pitch % 12 in _final_classes(walk, line, key)
            start = max(0, final_onset(walk) - walk.now) + 1
            stop = walk.end - walk.now if may_end else longest + 1
    if pitch is not None and constraints.strict:
        longest = strict_limit(walk, line, pitch, start - 1 if start <= longest < stop else longest)
    return _durations(rule, start, stop, longest)


@lru_cache(maxsize=4096)
def _durations(rule: int, start: int = 0, stop: int = 0, longest: int = MAX_DURATION) -> Mask:
    """(97,) durations that a rule of the grammar allows, `longest` at most, without those from `start` to `stop`."""
    mask: Mask = rules.duration_masks()[rule].copy()
    mask[start:stop] = False
    mask[longest + 1 :] = False
    return fixed(mask)


def _reaches_end(walk: Walk) -> bool:
    """Whether the longest event that fits here is the last of its voice."""
    return walk.end is not None and walk.now + walk.longest_ticks == walk.end


def _is_in_final_chord(walk: Walk) -> bool:
    return (
        walk.end is not None
        and walk.now >= walk.end - _LONGEST_FINAL_TICKS
        and walk.now >= final_onset(walk)
    )


def _is_final(walk: Walk, line: Line) -> bool:
    """Whether nothing is given after what is composed here."""
    return line.until == walk.end


def final_onset(walk: Walk) -> int:
    """Where the last chord begins: on the last strong beat that leaves it a quarter, or with the last note that is given.

    Strong is the beginning of a bar, and its middle where the bar has one.
    """
    assert walk.end is not None
    latest, soonest = walk.end - _SHORTEST_FINAL_TICKS, max(0, walk.end - _LONGEST_FINAL_TICKS)
    given = [
        line.given[-1].onset for line in walk.lines if line.given and line.given[-1].end == walk.end
    ]
    if given:
        return max(soonest, *given)
    signature = walk.meter_at(latest)[0]
    if signature is None:
        return max(soonest, latest)
    strong = signature.bar_ticks // (1 if signature.numerator % 2 else 2)
    return max(soonest, latest - walk.meter_at(latest)[1] % strong)


def _final_classes(walk: Walk, line: Line, key: Key) -> set[int]:
    """Pitch classes on which a voice may end: the root in the lowest voice, the chord above it, with no more than one third."""
    if line is walk.lines[-1]:
        return {tonic_class(key)}
    upper = [other for other in walk.lines[:-1] if other is not line]
    finals = {
        tile.code - SOUND_PITCH
        for other in upper
        for tile in (_final(walk, other),)
        if tile is not None
    }
    known = {pitch % 12 for pitch in finals} & (third_classes(key))
    thirds = known or third_classes(key)
    is_last_chance = bool(upper) and all(_final(walk, other) is not None for other in upper)
    return (
        set(thirds)
        if is_last_chance and not known
        else {tonic_class(key), (tonic_class(key) + 7) % 12, *thirds}
    )


def third_classes(key: Key) -> set[int]:
    """Pitch classes of the third over the tonic: the major one, and in minor both, since a minor piece may end in major."""
    return {(tonic_class(key) + third) % 12 for third in ((3, 4) if key.mode == "minor" else (4,))}


def _final(walk: Walk, line: Line) -> Tile | None:
    """The note that ends a line, where it is known already."""
    last = [tiles[-1] for tiles in (line.given, line.made) if tiles and tiles[-1].end == walk.end]
    return last[0] if last and last[0].code >= SOUND_PITCH else None
