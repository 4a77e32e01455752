"""The data set that a user names: the chorales, a prepared folder, or a benchmark file."""

from __future__ import annotations

from pathlib import Path

from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.corpus.folders.prepared_folder import load_prepared
from seqmusic.errors import CorpusError
from seqmusic.formats.pitch_table import read_jsb
from seqmusic.tonality import with_inferred_key


def load_corpus(data: Path | None = None) -> Dataset:
    """The data set of a prepared folder or a benchmark file (.json); for None, the chorales.

    A benchmark file has its own split.

    Raises:
        CorpusError: there is no such folder or file, or it is no data set.
        FormatError: the benchmark file is not of its shape.
    """
    if data is None:
        return load_chorales()
    if data.is_dir():
        return load_prepared(data)
    if data.suffix.lower() == ".json":
        return benchmark_dataset(data)
    raise CorpusError(
        f"{data}: no prepared data set; "
        "name a folder made by seqmusic data prepare --out, or a benchmark .json"
    )


def benchmark_dataset(path: Path) -> Dataset:
    """The pieces of a benchmark file as works named "train 0", "train 1" ..., in the file's split.

    The file names no keys: each piece has the one that its notes suggest.

    Raises:
        FormatError: the file is not of its shape.
    """
    return Dataset(
        tuple(
            Work(score.title, with_inferred_key(score), split)
            for split, scores in read_jsb(path).items()
            for score in scores
        )
    )
