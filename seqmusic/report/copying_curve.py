"""Copying beside the validation loss over a training: `seqmusic experiment copying` writes it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, get_type_hints

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.works_table import table_text
from seqmusic.errors import FormatError
from seqmusic.report.charts import LineSeries, line_chart
from seqmusic.report.sections import Chart, Column, Table

COPYING_CSV = "copying.csv"


class CopyingPoint(NamedTuple):
    """One evaluation of a training: what the model knows, and how much it copies.

    Each median is of notes of the longest passage shared with a training work; each interval is
    the 95 percent bootstrap interval of the median over pieces.

    Attributes:
        training: name of the training.
        step: batches so far.
        epochs: how often each work was drawn, on average.
        training_nats_per_cell: on as many training works as there are validation works.
        validation_nats_per_cell: on the validation works.
        held_out: median over continuations of validation works.
        held_out_low: lower end of its interval.
        held_out_high: upper end of its interval.
        known: median over continuations of training works.
        known_low: lower end of its interval.
        known_high: upper end of its interval.
        works: median over the validation works as they are written.
    """

    training: str
    step: int
    epochs: float
    training_nats_per_cell: float
    validation_nats_per_cell: float
    held_out: float
    held_out_low: float
    held_out_high: float
    known: float
    known_low: float
    known_high: float
    works: float


def write_copying(path: Path, rows: Sequence[CopyingPoint]) -> Path:
    """Write the rows as CSV; returns `path`."""
    return write_atomic(path, table_text(CopyingPoint._fields, rows))


def read_copying(path: Path) -> list[CopyingPoint]:
    """The rows of a table written by `write_copying`.

    Raises:
        FormatError: it is no such table.
    """
    kinds = get_type_hints(CopyingPoint)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                CopyingPoint(**{name: kinds[name](row[name]) for name in CopyingPoint._fields})
                for row in csv.DictReader(file)
            ]
        if not rows:
            raise ValueError("it has no rows")
        return rows
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise FormatError(
            f"{path}: is no table of seqmusic experiment copying ({error}); make it again, or "
            "delete it"
        ) from error


def copying_charts(rows: Sequence[CopyingPoint]) -> tuple[Chart, Chart]:
    """Nats per cell and copied notes over the batches, of two trainings at most."""
    nats, copies = [], []
    for name in dict.fromkeys(row.training for row in rows):
        points = [row for row in rows if row.training == name]
        steps = [row.step for row in points]
        validation = [row.validation_nats_per_cell for row in points]
        training = [row.training_nats_per_cell for row in points]
        nats.append(LineSeries(f"validation, {name}", steps, validation))
        nats.append(LineSeries(f"training, {name}", steps, training))
        copies.append(LineSeries(f"held-out, {name}", steps, [row.held_out for row in points]))
        copies.append(LineSeries(f"training, {name}", steps, [row.known for row in points]))
    works = [("held-out\nworks", rows[0].works)]
    return (
        Chart(
            line_chart(nats, x_label="batches", y_label="nats per cell"),
            "The loss over a training: where training and validation part, the model memorizes its "
            "works.",
        ),
        Chart(
            line_chart(copies, x_label="batches", y_label="notes, median", references=works),
            "The longest passage copied from a training work, in continuations of held-out or of "
            "training works.",
        ),
    )


def copying_table(rows: Sequence[CopyingPoint]) -> Table:
    """All columns of the rows."""
    headings = {"step": "batches"}
    columns = tuple(
        Column(name, headings.get(name, name.replace("_", " ")), ".4g")
        for name in CopyingPoint._fields
    )
    caption = "Copying over a training, beside the loss."
    return Table("copying", caption, columns, tuple(rows), is_collapsed=True)
