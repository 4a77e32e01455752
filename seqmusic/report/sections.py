"""The parts of a report as plain values, from which the page, the JSON and the CSV are made.

To add a section, make a `Section`: a name for files and JSON, a title, a few paragraphs, charts and
tables. Every number that a chart or the prose shows should also stand in a table, because only
tables are written as CSV and JSON. For instance

>>> columns = (
...     Column("temperature", "temperature", "g"),
...     Column("held", "held, share of steps", ".1%"),
... )
>>> caption = "How often a voice holds its note."
>>> shares = Table("hold_rate", caption, columns, ((0.8, 0.79), (1.0, None)))
>>> section = Section("dial", "The temperature", ("What it does.",), tables=(shares,))
>>> shares.records()
[{'temperature': 0.8, 'held': 0.79}, {'temperature': 1.0, 'held': None}]
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from seqmusic.report.explanation import Explanation
from seqmusic.score import Score

TableCell = str | int | float | None
"""What stands in a table: a text, a number, or None if it is not known."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: in CSV and JSON, such as nats_per_cell.
        heading: on the page, with the unit.
        format: of a number on the page, such as ".3f" or ".1%"; CSV and JSON have all its digits.
    """

    name: str
    heading: str
    format: str = ""

    def formatted(self, cell: TableCell) -> str:
        """The cell as it stands on the page.

        >>> held = Column("held", "held, share of steps", ".1%")
        >>> held.formatted(0.5), held.formatted(None), held.formatted("all")
        ('50.0%', '–', 'all')
        """
        if cell is None:
            return "–"
        return cell if isinstance(cell, str) else format(cell, self.format)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: on the page, as NAME.csv, and under its name in the JSON.

    Attributes:
        name: of the file, in small letters; unique in a report.
        caption: a sentence that says what it shows.
        columns: K columns.
        rows: rows of K cells; a number that is not finite becomes None.
        is_collapsed: whether the page shows it only after a click, as it does with long tables and
            those whose numbers are also drawn.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    is_collapsed: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"a table is named in small letters, digits and _, got {self.name!r}")
        if wrong := [row for row in self.rows if len(row) != len(self.columns)]:
            raise ValueError(
                f"table {self.name}: a row has {len(self.columns)} cells, got {wrong[0]}"
            )
        finite = tuple(
            tuple(None if isinstance(c, float) and not math.isfinite(c) else c for c in row)
            for row in self.rows
        )
        object.__setattr__(self, "rows", finite)

    def records(self) -> list[dict[str, TableCell]]:
        """The rows as dictionaries by the names of the columns."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Chart:
    """A matplotlib figure (`charts.line_chart`, `charts.bar_chart`), and the sentence below it."""

    figure: Any
    caption: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some bars of a work, engraved with each note shaded by its surprise; the page plays them.

    Attributes:
        title: above it.
        caption: below it.
        score: the bars alone.
        explanation: of that score.
    """

    title: str
    caption: str
    score: Score
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a report; the page shows its parts in the order of the fields.

    Attributes:
        name: in the JSON and as an anchor on the page, in small letters; unique in a report.
        title: above it.
        prose: paragraphs of plain text.
        charts: two beside each other if there is room.
        excerpts: music.
        tables: below.
    """

    name: str
    title: str
    prose: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report.

    Attributes:
        title: above it.
        summary: paragraphs above all sections.
        label: what a reader of any of its figures must know, such as "12 of these 38 works were
            trained on"; it stands below every chart and table. "" for nothing.
        sections: in their order.
    """

    title: str
    summary: tuple[str, ...]
    label: str
    sections: tuple[Section, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables of all sections."""
        return tuple(table for section in self.sections for table in section.tables)
