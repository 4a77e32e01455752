"""Notation files of every kind, the writing of MusicXML, and the chorales that music21 installs.

MEI is read by music21; the other formats have rooms of their own. Importing this module imports
music21.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from music21 import corpus

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import FormatError, located
from seqmusic.formats.abc.file import read_abc_with_report
from seqmusic.formats.kern.file import read_kern_with_report
from seqmusic.formats.musicxml.file import read_musicxml_satb, read_musicxml_with_report
from seqmusic.formats.notation.measure_writing import NoteColor
from seqmusic.formats.notation.reading import report_from_music21
from seqmusic.formats.notation.streams import parse_mei, translated_errors
from seqmusic.formats.notation.unpacking import (
    FORMAT_NAMES,
    format_name,
    read_unpacked,
)
from seqmusic.formats.notation.writing import musicxml_text
from seqmusic.formats.read_report import ReadReport
from seqmusic.formats.score_marks import NO_MARKS, ScoreMarks
from seqmusic.score import SATB, Score


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
    reader = _READERS.get(format_name(path))
    return reader(path) if reader else _read_mei(path)


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
    score = _satb_from_kern(path) if path.suffix == ".krn" else read_musicxml_satb(path)
    voices = tuple(replace(v, name=name) for v, name in zip(score.voices, SATB, strict=True))
    title = f"{path.stem} {score.title}".strip()
    source = f"music21 corpus, bach/{path.name}"
    return replace(score, voices=voices, title=title, source=source)


def _satb_from_kern(path: Path) -> Score:
    score = read_kern_with_report(path).score
    if len(score.voices) != len(SATB):
        raise FormatError(f"{path.name}: holds {len(score.voices)} voices, needed are four")
    return score


def _read_mei(path: Path) -> ReadReport:
    data = read_unpacked(path)
    with located(path), translated_errors("MEI") as guesses:
        report = report_from_music21(parse_mei(data))
    score = replace(report.score, source=path.name)
    return replace(report, score=score, repairs=guesses.messages())


_READERS = {
    "MusicXML": read_musicxml_with_report,
    "kern": read_kern_with_report,
    "ABC": read_abc_with_report,
}
