"""The table of works, `works.csv`: for people to read, and to fix a split by hand."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.dataset import SPLITS, Dataset, Work
from seqmusic.errors import CorpusError
from seqmusic.score import Key, Score
from seqmusic.tonality import infer_key, key_name

WORKS_FILE = "works.csv"
WORKS_COLUMNS = (
    "work",
    "title",
    "split",
    "family",
    "reason",
    "notes",
    "bars",
    "key",
    "meter",
    "style",
)


class WorkEntry(NamedTuple):
    """What the table decides about a work; the fields are those of `Work`."""

    split: str
    family: int
    reason: str
    style: str = ""


def write_works(dataset: Dataset, path: Path) -> Path:
    """Write the table of all works, dropped ones too; returns `path`.

    Raises:
        FormatError: the file cannot be written; an existing file is left as it was.
    """
    return write_atomic(path, table_text(WORKS_COLUMNS, works_rows(dataset)))


def work_entries(dataset: Dataset) -> dict[str, WorkEntry]:
    """What the table of a data set says about each work."""
    return {
        work.name: WorkEntry(work.split, work.family, work.reason, work.style)
        for work in dataset.works
    }


def kept_styles(entries: Mapping[str, WorkEntry]) -> list[str]:
    """The styles of the works that are kept, in the order of their numbers.

    >>> kept_styles({"a": WorkEntry("train", 0, "", "waltz"), "b": WorkEntry("", -1, "no meter", "reel"), "c": WorkEntry("test", 1, "", "")})
    ['waltz']
    """
    return sorted({entry.style for entry in entries.values() if entry.style and not entry.reason})


def works_rows(dataset: Dataset) -> list[tuple[str, ...]]:
    """The rows of the table of all works."""
    return [_work_row(work) for work in dataset.works]


def table_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV, the names of the columns first."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def read_works(path: Path) -> dict[str, WorkEntry]:
    """What the table says about each work, by name; columns other than work, split, family, reason and style are not looked at.

    Raises:
        CorpusError: the file is missing or no such table, or a row names a work twice, no split, or a family that is no number.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path}: not a table in UTF-8 (byte {error.start}); save it as CSV in UTF-8"
        ) from error
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    if missing := [
        column for column in ("work", "split") if column not in (reader.fieldnames or ())
    ]:
        raise CorpusError(
            f"{path}: row 1: the column {missing[0]!r} is missing; the table starts with {','.join(WORKS_COLUMNS)}"
        )
    entries: dict[str, WorkEntry] = {}
    for row in reader:
        place = f"{path}: row {reader.line_num}"
        if row["work"] in entries:
            raise CorpusError(
                f"{place}: work {row['work']!r} stands in the table twice; keep one row"
            )
        entries[row["work"]] = _parse_entry(row, place)
    return entries


def with_table(dataset: Dataset, path: Path) -> Dataset:
    """The data set with splits, families and reasons as the table at `path` says; works it leaves out are dropped.

    Raises:
        CorpusError: the table is wrong, as in `read_works`, or names a work that the data set lacks.
    """
    entries = read_works(path)
    known = {work.name for work in dataset.works}
    for number, name in enumerate(entries, start=2):
        if name not in known:
            raise CorpusError(
                f"{path}: row {number}: this corpus has no work {name!r}; correct the name, or take the row out"
            )
    left_out = WorkEntry("", -1, f"not in {Path(path).name}")
    return Dataset(
        tuple(replace(work, **entries.get(work.name, left_out)._asdict()) for work in dataset.works)
    )


def _parse_entry(row: Mapping[str, str], place: str) -> WorkEntry:
    split, family, reason = (
        row["split"].strip(),
        (row.get("family") or "").strip(),
        (row.get("reason") or "").strip(),
    )
    if split not in ("", *SPLITS):
        raise CorpusError(
            f"{place}: split must be {', '.join(SPLITS)} or empty, got {split!r} (work {row['work']!r})"
        )
    if split and reason:
        raise CorpusError(
            f"{place}: a work is dropped for a reason or has a split, got both; empty one (work {row['work']!r})"
        )
    if family and not (family.isascii() and family.isdigit()):
        raise CorpusError(
            f"{place}: family must be a whole number or empty, got {family!r} (work {row['work']!r})"
        )
    reason = reason if reason or split else "no split in the table"
    return WorkEntry(split, int(family) if family else -1, reason, (row.get("style") or "").strip())


def _work_row(work: Work) -> tuple[str, ...]:
    family = str(work.family) if work.family >= 0 else ""
    facts = (
        str(work.score.n_notes),
        str(n_bars(work.score)),
        key_label(work.score),
        meter_label(work.score),
    )
    return (work.name, work.score.title, work.split, family, work.reason, *facts, work.style)


def n_bars(score: Score) -> int:
    """Bars of the score, its pickup not counted; 0 where no meter is known."""
    return max((bar.number for bar in score.bars()), default=0)


def known_or_inferred_key(score: Score) -> Key | None:
    """The score's key where its mode is known, else the key that its notes suggest; None without notes."""
    if score.key is not None and score.key.mode:
        return score.key
    return infer_key(score) if score.n_notes else None


def key_label(score: Score) -> str:
    """The key's name, "" without notes."""
    key = known_or_inferred_key(score)
    return key_name(key) if key else ""


def meter_label(score: Score) -> str:
    """Time signatures in their order, "" where no meter is known; one that is only written again is not repeated."""
    return " ".join(
        signature
        for signature, _ in itertools.groupby(
            str(signature) for _, signature in score.time_signatures
        )
    )
