"""A corpus ready for training: the table of its works, and pieces that are read when drawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.folders.prepared_folder import NAMES_FILE, pieces_folder, work_digests
from seqmusic.corpus.folders.state import check_finished, is_prepared
from seqmusic.corpus.loading import load_corpus
from seqmusic.corpus.similarity.digests import Digests, shingles
from seqmusic.corpus.similarity.fingerprints import Fingerprints, digests_to_fingerprints
from seqmusic.corpus.works_table import (
    WORKS_FILE,
    WorkEntry,
    kept_styles,
    read_works,
    work_entries,
    works_table_text,
)
from seqmusic.errors import CorpusError
from seqmusic.tokens.piece_files import load_pieces
from seqmusic.tokens.pieces import Pieces, pack_scores


@dataclass(frozen=True)
class TrainingCorpus:
    """The works of a corpus, ready to be trained on.

    Attributes:
        entries: the entry of each work in the table.
        table: the table as text.
        pieces: the pieces of the works that are kept.
        names: the name of the work of each number in `pieces.work_ids`.
        digests: returns the shingles of each kept work, read anew each time.
    """

    entries: Mapping[str, WorkEntry]
    table: str
    pieces: Pieces
    names: tuple[str, ...]
    digests: Callable[[], Iterator[tuple[str, Digests]]]

    def pieces_in(self, split: str) -> Pieces:
        """The pieces of one part of the split."""
        is_chosen = np.array([self._split(name) == split for name in self.names], bool)
        return self.pieces.subset(np.flatnonzero(is_chosen[self.pieces.work_ids]))

    def n_works(self, split: str) -> int:
        """Number of works in a part of the split."""
        return sum(entry.split == split for entry in self.entries.values())

    def fingerprints(self) -> Fingerprints:
        """The digests by which the training works are recognized."""
        return digests_to_fingerprints(
            digests for name, digests in self.digests() if self._split(name) == "train"
        )

    def _split(self, name: str) -> str:
        return self.entries[name].split if name in self.entries else ""

    def write_table(self, path: Path) -> Path:
        """Write the table of works.

        Raises:
            FormatError: the file cannot be written.
        """
        return write_atomic(path, self.table)


def load_training_corpus(data: Path | None = None) -> TrainingCorpus:
    """The works of a corpus named as in `load_corpus`; those of a prepared folder stay on disk.

    Raises:
        CorpusError: there is no such corpus, or it is damaged, or its table does not match it.
        FormatError: a benchmark file is not of its shape.
    """
    if data is not None and is_prepared(data):
        return _prepared_training_corpus(data)
    return training_corpus_of(load_corpus(data))


def training_corpus_of(dataset: Dataset) -> TrainingCorpus:
    """The works of a data set in memory."""
    works = dataset.kept_works
    styles = {style: number for number, style in enumerate(kept_styles(works))}
    return TrainingCorpus(
        work_entries(dataset),
        works_table_text(dataset),
        pack_scores([work.score for work in works], [styles.get(work.style) for work in works]),
        tuple(work.name for work in works),
        lambda: ((work.name, shingles(work.score).digests) for work in works),
    )


def _prepared_training_corpus(folder: Path) -> TrainingCorpus:
    check_finished(folder)
    path = folder / WORKS_FILE
    entries, pieces = read_works(path), load_pieces(pieces_folder(folder))
    try:
        names = tuple(json.loads((pieces_folder(folder) / NAMES_FILE).read_text(encoding="utf-8")))
        table = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{folder}: its list of works is damaged ({error}); prepare the data again"
        ) from error
    if missing := sorted({name for name, entry in entries.items() if entry.split} - set(names)):
        raise CorpusError(
            f"{path}: work {missing[0]!r} has a split, but was dropped when the data was prepared, "
            "or is not there; empty its split"
        )
    return TrainingCorpus(entries, table, pieces, names, lambda: work_digests(folder))
