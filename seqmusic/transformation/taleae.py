"""Taleae: the rhythm of a motet's tenor, rests included, typed or by name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from seqmusic.errors import RequestError

MAX_STEPS = 64
_NUMBER = r"[0-9]{1,3}(?:\.[0-9]{1,4}|/[0-9]{1,3})?|\.[0-9]{1,4}"
_LONGEST_UNITS = 28


class Step(NamedTuple):
    """A note or rest of a talea, which lasts so many units."""

    units: Fraction
    is_rest: bool = False


@dataclass(frozen=True, kw_only=True)
class Talea:
    """The rhythm of a tenor.

    Attributes:
        steps: its notes and rests.
        name: of a named talea; "" for a typed one.
        n_color_notes: notes of the color that goes with it.
        sections: durations of the colores, in proportion to the first.
        source: where the numbers come from.
    """

    steps: tuple[Step, ...]
    name: str = ""
    n_color_notes: int = 16
    sections: tuple[Fraction, ...] = (Fraction(1), Fraction(1), Fraction(1, 2))
    source: str = ""

    @property
    def n_notes(self) -> int:
        """How many notes it has."""
        return sum(not step.is_rest for step in self.steps)

    @property
    def units(self) -> Fraction:
        """How long it is."""
        return sum((step.units for step in self.steps), Fraction(0))

    def __str__(self) -> str:
        return " ".join(f"{'R' * step.is_rest}{step.units}" for step in self.steps)


def parse_talea(text: str) -> Talea:
    """The talea of a name, or of typed steps such as "4 R2 2 2 1 R1".

    Values are numbers of units, with decimals or as fractions, R before that of a rest.

    >>> parse_talea("4 R2 2 2 1 R1").units, parse_talea("o-canenda").n_notes
    (Fraction(12, 1), 4)

    Raises:
        RequestError: there is no such name, or the steps are not written so.
    """
    name = text.strip().lower().replace(" ", "-")
    if name in TALEAE:
        return TALEAE[name]
    if not any(character.isdigit() for character in text):
        nearest = difflib.get_close_matches(name, TALEAE, 1, 0.3) or [DEFAULT_TALEA]
        raise RequestError(
            f"there is no talea {text.strip()!r}; {nearest[0]} is one of {', '.join(TALEAE)}, "
            'or type its values, such as "4 R2 2 2 1 R1"'
        )
    return Talea(steps=_parse_steps(text))


def _parse_steps(text: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    for word in text.split():
        match = re.fullmatch(rf"([Rr]?)({_NUMBER})", word)
        units = Fraction(0)
        if match and not re.search("/0+$", match[2]):
            units = Fraction(match[2])
        if match is None or not 0 < units <= _LONGEST_UNITS:
            raise RequestError(
                f"the talea has {word!r}; a value is a number of units up to {_LONGEST_UNITS}, "
                "such as 2, .5 or 3/2, with R before it for a rest: 4 R2 2 2 1 R1"
            )
        steps.append(Step(units, bool(match[1])))
    if len(steps) > MAX_STEPS:
        raise RequestError(f"a talea has at most {MAX_STEPS} values, this one has {len(steps)}")
    if sum(not step.is_rest for step in steps) < 2:
        raise RequestError(
            "a talea needs two notes, or it is no rhythm; add one, as in 4 R2 2 2 1 R1"
        )
    return tuple(joined_rests(steps))


def joined_rests(steps: Iterable[Step]) -> list[Step]:
    """The steps, of which rests that follow each other are one."""
    joined: list[Step] = []
    for step in steps:
        if step.is_rest and joined and joined[-1].is_rest:
            joined[-1] = Step(joined[-1].units + step.units, True)
        else:
            joined.append(step)
    return joined


def parse_sections(text: str) -> tuple[Fraction, ...]:
    """Proportions such as 1,1,1/2 or 9,6,4, of which the largest becomes 1.

    >>> [str(ratio) for ratio in parse_sections("6,4,2,3")]
    ['1', '2/3', '1/3', '1/2']

    Raises:
        RequestError: they are not written so.
    """
    parts = [part.strip() for part in text.split(",")]
    number = r"[1-9][0-9]?(?:/[1-9][0-9]?)?"
    if len(parts) > MAX_SECTIONS or not all(re.fullmatch(number, part) for part in parts):
        raise RequestError(
            f"sections are 1 to {MAX_SECTIONS} proportions such as 1,1,1/2 or 9,6,4, got {text!r}"
        )
    ratios = [Fraction(part) for part in parts]
    largest = max(ratios)
    return tuple(ratio / largest for ratio in ratios)


MAX_SECTIONS = 8
DEFAULT_TALEA = "o-canenda"
_HALVES = (Fraction(1), Fraction(1, 2))
TALEAE = {
    talea.name: talea
    for talea in (
        Talea(
            name="o-canenda",
            steps=_parse_steps("4 R2 2 2 1 R1"),
            source="Philippe de Vitry, O canenda / Rex quem metrorum (PMFC 1): 16 notes, four "
            "taleae, twice and once at half the values",
        ),
        Talea(
            name="impudenter",
            steps=_parse_steps("4 R3 1 1 2 1 2 R4"),
            n_color_notes=30,
            sections=_HALVES,
            source="Philippe de Vitry, Impudenter circuivi / Virtutibus laudabilis (PMFC 1): 30 "
            "notes, five taleae, and once at half the values",
        ),
        Talea(
            name="vos-qui",
            steps=_parse_steps("3 R2 1 3 3 2 R1"),
            n_color_notes=30,
            sections=_HALVES,
            source="Philippe de Vitry, Vos qui admiramini / Gratissima virginis species (PMFC 1): "
            "30 notes, six taleae; its second section has a talea of its own, which is left out",
        ),
        Talea(
            name="si-dolce",
            steps=_parse_steps("R6 6 6 1 1 2 2 2 4 2 4 2 1 1 1 1"),
            n_color_notes=45,
            sections=(Fraction(1),),
            source="Francesco Landini, Si dolce non sono (PMFC 4): 45 notes, three taleae; "
            "here in twice its values",
        ),
    )
}
"""Taleae by name, in units of a perfection or a breve; only the numbers are taken over."""
