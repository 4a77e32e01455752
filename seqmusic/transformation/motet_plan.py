"""The plan of a motet: all that is decided before a note of the other voices is composed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from seqmusic.score import Key
from seqmusic.transformation.color import Color
from seqmusic.transformation.contratenor import (
    RhythmEvent,
    contratenor_rhythm,
)
from seqmusic.transformation.layout import SHORTEST_TICKS, Layout
from seqmusic.transformation.taleae import DEFAULT_TALEA, Talea

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
        if self.settings.iso == "all" and ratio == self.layout.ratios[0]:
            finest = max(finest, common_grid(self.layout.ratios) or 0)
        ends = (event.end_ticks for event in self.contratenor)
        return math.gcd(finest, *onsets, *ends) if ratio.denominator % 3 == 0 else finest


def common_grid(ratios: Sequence[Fraction]) -> int | None:
    """Ticks of the finest grid that stays on thirty-seconds or coarser in all proportions.

    >>> common_grid([Fraction(1), Fraction(1, 2)]), common_grid([Fraction(1), Fraction(1, 3)])
    (6, 12)
    """
    for grid in (3, 6, 12, 24):
        scaled = [grid * ratio / ratios[0] for ratio in ratios]
        if all(ticks.denominator == 1 and ticks >= SHORTEST_TICKS for ticks in scaled):
            return grid
    return None
