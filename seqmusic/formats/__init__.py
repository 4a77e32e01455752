"""Files of scores, a module or room for each format.

A format's module, and the library that it needs, is imported when it is first used.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from seqmusic.errors import FormatError
from seqmusic.formats.read_report import FilePiece, ReadReport
from seqmusic.score import Score

__all__ = [
    "READABLE",
    "WRITABLE",
    "FilePiece",
    "ReadReport",
    "read_pieces",
    "read_score",
    "read_with_report",
    "write_score",
]

_Function = tuple[str, str]
"""The module and the name of a function."""
_READ_MIDI = ("midi.file", "read_midi_with_report")
_READ_NOTATION = ("notation.file", "read_notation_with_report")
_READERS: dict[str, _Function] = {
    ".mid": _READ_MIDI,
    ".midi": _READ_MIDI,
    ".xml": _READ_NOTATION,
    ".musicxml": _READ_NOTATION,
    ".mxl": _READ_NOTATION,
    ".mei": _READ_NOTATION,
    ".krn": _READ_NOTATION,
    ".abc": _READ_NOTATION,
    ".csv": ("csv.file", "read_csv_with_report"),
    ".json": ("pitch_table", "read_jsb_with_report"),
}
_PIECE_READERS: dict[str, _Function] = {
    ".abc": ("notation.file", "read_tunes"),
    ".csv": ("csv.file", "read_csv_pieces"),
    ".json": ("pitch_table", "read_jsb_pieces"),
}
_QUANTIZED_SUFFIXES = (".mid", ".midi", ".csv")
_WRITERS: dict[str, _Function] = {
    ".mid": ("midi.file", "write_midi"),
    ".midi": ("midi.file", "write_midi"),
    ".xml": ("notation.file", "write_musicxml"),
    ".musicxml": ("notation.file", "write_musicxml"),
    ".csv": ("csv.file", "write_csv"),
    ".json": ("pitch_table", "write_jsb"),
    ".ly": ("lilypond", "write_lilypond"),
    ".svg": ("image", "write_svg"),
    ".png": ("image", "write_png"),
}
READABLE = tuple(_READERS)
"""Endings of the files that can be read."""
WRITABLE = tuple(_WRITERS)
"""Endings of the files that can be written."""


def read_score(path: Path | str) -> Score:
    """The score in a file, in the format of its ending.

    The formats are MIDI, MusicXML, MEI, kern, ABC, CSV and the JSON of the chorale benchmark.

    Raises:
        FormatError: there is no such file, its ending is unknown, or it holds several pieces or
            what a score cannot.
        CorruptFileError: its bytes break the rules of its format.
    """
    return read_with_report(path).score


def read_with_report(path: Path | str, grid_ticks: int | None = None) -> ReadReport:
    """The score in a file, with what was repaired in the file and what the score lacks of it.

    Args:
        path: of the file.
        grid_ticks: for MIDI and CSV files alone: notes are moved to multiples of so many ticks, 6
            for sixteenths, None for the nearest tick; a row of a CSV grid lasts so long, None for a
            sixteenth.

    Raises:
        FormatError: there is no such file, its ending is unknown, or it holds several pieces or
            what a score cannot.
        CorruptFileError: its bytes break the rules of its format.
    """
    path = Path(path)
    function = _find_reader(path)
    if grid_ticks is None:
        return cast(ReadReport, _import_function(*function)(path))
    if path.suffix.lower() not in _QUANTIZED_SUFFIXES:
        raise FormatError(f"{path}: only MIDI and CSV files are put on a grid; leave it out")
    return cast(ReadReport, _import_function(*function)(path, grid_ticks))


def read_pieces(path: Path | str) -> Iterator[FilePiece]:
    """The pieces in a file, or its one score, named like the file.

    Several pieces are in ABC files (tunes), in CSV files and in the JSON of the chorale benchmark.
    A tune that is refused stops no other; its `FilePiece` says why.

    Raises:
        FormatError: there is no such file, its ending is unknown, or it cannot be read at all.
        CorruptFileError: its bytes break the rules of its format.
    """
    path = Path(path)
    function = _find_reader(path)
    if path.suffix.lower() in _PIECE_READERS:
        yield from _import_function(*_PIECE_READERS[path.suffix.lower()])(path)
    else:
        yield FilePiece(path.stem, _import_function(*function)(path))


def write_score(score: Score, path: Path | str) -> Path:
    """Write a score in the format of the ending, and return its path.

    The formats are MIDI, MusicXML, CSV (a list of notes), the JSON of the chorale benchmark,
    LilyPond, and pictures (SVG, PNG). An existing file is replaced, or left as it was where the
    score cannot be written.

    Raises:
        FormatError: the ending is unknown, the format cannot hold the score, or the file cannot be
            written.
        MissingExtraError: the file is a picture and the extra ``[score]`` is not installed.
    """
    path = Path(path)
    function = _find_entry(path, _WRITERS, "written")
    if path.is_dir():
        raise FormatError(f"{path}: is a folder; choose another name for the file")
    return cast(Path, _import_function(*function)(score, path))


def _import_function(module: str, name: str) -> Callable[..., Any]:
    function = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return cast("Callable[..., Any]", function)


def _find_reader(path: Path) -> _Function:
    if path.is_dir():
        raise FormatError(f"{path}: is a folder; name one file in it ({' '.join(READABLE)})")
    function = _find_entry(path, _READERS, "read")
    if not path.exists():
        raise FormatError(f"{path}: there is no such file")
    return function


def _find_entry(path: Path, known: dict[str, _Function], verb: str) -> _Function:
    ending = path.suffix.lower()
    if ending in known:
        return known[ending]
    problem = f"{path.suffix!r} files are not {verb}"
    if not ending:
        problem = "a name without an ending tells no format"
    raise FormatError(f"{path}: {problem}; the endings are {' '.join(known)}")
