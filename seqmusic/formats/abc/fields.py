"""The fields of ABC that say how its notes are read: key, meter, unit length, tempo."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from seqmusic.errors import CorruptFileError, abbreviated
from seqmusic.score import Key, TimeSignature

_MAX_METER_NUMBER = 64
_SHARPS_OF_TONICS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_SHARPS_OF_MODES = {
    **{"": 0, "maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3},
    **{"phr": -4, "loc": -5, "lyd": 1},
}
_MODES = {"": "major", "maj": "major", "ion": "major", "m": "minor", "min": "minor", "aeo": "minor"}
_LETTERS_OF_SHARPS = "FCGDAEB"
ALTERATIONS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
"""Semitones of each accidental."""
# Of a note, so that no length can be made that takes long to count with.
_MAX_LENGTH_NUMBER = 4096


class AbcKey(NamedTuple):
    """A field K.

    Attributes:
        key: None where it names none.
        alterations: semitones by letter, for all octaves.
    """

    key: Key | None
    alterations: dict[str, int]


def read_key(text: str) -> AbcKey:
    """The key of a field K.

    Raises:
        CorruptFileError: the key signature has more than seven sharps or flats.

    >>> read_key("Dmix"), read_key("Em =f")[1]
    (AbcKey(key=Key(sharps=1, mode=''), alterations={'F': 1}), {'F': 0})
    """
    bagpipe = re.match(r"H[Pp]\b", text)
    match = re.match(r"([A-G])([#b]?)\s*(maj|min|ion|mix|dor|aeo|phr|loc|lyd|m\b)?", text, re.I)
    key = None
    sharps = 0
    if bagpipe:
        sharps = 2 if text[1] == "p" else 0
    elif match and match[1].isupper():
        mode = (match[3] or "").lower()
        sharps = _SHARPS_OF_TONICS[match[1]] + _SHARPS_OF_MODES[mode]
        sharps += {"#": 7, "b": -7, "": 0}[match[2]]
        if not -7 <= sharps <= 7:
            rule = "a key signature has 7 flats to 7 sharps"
            raise CorruptFileError(f"holds the key {abbreviated(text)!r}; {rule}")
        key = Key(sharps, _MODES.get(mode, ""))
    letters = _LETTERS_OF_SHARPS if sharps > 0 else _LETTERS_OF_SHARPS[::-1]
    sign = 1 if sharps > 0 else -1
    alterations = dict.fromkeys(letters[: abs(sharps)], sign)
    for accidental, letter in re.findall(r"(?<=\s)(\^\^|\^|__|_|=)([A-Ga-g])\b", text):
        alterations[letter.upper()] = ALTERATIONS[accidental]
    return AbcKey(key, alterations)


def read_meter(text: str) -> TimeSignature | None:
    """The time signature of a field M; None for free time.

    Raises:
        CorruptFileError: it has a number that is not read.

    >>> read_meter("C|"), read_meter("(2+3)/8"), read_meter("none")
    (TimeSignature(numerator=2, denominator=2), TimeSignature(numerator=5, denominator=8), None)
    """
    if text.startswith("C"):
        return TimeSignature(2, 2) if text.startswith("C|") else TimeSignature(4, 4)
    match = re.match(r"\(?\s*([\d\s+]+?)\s*\)?\s*/\s*(\d+)", text)
    if not match:
        return None
    numbers = [int(digits[:9]) for digits in re.findall(r"\d+", match[1])]
    numerator, denominator = sum(numbers), int(match[2][:9])
    for number in (numerator, denominator):
        if number > _MAX_METER_NUMBER:
            found = f"holds a time signature with {abbreviated(str(number))}"
            raise CorruptFileError(f"{found}; at most {_MAX_METER_NUMBER} is read")
    try:
        return TimeSignature(numerator, denominator)
    except ValueError as error:
        raise CorruptFileError(
            f"holds the time signature {abbreviated(text)!r}: {error}"
        ) from error


def read_unit_length(text: str) -> Fraction | None:
    """The unit length of a field L in quarter notes; None where it is none.

    >>> read_unit_length("1/8")
    Fraction(1, 2)
    """
    match = re.match(r"(\d{1,3})\s*/\s*(\d{1,4})", text) or re.match(r"(\d{1,2})()", text)
    if not match or not int(match[1]) or not int(match[2] or 1):
        return None
    return Fraction(4 * int(match[1]), int(match[2] or 1))


def default_unit_length(meter: TimeSignature | None) -> Fraction:
    """The unit length of a tune without field L: a sixteenth in short measures, else an eighth."""
    is_short = meter is not None and 4 * meter.numerator < 3 * meter.denominator
    return Fraction(1, 4) if is_short else Fraction(1, 2)


def read_tempo(text: str, unit_length: Fraction) -> float | None:
    """Quarter notes a minute of a field Q; None where it gives no number.

    >>> read_tempo('"Fast" 3/8=80', Fraction(1, 2)), read_tempo("120", Fraction(1, 2))
    (120.0, 60.0)
    """
    match = re.search(r"(\d{1,3})/(\d{1,3})[\s\d/]*=\s*(\d{1,4}(?:\.\d{1,4})?)", text)
    if match and int(match[2]):
        return float(match[3]) * 4 * int(match[1]) / int(match[2]) or None
    match = re.fullmatch(r"\s*(?:C=)?(\d{1,4})\s*", text)
    return float(int(match[1]) * unit_length) or None if match else None


def read_length(text: str) -> Fraction:
    """A note length as a multiple of the unit length.

    Raises:
        CorruptFileError: it has a number that is not read.

    >>> [str(read_length(text)) for text in ("", "3", "/", "3/2", "//", "/4")]
    ['1', '3', '1/2', '3/2', '1/4', '1/4']
    """
    if not text:
        return Fraction(1)
    digits, slashes, divisor = re.findall(r"^(\d*)(/*)(\d*)", text)[0]
    numerator = int(digits[:9] or 1)
    denominator = int(divisor[:9]) if divisor else 2 ** min(len(slashes), 13)
    if not 0 < denominator <= _MAX_LENGTH_NUMBER or numerator > _MAX_LENGTH_NUMBER:
        limit = f"numbers up to {_MAX_LENGTH_NUMBER} are read"
        raise CorruptFileError(f"holds a note of length {abbreviated(text)!r}; {limit}")
    return Fraction(numerator, denominator)
