"""What may follow, as tables: a rule id stands for a set of sounds, another for a set of durations.

The state machine (`grammar`) gives rule ids; this module turns them into masks and sets.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import SATB
from seqmusic.tokens.vocabulary import (
    BODY,
    EOS,
    FERMATA,
    GIVEN,
    HOLD,
    HOLE,
    KEY,
    MAX_DURATION,
    MAX_VOICES,
    N_DURATIONS,
    N_KEYS,
    N_SOUNDS,
    N_STYLES,
    N_TIMESIGS,
    N_VOICE_NAMES,
    PHRASES,
    PICKUP,
    PITCH,
    REST,
    STYLE,
    TIMESIG,
    VOICE,
)

FIRST_VOICE = 0
AFTER_VOICE = 1  # + index of the voice
AFTER_STYLE = AFTER_VOICE + N_VOICE_NAMES
AFTER_PHRASES = AFTER_STYLE + 1
AFTER_METER = AFTER_STYLE + 2
AFTER_PICKUP = AFTER_STYLE + 3
AFTER_KEY = AFTER_STYLE + 4
NOTHING = AFTER_STYLE + 5
IN_SECTION = AFTER_STYLE + 6  # + bits
_N_BITS = 8
NOTE_BIT, REST_BIT, HOLD_BIT, TIMESIG_BIT, HOLE_BIT, BODY_BIT, EOS_BIT, FERMATA_BIT = (
    1 << i for i in range(_N_BITS)
)
N_SOUND_RULES = IN_SECTION + (1 << _N_BITS)

ZERO_TO = N_DURATIONS  # duration rule r allows 1..r; rule ZERO_TO + r allows 0..r
ONLY_ZERO = ZERO_TO
DURATIONS = tuple(range(first, limit + 1) for first in (1, 0) for limit in range(N_DURATIONS))
"""The durations that each duration rule allows."""


def note_bits(sound: int, duration: int, *, in_given: bool) -> int:
    """The notes, rests and holes that may follow an event in its line, as bits of a rule."""
    was_cut = duration == MAX_DURATION
    bits = NOTE_BIT
    bits |= REST_BIT if sound != REST or was_cut else 0
    bits |= HOLD_BIT if was_cut and sound not in (REST, HOLE) else 0
    if in_given:
        bits |= HOLE_BIT if sound != HOLE or was_cut else 0
    return bits


def without_fermata(rule: int) -> int:
    """The sound rule of a section that allows the same, but no fermata."""
    return IN_SECTION + ((rule - IN_SECTION) & ~FERMATA_BIT)


@cache
def sound_masks(max_voices: int) -> NDArray[np.bool_]:
    """(rule, sound) table: True where the sound may come next."""
    masks = np.zeros((N_SOUND_RULES, N_SOUNDS), dtype=bool)
    known_meters = slice(TIMESIG + 1, TIMESIG + N_TIMESIGS)
    masks[FIRST_VOICE] = _voices_after(-1, max_voices)
    for index in range(N_VOICE_NAMES):
        masks[AFTER_VOICE + index] = _voices_after(index, max_voices)
        masks[AFTER_VOICE + index, STYLE : STYLE + N_STYLES] = True
    masks[AFTER_VOICE : AFTER_STYLE + 1, PHRASES] = True
    masks[AFTER_VOICE : AFTER_PHRASES + 1, TIMESIG : TIMESIG + N_TIMESIGS] = True
    masks[AFTER_METER, PICKUP] = True
    masks[AFTER_PICKUP, KEY : KEY + N_KEYS] = True
    masks[AFTER_KEY, [GIVEN, BODY]] = True
    sounds_of_bits: dict[int, int | slice] = {
        **{NOTE_BIT: slice(PITCH, PITCH + 128), TIMESIG_BIT: known_meters, REST_BIT: REST},
        **{HOLD_BIT: HOLD, HOLE_BIT: HOLE, BODY_BIT: BODY, EOS_BIT: EOS},
        FERMATA_BIT: FERMATA,
    }
    for bits in range(1 << _N_BITS):
        for bit, sounds in sounds_of_bits.items():
            masks[IN_SECTION + bits, sounds] = bool(bits & bit)
    masks.flags.writeable = False
    return masks


@cache
def sound_sets(max_voices: int) -> tuple[frozenset[int], ...]:
    """The sounds that each rule allows, as sets."""
    return tuple(frozenset(np.flatnonzero(row).tolist()) for row in sound_masks(max_voices))


@cache
def duration_masks() -> NDArray[np.bool_]:
    """(rule, duration) table: True where the duration may follow the sound."""
    masks = np.zeros((len(DURATIONS), N_DURATIONS), dtype=bool)
    for row, durations in zip(masks, DURATIONS, strict=True):
        row[durations] = True
    masks.flags.writeable = False
    return masks


def _voices_after(index: int, max_voices: int) -> NDArray[np.bool_]:
    """(N_SOUNDS,) the voices that may follow the voice of an index, or begin where it is -1.

    Voices go from high to low. Either all are soprano, alto, tenor or bass, or all are numbered.
    """
    row = np.zeros(N_SOUNDS, dtype=bool)
    satb = range(len(SATB)) if max_voices >= len(SATB) else range(0)
    numbered = range(len(SATB), len(SATB) + min(max_voices, MAX_VOICES))
    family = [*satb, *numbered] if index < 0 else (satb if index in satb else numbered)
    row[[VOICE + i for i in family if i > index]] = True
    return row
