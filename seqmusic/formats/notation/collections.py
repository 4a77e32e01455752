"""The collections of scores that are installed with music21: where they lie, and on what terms."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

_SUFFIXES = (".mxl", ".xml", ".musicxml", ".krn", ".abc")
_NON_MUSIC_FOLDERS = ("demos", "theoryExercises")  # made for music21's own lessons and tests
DEFAULT_TERMS = (
    "The files come with music21, with the permission of those who encoded them. The music is out of copyright in the United "
    "States or licensed, as far as the authors of music21 know; elsewhere it may not be, and some encodings may not be used "
    "commercially. "
    "What holds for a file stands in it, and in corpus/license.txt of music21."
)
_TERMS_BY_COLLECTION = {
    "essenFolksong": "Their collectors permit use that is not commercial; music21 calls the legal state of the collection unclear.",
    "monteverdi": "Some files name Ut Orpheus, 2003, as the owner of the encoding.",
    "palestrina": "The files name John Miller, 2000, as the owner of the encoding.",
    "trecento": "Some files name an owner of the encoding.",
    "oneills1850": "The files name those who transcribed them.",
    "ryansMammoth": "The files name those who transcribed them.",
}


def collection_files(name: str) -> list[Path]:
    """The files of a collection, sorted; none if there is no such collection."""
    root = _corpus_folder()
    folder = root / name if root is not None and name in collection_names() else None
    return (
        sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)
        if folder is not None
        else []
    )


def collection_names() -> list[str]:
    """The collections of the installed music21, sorted; none where it is not installed."""
    root = _corpus_folder()
    if root is None:
        return []
    folders = (
        path
        for path in root.iterdir()
        if path.is_dir() and path.name[0] not in "._" and path.name not in _NON_MUSIC_FOLDERS
    )
    return sorted(
        path.name for path in folders if any(own.suffix in _SUFFIXES for own in path.rglob("*"))
    )


def license_terms(name: str) -> str:
    """On what terms a collection may be used, as far as it says so."""
    return (
        " ".join((DEFAULT_TERMS, _TERMS_BY_COLLECTION[name]))
        if name in _TERMS_BY_COLLECTION
        else DEFAULT_TERMS
    )


def count_works(files: Sequence[Path]) -> int:
    """How many works are in the files: tune books hold many, each begun by a line X:."""
    return sum(_n_tunes(path) if path.suffix == ".abc" else 1 for path in files)


def _n_tunes(path: Path) -> int:
    try:
        return max(1, len(re.findall(rb"^X:", path.read_bytes(), re.MULTILINE)))
    except OSError:
        return 1


def _corpus_folder() -> Path | None:
    found = importlib.util.find_spec("music21")
    root = Path(found.origin).parent / "corpus" if found is not None and found.origin else None
    return root if root is not None and root.is_dir() else None
