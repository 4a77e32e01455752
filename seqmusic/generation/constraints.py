"""What composed music must obey beyond the grammar, as masks over what may be drawn next.

A sound is drawn before its duration, so each rule is asked twice: may this pitch begin here, and may it last so long. Both look at
all that is known around: what was composed, and what is given, ahead too. Whatever passes both masks obeys the rules for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

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
Moves = frozenset[tuple[int, int, int]]  # of each, the pitch that a voice leaves, and from where to where another one goes
_PITCHES = np.arange(128)
_ALL_CLASSES = frozenset(range(12))
_NO_MOVES: Moves = frozenset()
_PERFECT = (0, 7)  # semitones of unisons, octaves and fifths, octaves apart
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
    moves = _NO_MOVES
    if constraints.strict:
        lowest, highest, moves = _around(walk, line)
        low, high = max(low, lowest), min(high, highest)
    is_end = constraints.cadence and _is_final(walk, line) and _is_in_final_chord(walk)
    key = id_key(walk.key_sound) if constraints.scale or is_end else None
    classes = _ALL_CLASSES
    if key is not None:
        classes = frozenset(scale_classes(key)) if constraints.scale else classes
        classes = classes & _final_classes(walk, line, key) if is_end else classes
    may_rest = not is_end and (walk.longest_ticks > 1 or not _reaches_end(walk))
    held = line.made[-1].code - SOUND_PITCH if line.last[1] == MAX_DURATION and line.last[0] != REST else None
    return _sounds(walk.max_voices, rule, low, high, classes, moves, may_rest, held)


@lru_cache(maxsize=4096)
def _sounds(
    max_voices: int,
    rule: int,
    low: int = 0,
    high: int = 127,
    classes: frozenset[int] = _ALL_CLASSES,
    moves: Moves = _NO_MOVES,
    may_rest: bool = True,
    held: int | None = None,
) -> Mask:
    """(V,) sounds that a rule of the grammar allows, with pitches in a range and of some classes, without some moves."""
    mask: Mask = rules.sound_masks(max_voices)[rule].copy()
    mask[TIMESIG:] = False
    pitches = (low <= _PITCHES) & (high >= _PITCHES) & np.isin(_PITCHES % 12, list(classes)) & ~_parallel_pitches(moves)
    mask[PITCH:KEY] &= pitches
    mask[REST] &= may_rest
    mask[HOLD] &= held is None or pitches[held]
    return _fixed(mask)


def allowed_durations(walk: Walk, sound: int, constraints: Constraints) -> Mask:
    """(97,) which durations may follow the sound; not to be written to."""
    line, rule = walk.line, walk.duration_rule(sound)
    if line is None or not (PITCH <= sound < KEY or sound in (REST, HOLD)):
        return _durations(rule)
    pitch = None if sound == REST else line.made[-1].code - SOUND_PITCH if sound == HOLD else sound - PITCH
    longest = walk.longest_ticks
    start = stop = longest
    if pitch is None and _reaches_end(walk):
        stop += 1
    if constraints.cadence and walk.end is not None and walk.end - walk.now < 2 * MAX_DURATION and _is_final(walk, line):
        key = id_key(walk.key_sound)
        if key is not None:
            may_end = pitch is not None and pitch % 12 in _final_classes(walk, line, key)
            start = max(0, final_onset(walk) - walk.now) + 1
            stop = walk.end - walk.now if may_end else longest + 1
    if pitch is not None and constraints.strict:
        longest = _strict_limit(walk, line, pitch, start - 1 if start <= longest < stop else longest)
    return _durations(rule, start, stop, longest)


@lru_cache(maxsize=4096)
def _durations(rule: int, start: int = 0, stop: int = 0, longest: int = MAX_DURATION) -> Mask:
    """(97,) durations that a rule of the grammar allows, `longest` at most, without those from `start` to `stop`."""
    mask: Mask = rules.duration_masks()[rule].copy()
    mask[start:stop] = False
    mask[longest + 1 :] = False
    return _fixed(mask)


def _reaches_end(walk: Walk) -> bool:
    """Whether the longest event that fits here is the last of its voice."""
    return walk.end is not None and walk.now + walk.longest_ticks == walk.end


def _is_in_final_chord(walk: Walk) -> bool:
    return walk.end is not None and walk.now >= walk.end - _LONGEST_FINAL_TICKS and walk.now >= final_onset(walk)


def _is_final(walk: Walk, line: Line) -> bool:
    """Whether nothing is given after what is composed here."""
    return line.until == walk.end


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


def _fixed(mask: Mask) -> Mask:
    mask.flags.writeable = False
    return mask


def faulty_sounds(walk: Walk) -> Mask:
    """(V,) sounds by which the next voice would cross another one, or move in parallel fifths, octaves or unisons with it.

    Not to be written to.
    """
    line = walk.line
    return _fixed(np.zeros(N_SOUNDS, dtype=bool)) if line is None else _faults(*_around(walk, line))


@lru_cache(maxsize=4096)
def _faults(low: int, high: int, moves: Moves) -> Mask:
    """(V,) pitches outside a range, and those to which a voice would move in parallel."""
    mask = np.zeros(N_SOUNDS, dtype=bool)
    mask[PITCH:KEY] = (low > _PITCHES) | (high < _PITCHES) | _parallel_pitches(moves)
    return _fixed(mask)


def _around(walk: Walk, line: Line) -> tuple[int, int, Moves]:
    """The lowest and the highest pitch that crosses no other voice now, and what of the others a voice may be in parallel with."""
    low, high, is_lower, moves = 0, 127, False, set()
    befores = [(tick, start) for tick in _befores(walk.now) if (start := line.pitch_at(tick)) is not None]
    for other in walk.lines:
        if other is line:
            is_lower = True
            continue
        if (pitch := other.pitch_at(walk.now)) is None:
            continue
        low, high = (max(low, pitch), high) if is_lower else (low, min(high, pitch))
        for tick, start in befores:
            was = pitch if other.heard[-1].onset <= tick else other.pitch_at(tick)
            if was is not None and was != pitch and abs(start - was) % 12 in _PERFECT:
                moves.add((start, was, pitch))
    return low, high, frozenset(moves)


def _parallel_pitches(moves: Moves) -> Mask:
    """(128,) pitches that would be reached in parallel with one of the moves."""
    found = np.zeros(len(_PITCHES), dtype=bool)
    for move in moves:
        found |= _parallels(*move)
    return found


@lru_cache(maxsize=4096)
def _parallels(start: int, other_start: int | None, other_end: int | None) -> Mask:
    """(128,) the pitches to which a voice would move in parallel with the other one."""
    return _fixed(parallel(start, _PITCHES, other_start, other_end))


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
    hole_end = line.until
    if limit == hole_end - now:
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
    return np.asarray(same_way & (np.abs(ends - other_end) % 12 == interval) & (interval in _PERFECT))


def _befores(tick: int) -> tuple[int, ...]:
    """Ticks to compare with: the one before, and on the sixteenth grid the sixteenth before."""
    return (tick - 1,) if tick % TICKS_PER_SIXTEENTH else (tick - 1, tick - TICKS_PER_SIXTEENTH)


def _near(line: Line, now: int) -> Iterator[Tile]:
    """What is known of a line from now to the longest note ahead, in order of time."""
    yield from line.heard[-1:]
    yield from takewhile(lambda tile: tile.onset <= now + MAX_DURATION, reversed(line.ahead))
