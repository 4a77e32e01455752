"""The results of an alignment, and their table as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seqmusic.alignment.assessment import (
    DIVERGENCE,
    DIVERSITY,
    LONGEST_COPY,
    NATS,
    NOTES,
    TENDENCIES,
    UNITS,
    Figures,
)
from seqmusic.alignment.guards import Guard
from seqmusic.alignment.rounds import RoundResult
from seqmusic.alignment.settings import AlignmentSettings
from seqmusic.experiments.study import aligned_table_text
from seqmusic.metrics.two_sample.judges import LINEAR, TREES
from seqmusic.report.sections import Column, Table, TableCell

BASE, WRITTEN = "base model", "Bach"
_SHOWN = (
    *(NATS, TENDENCIES, "parallels", "unprepared dissonances", "phrases without cadence"),
    *(NOTES, DIVERSITY, LONGEST_COPY, LINEAR, TREES, DIVERGENCE),
)


@dataclass(frozen=True, slots=True)
class AlignmentResults:
    """What an alignment brought.

    Attributes:
        model: name of the base.
        source: of the preferences.
        settings: of the alignment.
        base: figures of the base.
        written: of Bach's music.
        rounds: in the order in which they were run; of each number the baseline first.
        guards: of each round of the objective itself.
    """

    model: str
    source: str
    settings: AlignmentSettings
    base: Figures
    written: Figures
    rounds: tuple[RoundResult, ...]
    guards: tuple[tuple[Guard, ...], ...]

    def with_round(self, result: RoundResult) -> AlignmentResults:
        """The same with one more round."""
        return replace(self, rounds=(*self.rounds, result))

    @property
    def aligned(self) -> list[RoundResult]:
        """The rounds of the objective itself."""
        return [one for one in self.rounds if one.objective == self.settings.objective]

    @property
    def n_kept(self) -> int:
        """How many rounds kept all guards, before any that did not."""
        for number, guards in enumerate(self.guards):
            if not all(guard.holds for guard in guards):
                return number
        return len(self.guards)

    @property
    def kept_round(self) -> RoundResult:
        """The last round that kept all guards; there must be one."""
        return self.aligned[self.n_kept - 1]

    def rows(self) -> list[tuple[str, Figures]]:
        """Everything that was assessed, with its name."""
        rounds = [(one.name, one.figures) for one in self.rounds]
        return [(BASE, self.base), *rounds, (WRITTEN, self.written)]


def figures_table(results: AlignmentResults, *, has_intervals: bool) -> Table:
    """A row for each figure, a column for each model.

    Args:
        results: of an alignment.
        has_intervals: whether two columns with the ends of the interval follow each value.
    """
    rows = results.rows()
    columns = [Column("figure", "figure"), Column("unit", "unit")]
    for number, (name, _) in enumerate(rows):
        columns.append(Column(f"value_{number}", name, ".4g"))
        if has_intervals:
            columns += [
                Column(f"low_{number}", "from", ".4g"),
                Column(f"high_{number}", "to", ".4g"),
            ]
    names = UNITS if has_intervals else _SHOWN
    cells = tuple(
        (name, UNITS[name], *_cells(name, [figures for _, figures in rows], has_intervals))
        for name in names
    )
    caption = "What each model composes on held-out beginnings at temperature 1 with masks off."
    return Table("alignment", caption, tuple(columns), cells)


def guards_text(guards: Sequence[Guard]) -> str:
    """The guards of a round, a line each."""
    return "\n".join(f"  {guard}" for guard in guards)


def results_text(results: AlignmentResults) -> str:
    """The table of all models so far, and the guards of the last round."""
    table = aligned_table_text(figures_table(results, has_intervals=False))
    last = results.rounds[-1]
    changes = (
        f"{last.name}: {last.n_pairs} pairs, log-probability of the preferred "
        f"{last.chosen_change:+.1f} nats, of the others {last.rejected_change:+.1f}; "
        f"{last.accuracy:.0%} of the margins rose; {last.seconds:.0f} s"
    )
    return "\n".join(["", table, changes, guards_text(results.guards[-1])])


def _cells(name: str, figures: Sequence[Figures], has_intervals: bool) -> list[TableCell]:
    cells: list[TableCell] = []
    for one in figures:
        found = one.get(name)
        cells.append(found.value if found else None)
        if has_intervals:
            cells += [found.low if found else None, found.high if found else None]
    return cells
