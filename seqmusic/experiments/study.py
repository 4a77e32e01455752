"""A study: a folder of trials, each a file of plain values; what is finished is never done twice, and never mixed with another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from seqmusic.atomic_files import write_atomic
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces
from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CheckpointError, CorpusError, FormatError
from seqmusic.report.figures import write_figure
from seqmusic.report.report_folder import table_csv
from seqmusic.report.sections import Table
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES
from seqmusic.runs.folder_lock import locked

STUDY_FILE = "study.json"
_PURPOSES = {"train": "train on", "valid": "validate", "test": "test"}
TrialRecord = dict[str, Any]


def open_study(folder: Path, settings: Mapping[str, object]) -> None:
    """Begin a study in a new folder, or go on with the one that is there.

    Args:
        folder: made where it is missing.
        settings: everything, as plain values, that all its trials have in common.

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
            f"{folder}: holds a study with other settings ({'; '.join(changed)}); choose another folder"
        )


def run_trials(
    folder: Path,
    trials: Mapping[str, Callable[[], TrialRecord]],
    show: Callable[[str], None] = print,
) -> dict[str, TrialRecord]:
    """What each trial gave, by its name: read from the folder where it is finished, else done now and written.

    Each is done by one thread, so that its processor seconds are seconds of work. Ctrl-C loses only the trial in progress.

    Raises:
        CheckpointError: the file of a finished trial is damaged, or another process works in the folder.
        FormatError: a result cannot be written.
    """
    paths = {name: folder / "trials" / f"{name}.json" for name in trials}
    found = {name: _read_json_object(path) for name, path in paths.items() if path.is_file()}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with (
            locked(folder),
            tqdm(total=len(trials), initial=len(found), unit="trial", desc="trials") as bar,
        ):
            for name in [name for name in trials if name not in found]:
                found[name] = trials[name]()
                write_atomic(paths[name], json.dumps(found[name]) + "\n")
                bar.update()
    except KeyboardInterrupt:
        show(
            f"stopped; {len(found)} of {len(trials)} trials are kept in {folder}, and the same command goes on with the others"
        )
        raise
    finally:
        torch.set_num_threads(threads)
    return {name: found[name] for name in trials}


def common_settings(
    experiment: str, configuration: Configuration, dataset: Dataset
) -> dict[str, object]:
    """The settings of a study that trains a configuration on a data set; the seed is a matter of each trial."""
    tables = asdict(configuration)
    tables["training"].pop("seed")
    named = {
        f"[{table}] {key}": value
        for table, values in tables.items()
        for key, value in values.items()
    }
    return {"experiment": experiment, "corpus": corpus_name(dataset), **named}


def corpus_name(dataset: Dataset) -> str:
    """What tells one data set from another: its sizes, and a digest of the names, parts and notes of its works."""
    parts = [f"{len(dataset.works_in(split))} {split}" for split in ("train", "valid", "test")]
    known = "\n".join(
        f"{work.name} {work.split} {work.score.n_notes}" for work in dataset.kept_works
    )
    return f"{', '.join(parts)} works, {hashlib.sha256(known.encode()).hexdigest()[:8]}"


def pieces_of_split(dataset: Dataset, split: str) -> EncodedPieces:
    """A part of the data set ready to be scored, for a model of as many voices as any of its works has.

    Raises:
        CorpusError: the part is empty.
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
    """Write the table as CSV, all as JSON, the figure as SVG and PNG, named like the table; returns the table as text.

    Raises:
        FormatError: a file cannot be written.
    """
    write_atomic(folder / f"{table.name}.csv", table_csv(table))
    write_atomic(
        folder / f"{table.name}.json",
        json.dumps({"table": table.records(), **facts}, indent=1) + "\n",
    )
    for kind in ("svg", "png"):
        write_figure(figure, folder / f"{table.name}.{kind}")
    return aligned_table_text(table)


def aligned_table_text(table: Table) -> str:
    """The rows below the headings, aligned: the first column to the left, all else to the right.

    >>> from seqmusic.report.sections import Column
    >>> print(aligned_table_text(Table("a", "", (Column("m", "model"), Column("n", "nats", ".2f")), (("5-gram", 0.4793), ("LSTM", None)))))
    model   nats
    5-gram  0.48
    LSTM       –
    """
    lines = [[column.heading for column in table.columns]]
    lines += [
        [column.shown(cell) for column, cell in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]
    first, *others = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            [
                line[0].ljust(first),
                *(cell.rjust(width) for cell, width in zip(line[1:], others, strict=True)),
            ]
        ).rstrip()
        for line in lines
    )


def _read_json_object(path: Path) -> TrialRecord:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: is damaged ({error}); delete it, and it is made again"
        ) from error
    if not isinstance(found, dict):
        raise CheckpointError(
            f"{path}: must hold an object of JSON, got {type(found).__name__}; delete it, and it is made again"
        )
    return found
