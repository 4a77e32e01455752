"""Ids: every id has one meaning, and every meaning one id."""

import numpy as np
import pytest

from seqmusic.errors import UnencodableError
from seqmusic.score import SATB, Key, TimeSignature
from seqmusic.tokens import vocabulary as v

KEYS = [None, *(Key(sharps, mode) for mode in ("major", "minor", "") for sharps in range(-7, 8))]
SIGNATURES = [None, *(TimeSignature(n, d) for d in (2, 4, 8, 16) for n in range(1, 17))]


def test_every_key_has_one_id():
    assert [v.key_to_id(key) for key in KEYS] == list(range(v.KEY, v.VOICE))
    assert [v.id_to_key(sound) for sound in range(v.KEY, v.VOICE)] == KEYS


def test_every_time_signature_has_one_id():
    assert [v.timesig_to_id(signature) for signature in SIGNATURES] == list(
        range(v.TIMESIG, v.N_SOUNDS)
    )
    assert [v.id_to_timesig(sound) for sound in range(v.TIMESIG, v.N_SOUNDS)] == SIGNATURES


@pytest.mark.parametrize("text", ["17/4", "64/2", "4/1", "4/32"])
def test_other_time_signatures_are_refused(text):
    with pytest.raises(UnencodableError, match=f"time signature {text} has no token"):
        v.timesig_to_id(TimeSignature.parse(text))


def test_every_voice_has_a_name_and_a_column():
    names = [v.voice_name(sound) for sound in range(v.VOICE, v.STYLE)]
    assert names == [*SATB, *(f"Voice {i}" for i in range(1, 17))]
    assert [v.VOICE_IDS[name] for name in names] == list(range(v.VOICE, v.STYLE))
    assert [v.voice_column(sound) for sound in range(v.VOICE, v.STYLE)] == [*range(4), *range(16)]


def test_no_two_ids_share_a_name():
    names = [v.sound_name(sound) for sound in range(v.N_SOUNDS)]
    assert len(set(names)) == v.N_SOUNDS
    assert names[:8] == ["PAD", "BOS", "EOS", "GIVEN", "BODY", "PICKUP", "PHRASES", "FERMATA"]
    assert names[8:11] == ["REST", "HOLD", "HOLE"]
    assert not any(" " in name for name in names)


@pytest.mark.parametrize("sound", [-1, v.N_SOUNDS])
def test_names_of_other_ids_are_refused(sound):
    with pytest.raises(ValueError, match=rf"must be an id in 0\.\.\d+, got {sound}"):
        v.sound_name(sound)


def test_kinds_of_sounds_are_the_same_for_one_id_as_for_arrays():
    sounds = np.arange(v.N_SOUNDS)
    members = {
        v.is_pitch: range(v.PITCH, v.PITCH + 128),
        v.is_note_event: [v.REST, v.HOLD, *range(v.PITCH, v.PITCH + 128)],
        v.is_key: range(v.KEY, v.KEY + v.N_KEYS),
        v.is_voice: range(v.VOICE, v.VOICE + 20),
        v.is_style: range(v.STYLE, v.STYLE + 16),
    }
    for is_kind, expected in members.items():
        assert np.flatnonzero(is_kind(sounds)).tolist() == list(expected)
        assert [sound for sound in range(v.N_SOUNDS) if is_kind(sound)] == list(expected)
