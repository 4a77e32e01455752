"""A study: a folder of trials, each a JSON file of plain values.

A finished trial is never repeated, and trials with other settings are never mixed in.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CheckpointError, CorpusError, FormatError
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces
from seqmusic.progress import progress_bar
from seqmusic.report.figures import write_svg_and_png
from seqmusic.report.report_folder import table_csv
from seqmusic.report.sections import Table
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.folder_lock import locked
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES

logger = logging.getLogger(__name__)

STUDY_FILE = "study.json"
_PURPOSES = {"train": "train on", "valid": "validate", "test": "test"}
TrialRecord = dict[str, Any]
"""What a trial found, as plain values by name."""


def open_study(folder: Path, settings: Mapping[str, object]) -> None:
    """Begin a study in a new folder, or check that the study in the folder has these settings.

    Args:
        folder: created if it is missing.
        settings: everything that all trials have in common, as plain values.

    Raises:
        FormatError: the folder holds something else.
        CheckpointError: the folder holds a study with other settings, or a damaged one.
    """
    path = folder / STUDY_FILE
    if not path.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise FormatError(f"{folder}: holds something that is no study; choose another folder")
        write_atomic(path, json.dumps(settings, indent=1) + "\n")
        return
    before, now = _read_json_object(path), json.loads(json.dumps(settings))
    differing = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    changed = [f"{name} was {before.get(name)}, now {now.get(name)}" for name in differing]
    if changed:
        raise CheckpointError(
            f"{folder}: holds a study with other settings ({'; '.join(changed)}); "
            "choose another folder"
        )


def run_trials(
    folder: Path, trials: Mapping[str, Callable[[], TrialRecord]]
) -> dict[str, TrialRecord]:
    """The record of each trial by its name: read from the folder if it is there, else made now.

    Each trial runs in one thread, so that its processor time measures its work. Ctrl-C loses only
    the trial in progress.

    Raises:
        CheckpointError: the file of a finished trial is damaged, or another process works in the
            folder.
        FormatError: a record cannot be written.
    """
    paths = {name: folder / "trials" / f"{name}.json" for name in trials}
    records = {name: _read_json_object(path) for name, path in paths.items() if path.is_file()}
    missing = [name for name in trials if name not in records]
    try:
        with (
            _one_thread(),
            locked(folder),
            progress_bar(len(trials), "trials", "trial", initial=len(records)) as bar,
        ):
            for name in missing:
                records[name] = trials[name]()
                write_atomic(paths[name], json.dumps(records[name]) + "\n")
                bar.update()
    except KeyboardInterrupt:
        logger.info(
            "stopped; %d of %d trials are kept in %s, and the same command goes on with the others",
            len(records),
            len(trials),
            folder,
        )
        raise
    return {name: records[name] for name in trials}


@contextmanager
def _one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def common_settings(
    experiment: str, configuration: Configuration, dataset: Dataset
) -> dict[str, object]:
    """The settings of a study that trains a configuration; the seed is set by each trial."""
    tables = asdict(configuration)
    tables["training"].pop("seed")
    by_key = {
        f"[{table}] {key}": value
        for table, values in tables.items()
        for key, value in values.items()
    }
    return {"experiment": experiment, "corpus": corpus_name(dataset), **by_key}


def corpus_name(dataset: Dataset) -> str:
    """A name that identifies a data set: the sizes of its splits, and a digest of its works."""
    sizes = [f"{len(dataset.works_in(split))} {split}" for split in ("train", "valid", "test")]
    works = "\n".join(
        f"{work.name} {work.split} {work.score.n_notes}" for work in dataset.kept_works
    )
    return f"{', '.join(sizes)} works, {hashlib.sha256(works.encode()).hexdigest()[:8]}"


def pieces_of_split(dataset: Dataset, split: str) -> EncodedPieces:
    """A split of the data set, encoded for a model of as many voices as any of its works has.

    Raises:
        CorpusError: the split is empty.
    """
    works = dataset.works_in(split)
    if not works:
        raise CorpusError(
            f"the corpus has no works to {_PURPOSES[split]}; give it some: seqmusic data prepare"
        )
    return encode_pieces(
        [work.score for work in works],
        max([DEFAULT_MAX_VOICES, *(len(work.score.voices) for work in dataset.kept_works)]),
    )


def write_results(folder: Path, table: Table, figure: object, facts: Mapping[str, object]) -> str:
    """Write the table as CSV, table and facts as JSON, and the figure as SVG and PNG.

    Returns:
        The table as text. The files are named like the table.

    Raises:
        FormatError: a file cannot be written.
    """
    values = {"table": table.records(), **facts}
    write_atomic(folder / f"{table.name}.csv", table_csv(table))
    write_atomic(folder / f"{table.name}.json", json.dumps(values, indent=1) + "\n")
    write_svg_and_png(figure, folder, table.name)
    return aligned_table_text(table)


def aligned_table_text(table: Table) -> str:
    """The table as text: its first column aligned to the left, all others to the right.

    >>> from seqmusic.report.sections import Column
    >>> columns = (Column("m", "model"), Column("n", "nats", ".2f"))
    >>> print(aligned_table_text(Table("a", "", columns, (("5-gram", 0.4793), ("LSTM", None)))))
    model   nats
    5-gram  0.48
    LSTM       –
    """
    rows = [[column.heading for column in table.columns]]
    for row in table.rows:
        rows.append([c.formatted(cell) for c, cell in zip(table.columns, row, strict=True)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned_row(row, widths) for row in rows)


def _aligned_row(row: list[str], widths: list[int]) -> str:
    cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
    cells[0] = row[0].ljust(widths[0])
    return "  ".join(cells).rstrip()


def _read_json_object(path: Path) -> TrialRecord:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: is damaged ({error}); delete it, and it is made again"
        ) from error
    if not isinstance(value, dict):
        raise CheckpointError(
            f"{path}: must hold an object of JSON, got {type(value).__name__}; "
            "delete it, and it is made again"
        )
    return value
