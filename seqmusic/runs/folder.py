"""The folder of a run: what may be written into it, what is resumed, and what it tells people."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.similarity.fingerprints import FINGERPRINTS_FILE
from seqmusic.corpus.training_corpus import TrainingCorpus
from seqmusic.corpus.works_table import WorkEntry, read_works
from seqmusic.errors import CheckpointError
from seqmusic.runs.checkpoint import RESUME_FILE
from seqmusic.runs.configuration import Configuration, configuration_text, read_configuration
from seqmusic.runs.weights import WEIGHTS_FILE
from seqmusic.tokens.pieces import Pieces

CONFIGURATION_FILE, WORKS_FILE, METRICS_FILE, CARD_FILE = (
    "config.toml",
    "works.csv",
    "metrics.csv",
    "card.md",
)
_RUN_FILES = {
    CONFIGURATION_FILE,
    WORKS_FILE,
    METRICS_FILE,
    CARD_FILE,
    WEIGHTS_FILE,
    RESUME_FILE.parts[0],
    "tokenizer.json",
    FINGERPRINTS_FILE,
}
_CHANGEABLE_SETTINGS = {"steps", "minutes", "patience", "evaluate_every", "accumulate"}

MetricsRow = dict[str, float]


def check_folder(configuration: Configuration, out: Path, resume: bool) -> None:
    """Refuse what is no place for this run; a run is there once its configuration is, which is written last.

    Raises:
        CheckpointError: it is a file, holds another run or something else, or the configuration has changed since.
    """
    if out.exists() and not out.is_dir():
        raise CheckpointError(f"{out}: is a file; --out names a folder")
    if not (out / CONFIGURATION_FILE).is_file():
        if resume:
            raise CheckpointError(f"{out}: nothing to resume there; leave --resume out to begin")
        names = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
        if others := [name for name in names if name not in _RUN_FILES and name[0] != "."]:
            raise CheckpointError(
                f"{out}: holds something else already, such as {others[0]!r}; choose another --out"
            )
        return
    if not resume:
        raise CheckpointError(
            f"{out}: holds a run already; add --resume to go on with it, or choose another --out"
        )
    if changes := changed_settings(read_configuration(out / CONFIGURATION_FILE), configuration):
        raise CheckpointError(
            f"{out}: {'; '.join(changes)}; resume with the same configuration: {out / CONFIGURATION_FILE}"
        )


def changed_settings(before: Configuration, now: Configuration) -> list[str]:
    """What differs of all that a resumed run must not change, each with both values."""
    old, new = asdict(before), asdict(now)
    return [
        f"[{table}] {name} was {old[table][name]}, now {value}"
        for table in new
        for name, value in new[table].items()
        if old[table][name] != value and not (table == "training" and name in _CHANGEABLE_SETTINGS)
    ]


def check_corpus(entries: Mapping[str, WorkEntry], out: Path) -> None:
    """Refuse works other than those that the run began with.

    Raises:
        CheckpointError: works came, went, or changed their part of the split.
        CorpusError: the table of works cannot be read.
    """
    before = {
        name: entry.split or "dropped" for name, entry in read_works(out / WORKS_FILE).items()
    }
    now = {name: entry.split or "dropped" for name, entry in entries.items()}
    changes = [f"{name} is new" for name in now if name not in before]
    changes += [f"{name} is gone" for name in before if name not in now]
    changes += [
        f"{name} was {split}, now {now[name]}"
        for name, split in before.items()
        if now.get(name, split) != split
    ]
    if changes:
        shown = "; ".join(changes[:3]) + (
            f" and {len(changes) - 3} more" if len(changes) > 3 else ""
        )
        raise CheckpointError(
            f"{out}: the corpus has changed since: {shown}; train into another folder"
        )


def check_training_notes(saved_checksum: int, pieces: Pieces, out: Path) -> None:
    """Refuse training works whose notes have changed, though their names have not.

    Raises:
        CheckpointError: they have.
    """
    if saved_checksum != pieces.checksum():
        raise CheckpointError(
            f"{out}: notes of the training works have changed since; train into another folder"
        )


def write_metrics(out: Path, rows: Sequence[MetricsRow]) -> None:
    """Write the table of evaluations."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(out / METRICS_FILE, text.getvalue())


def read_metrics(out: Path, last_step: int) -> list[MetricsRow]:
    """The evaluations up to a batch; what a killed run wrote of later ones will come again.

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


def model_card(
    configuration: Configuration, corpus: TrainingCorpus, facts: Mapping[str, str]
) -> str:
    """The model card: what it was trained on and how, and what it reaches."""
    sizes = ", ".join(f"{corpus.n_works(name)} {name}" for name in ("train", "valid", "test"))
    lines = [
        "# Model card",
        "",
        "Trained on the training works listed in works.csv.",
        "",
        f"- works: {sizes} (works.csv); the test part was not looked at",
        *(f"- {name}: {fact}" for name, fact in facts.items()),
        "",
        "```toml",
        configuration_text(configuration).strip(),
        "```",
        "",
    ]
    return "\n".join(lines)
