"""ABC files: of one tune, or of many.

What a score does not hold is left out when reading, and reported: grace notes, words, slurs, chord
symbols, changes of key or tempo, and repeat signs (the music is read as written, each bar once).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from seqmusic.atomic_files import decoded_text, read_bounded
from seqmusic.errors import FormatError, located
from seqmusic.formats.abc.reading import read_tune, tune_texts
from seqmusic.formats.notation.unpacking import MAX_BYTES, MAX_TUNE_BOOK_BYTES
from seqmusic.formats.read_report import FilePiece, ReadReport


def read_abc_with_report(path: Path) -> ReadReport:
    """The score in a file of one tune, with what is left out of it.

    There is a voice for each voice of the tune (V:, or & inside a measure); more where a voice has
    several notes at once.

    Raises:
        CorruptFileError: the text breaks the rules of the format.
        FormatError: the file cannot be opened, is too large, or holds several tunes or what a score
            cannot.
    """
    path = Path(path)
    text = decoded_text(read_bounded(path, MAX_BYTES["ABC"]))
    with located(path):
        return _with_source(read_tune(text), path.name)


def read_tunes(path: Path) -> Iterator[FilePiece]:
    """The tunes of an ABC file in order, each named by its title and number.

    A tune that is refused stops no other.

    Raises:
        FormatError: the file cannot be opened, or is too large.
    """
    path = Path(path)
    for name, text in tune_texts(decoded_text(read_bounded(path, MAX_TUNE_BOOK_BYTES))):
        try:
            yield FilePiece(name, _with_source(read_tune(text), f"{path.name}, {name}"))
        except FormatError as error:
            yield FilePiece(name, None, f"{path}: {name}: {error}")


def _with_source(report: ReadReport, source: str) -> ReadReport:
    return replace(report, score=replace(report.score, source=source))
