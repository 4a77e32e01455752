"""Reads and writes files of scores; the module of a format is imported when it is first used."""

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

_READERS = (
    dict.fromkeys((".mid", ".midi"), ("midi.file", "read_midi_with_report"))
    | dict.fromkeys((".xml", ".musicxml", ".mxl"), ("musicxml.file", "read_musicxml_with_report"))
    | {
        ".mei": ("notation.file", "read_notation_with_report"),
        ".krn": ("kern.file", "read_kern_with_report"),
        ".abc": ("abc.file", "read_abc_with_report"),
        ".csv": ("csv.file", "read_csv_with_report"),
        ".json": ("pitch_table", "read_jsb_with_report"),
    }
)
_PIECE_READERS = {
    ".abc": ("abc.file", "read_tunes"),
    ".csv": ("csv.file", "read_csv_pieces"),
    ".json": ("pitch_table", "read_jsb_pieces"),
}
_QUANTIZING_MODULES = ("midi.file", "csv.file")
_WRITERS = {
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
    """The score in a file: MIDI, MusicXML, MEI, kern, ABC, CSV or the chorale benchmark's JSON.

    The ending of the file gives its format.

    Raises:
        FormatError: there is no such file, its ending is unknown, or it holds several pieces or
            what a score cannot.
        CorruptFileError: its bytes break the rules of its format.
    """
    return read_with_report(path).score


def read_with_report(path: Path | str, grid_ticks: int | None = None) -> ReadReport:
    """The score in a file, with what was repaired in the file and what is lost of it.

    Args:
        path: of the file.
        grid_ticks: only of MIDI and CSV files: notes are moved to multiples of this length, 6 for
            sixteenths, None for the nearest tick; a row of a CSV grid lasts that long, None for a
            sixteenth.

    Raises:
        FormatError: there is no such file, its ending is unknown, or it holds several pieces or
            what a score cannot.
        CorruptFileError: its bytes break the rules of its format.
    """
    path = Path(path)
    module, function = _find_reader(path)
    if grid_ticks is not None and module not in _QUANTIZING_MODULES:
        raise FormatError(f"{path}: only MIDI and CSV files are put on a grid; leave it out")
    read = _import_function(module, function)
    return cast(ReadReport, read(path) if grid_ticks is None else read(path, grid_ticks))


def read_pieces(path: Path | str) -> Iterator[FilePiece]:
    """The pieces in a file: tunes of an ABC file, pieces of a CSV or JSON file, else the one score.

    The one score is named like the file. A tune that is refused stops no other; its `FilePiece`
    gives the reason.

    Raises:
        FormatError: there is no such file, its ending is unknown, or it cannot be read at all.
        CorruptFileError: its bytes break the rules of its format.
    """
    path = Path(path)
    reader, ending = _find_reader(path), path.suffix.lower()
    if ending in _PIECE_READERS:
        yield from _import_function(*_PIECE_READERS[ending])(path)
    else:
        yield FilePiece(path.stem, _import_function(*reader)(path))


def write_score(score: Score, path: Path | str) -> Path:
    """Write a score in the format of the file's ending, and return the path.

    The formats are MIDI, MusicXML, CSV (a list of notes), the JSON of the chorale benchmark,
    LilyPond, and pictures (SVG, PNG). An existing file is replaced, or left as it was where the
    score cannot be written.

    Raises:
        FormatError: the ending is unknown, the format cannot hold the score, or the file cannot be
            written.
        MissingExtraError: a picture is asked for and the extra ``[score]`` is not installed.
    """
    path = Path(path)
    module, function = _find_entry(path, _WRITERS, "written")
    if path.is_dir():
        raise FormatError(f"{path}: is a folder; choose another name for the file")
    return cast(Path, _import_function(module, function)(score, path))


def _import_function(module: str, name: str) -> Callable[..., Any]:
    function = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return cast("Callable[..., Any]", function)


def _find_reader(path: Path) -> tuple[str, str]:
    if path.is_dir():
        raise FormatError(f"{path}: is a folder; name one file in it ({' '.join(READABLE)})")
    reader = _find_entry(path, _READERS, "read")
    if not path.exists():
        raise FormatError(f"{path}: there is no such file")
    return reader


def _find_entry(path: Path, known: dict[str, tuple[str, str]], verb: str) -> tuple[str, str]:
    ending = path.suffix.lower()
    if ending not in known:
        problem = f"{path.suffix!r} files are not {verb}"
        if not ending:
            problem = "a name without an ending tells no format"
        raise FormatError(f"{path}: {problem}; the endings are {' '.join(known)}")
    return known[ending]
