"""Files of scores, one module a format; a format's module, and the library it stands on, is imported when it is first used."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

from seqmusic.errors import FormatError
from seqmusic.formats.reading import Reading
from seqmusic.score import Score

__all__ = ["READABLE", "WRITABLE", "Reading", "read_reported", "read_score", "write_score"]

_READERS = dict.fromkeys((".mid", ".midi"), ("midi", "read_midi_reported")) | dict.fromkeys(
    (".xml", ".musicxml", ".mxl", ".krn", ".abc"), ("notation", "read_notation")
)
_WRITERS = {
    ".mid": ("midi", "write_midi"),
    ".midi": ("midi", "write_midi"),
    ".xml": ("notation", "write_musicxml"),
    ".musicxml": ("notation", "write_musicxml"),
    ".ly": ("lilypond", "write_lilypond"),
    ".svg": ("image", "write_svg"),
    ".png": ("image", "write_png"),
}
READABLE = tuple(_READERS)
"""Endings of the files that can be read."""
WRITABLE = tuple(_WRITERS)
"""Endings of the files that can be written."""


def read_score(path: Path | str) -> Score:
    """The score in a file, whose format its ending tells: MIDI, MusicXML, kern or ABC.

    Raises:
        FormatError: there is no such file, its ending is unknown, or it holds what a score cannot.
        CorruptFileError: its bytes break the rules of its format.
    """
    return read_reported(path).score


def read_reported(path: Path | str, grid_ticks: int | None = None) -> Reading:
    """The score in a file, as `read_score` reads it, with what was mended in the file and what the score does not hold of it.

    Args:
        path: of the file.
        grid_ticks: MIDI files alone: notes are moved to multiples of so many ticks, 6 for sixteenths; None for the nearest tick.

    Raises:
        FormatError: there is no such file, its ending is unknown, or it holds what a score cannot.
        CorruptFileError: its bytes break the rules of its format.
    """
    path = Path(path)
    if path.is_dir():
        raise FormatError(f"{path}: is a folder; name one file in it ({_listed(READABLE)})")
    module, function = _choice(path, _READERS, "read")
    if not path.exists():
        raise FormatError(f"{path}: there is no such file")
    if grid_ticks is not None and module != "midi":
        raise FormatError(f"{path}: only played files (MIDI) are put on a grid; leave it out")
    read = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    found = read(path) if grid_ticks is None else read(path, grid_ticks)
    return found if isinstance(found, Reading) else Reading(cast(Score, found))


def write_score(score: Score, path: Path | str) -> Path:
    """Write a score in the format that the ending tells, and return its path: MIDI, MusicXML, LilyPond, or a picture (SVG, PNG).

    An existing file is replaced, or left as it was where the score cannot be written.

    Raises:
        FormatError: the ending is unknown, the format cannot hold the score, or the file cannot be written.
        MissingExtraError: a picture is asked for and the extra ``[score]`` is not installed.
    """
    path = Path(path)
    module, function = _choice(path, _WRITERS, "written")
    if path.is_dir():
        raise FormatError(f"{path}: is a folder; choose another name for the file")
    return cast(Path, getattr(importlib.import_module(f"{__name__}.{module}"), function)(score, path))


def _choice(path: Path, known: dict[str, tuple[str, str]], verb: str) -> tuple[str, str]:
    ending = path.suffix.lower()
    if ending not in known:
        found = f"{path.suffix!r} files are not {verb}" if ending else "a name without an ending tells no format"
        raise FormatError(f"{path}: {found}; the endings are {_listed(tuple(known))}")
    return known[ending]


def _listed(endings: tuple[str, ...]) -> str:
    return " ".join(endings)
