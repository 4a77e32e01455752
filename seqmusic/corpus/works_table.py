"""The table of works, `works.csv`: for people to read, and to fix a split by hand."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from seqmusic.corpus.dataset import SPLITS, Dataset, Work
from seqmusic.errors import CorpusError
from seqmusic.score import Key, Score
from seqmusic.tonality import infer_key, key_name

WORKS_FILE = "works.csv"
FIGURE_COLUMNS = ("notes", "bars", "key", "meter")
WORKS_COLUMNS = ("work", "title", "split", "family", "reason", *FIGURE_COLUMNS, "style")


class WorkEntry(NamedTuple):
    """What the table decides about a work; the fields are those of `Work`."""

    split: str
    family: int
    reason: str
    style: str = ""


def work_entries(dataset: Dataset) -> dict[str, WorkEntry]:
    """The entry of each work of a data set, by name."""
    return {
        work.name: WorkEntry(work.split, work.family, work.reason, work.style)
        for work in dataset.works
    }


def kept_styles(works: Iterable[Work | WorkEntry]) -> list[str]:
    """The styles of the works that are kept, in the order of their numbers.

    >>> dropped = WorkEntry("", -1, "no meter", "reel")
    >>> kept_styles([WorkEntry("train", 0, "", "waltz"), dropped, WorkEntry("test", 1, "", "")])
    ['waltz']
    """
    return sorted({work.style for work in works if work.style and not work.reason})


def works_table_text(dataset: Dataset) -> str:
    """The table of all works as CSV, dropped ones too."""
    rows = (
        table_row(work, work.score.title, score_figures(work.score).values())
        for work in dataset.works
    )
    return table_text(WORKS_COLUMNS, rows)


def table_row(work: Work, title: str, figures: Iterable[object]) -> tuple[object, ...]:
    """The row of a work, given its title and the values of `score_figures`."""
    family = str(work.family) if work.family >= 0 else ""
    return (work.name, title, work.split, family, work.reason, *figures, work.style)


def score_figures(score: Score) -> dict[str, object]:
    """The columns of the table that describe the music."""
    figures = (score.n_notes, n_bars(score), key_label(score), meter_label(score))
    return dict(zip(FIGURE_COLUMNS, figures, strict=True))


def table_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV, the names of the columns first."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def read_works(path: Path) -> dict[str, WorkEntry]:
    """The entry of each work in a table, by name.

    Columns other than work, split, family, reason and style are ignored.

    Raises:
        CorpusError: the file is missing or no such table, or a row repeats the name of a work, has
            no such split, or a family that is no number.
    """
    reader = csv.DictReader(io.StringIO(_table_file_text(path), newline=""), restval="")
    for column in ("work", "split"):
        if column not in (reader.fieldnames or ()):
            raise CorpusError(
                f"{path}: row 1: the column {column!r} is missing; "
                f"the table starts with {','.join(WORKS_COLUMNS)}"
            )
    entries: dict[str, WorkEntry] = {}
    for row in reader:
        where = f"{path}: row {reader.line_num}"
        if row["work"] in entries:
            raise CorpusError(
                f"{where}: work {row['work']!r} stands in the table twice; keep one row"
            )
        entries[row["work"]] = _parse_entry(row, where)
    return entries


def _table_file_text(path: Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path}: not a table in UTF-8 (byte {error.start}); save it as CSV in UTF-8"
        ) from error


def with_table(dataset: Dataset, path: Path) -> Dataset:
    """The data set with the splits, families, reasons and styles of the table at `path`.

    Works that the table leaves out are dropped.

    Raises:
        CorpusError: the table is wrong, as in `read_works`, or names an unknown work.
    """
    entries = read_works(path)
    known = {work.name for work in dataset.works}
    for number, name in enumerate(entries, start=2):
        if name not in known:
            raise CorpusError(
                f"{path}: row {number}: this corpus has no work {name!r}; "
                "correct the name, or remove the row"
            )
    left_out = WorkEntry("", -1, f"not in {Path(path).name}")
    return Dataset(
        tuple(replace(work, **entries.get(work.name, left_out)._asdict()) for work in dataset.works)
    )


def _parse_entry(row: Mapping[str, str], where: str) -> WorkEntry:
    split, family, reason, style = (
        (row.get(column) or "").strip() for column in ("split", "family", "reason", "style")
    )
    complaint = ""
    if split not in ("", *SPLITS):
        complaint = f"split must be {', '.join(SPLITS)} or empty, got {split!r}"
    elif split and reason:
        complaint = "a work is dropped for a reason or has a split, got both; empty one"
    elif family and not (family.isascii() and family.isdigit()):
        complaint = f"family must be a whole number or empty, got {family!r}"
    if complaint:
        raise CorpusError(f"{where}: {complaint} (work {row['work']!r})")
    if not (split or reason):
        reason = "no split in the table"
    return WorkEntry(split, int(family) if family else -1, reason, style)


def n_bars(score: Score) -> int:
    """Number of bars of the score without its pickup; 0 where no meter is known."""
    return max((bar.number for bar in score.bars()), default=0)


def known_or_inferred_key(score: Score) -> Key | None:
    """The score's key if its mode is known, else the one its notes suggest; None without notes."""
    if score.key is not None and score.key.mode:
        return score.key
    return infer_key(score) if score.n_notes else None


def key_label(score: Score) -> str:
    """The key's name, "" without notes."""
    key = known_or_inferred_key(score)
    return key_name(key) if key else ""


def meter_label(score: Score) -> str:
    """Time signatures in their order without repetitions; "" if no meter is known."""
    signatures = (str(signature) for _, signature in score.time_signatures)
    return " ".join(signature for signature, _ in itertools.groupby(signatures))
