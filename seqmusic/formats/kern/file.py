"""Kern files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from seqmusic.atomic_files import decoded_text, read_bounded
from seqmusic.errors import located
from seqmusic.formats.kern.reading import read_kern
from seqmusic.formats.notation.unpacking import MAX_BYTES
from seqmusic.formats.read_report import ReadReport


def read_kern_with_report(path: Path) -> ReadReport:
    """The score in a kern file, with what is left out of it.

    There is a voice for each spine of notes, or for each part of a spine that is split; more where
    one has several notes at once.

    Raises:
        CorruptFileError: the text breaks the rules of the format.
        FormatError: the file cannot be opened, is too large, or holds what a score cannot.
    """
    path = Path(path)
    text = decoded_text(read_bounded(path, MAX_BYTES["kern"]))
    with located(path):
        report = read_kern(text)
    return replace(report, score=replace(report.score, source=path.name))
