"""Tokens of kern: a note, a rest or a chord.

Source: The Humdrum Toolkit, representation reference, **kern (humdrum.org/rep/kern).
"""

from __future__ import annotations

import functools
import re
from fractions import Fraction
from typing import NamedTuple

from seqmusic.errors import CorruptFileError, abbreviated

_DURATION = re.compile(r"(\d+)(?:%(\d+))?(\.*)")
_PITCH = re.compile(r"([a-g]+|[A-G]+)([#\-n]*)")
_PITCH_CLASSES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_LONG_LENGTHS = {"0": Fraction(8), "00": Fraction(16), "000": Fraction(32)}
_MAX_NUMBER = 1024
_MAX_DOTS = 6
_ORNAMENTS = frozenset("TtMmWwSO$")
_ARTICULATIONS = frozenset("'\"`~^,")


class KernNote(NamedTuple):
    """One note of a token: its pitch as a MIDI number, and whether it is tied to the next."""

    pitch: int
    is_tied: bool


class KernToken(NamedTuple):
    """What one spine has at one moment.

    Attributes:
        duration: in quarter notes; None for grace notes and for what has no length.
        notes: those that are read; none for a rest.
        n_graces: grace notes, which are not among them.
        fermata: whether a fermata stands over it.
        losses: kinds of marks that are left out.
    """

    duration: Fraction | None
    notes: tuple[KernNote, ...]
    n_graces: int
    fermata: bool
    losses: tuple[str, ...]


@functools.lru_cache(maxsize=20_000)
def read_token(text: str) -> KernToken:
    """A token as notes; the notes of a chord stand with spaces between them.

    Raises:
        CorruptFileError: a length has a number that is not read.

    >>> token = read_token("[4.GG# 4.b-;")
    >>> token.duration, [(note.pitch, note.is_tied) for note in token.notes], token.fermata
    (Fraction(3, 2), [(44, True), (70, False)], True)
    """
    notes = []
    n_graces = 0
    duration: Fraction | None = None
    for part in text.split():
        match = _PITCH.search(part)
        is_rest = "r" in part
        if "q" in part or "Q" in part:
            n_graces += match is not None and not is_rest
            continue
        duration = duration or read_duration(part)
        if match and not is_rest:
            notes.append(KernNote(_pitch(match), "[" in part or "_" in part))
    losses = [
        message
        for message, marks in (
            ("slurs left out", "("),
            ("articulations left out", _ARTICULATIONS),
            ("ornaments and other signs left out", _ORNAMENTS),
        )
        if any(mark in text for mark in marks)
    ]
    return KernToken(duration, tuple(notes), n_graces, ";" in text, tuple(losses))


def read_duration(text: str) -> Fraction | None:
    """The length of a note in quarter notes; None where it has none.

    >>> [str(read_duration(text)) for text in ("4c", "8..", "0", "3%2r", "c")]
    ['1', '7/8', '8', '8/3', 'None']
    """
    match = _DURATION.search(text)
    if match is None:
        return None
    digits, divisor, dots = match.groups()
    if digits in _LONG_LENGTHS:
        length = _LONG_LENGTHS[digits]
    else:
        numbers = int(digits[:9]), int((divisor or "1")[:9])
        if not 0 < numbers[0] <= _MAX_NUMBER or not 0 < numbers[1] <= _MAX_NUMBER:
            rule = f"numbers from 1 to {_MAX_NUMBER} are read"
            raise CorruptFileError(f"holds a note of length {abbreviated(match[0])!r}; {rule}")
        length = Fraction(4 * numbers[1], numbers[0])
    return length * (2 - Fraction(1, 2 ** min(len(dots), _MAX_DOTS)))


def _pitch(match: re.Match[str]) -> int:
    letters, accidentals = match.groups()
    octaves = len(letters) - 1 if letters.islower() else -len(letters)
    altered = accidentals.count("#") - accidentals.count("-")
    return 60 + 12 * octaves + _PITCH_CLASSES[letters[0].lower()] + altered
