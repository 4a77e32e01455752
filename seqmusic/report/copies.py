"""Copying beside validation loss, over a training: the table that `seqmusic experiment copying` leaves, and its pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, get_type_hints

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import FormatError
from seqmusic.report.charts import LineSeries, line_chart
from seqmusic.report.sections import Chart, Column, Table

COPYING_CSV = "copying.csv"


class CopyingPoint(NamedTuple):
    """How far a training was, what the model knew by then, and how much it copied.

    Attributes:
        training: what the training is called.
        step: batches so far.
        epochs: how often each work was drawn, on average.
        training_nats_per_cell: on as many training works as there are validation works.
        validation_nats_per_cell: on the validation works.
        held_out: notes of the longest copy, median of the continuations of validation works.
        held_out_low: where 95 percent of these medians lie when whole pieces are drawn again: from here
        held_out_high: to here.
        known: the same median, of continuations of training works.
        known_low: as before.
        known_high: as before.
        works: the same median, of the validation works as they are written.
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
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CopyingPoint._fields)
    writer.writerows(rows)
    return write_atomic(path, text.getvalue())


def read_copying(path: Path) -> list[CopyingPoint]:
    """The rows of a table that `write_copying` wrote.

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
            f"{path}: is no table of seqmusic experiment copying ({error}); make it again, or delete it"
        ) from error


def copying_charts(rows: Sequence[CopyingPoint]) -> tuple[Chart, Chart]:
    """Nats and copies over the batches, two trainings at most."""
    nats, copies = [], []
    for name in dict.fromkeys(row.training for row in rows):
        own = [row for row in rows if row.training == name]
        steps = [row.step for row in own]
        nats.append(
            LineSeries(f"validation, {name}", steps, [row.validation_nats_per_cell for row in own])
        )
        nats.append(
            LineSeries(f"training, {name}", steps, [row.training_nats_per_cell for row in own])
        )
        for given, place in (("held-out", "held_out"), ("training", "known")):
            copies.append(
                LineSeries(f"{given}, {name}", steps, [getattr(row, place) for row in own])
            )
    loss = line_chart(nats, x_label="batches", y_label="nats a cell")
    copied = line_chart(
        copies,
        x_label="batches",
        y_label="notes, median",
        references=[("held-out\nworks", rows[0].works)],
    )
    return (
        Chart(
            loss,
            "What a model knows over its training: where the lines part, it learns works by heart.",
        ),
        Chart(
            copied,
            "The longest passage copied from a training work, going on from beginnings of held-out or of training works.",
        ),
    )


def copying_table(rows: Sequence[CopyingPoint]) -> Table:
    """All of it."""
    headings = {"training": "training", "step": "batches", "epochs": "epochs"}
    columns = tuple(
        Column(name, headings.get(name, name.replace("_", " ")), ".4g")
        for name in CopyingPoint._fields
    )
    return Table(
        "copying",
        "Copying over a training, beside the loss.",
        columns,
        tuple(tuple(row) for row in rows),
        is_collapsed=True,
    )
