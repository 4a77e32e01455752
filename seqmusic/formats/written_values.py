"""Written note values, and which of them, tied together, last as long as a note."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from seqmusic.score import TICKS_PER_WHOLE

BREVE = 0
"""The denominator that stands for a breve, which is two whole notes."""


class WrittenValue(NamedTuple):
    """One note value: a power of two of a whole note, dotted once or not, in a triplet or not.

    Attributes:
        duration_ticks: how long it sounds.
        denominator: `BREVE`, 1 for a whole note .. 64 for a sixty-fourth.
        dots: 0 or 1.
        is_triplet: whether three of it take the time of two.
    """

    duration_ticks: int
    denominator: int
    dots: int
    is_triplet: bool


def _values_in_ticks(is_triplet: bool) -> tuple[WrittenValue, ...]:
    """The values that last a whole number of ticks, longest first."""
    found = []
    for halvings, denominator in enumerate((BREVE, 1, 2, 4, 8, 16, 32, 64)):
        for dots in (0, 1):
            ticks = Fraction(2 * TICKS_PER_WHOLE, 2**halvings)
            ticks *= Fraction(3, 2) ** dots * Fraction(2, 3) ** is_triplet
            if ticks.denominator == 1 and (denominator, dots) != (BREVE, 1):
                found.append(WrittenValue(int(ticks), denominator, dots, is_triplet))
    return tuple(sorted(found, reverse=True))


STRAIGHT_VALUES = _values_in_ticks(is_triplet=False)
"""From a breve to a thirty-second, longest first."""
TRIPLET_VALUES = _values_in_ticks(is_triplet=True)
"""From a breve to a sixty-fourth in a triplet, longest first; the last lasts one tick."""
_COMMON_VALUES = sorted(
    STRAIGHT_VALUES + tuple(v for v in TRIPLET_VALUES if v.denominator > 1 and not v.dots),
    reverse=True,
)


def written_values(duration_ticks: int, longest_ticks: int = TICKS_PER_WHOLE) -> list[WrittenValue]:
    """The values whose sum is a duration, longest first; none is longer than `longest_ticks`.

    There is one where one is enough, otherwise the notes are tied.

    >>> [(value.denominator, value.dots) for value in written_values(60)]
    [(2, 0), (8, 0)]
    """
    values = []
    while duration_ticks:
        limit = min(duration_ticks, longest_ticks)
        value = next(value for value in _COMMON_VALUES if value.duration_ticks <= limit)
        values.append(value)
        duration_ticks -= value.duration_ticks
    return values
