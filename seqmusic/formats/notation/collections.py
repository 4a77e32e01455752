"""The collections of scores that are installed with music21: their files and their terms of use."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

_SUFFIXES = (".mxl", ".xml", ".musicxml", ".krn", ".abc")
_NON_MUSIC_FOLDERS = ("demos", "theoryExercises")  # made for music21's own lessons and tests
DEFAULT_TERMS = (
    "The files come with music21, with the permission of those who encoded them. The music is out "
    "of copyright in the United States or licensed, as far as the authors of music21 know; "
    "elsewhere it may not be, and some encodings may not be used commercially. "
    "What holds for a file stands in it, and in corpus/license.txt of music21."
)
_TERMS_BY_COLLECTION = {
    "essenFolksong": "Their collectors permit use that is not commercial; music21 calls the legal "
    "state of the collection unclear.",
    "monteverdi": "Some files name Ut Orpheus, 2003, as the owner of the encoding.",
    "palestrina": "The files name John Miller, 2000, as the owner of the encoding.",
    "trecento": "Some files name an owner of the encoding.",
    "oneills1850": "The files name those who transcribed them.",
    "ryansMammoth": "The files name those who transcribed them.",
}


def collection_files(name: str) -> list[Path]:
    """The files of a collection, sorted; none if there is no such collection."""
    root = _corpus_folder()
    if root is None or name not in collection_names():
        return []
    return sorted(path for path in (root / name).rglob("*") if path.suffix in _SUFFIXES)


def collection_names() -> list[str]:
    """The collections of the installed music21, sorted; none where it is not installed."""
    root = _corpus_folder()
    if root is None:
        return []
    return sorted(folder.name for folder in root.iterdir() if _is_collection(folder))


def _is_collection(folder: Path) -> bool:
    if folder.name[0] in "._" or folder.name in _NON_MUSIC_FOLDERS or not folder.is_dir():
        return False
    return any(path.suffix in _SUFFIXES for path in folder.rglob("*"))


def license_terms(name: str) -> str:
    """The terms of use of a collection, as far as it states them."""
    terms = _TERMS_BY_COLLECTION.get(name)
    return f"{DEFAULT_TERMS} {terms}" if terms else DEFAULT_TERMS


def count_works(files: Sequence[Path]) -> int:
    """How many works are in the files; a tune book holds many, each of which begins with X:."""
    return sum(_n_tunes(path) if path.suffix == ".abc" else 1 for path in files)


def _n_tunes(path: Path) -> int:
    try:
        return max(1, len(re.findall(rb"^X:", path.read_bytes(), re.MULTILINE)))
    except OSError:
        return 1


def _corpus_folder() -> Path | None:
    found = importlib.util.find_spec("music21")
    if found is None or not found.origin:
        return None
    folder = Path(found.origin).parent / "corpus"
    return folder if folder.is_dir() else None
