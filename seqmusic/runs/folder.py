"""The folder of a run: which folders may be written to or resumed, and the table of evaluations."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.similarity.fingerprints import FINGERPRINTS_FILE
from seqmusic.corpus.works_table import WORKS_FILE, WorkEntry, read_works
from seqmusic.errors import CheckpointError
from seqmusic.runs.card import CARD_FILE
from seqmusic.runs.checkpoint import RESUME_FILE, nothing_to_resume
from seqmusic.runs.configuration import Configuration, read_configuration
from seqmusic.runs.judge_weights import JUDGE_FILE
from seqmusic.runs.weights import TOKENIZER_FILE, WEIGHTS_FILE
from seqmusic.tokens.pieces import Pieces

CONFIGURATION_FILE = "config.toml"
METRICS_FILE = "metrics.csv"
HISTORY_FILES = (WORKS_FILE, METRICS_FILE, FINGERPRINTS_FILE)  # of how the weights were made
COMPOSED_FOLDER = "composed"  # holds the pieces that the teachers of the run composed
_RUN_FILES = {
    COMPOSED_FOLDER,
    *HISTORY_FILES,
    *(CONFIGURATION_FILE, CARD_FILE, WEIGHTS_FILE, JUDGE_FILE),
    *(TOKENIZER_FILE, RESUME_FILE.parts[0]),
}
_CHANGEABLE_SETTINGS = {"steps", "minutes", "patience", "evaluate_every", "accumulate"}

MetricsRow = dict[str, float]


def check_folder(configuration: Configuration, out: Path, resume: bool) -> None:
    """Refuse a folder that this run must not write to.

    A folder holds a run if it has a configuration, which is written last.

    Raises:
        CheckpointError: the folder is a file, holds another run or other files, or the
            configuration differs from that of the run to be resumed.
    """
    if out.exists() and not out.is_dir():
        raise CheckpointError(f"{out}: is a file; --out names a folder")
    if not (out / CONFIGURATION_FILE).is_file():
        _check_without_run(out, resume)
        return
    if not resume:
        raise CheckpointError(
            f"{out}: holds a run already; add --resume to go on with it, or choose another --out"
        )
    if changes := changed_settings(read_configuration(out / CONFIGURATION_FILE), configuration):
        raise CheckpointError(
            f"{out}: {'; '.join(changes)}; "
            f"resume with the same configuration: {out / CONFIGURATION_FILE}"
        )


def _check_without_run(out: Path, resume: bool) -> None:
    if resume:
        raise nothing_to_resume(out)
    names = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    if others := [name for name in names if name not in _RUN_FILES and name[0] != "."]:
        raise CheckpointError(
            f"{out}: holds something else already, such as {others[0]!r}; choose another --out"
        )


def changed_settings(before: Configuration, now: Configuration) -> list[str]:
    """Differences that forbid to resume a run, each with both values."""
    old, new = asdict(before), asdict(now)
    return [
        f"[{table}] {name} was {old[table][name]}, now {value}"
        for table in new
        for name, value in new[table].items()
        if old[table][name] != value and not (table == "training" and name in _CHANGEABLE_SETTINGS)
    ]


def check_corpus(entries: Mapping[str, WorkEntry], out: Path) -> None:
    """Refuse a corpus other than the one that the run began with.

    Raises:
        CheckpointError: works were added or removed, or belong to another part of the split.
        CorpusError: the table of works cannot be read.
    """
    table = read_works(out / WORKS_FILE)
    before = {name: entry.split or "dropped" for name, entry in table.items()}
    now = {name: entry.split or "dropped" for name, entry in entries.items()}
    changes = [f"{name} is new" for name in now if name not in before]
    changes += [f"{name} is gone" for name in before if name not in now]
    changes += [
        f"{name} was {split}, now {now[name]}"
        for name, split in before.items()
        if now.get(name, split) != split
    ]
    if changes:
        rest = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
        raise CheckpointError(
            f"{out}: the corpus has changed since: {'; '.join(changes[:3])}{rest}; "
            "train into another folder"
        )


def check_training_notes(saved_checksum: int, pieces: Pieces, out: Path) -> None:
    """Refuse training works of the same names with other notes.

    Raises:
        CheckpointError: the notes have changed.
    """
    if saved_checksum != pieces.checksum():
        raise CheckpointError(
            f"{out}: notes of the training works have changed since; train into another folder"
        )


def write_metrics(out: Path, rows: Sequence[MetricsRow]) -> None:
    """Write the table of evaluations.

    Raises:
        FormatError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(out / METRICS_FILE, text.getvalue())


def read_metrics(out: Path, last_step: int) -> list[MetricsRow]:
    """The evaluations up to a step; a resumed run repeats the later ones.

    Raises:
        CheckpointError: the table is damaged.
    """
    path = out / METRICS_FILE
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                {name: float(value) for name, value in row.items()} for row in csv.DictReader(file)
            ]
        return [{**row, "step": int(row["step"])} for row in rows if row["step"] <= last_step]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: is no table of evaluations ({error}); move it away to go on without it"
        ) from error
