"""The layout of a tenor: a color sung over a talea, statement by statement, in proportions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from seqmusic.errors import RequestError
from seqmusic.meter import TICKS_PER_QUARTER, TimeSignature
from seqmusic.score import Note
from seqmusic.transformation.taleae import Step, Talea

SHORTEST_TICKS = 3  # a thirty-second
_UNITS = (TICKS_PER_QUARTER, TICKS_PER_QUARTER * 3 // 2)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the tenor: a color, a talea or a section.

    Attributes:
        number: from 0.
        onset_ticks: where it begins, with its rests.
        end_ticks: where the next one begins.
    """

    number: int
    onset_ticks: int
    end_ticks: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A tenor in ticks.

    Attributes:
        notes: of the tenor, the last one lengthened to the end.
        colores: statements of the color; each is a section, whose proportion is in `ratios`.
        taleae: statements of the talea; the last may be incomplete.
        ratios: of the values of each color to the undiminished ones.
        phases: for each note, its step in the talea.
        step_onsets: for each talea, where its steps begin; all of them, or those that there are.
        unit_ticks: a unit of the talea, undiminished.
        time_signature: of the whole piece.
        end_ticks: of the piece.
    """

    notes: tuple[Note, ...]
    colores: tuple[Span, ...]
    taleae: tuple[Span, ...]
    ratios: tuple[Fraction, ...]
    phases: tuple[int, ...]
    step_onsets: tuple[tuple[int, ...], ...]
    unit_ticks: int
    time_signature: TimeSignature
    end_ticks: int

    @property
    def n_color(self) -> int:
        """Notes of the color."""
        return len(self.notes) // len(self.colores)

    def ratio_at(self, tick: int) -> Fraction:
        """The proportion of the section at a tick."""
        return self.ratios[max(0, sum(span.onset_ticks <= tick for span in self.colores) - 1)]

    @property
    def color_ends(self) -> tuple[int, ...]:
        """Index of the last note of each color, which is its final."""
        return tuple(self.n_color * (span.number + 1) - 1 for span in self.colores)

    def talea_notes(self, span: Span) -> list[int]:
        """Indices of the notes of a talea."""
        return [
            index
            for index, note in enumerate(self.notes)
            if span.onset_ticks <= note.onset_ticks < span.end_ticks
        ]

    @property
    def joints(self) -> tuple[int, ...]:
        """Indices of the first and the last note of each talea."""
        found = set()
        for span in self.taleae:
            indices = self.talea_notes(span)
            found |= {*indices[:1], *indices[-1:]}
        return tuple(sorted(found))


def meter_of(talea: Talea, unit_ticks: int = TICKS_PER_QUARTER) -> TimeSignature:
    """The meter whose bars divide the talea, with four, three or two units to the bar.

    >>> from seqmusic.transformation.taleae import TALEAE
    >>> str(meter_of(TALEAE["o-canenda"])), str(meter_of(TALEAE["vos-qui"]))
    ('4/4', '3/4')
    """
    n_units = next((n for n in (4, 3, 2) if talea.units % n == 0), 4)
    if unit_ticks == TICKS_PER_QUARTER:
        return TimeSignature(n_units, 4)
    return TimeSignature(n_units * unit_ticks * 2 // TICKS_PER_QUARTER, 8)


class _LayoutWriter:
    """Writes one step of the tenor after the other."""

    def __init__(self, talea: Talea, unit_ticks: int, start: int) -> None:
        self.talea, self.unit_ticks, self.tick = talea, unit_ticks, start
        self.step = 0
        self.notes: list[Note] = []
        self.phases: list[int] = []
        self.step_onsets: list[list[int]] = []

    def write_step(self, pitches: list[int], ratio: Fraction) -> None:
        """Write the next step; a note takes the first of the pitches."""
        step = self.talea.steps[self.step]
        ticks = int(step.units * self.unit_ticks * ratio)
        if self.step == 0:
            self.step_onsets.append([])
        self.step_onsets[-1].append(self.tick)
        if not step.is_rest:
            self.notes.append(Note(self.tick, ticks, pitches.pop(0)))
            self.phases.append(self.step)
        self.tick += ticks
        self.step = (self.step + 1) % len(self.talea.steps)

    def write_color(self, color: Sequence[int], ratio: Fraction) -> None:
        """Write a statement of the color, with the rests that close its last talea."""
        pitches = list(color)
        while pitches:
            self.write_step(pitches, ratio)
        closing = self.talea.steps[self.step :] if self.step else ()
        if all(step.is_rest for step in closing):
            for _ in closing:
                self.write_step(pitches, ratio)


def lay_out(
    color: Sequence[int], talea: Talea, sections: Sequence[Fraction], introitus_bars: int = 0
) -> Layout:
    """The tenor: the color once a section, over a talea that goes on from one to the next.

    A unit is a quarter or, where the proportions need it, a dotted quarter.

    Args:
        color: pitches.
        talea: its rhythm.
        sections: the proportion of each.
        introitus_bars: of rest before the tenor.

    Raises:
        RequestError: a value leaves the grid of ticks.
    """
    unit_ticks = fitting_unit(talea, sections)
    signature = meter_of(talea, unit_ticks)
    writer = _LayoutWriter(talea, unit_ticks, introitus_bars * signature.bar_ticks)
    onsets = []
    for ratio in sections:
        onsets.append(writer.tick)
        writer.write_color(color, ratio)
    final = writer.notes[-1]
    end = _final_end(final, signature.bar_ticks)
    starts = [steps[0] for steps in writer.step_onsets]
    return Layout(
        notes=(*writer.notes[:-1], replace(final, duration_ticks=end - final.onset_ticks)),
        colores=_spans(onsets, end),
        taleae=_spans(starts, end),
        ratios=tuple(sections),
        phases=tuple(writer.phases),
        step_onsets=tuple(
            tuple(tick for tick in steps if tick <= final.onset_ticks)
            for steps in writer.step_onsets
        ),
        unit_ticks=unit_ticks,
        time_signature=signature,
        end_ticks=end,
    )


def _final_end(final: Note, bar_ticks: int) -> int:
    """The first bar line that leaves the final half a bar."""
    return -(-(final.onset_ticks + bar_ticks // 2) // bar_ticks) * bar_ticks


def _spans(onsets: Sequence[int], end: int) -> tuple[Span, ...]:
    ends = [*onsets[1:], end]
    return tuple(Span(*one) for one in zip(range(len(onsets)), onsets, ends, strict=True))


def fitting_unit(talea: Talea, sections: Sequence[Fraction]) -> int:
    """Ticks of a unit, a quarter or a dotted one, in which all values can be written.

    Raises:
        RequestError: a value is no whole number of ticks in either, or shorter than a
            thirty-second; the message has the nearest that fits.
    """
    for grid in (SHORTEST_TICKS, 1):  # without triplets, then with them
        for unit_ticks in _UNITS:
            if _off_grid(talea, sections, unit_ticks, grid) is None:
                return unit_ticks
    units, ratio = _off_grid(talea, sections, _UNITS[0]) or (Fraction(0), Fraction(1))
    value = f"{units} x {ratio}" if ratio != 1 else str(units)
    raise RequestError(
        f"the value {value} of a quarter leaves the grid of {TICKS_PER_QUARTER} ticks; "
        f"{_remedy(talea, ratio)}"
    )


def _off_grid(
    talea: Talea, sections: Sequence[Fraction], unit_ticks: int, grid: int = 1
) -> tuple[Fraction, Fraction] | None:
    """The first value and proportion whose product is not on a grid, None if there is none."""
    for ratio in sections:
        for step in talea.steps:
            ticks = step.units * unit_ticks * ratio
            if ticks % grid or ticks < SHORTEST_TICKS:
                return step.units, ratio
    return None


def _remedy(talea: Talea, ratio: Fraction) -> str:
    """The nearest proportion, or else the nearest talea, that stays on the grid."""
    if _off_grid(talea, [Fraction(1)], _UNITS[0]) is None:
        proportions = {Fraction(n, d) for d in (1, 2, 3, 4, 6, 8) for n in range(1, d + 1)}
        fitting = [one for one in proportions if _off_grid(talea, [one], _UNITS[0]) is None]
        nearest = min(fitting, key=lambda one: (abs(one - ratio), one.denominator))
        return f"the nearest proportion that fits is {nearest}"
    rounded = (max(1, round(step.units * 4)) for step in talea.steps)
    steps = (Step(Fraction(n, 4), old.is_rest) for n, old in zip(rounded, talea.steps, strict=True))
    return f'the nearest talea that fits is "{Talea(steps=tuple(steps))}"'
