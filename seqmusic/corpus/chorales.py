"""The embedded corpus: the Bach chorales of music21, kept in the user's cache when prepared."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from dataclasses import replace
from importlib import resources
from pathlib import Path

from seqmusic.corpus.cache import cache_folder, load_or_prepare
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.folders.parallel_reading import read_files
from seqmusic.corpus.selection.preparation import prepare
from seqmusic.corpus.selection.split import DEFAULT_SHARES, Shares, split_works
from seqmusic.corpus.storage import FORMAT_VERSION
from seqmusic.errors import CorpusError, CorruptFileError, FormatError
from seqmusic.score import Score
from seqmusic.tonality import with_tonal_key

# The files that decide what is in the cache; their content is part of the cache file's name.
_CACHE_KEY_FILES = (
    *("score.py", "score_data.py", "tonality.py", "pitch_grid.py"),
    *(f"formats/{name}.py" for name in ("measures", "time_grid", "voice_names", "printed_score")),
    *(f"formats/kern/{name}.py" for name in ("file", "reading", "spines", "tokens")),
    *(f"formats/musicxml/{name}.py" for name in ("file", "reading", "part_reading", "unread")),
    *("formats/musicxml/tree.py", "formats/notation/file.py", "formats/notation/unpacking.py"),
    *(f"corpus/{name}.py" for name in ("chorales", "dataset", "file_names", "storage")),
    *(f"corpus/selection/{name}.py" for name in ("candidates", "cleaning", "preparation", "split")),
    *(f"corpus/similarity/{name}.py" for name in ("digests", "pairs", "duplicates", "families")),
    "corpus/folders/parallel_reading.py",
)


def load_chorales(*, shares: Shares = DEFAULT_SHARES, seed: int = 0) -> Dataset:
    """The chorales, cleaned, grouped by tune family and split; from the cache if it holds them.

    Args:
        shares: how much each part of the split gets.
        seed: another seed gives another split.

    Raises:
        CorpusError: the chorales are not installed.
    """
    dataset = load_or_prepare(cache_file(), prepare_chorales)
    if (shares, seed) == (DEFAULT_SHARES, 0):
        return dataset
    return Dataset(tuple(split_works(dataset.works, shares, seed)))


def cache_file() -> Path:
    """Path of the prepared chorales: one file for each version of music21 and of the code."""
    versions = f"music21-{_music21_version()}-{FORMAT_VERSION}-{_source_hash()}"
    return cache_folder() / f"chorales-{versions}.npz"


def prepare_chorales() -> Dataset:
    """The chorales, read and prepared without the cache, each in the key that it ends in.

    Raises:
        CorpusError: the chorales are not installed.
    """
    from seqmusic.formats.notation.file import chorale_paths

    paths = chorale_paths()
    if not paths:
        raise CorpusError(
            f"the chorales are missing: the corpus of music21 {_music21_version()} holds no Bach; "
            "install it again with `pip install --force-reinstall music21`"
        )
    works = read_files(paths, read_chorale_or_all)
    return prepare(replace(work, score=with_tonal_key(work.score)) for work in works)


def read_chorale_or_all(path: Path) -> Score:
    """The four voices of a chorale; all voices of a file that holds no such four.

    Raises:
        FormatError: the file cannot be read.
    """
    from seqmusic.formats.notation.file import read_chorale, read_notation

    try:
        return read_chorale(path)
    except CorruptFileError:
        raise
    except FormatError:
        return read_notation(path)


def _music21_version() -> str:
    try:
        return importlib.metadata.version("music21")
    except importlib.metadata.PackageNotFoundError as error:
        raise CorpusError(
            "the chorales are missing: music21 is not installed; `pip install music21` brings them"
        ) from error


@functools.cache
def _source_hash() -> str:
    """A short hash of the code that decides what is in the cache, so that no cache outlives it."""
    digest = hashlib.sha256()
    package = resources.files("seqmusic")
    for name in _CACHE_KEY_FILES:
        digest.update(package.joinpath(name).read_bytes())
    return digest.hexdigest()[:12]
