"""What an id means. An event is two ids: a sound (what) and a duration (how long).

The sound ids are arithmetic and never depend on a corpus::

    PAD BOS EOS GIVEN BODY PICKUP REST HOLD HOLE | PITCH_0..127 | KEY | VOICE | STYLE | TIMESIG

A duration id is a number of ticks, 0..96; only notes, rests, holes and pickups have one, and a time signature that changes under a
sounding note says how long ago it changed.
"""

from __future__ import annotations

from functools import cache
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Mask
from seqmusic.errors import UnencodableError
from seqmusic.score import SATB, Key, TimeSignature

PAD, BOS, EOS, GIVEN, BODY, PICKUP, REST, HOLD, HOLE = range(9)
_SPECIAL_NAMES = ("PAD", "BOS", "EOS", "GIVEN", "BODY", "PICKUP", "REST", "HOLD", "HOLE")
PITCH = len(_SPECIAL_NAMES)
KEY = PITCH + 128  # unknown, then 15 signatures for each mode
_MODES = ("major", "minor", "")
N_KEYS = 1 + 15 * len(_MODES)
VOICE = KEY + N_KEYS  # soprano, alto, tenor, bass, then voice 1..16
MAX_VOICES = 16
N_VOICE_NAMES = len(SATB) + MAX_VOICES
STYLE = VOICE + N_VOICE_NAMES
N_STYLES = 16
TIMESIG = STYLE + N_STYLES  # unknown, then 1..16 over 2, 4, 8, 16
_DENOMINATORS = (2, 4, 8, 16)
_MAX_NUMERATOR = 16
N_TIMESIGS = 1 + _MAX_NUMERATOR * len(_DENOMINATORS)
N_SOUNDS = TIMESIG + N_TIMESIGS
MAX_DURATION = 96
N_DURATIONS = MAX_DURATION + 1

_Sounds = NDArray[np.integer[Any]]


@overload
def is_pitch(sound: int) -> bool: ...
@overload
def is_pitch(sound: _Sounds) -> Mask: ...
def is_pitch(sound: int | _Sounds) -> bool | Mask:
    """Whether a sound id, or each of an array, is a pitch."""
    return (sound >= PITCH) & (sound < KEY)


@overload
def is_note_event(sound: int) -> bool: ...
@overload
def is_note_event(sound: _Sounds) -> Mask: ...
def is_note_event(sound: int | _Sounds) -> bool | Mask:
    """Whether a sound id, or each of an array, is a pitch, a rest or a tie (HOLD).

    >>> [is_note_event(sound) for sound in (REST, HOLD, HOLE, PITCH + 60, KEY)]
    [True, True, False, True, False]
    """
    return (sound >= REST) & (sound < KEY) & (sound != HOLE)


@overload
def is_key(sound: int) -> bool: ...
@overload
def is_key(sound: _Sounds) -> Mask: ...
def is_key(sound: int | _Sounds) -> bool | Mask:
    """Whether a sound id, or each of an array, is a key."""
    return (sound >= KEY) & (sound < VOICE)


@overload
def is_voice(sound: int) -> bool: ...
@overload
def is_voice(sound: _Sounds) -> Mask: ...
def is_voice(sound: int | _Sounds) -> bool | Mask:
    """Whether a sound id, or each of an array, is a voice."""
    return (sound >= VOICE) & (sound < STYLE)


@overload
def is_style(sound: int) -> bool: ...
@overload
def is_style(sound: _Sounds) -> Mask: ...
def is_style(sound: int | _Sounds) -> bool | Mask:
    """Whether a sound id, or each of an array, is a style."""
    return (sound >= STYLE) & (sound < TIMESIG)


def key_to_id(key: Key | None) -> int:
    """Sound id of a key."""
    return KEY if key is None else KEY + 1 + 15 * _MODES.index(key.mode) + key.sharps + 7


@cache
def id_to_key(sound: int) -> Key | None:
    """Key of a sound id, the inverse of `key_to_id`."""
    index = sound - KEY - 1
    return None if index < 0 else Key(index % 15 - 7, _MODES[index // 15])


def timesig_to_id(signature: TimeSignature | None) -> int:
    """Sound id of a time signature.

    Raises:
        UnencodableError: no id stands for it.
    """
    if signature is None:
        return TIMESIG
    if signature.denominator not in _DENOMINATORS or signature.numerator > _MAX_NUMERATOR:
        raise UnencodableError(
            f"time signature {signature} has no token; 1..{_MAX_NUMERATOR} over {', '.join(map(str, _DENOMINATORS))} have one"
        )
    return (
        TIMESIG
        + 1
        + _DENOMINATORS.index(signature.denominator) * _MAX_NUMERATOR
        + signature.numerator
        - 1
    )


@cache
def id_to_timesig(sound: int) -> TimeSignature | None:
    """Time signature of a sound id, the inverse of `timesig_to_id`."""
    index = sound - TIMESIG - 1
    return (
        None
        if index < 0
        else TimeSignature(index % _MAX_NUMERATOR + 1, _DENOMINATORS[index // _MAX_NUMERATOR])
    )


def voice_name(sound: int) -> str:
    """Name of the voice of a sound id, for instance "Alto" or "Voice 3"."""
    index = sound - VOICE
    return SATB[index] if index < len(SATB) else f"Voice {index - len(SATB) + 1}"


def voice_column(sound: int) -> int:
    """Place of a voice in the context: soprano and voice 1 are 0, alto and voice 2 are 1, and so on."""
    index = sound - VOICE
    return index if index < len(SATB) else index - len(SATB)


def sound_name(sound: int) -> str:
    """A sound id in words, for people.

    >>> [sound_name(i) for i in (BOS, REST, PITCH + 60, key_to_id(Key(-1, "minor")), VOICE + 3, timesig_to_id(TimeSignature(3, 4)))]
    ['BOS', 'REST', 'PITCH_60', 'KEY_-1_minor', 'VOICE_Bass', 'TIMESIG_3/4']
    """
    if not 0 <= sound < N_SOUNDS:
        raise ValueError(f"sound must be an id in 0..{N_SOUNDS - 1}, got {sound}")
    if sound < PITCH:
        return _SPECIAL_NAMES[sound]
    if sound < KEY:
        return f"PITCH_{sound - PITCH}"
    if sound < VOICE:
        key = id_to_key(sound)
        return f"KEY_{key.sharps:+d}_{key.mode or 'unknown'}" if key else "KEY_unknown"
    if sound < STYLE:
        return f"VOICE_{voice_name(sound).replace(' ', '_')}"
    if sound < TIMESIG:
        return f"STYLE_{sound - STYLE}"
    return f"TIMESIG_{id_to_timesig(sound) or 'unknown'}"
