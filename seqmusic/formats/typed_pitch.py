"""Pitches as people type them: letters (C4, Bb3, F#5) or syllables (do4, mib4, sol#3)."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

from seqmusic.tonality import Spelling, spell

_SYLLABLES = ("do", "ré", "mi", "fa", "sol", "la", "si")
_STEPS = {step.lower(): step for step in "CDEFGAB"}
_STEPS |= dict(zip(_SYLLABLES, "CDEFGAB", strict=True)) | {"re": "D"}
_ALTERS = {"": 0, "#": 1, "##": 2, "x": 2, "b": -1, "bb": -2}
_UNICODE_ACCIDENTALS = str.maketrans({"♯": "#", "♭": "b", "𝄪": "x", "𝄫": "bb"})
_PITCH = re.compile(r"(do|re|ré|mi|fa|sol|la|si|[a-g])([#bx]*)(-?[0-9]{1,3})?")
_COMMON_NAMES = (
    *("C", "D", "E", "F", "G", "A", "B", "Bb", "Eb", "Ab", "Db", "Gb"),
    *("F#", "C#", "G#", "D#", "A#", "E#", "B#", "Cb", "Fb"),
    *(syllable + accidental for accidental in ("", "b", "#") for syllable in _SYLLABLES),
)
_COMMON_OCTAVES = ("4", "3", "5", "2", "6", "1", "7", "0", "8", "", "-1")


def parse_pitch(text: str) -> int | None:
    """The MIDI number of a pitch typed with its octave; None for anything else.

    >>> parse_pitch("Bb3"), parse_pitch("sol#4"), parse_pitch("H3")
    (58, 68, None)
    """
    spelling = parse_spelling(normalized(text))
    return spelling.pitch if spelling and 0 <= spelling.pitch <= 127 else None


def parse_spelling(text: str, octave: int | None = None) -> Spelling | None:
    """The written pitch of a normalized text, in `octave` where it names none; None for no pitch.

    >>> str(parse_spelling("sib", octave=3))
    'Bb3'
    """
    match = _PITCH.fullmatch(text)
    if not match or match[2] not in _ALTERS:
        return None
    if match[3]:
        octave = int(match[3])
    return None if octave is None else Spelling(_STEPS[match[1]], _ALTERS[match[2]], octave)


def normalized(text: str) -> str:
    """The text in lower case, with its accidentals in ASCII."""
    return unicodedata.normalize("NFC", text).translate(_UNICODE_ACCIDENTALS).lower()


def nearest_in_range(pitch: int) -> str:
    """The name of the pitch in 0..127 that is nearest to one outside, whole octaves away.

    >>> nearest_in_range(128), nearest_in_range(-1)
    ('G#8', 'B-1')
    """
    pitch_class = pitch % 12
    return str(spell(pitch_class if pitch < 0 else max(range(pitch_class, 128, 12)), None))


def nearest_sound(text: str) -> str:
    """The sound of a theme most like a normalized text that is none; of equals the commonest.

    >>> nearest_sound("h4"), nearest_sound("200"), nearest_sound("dmi4")
    ('B4', '127', 'mi4')
    """
    if text.isdigit():
        return "127"
    if match := re.fullmatch(r"(.)(##?|bb?|x|)(-?[0-9]?)", text):  # only the letter is wrong
        likely_steps = {"#": "F", "b": "B"}
        # H is B natural in German.
        step = "B" if match[1] == "h" else likely_steps.get(match[2][:1], "C")
        return f"{step}{match[2]}{match[3]}"
    candidates = [name + octave for octave in _COMMON_OCTAVES for name in _COMMON_NAMES]
    return max([*candidates, "R", "_"], key=lambda candidate: similarity(text, candidate.lower()))


def similarity(text: str, candidate: str) -> float:
    """How alike a typed text, of any length, and a valid one are, 0..1."""
    return SequenceMatcher(None, text[:20], candidate).ratio()
