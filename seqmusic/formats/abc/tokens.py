"""The tokens of the music of an ABC tune, and what they are read as."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from seqmusic.score import TimeSignature

QUOTED = r'"[^"\n]*"|![^!\s]*!|\+[a-z]+\+'
INLINE_FIELD = r"\[[A-Za-z]:[^\]\n]*\]"
BAR_LINE = r":*\[?\|[|\]:]*|:{2,}"
_NOTE = r"(?P<accidental>\^\^|\^|__|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)"
_LENGTH = r"\d*/*\d*"
TOKEN = re.compile(
    rf"(?P<quoted>{QUOTED})|(?P<inline>{INLINE_FIELD})|(?P<ending>\[\d[\d,.-]*)"
    rf"|(?P<bar>{BAR_LINE})(?P<bar_ending>\d[\d,.-]*)?"
    r"|(?P<tuplet>\(\d(?::\d{0,3}){0,2})"
    rf"|(?P<microtone>[\^_]\d*/\d*[A-Ga-g])|(?P<note>{_NOTE})(?P<note_length>{_LENGTH})"
    rf"|(?P<rest>[zx])(?P<rest_length>{_LENGTH})|(?P<measures>[ZX]\d{{0,3}})"
    rf"|(?P<chord>\[)|(?P<chord_end>\])(?P<chord_length>{_LENGTH})"
    r"|(?P<grace>\{[^}\n]*\})|(?P<broken>>+|<+)|(?P<tie>-)|(?P<slur>[()])"
    r"|(?P<decoration>[H-Wh-w~.])|(?P<ignored>[\s`\\*$y;]+|!)|(?P<unknown>.)"
)
"""One token of the music of a voice; the last group that matched names its kind."""
StaffPosition: TypeAlias = tuple[str, int]
"""Letter, and octaves above that of middle C."""


@dataclass(slots=True)
class AbcMeasure:
    """A measure of a voice: its onset, and the time signature set at its beginning, if any."""

    onset: Fraction
    time_signature: TimeSignature | None = None


@dataclass(slots=True)
class Element:
    """A note, chord or rest.

    Attributes:
        onset: in quarter notes.
        duration: likewise.
        pitches: each with whether it is tied; empty for a rest.
        staff_positions: letter and octave of each pitch.
        fermata: whether a fermata stands over it.
    """

    onset: Fraction
    duration: Fraction
    pitches: list[tuple[int, bool]]
    staff_positions: list[StaffPosition]
    fermata: bool
