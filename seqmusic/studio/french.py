"""French for the sentences of the package that come from a closed list."""

from __future__ import annotations

import re

from seqmusic.studio.french_errors import ERRORS
from seqmusic.studio.french_sentences import MOTETS, TECHNIQUES, TERMS

_STEPS = {"C": "do", "D": "ré", "E": "mi", "F": "fa", "G": "sol", "A": "la", "B": "si"}
_BARS = re.compile(r"(.*), bars (\d+) to (\d+)\.")
_PITCH = re.compile(r"([A-G])(#+|b+|)(-?\d+)")
_KEY = re.compile(r"([A-G])(#|b|) (major|minor)")
_LENGTH = re.compile(r"([\d.]+) quarters?")
_SHIFT = re.compile(r"(?:(\d+) octaves?)?(?: and )?(?:(\d+) semitones?)? (up|down)")
_SEPARATOR = re.compile(r"(; |, )")
_MAX_CHARACTERS = 2000
_DECIMAL = re.compile(r"\d+\.\d+")
_PATTERNS = [(re.compile(pattern), text) for pattern, text in (*ERRORS, *MOTETS, *TECHNIQUES)]


def french(text: str) -> str:
    """A sentence of the package in French; "" where it is not in the list.

    >>> french("It is the tune, note by note.")
    "C'est l'air, note pour note."
    >>> french("Ground bass: Bass repeats 12 quarters, 5 times.")
    'Basse obstinée : Basse répète 12 noires, 5 fois.'
    >>> french("something else")
    ''
    """
    if len(text) > _MAX_CHARACTERS:
        return ""
    if (barred := _BARS.fullmatch(text)) and (sentence := french(f"{barred[1]}.")):
        return f"{sentence.removesuffix('.')}, mesures {barred[2]} à {barred[3]}."
    for pattern, template in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            groups = [_translated(group or "") for group in match.groups()]
            return template.format("", *groups)
    return ""


def _translated(group: str) -> str:
    """A part of a sentence in French; as it is where it has no words."""
    if group in TERMS:
        return TERMS[group]
    if match := _PITCH.fullmatch(group):
        return _STEPS[match[1]] + match[2].replace("#", "♯").replace("b", "♭") + match[3]
    if match := _KEY.fullmatch(group):
        sign = match[2].replace("#", "♯").replace("b", "♭")
        return f"{_STEPS[match[1]]}{sign} {'majeur' if match[3] == 'major' else 'mineur'}"
    if match := _LENGTH.fullmatch(group):
        return f"{match[1].replace('.', ',')} noire{'s' * (float(match[1]) >= 2)}"
    if match := _SHIFT.fullmatch(group):
        return _shift(*match.groups())
    if match := _INTERVAL.fullmatch(group):
        return _interval(*match.groups())
    if group.endswith("%"):
        return f"{group[:-1]} %"
    if _DECIMAL.fullmatch(group):
        return group.replace(".", ",")
    parts = _SEPARATOR.split(group)
    if known := french(group):
        return known
    if len(parts) == 1:
        return group
    return "".join(_translated(one) if i % 2 == 0 else one for i, one in enumerate(parts)).replace(
        "; ", " ; "
    )


def _shift(octaves: str | None, semitones: str | None, direction: str) -> str:
    parts = []
    if octaves:
        parts.append(f"{octaves} octave{'s' * (octaves != '1')}")
    if semitones:
        parts.append(f"{semitones} demi-ton{'s' * (semitones != '1')}")
    return f"{' et '.join(parts)} vers le {'haut' if direction == 'up' else 'bas'}"


_NAMES = {
    "minor second": "seconde mineure",
    "second": "seconde",
    "minor third": "tierce mineure",
    "third": "tierce",
    "fourth": "quarte",
    "tritone": "triton",
    "fifth": "quinte",
    "minor sixth": "sixte mineure",
    "sixth": "sixte",
    "minor seventh": "septième mineure",
    "seventh": "septième",
    "octave": "octave",
}
_INTERVAL = re.compile(r"(?:an? ([a-z ]+?))?(?: and )?(?:(an octave)|(\d octaves))? (above|below)")


def _interval(simple: str | None, octave: str | None, octaves: str | None, direction: str) -> str:
    """The groups of "a fifth and an octave below" in French.

    >>> _interval("tritone", None, None, "above"), _interval(None, None, "2 octaves", "below")
    ('à un triton au-dessus', 'à 2 octaves au-dessous')
    """
    parts = []
    if simple:
        parts.append(f"{'un' if simple == 'tritone' else 'une'} {_NAMES[simple]}")
    if octave or octaves:
        parts.append(octaves or "une octave")
    return f"à {' et '.join(parts)} {'au-dessus' if direction == 'above' else 'au-dessous'}"
