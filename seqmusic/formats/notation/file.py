"""MusicXML and MEI files, and the Bach chorales that music21 installs.

What a score does not hold is left out when reading, and reported: grace notes, words, slurs,
dynamics, changes of key or tempo, percussion, and repeat signs (the music is read as written, each
bar once). Chords and other simultaneous notes of one voice are separated into voices; notes off the
grid of 24 ticks a quarter note are moved to the nearest tick. What a score would hold wrongly is
refused: quarter tones, and bar lines off the grid. A tempo within a millionth of a whole number is
read as that number. Importing this module imports music21.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from music21 import corpus

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import FormatError
from seqmusic.formats.kern.file import read_kern_with_report
from seqmusic.formats.notation.measure_writing import NoteColor
from seqmusic.formats.notation.reading import report_from_music21, satb_from_music21
from seqmusic.formats.notation.streams import parse_with_music21, translated_errors
from seqmusic.formats.notation.unpacking import (
    FORMAT_NAMES,
    format_name,
    read_unpacked,
)
from seqmusic.formats.notation.writing import musicxml_text
from seqmusic.formats.read_report import ReadReport, Tally
from seqmusic.score import SATB, Score

T = TypeVar("T")


def read_notation(path: Path) -> Score:
    """The score in a file, as `read_notation_with_report` reads it."""
    return read_notation_with_report(path).score


def read_notation_with_report(path: Path) -> ReadReport:
    """The score in a file, with what is left out of it.

    There is a voice for each part, or for each voice of a part; more where a voice has several
    notes at once.

    Args:
        path: MusicXML (.xml, .musicxml, .mxl) or MEI (.mei).

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the file cannot be opened, is too large, or holds what a score cannot (the text
            names measure and part).
    """
    path = Path(path)
    report, guesses = _convert_file(path, report_from_music21, str(path))
    return _with_source(replace(report, repairs=guesses.messages()), path.name)


def write_musicxml(
    score: Score,
    path: Path,
    color: NoteColor | None = None,
    staves: Literal["open", "closed"] = "open",
) -> Path:
    """Write a score as MusicXML, so that reading the file gives the same score.

    Args:
        score: what is written.
        path: where to; an existing file is replaced.
        color: of each note, given the index of its voice: "#rrggbb", or None for black.
        staves: "open" for a staff a voice, "closed" for two voices a staff.

    Returns:
        `path`.

    Raises:
        FormatError: the file cannot be written; an existing file is left as it was.
    """
    return write_atomic(Path(path), musicxml_text(score, color, staves))


def chorale_paths() -> list[Path]:
    """Files of the Bach folder of music21, sorted by name; most are four-part chorales."""
    paths = (Path(path) for path in corpus.getComposer("bach"))
    return sorted(path for path in paths if path.suffix in FORMAT_NAMES)


def read_chorale(path: Path) -> Score:
    """Soprano, alto, tenor and bass of a file.

    They are its four parts, or the four of that name where instruments play along.

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the file holds no such four parts, or what a score cannot.
    """
    path = Path(path)
    if format_name(path) == "kern":
        score = _satb_from_kern(path)
    else:
        score, _ = _convert_file(path, satb_from_music21, path.name)
    title = f"{path.stem} {score.title}".strip()
    return replace(score, title=title, source=f"music21 corpus, bach/{path.name}")


def _satb_from_kern(path: Path) -> Score:
    score = read_kern_with_report(path).score
    if len(score.voices) != len(SATB):
        raise FormatError(f"{path.name}: holds {len(score.voices)} voices, needed are four")
    voices = tuple(replace(v, name=name) for v, name in zip(score.voices, SATB, strict=True))
    return replace(score, voices=voices)


def _convert_file(path: Path, convert: Callable[[Any], T], shown_path: str) -> tuple[T, Tally]:
    """What `convert` makes of the music21 stream of a file, and what music21 guessed.

    Raises:
        FormatError: the file is refused; the text begins with `shown_path` if it could be opened.
    """
    data = read_unpacked(path)
    try:
        return _convert(data, format_name(path), convert)
    except FormatError as error:
        raise type(error)(f"{shown_path}: {error}") from error.__cause__


def _convert(data: bytes, name: str, convert: Callable[[Any], T]) -> tuple[T, Tally]:
    with translated_errors(name) as guesses:
        converted = convert(parse_with_music21(data, name))
    return converted, guesses


def _with_source(report: ReadReport, source: str) -> ReadReport:
    score = report.score if report.score.source else replace(report.score, source=source)
    return replace(report, score=score)
