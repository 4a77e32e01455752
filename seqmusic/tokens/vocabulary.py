"""The meaning of the ids. An event is two ids: a sound (what) and a duration (how long).

The sound ids follow from sums and never depend on a corpus::

    PAD BOS EOS GIVEN BODY PICKUP PHRASES FERMATA REST HOLD HOLE
    | PITCH_0..127 | KEY | VOICE | STYLE | TIMESIG

A duration id is a number of ticks, 0..96. Notes, rests, holes and pickups have one. A time
signature that changes while a note sounds also has one: the ticks since it changed. All others
have 0.
"""

from __future__ import annotations

from functools import cache
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Mask
from seqmusic.errors import UnencodableError
from seqmusic.score import SATB, Key, TimeSignature

PAD, BOS, EOS, GIVEN, BODY, PICKUP, PHRASES, FERMATA, REST, HOLD, HOLE = range(11)
_SPECIAL_NAMES = (
    *("PAD", "BOS", "EOS", "GIVEN", "BODY", "PICKUP", "PHRASES", "FERMATA"),
    *("REST", "HOLD", "HOLE"),
)
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
    """Key of a sound id; None for the unknown key. The inverse of `key_to_id`."""
    index = sound - KEY - 1
    return None if index < 0 else Key(index % 15 - 7, _MODES[index // 15])


def timesig_to_id(signature: TimeSignature | None) -> int:
    """Sound id of a time signature.

    Raises:
        UnencodableError: there is no id for it.
    """
    if signature is None:
        return TIMESIG
    if signature.denominator not in _DENOMINATORS or signature.numerator > _MAX_NUMERATOR:
        denominators = ", ".join(map(str, _DENOMINATORS))
        raise UnencodableError(
            f"time signature {signature} has no token; "
            f"1..{_MAX_NUMERATOR} over {denominators} have one"
        )
    block = _MAX_NUMERATOR * _DENOMINATORS.index(signature.denominator)
    return TIMESIG + block + signature.numerator


@cache
def id_to_timesig(sound: int) -> TimeSignature | None:
    """Time signature of a sound id; None for the unknown one. The inverse of `timesig_to_id`."""
    if sound <= TIMESIG:
        return None
    block, numerator = divmod(sound - TIMESIG - 1, _MAX_NUMERATOR)
    return TimeSignature(numerator + 1, _DENOMINATORS[block])


def voice_name(sound: int) -> str:
    """Name of the voice of a sound id, for instance "Alto" or "Voice 3"."""
    index = sound - VOICE
    return SATB[index] if index < len(SATB) else f"Voice {index - len(SATB) + 1}"


VOICE_IDS = {voice_name(sound): sound for sound in range(VOICE, STYLE)}
"""VOICE id of each voice name."""


def voice_column(sound: int) -> int:
    """Column of a voice in the context.

    >>> [voice_column(VOICE + index) for index in (0, 3, 4, 5)]  # soprano, bass, voices 1 and 2
    [0, 3, 0, 1]
    """
    index = sound - VOICE
    return index if index < len(SATB) else index - len(SATB)


def sound_name(sound: int) -> str:
    """Readable name of a sound id.

    >>> [sound_name(sound) for sound in (BOS, REST, PITCH + 60, VOICE + 3)]
    ['BOS', 'REST', 'PITCH_60', 'VOICE_Bass']
    >>> sound_name(key_to_id(Key(-1, "minor"))), sound_name(timesig_to_id(TimeSignature(3, 4)))
    ('KEY_-1_minor', 'TIMESIG_3/4')
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
