"""MusicXML, MEI, kern and ABC files, and the Bach chorales that music21 installs.

What a score does not hold is left out when reading, and reported: grace notes, words, slurs,
dynamics, changes of key or tempo, percussion, and repeat signs (the music is read as written, each
bar once). Chords and other simultaneous notes of one voice are separated into voices; notes off the
grid of 24 ticks a quarter note are moved to the nearest tick. What a score would hold wrongly is
refused: quarter tones, and bar lines off the grid. A tempo within a millionth of a whole number is
read as that number. Importing this module imports music21.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from music21 import corpus

from seqmusic.atomic_files import decoded_text, read_bounded, write_atomic
from seqmusic.errors import FormatError
from seqmusic.formats.notation.measure_writing import NoteColor
from seqmusic.formats.notation.reading import (
    report_from_music21,
    satb_from_music21,
    unmeasured_from_music21,
)
from seqmusic.formats.notation.streams import parse_with_music21, translated_errors, tune_texts
from seqmusic.formats.notation.unpacking import (
    FORMAT_NAMES,
    MAX_TUNE_BOOK_BYTES,
    format_name,
    read_unpacked,
)
from seqmusic.formats.notation.writing import musicxml_text
from seqmusic.formats.read_report import FilePiece, ReadReport, Tally
from seqmusic.formats.score_marks import NO_MARKS, ScoreMarks
from seqmusic.score import Score

T = TypeVar("T")


def read_notation(path: Path) -> Score:
    """The score in a file, as `read_notation_with_report` reads it."""
    return read_notation_with_report(path).score


def read_notation_with_report(path: Path) -> ReadReport:
    """The score in a file, with what is left out of it.

    There is a voice for each part, or for each voice of a part; more where a voice has several
    notes at once.

    Args:
        path: MusicXML (.xml, .musicxml, .mxl), MEI (.mei), kern (.krn) or ABC (.abc).

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the file cannot be opened, is too large, or holds what a score cannot (the text
            names measure and part).
    """
    path = Path(path)
    report, guesses = _convert_file(path, report_from_music21, str(path))
    return _with_source_and_repairs(report, guesses, path.name)


def read_unmeasured(path: Path) -> ReadReport:
    """The score in a file without its bar lines, where those of the parts need not agree.

    So a motet is read whose voices are in different mensurations.

    Raises:
        CorruptFileError, FormatError: as `read_notation_with_report`.
    """
    path = Path(path)
    report, guesses = _convert_file(path, unmeasured_from_music21, str(path))
    return _with_source_and_repairs(report, guesses, path.name)


def read_tunes(path: Path) -> Iterator[FilePiece]:
    """The tunes of an ABC file in order, each named by its title and number.

    A tune that is refused stops no other.

    Raises:
        FormatError: the file cannot be opened, or is too large.
    """
    path = Path(path)
    for name, text in tune_texts(decoded_text(read_bounded(path, MAX_TUNE_BOOK_BYTES))):
        try:
            report, guesses = _convert(text.encode("utf-8"), "ABC", report_from_music21)
            source = f"{path.name}, {name}"
            yield FilePiece(name, _with_source_and_repairs(report, guesses, source))
        except FormatError as error:
            yield FilePiece(name, None, f"{path}: {name}: {error}")


def write_musicxml(
    score: Score,
    path: Path,
    color: NoteColor | None = None,
    staves: Literal["open", "closed"] = "open",
    marks: ScoreMarks = NO_MARKS,
) -> Path:
    """Write a score as MusicXML, so that reading the file gives the same score.

    Args:
        score: what is written.
        path: where to; an existing file is replaced.
        color: of each note, given the index of its voice: "#rrggbb", or None for black.
        staves: "open" for a staff a voice, "closed" for two voices a staff.
        marks: what is printed with it.

    Returns:
        `path`.

    Raises:
        FormatError: the file cannot be written; an existing file is left as it was.
    """
    return write_atomic(Path(path), musicxml_text(score, color, staves, marks))


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
    score, _ = _convert_file(path, satb_from_music21, path.name)
    title = f"{path.stem} {score.title}".strip()
    return replace(score, title=title, source=f"music21 corpus, bach/{path.name}")


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


def _with_source_and_repairs(report: ReadReport, guesses: Tally, source: str) -> ReadReport:
    score = report.score if report.score.source else replace(report.score, source=source)
    return replace(report, score=score, repairs=guesses.messages())
