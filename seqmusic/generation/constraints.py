"""What composed music must obey beyond the grammar, as masks over what may be drawn next.

A sound is drawn before its duration, so each rule is asked twice: may this pitch begin here, and may it last so long. Both look at
all that is known around: what was composed, and what is given, ahead too. Whatever passes both masks obeys the rules for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import TICKS_PER_SIXTEENTH, Key
from seqmusic.tokens import rules
from seqmusic.tokens.context import SOUND_PITCH
from seqmusic.tokens.grammar import Walk
from seqmusic.tokens.lines import Line, Tile
from seqmusic.tokens.vocabulary import HOLD, KEY, MAX_DURATION, N_SOUNDS, PITCH, REST, TIMESIG, id_key, voice_name
from seqmusic.tonality import scale_classes, tonic_class

Mask = NDArray[np.bool_]
_PITCHES = np.arange(128)
_FIFTH, _OCTAVE = 7, 0
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
    """(V,) which sounds may come next: those of the grammar, without changes of meter, without a rest at the end, by the rules."""
    mask: Mask = rules.sound_masks(walk.max_voices)[walk.sound_rule].copy()
    mask[TIMESIG:] = False
    line = walk.line
    if line is None:
        return mask
    mask[REST] &= walk.longest_ticks > 1 or not _reaches_end(walk)
    allowed = _allowed_pitches(walk, line, constraints)
    mask[PITCH:KEY] &= allowed
    mask[REST] &= not (constraints.cadence and _is_final(walk, line) and _is_in_final_chord(walk))
    if mask[HOLD] and line.last is not None:
        mask[HOLD] = allowed[line.made[-1].code - SOUND_PITCH]
    return mask


def allowed_durations(walk: Walk, sound: int, constraints: Constraints) -> Mask:
    """(97,) which durations may follow the sound."""
    mask: Mask = rules.duration_masks()[walk.duration_rule(sound)].copy()
    line = walk.line
    if line is None or sound >= KEY:
        return mask
    pitch = None if sound == REST else line.made[-1].code - SOUND_PITCH if sound == HOLD else sound - PITCH
    key = id_key(walk.key_sound)
    if constraints.cadence and key is not None and _is_final(walk, line) and walk.end is not None:
        may_end = pitch is not None and pitch % 12 in _final_classes(walk, line, key)
        before = max(0, final_onset(walk) - walk.now)
        mask[before + 1 : walk.end - walk.now] = False
        mask[walk.end - walk.now :] &= may_end
    if pitch is None:
        mask[walk.longest_ticks] &= not _reaches_end(walk)
        return mask
    if constraints.strict:
        mask[_strict_limit(walk, line, pitch, int(np.flatnonzero(mask).max(initial=0))) + 1 :] = False
    return mask


def _reaches_end(walk: Walk) -> bool:
    """Whether the longest event that fits here is the last of its voice."""
    return walk.end is not None and walk.now + walk.longest_ticks == walk.end


def _is_in_final_chord(walk: Walk) -> bool:
    return walk.end is not None and walk.now >= walk.end - _LONGEST_FINAL_TICKS and walk.now >= final_onset(walk)


def _is_final(walk: Walk, line: Line) -> bool:
    """Whether nothing is given after what is composed here."""
    return walk.end is not None and line.holes[0][1] == walk.end


def final_onset(walk: Walk) -> int:
    """Where the last chord begins: on the last strong beat that leaves it a quarter, or with the last note that is given.

    Strong is the beginning of a bar, and its middle where the bar has one.
    """
    assert walk.end is not None
    latest, soonest = walk.end - _SHORTEST_FINAL_TICKS, max(0, walk.end - _LONGEST_FINAL_TICKS)
    given = [line.given[-1].onset for line in walk.lines if line.given and line.given[-1].end == walk.end]
    if given:
        return max(soonest, *given)
    signature = walk.meter_at(latest)[0]
    if signature is None:
        return max(soonest, latest)
    strong = signature.bar_ticks // (1 if signature.numerator % 2 else 2)
    return max(soonest, latest - walk.meter_at(latest)[1] % strong)


def _allowed_pitches(walk: Walk, line: Line, constraints: Constraints) -> Mask:
    """(128,) which pitches may begin now."""
    allowed = _between(*constraints.compass.get(voice_name(line.voice), (0, 127)))
    key = id_key(walk.key_sound)
    if constraints.scale and key is not None:
        allowed = allowed & _of_classes(frozenset(scale_classes(key)))
    if constraints.cadence and key is not None and _is_final(walk, line) and _is_in_final_chord(walk):
        allowed = allowed & _of_classes(frozenset(_final_classes(walk, line, key)))
    if constraints.strict:
        allowed = allowed & ~_faulty_pitches(walk, line)
    return allowed


@lru_cache(maxsize=4096)
def _between(low: int, high: int) -> Mask:
    """(128,) the pitches from one to another, both included."""
    return _fixed((low <= _PITCHES) & (high >= _PITCHES))


@lru_cache(maxsize=256)
def _of_classes(classes: frozenset[int]) -> Mask:
    """(128,) the pitches of these classes."""
    return _fixed(np.isin(_PITCHES % 12, list(classes)))


def _fixed(mask: Mask) -> Mask:
    mask.flags.writeable = False
    return mask


def faulty_sounds(walk: Walk) -> Mask:
    """(V,) sounds by which the next voice would cross another one, or move in parallel fifths, octaves or unisons with it."""
    mask = np.zeros(N_SOUNDS, dtype=bool)
    if (line := walk.line) is not None:
        mask[PITCH:KEY] = _faulty_pitches(walk, line)
    return mask


def _faulty_pitches(walk: Walk, line: Line) -> Mask:
    """(128,) the same, of pitches."""
    return ~_uncrossed(walk, line) | _parallel_pitches(walk, line)


def _final_classes(walk: Walk, line: Line, key: Key) -> set[int]:
    """Pitch classes on which a voice may end: the root in the lowest voice, the chord above it, with no more than one third."""
    if line is walk.lines[-1]:
        return {tonic_class(key)}
    upper = [other for other in walk.lines[:-1] if other is not line]
    finals = {tile.code - SOUND_PITCH for other in upper for tile in (_final(walk, other),) if tile is not None}
    known = {pitch % 12 for pitch in finals} & (third_classes(key))
    thirds = known or third_classes(key)
    is_last_chance = bool(upper) and all(_final(walk, other) is not None for other in upper)
    return set(thirds) if is_last_chance and not known else {tonic_class(key), (tonic_class(key) + 7) % 12, *thirds}


def third_classes(key: Key) -> set[int]:
    """Pitch classes of the third over the tonic: the major one, and in minor both, since a minor piece may end in major."""
    return {(tonic_class(key) + third) % 12 for third in ((3, 4) if key.mode == "minor" else (4,))}


def _final(walk: Walk, line: Line) -> Tile | None:
    """The note that ends a line, where it is known already."""
    last = [tiles[-1] for tiles in (line.given, line.made) if tiles and tiles[-1].end == walk.end]
    return last[0] if last and last[0].code >= SOUND_PITCH else None


def _uncrossed(walk: Walk, line: Line) -> Mask:
    """(128,) pitches between what the higher and the lower voices sound now."""
    low, high, is_lower = 0, 127, False
    for other in walk.lines:
        if other is line:
            is_lower = True
        elif (pitch := other.pitch_at(walk.now)) is not None:
            low, high = (max(low, pitch), high) if is_lower else (low, min(high, pitch))
    return _between(low, high)


def _parallel_pitches(walk: Walk, line: Line) -> Mask:
    """(128,) pitches that would move from what this voice sounded in parallel with another voice."""
    found = _between(1, 0)
    for before in _befores(walk.now):
        start = line.pitch_at(before)
        for other in walk.lines:
            if other is not line and start is not None:
                found = found | _parallels(start, other.pitch_at(before), other.pitch_at(walk.now))
    return found


@lru_cache(maxsize=4096)
def _parallels(start: int, other_start: int | None, other_end: int | None) -> Mask:
    """(128,) the pitches to which a voice would move in parallel with the other one."""
    return _fixed(parallel(start, _PITCHES, other_start, other_end))


def _strict_limit(walk: Walk, line: Line, pitch: int, longest: int) -> int:
    """How many ticks a pitch may last, `longest` at most, before it crosses a voice or moves in parallel with one."""
    limit, now, is_lower = longest, walk.now, False
    for other in walk.lines:
        if other is line:
            is_lower = True
            continue
        for tile in _near(other, now):
            crosses = tile.code >= SOUND_PITCH and (tile.code - SOUND_PITCH - pitch) * (1 if is_lower else -1) > 0
            if crosses and tile.end > now:
                limit = min(limit, tile.onset - now)
    grid = -(-(now + 1) // TICKS_PER_SIXTEENTH) * TICKS_PER_SIXTEENTH
    if limit > grid - now > 0 and _moves_in_parallel(walk, line, Tile(now, now + limit, pitch + SOUND_PITCH), grid):
        limit = grid - now
    hole_end = line.holes[0][1]
    if hole_end is not None and limit == hole_end - now:
        own = Tile(now, hole_end, pitch + SOUND_PITCH)
        after = -(-hole_end // TICKS_PER_SIXTEENTH) * TICKS_PER_SIXTEENTH
        limit -= _moves_in_parallel(walk, line, own, hole_end) or _moves_in_parallel(walk, line, own, after)
    return limit


def _moves_in_parallel(walk: Walk, line: Line, own: Tile, tick: int) -> bool:
    """Whether the line, with a tile of its own, moves into a tick in parallel with a voice that is known there."""

    def pitch_at(moment: int) -> int | None:
        return own.code - SOUND_PITCH if own.onset <= moment < own.end else line.pitch_at(moment)

    end = pitch_at(tick)
    for before in _befores(tick):
        start = pitch_at(before)
        for other in walk.lines:
            is_known = other is not line and start is not None and end is not None
            if is_known and _parallels(start, other.pitch_at(before), other.pitch_at(tick))[end]:
                return True
    return False


def parallel(start: int, ends: NDArray[np.int64], other_start: int | None, other_end: int | None) -> Mask:
    """Of each end, whether a voice going there moves in parallel fifths, octaves or unisons with the other one.

    >>> parallel(60, np.array([62, 60, 58]), 67, 69).tolist()
    [True, False, False]
    """
    if other_start is None or other_end is None or other_start == other_end:
        return np.zeros(len(ends), dtype=bool)
    interval = abs(start - other_start) % 12
    same_way = np.sign(ends - start) == (1 if other_end > other_start else -1)
    return np.asarray(same_way & (np.abs(ends - other_end) % 12 == interval) & (interval in (_FIFTH, _OCTAVE)))


def _befores(tick: int) -> tuple[int, ...]:
    """Ticks to compare with: the one before, and on the sixteenth grid the sixteenth before."""
    return (tick - 1,) if tick % TICKS_PER_SIXTEENTH else (tick - 1, tick - TICKS_PER_SIXTEENTH)


def _near(line: Line, now: int) -> list[Tile]:
    """What is known of a line from shortly before now to the longest note ahead, in order of time."""
    first = max(0, line.n_past - 2)
    given = [tile for tile in line.given[first : first + 2 + MAX_DURATION] if tile.onset <= now + MAX_DURATION]
    return sorted([*given, *line.made[-12:]], key=lambda tile: tile.onset)
