"""What a report is made of, as plain values: `page` makes the page, the tables and the JSON of them, so that all say the same.

To add a section, hand over a `Section`: a name for files and JSON, a title, a few paragraphs, charts, and tables. Every number that
is drawn or told should also stand in a table: tables alone are written as CSV and JSON. For instance

>>> shares = Table("hold_rate", "How often a voice keeps its note.", (Column("temperature", "temperature", "g"),
...     Column("held", "held, share of steps", ".1%")), ((0.8, 0.79), (1.0, None)))
>>> section = Section("dial", "The temperature dial", ("What the temperature does.",), tables=(shares,))
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
"""What stands in a table: a text, a number, or None for what is not known."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: in CSV and JSON, such as nats_per_cell.
        heading: on the page, for people, with the unit.
        format: how a number is shown on the page, such as ".3f" or ".1%"; CSV and JSON have all its digits.
    """

    name: str
    heading: str
    format: str = ""

    def shown(self, cell: TableCell) -> str:
        """The cell for people.

        >>> held = Column("held", "held, share of steps", ".1%")
        >>> held.shown(0.5), held.shown(None), held.shown("all")
        ('50.0%', '–', 'all')
        """
        return "–" if cell is None else cell if isinstance(cell, str) else format(cell, self.format)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: on the page, as NAME.csv, and under its name in the JSON.

    Attributes:
        name: of the file, in small letters; unlike any other of the report.
        caption: what it says, in a sentence for people.
        columns: K columns.
        rows: rows of K cells; a number that is not finite becomes None.
        is_collapsed: on the page, stands closed until it is clicked: for what is drawn as well, or long.
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
        known = tuple(
            tuple(None if isinstance(c, float) and not math.isfinite(c) else c for c in row)
            for row in self.rows
        )
        object.__setattr__(self, "rows", known)

    def records(self) -> list[dict[str, TableCell]]:
        """One dictionary a row, by the columns' names."""
        return [
            dict(zip((column.name for column in self.columns), row, strict=True))
            for row in self.rows
        ]


@dataclass(frozen=True, slots=True)
class Chart:
    """A matplotlib figure (`charts.line_chart`, `charts.bar_chart`), and the sentence below it that says what is to be seen."""

    figure: Any
    caption: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some bars of a work, engraved with each note shaded by its surprise, to be listened to.

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
    """A section of a report; on the page its parts stand in the order of the fields.

    Attributes:
        name: in the JSON, and of its place on the page; small letters, unlike any other of the report.
        title: for people.
        prose: paragraphs of plain text.
        charts: drawn two beside each other where there is room.
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
        title: for people.
        summary: paragraphs above all sections.
        label: what must be known when any of its figures is looked at, such as "12 of these 38 works were trained on"; it stands
            below every chart and table. "" for nothing.
        sections: in their order.
    """

    title: str
    summary: tuple[str, ...]
    label: str
    sections: tuple[Section, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """Of all sections."""
        return tuple(table for section in self.sections for table in section.tables)
