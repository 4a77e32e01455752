"""MusicXML, MEI, kern and ABC files, and the Bach chorales that music21 installs; importing this module imports music21.

What a score does not hold is left out when reading, and told: grace notes, words, slurs, dynamics, changes of key or tempo,
percussion, and repeat signs (the music is read as written, each bar once). Chords and other notes at once in one voice are
separated into voices; notes off the grid of 24 ticks a quarter note are moved to the nearest tick. What a score would hold wrongly
is refused: quarter tones, and bar lines off the grid. A tempo within a millionth of a whole number is read as that number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from music21 import corpus

from seqmusic.atomic_files import decoded_text, read_bounded, write_atomic
from seqmusic.errors import FormatError
from seqmusic.formats.notation.reading import (
    reading_from_music21,
    satb_from_music21,
    score_from_music21,
)
from seqmusic.formats.notation.streams import (
    FORMAT_NAMES,
    MAX_BYTES,
    MAX_TUNE_BOOK_BYTES,
    parse_with_music21,
    read_unpacked,
    translated_errors,
    tune_texts,
)
from seqmusic.formats.notation.writing import NoteColor, musicxml_text, score_to_music21
from seqmusic.formats.read_report import FilePiece, ReadReport, Tally
from seqmusic.score import Score

__all__ = [
    "chorale_paths",
    "musicxml_text",
    "read_chorale",
    "read_notation",
    "read_notation_with_report",
    "read_tunes",
    "score_from_music21",
    "score_to_music21",
    "write_musicxml",
]


def read_notation(path: Path) -> Score:
    """The score in a file, as `read_notation_with_report` reads it."""
    return read_notation_with_report(path).score


def read_notation_with_report(path: Path) -> ReadReport:
    """The score in a MusicXML (.xml, .musicxml, .mxl), MEI (.mei), kern (.krn) or ABC (.abc) file, with what is left out of it.

    There is a voice for each part, or for each voice of a part; more where a voice sings several notes at once.

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the file cannot be opened, is too large, or holds what a score cannot (the text names measure and part).
    """
    path = Path(path)
    kind = _format_name(path)
    data = read_unpacked(path, MAX_BYTES[kind])
    try:
        with translated_errors(kind) as guessed:
            reading = reading_from_music21(parse_with_music21(data, kind))
    except FormatError as error:
        raise type(error)(f"{path}: {error}") from error.__cause__
    return _with_source_and_repairs(reading, guessed, path.name)


def read_tunes(path: Path) -> Iterator[FilePiece]:
    """The tunes of an ABC file, one after the other, each named by its title and number; a tune that is refused stops no other.

    Raises:
        FormatError: the file cannot be opened, or is too large.
    """
    path = Path(path)
    for name, text in tune_texts(decoded_text(read_bounded(path, MAX_TUNE_BOOK_BYTES))):
        try:
            with translated_errors("ABC") as guessed:
                reading = reading_from_music21(parse_with_music21(text.encode("utf-8"), "ABC"))
            yield FilePiece(
                name, _with_source_and_repairs(reading, guessed, f"{path.name}, {name}")
            )
        except FormatError as error:
            yield FilePiece(name, None, f"{path}: {name}: {error}")


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
    """Files of the Bach folder of the installed music21, sorted by name; most are four-part chorales."""
    return sorted(
        Path(path) for path in corpus.getComposer("bach") if Path(path).suffix in FORMAT_NAMES
    )


def read_chorale(path: Path) -> Score:
    """Soprano, alto, tenor and bass of a file: its four parts, or the four of that name where instruments play along.

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the file holds no such four parts, or what a score cannot.
    """
    path = Path(path)
    kind = _format_name(path)
    data = read_unpacked(path, MAX_BYTES[kind])
    try:
        with translated_errors(kind):
            score = satb_from_music21(parse_with_music21(data, kind))
    except FormatError as error:
        raise type(error)(f"{path.name}: {error}") from error.__cause__
    return replace(
        score,
        title=f"{path.stem} {score.title}".strip(),
        source=f"music21 corpus, bach/{path.name}",
    )


def _format_name(path: Path) -> str:
    kind = FORMAT_NAMES.get(path.suffix.lower())
    if kind is None:
        raise FormatError(
            f"{path}: files of the kind {path.suffix!r} are not read here; expected one of {', '.join(FORMAT_NAMES)}"
        )
    return kind


def _with_source_and_repairs(reading: ReadReport, guessed: Tally, source: str) -> ReadReport:
    score = reading.score if reading.score.source else replace(reading.score, source=source)
    return replace(reading, score=score, repairs=guessed.messages())
