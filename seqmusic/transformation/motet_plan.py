"""The plan of a motet: all that is decided before a note of the other voices is composed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from seqmusic.errors import RequestError
from seqmusic.score import Key, Note, Score
from seqmusic.tonality import infer_key, key_correlations
from seqmusic.transformation.color import Color, ColorSettings, color_of
from seqmusic.transformation.contratenor import (
    RhythmEvent,
    contratenor_rhythm,
    contratenor_talea,
)
from seqmusic.transformation.layout import Layout, lay_out
from seqmusic.transformation.melody_finding import find_melody
from seqmusic.transformation.taleae import DEFAULT_TALEA, Talea, parse_sections, parse_talea

MAX_QUARTERS = 240
_UPPER_NOTES_PER_TENOR_NOTE = 2.5  # at least, where all have the largest value
_LARGEST_VALUES = (6, 12, 24, 48)  # each with a dot


@dataclass(frozen=True, kw_only=True)
class MotetSettings:
    """How a tune becomes a motet.

    Attributes:
        talea: Its rhythm: a name, or typed values such as "4 R2 2 2 1 R1".
        sections: Duration of each color in proportion to the first, such as 1,1,1/2; by default
            what goes with the talea.
        voices: Three, or four with a contratenor.
        notes: How many notes of the tune the color has; by default up to the end of a phrase.
        hocket: Whether the upper voices alternate in hocket before the end of each talea.
        iso: Whose rhythm is repeated: that of the tenor, or of all voices.
        introitus: Bars that the upper voices sing before the tenor enters.
        keep_repeats: Whether a note of the tune that is repeated at once counts twice.
    """

    talea: str = DEFAULT_TALEA
    sections: str = ""
    voices: int = 4
    notes: int | None = None
    hocket: bool = False
    iso: str = "tenor"
    introitus: int = 0
    keep_repeats: bool = False

    def __post_init__(self) -> None:
        if self.voices not in (3, 4):
            nearest = 3 if self.voices < 3 else 4
            raise ValueError(
                f"a motet is composed in 3 or 4 voices, got {self.voices}; the nearest is {nearest}"
            )
        if self.iso not in ("tenor", "all"):
            raise ValueError(f"iso must be tenor or all, got {self.iso!r}")
        if not 0 <= self.introitus <= 32:
            raise ValueError(f"an introitus has 0..32 bars, got {self.introitus}")


@dataclass(frozen=True)
class MotetPlan:
    """A tenor, and what is to be composed around it.

    Attributes:
        settings: what was requested.
        talea: of the tenor.
        contratenor_talea: None in three voices.
        color: of the tenor.
        layout: of the tenor.
        key: of the piece.
        title: of the source, "" where it has none.
    """

    settings: MotetSettings
    talea: Talea
    contratenor_talea: Talea | None
    color: Color
    layout: Layout
    key: Key
    title: str

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the voices, from high to low."""
        if self.settings.voices == 3:
            return "Triplum", "Motetus", "Tenor"
        return "Triplum", "Motetus", "Contratenor", "Tenor"

    @property
    def contratenor(self) -> list[RhythmEvent]:
        """The rhythm of the contratenor; empty in three voices."""
        if self.contratenor_talea is None:
            return []
        return contratenor_rhythm(self.talea, self.contratenor_talea, self.layout)

    def largest_value(self, ratio: Fraction) -> int:
        """Ticks of the largest value of the upper voices in a section."""
        ticks = self.talea.units * self.layout.unit_ticks * ratio / self.talea.n_notes
        fitting = [v for v in _LARGEST_VALUES if v * _UPPER_NOTES_PER_TENOR_NOTE <= ticks]
        return max(fitting, default=_LARGEST_VALUES[0]) * 3 // 2

    def grid_ticks(self, ratio: Fraction) -> int:
        """Ticks of the grid on which notes end in a section."""
        onsets = (note.onset_ticks for note in self.layout.notes)
        finest = max(3, self.largest_value(ratio) // 6)
        ends = (event.end_ticks for event in self.contratenor)
        return math.gcd(finest, *onsets, *ends) if ratio.denominator % 3 == 0 else finest

    @property
    def structural_notes(self) -> tuple[Note, ...]:
        """The notes of the tenor."""
        return self.layout.notes


def key_with_mode(source: Score) -> Key:
    """The key of a piece; where only the signature is known, the mode that fits its notes better.

    >>> from seqmusic.formats.theme import parse_theme
    >>> key_with_mode(parse_theme("D4 E4 F4 A4 Bb4 A4 C#4 D4", key=Key(-1)))
    Key(sharps=-1, mode='minor')
    """
    if source.key is None:
        return infer_key(source)
    if source.key.mode:
        return source.key
    correlations = key_correlations(source)
    modes = [Key(source.key.sharps, mode) for mode in ("major", "minor")]
    return max(modes, key=lambda key: correlations[key])


def plan_motet(source: Score, settings: MotetSettings) -> MotetPlan:
    """The plan of a motet on the melody of a piece.

    Raises:
        RequestError: the melody, the talea and the proportions do not go together; the message says
            what would.
    """
    talea = parse_talea(settings.talea)
    sections = parse_sections(settings.sections) if settings.sections else talea.sections
    melody = find_melody(source)
    key = key_with_mode(source)
    color = color_of(
        melody,
        key,
        ColorSettings(
            n_notes=settings.notes,
            n_usual=talea.n_color_notes,
            n_talea=talea.n_notes,
            keep_repeats=settings.keep_repeats,
            n_voices=settings.voices,
        ),
    )
    layout = lay_out(color.pitches, talea, sections, settings.introitus)
    if layout.end_ticks > MAX_QUARTERS * 24:
        fewer = len(color.pitches) * MAX_QUARTERS * 24 // layout.end_ticks
        raise RequestError(
            f"the motet would have {layout.end_ticks // 24} quarters, and {MAX_QUARTERS} is the "
            f"most that the model can follow; ask for --notes {fewer}"
        )
    return MotetPlan(
        settings=settings,
        talea=talea,
        contratenor_talea=contratenor_talea(talea, layout) if settings.voices == 4 else None,
        color=color,
        layout=layout,
        key=color.key or key,
        title=source.title,
    )
