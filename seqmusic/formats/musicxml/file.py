"""MusicXML files, and the four voices of a chorale.

What a score does not hold is left out when reading, and reported: grace notes, words, slurs,
dynamics, changes of key or tempo, percussion, and repeat signs (the music is read as written, each
bar once). Chords and other simultaneous notes of one voice are separated into voices; notes off the
grid of 24 ticks a quarter note are moved to the nearest tick. Quarter tones are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from seqmusic.errors import FormatError, located
from seqmusic.formats.musicxml.reading import printed_musicxml
from seqmusic.formats.notation.unpacking import read_unpacked
from seqmusic.formats.printed_score import report_from_printed
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import SATB, Score


def read_musicxml_with_report(path: Path) -> ReadReport:
    """The score in a MusicXML file, with what is left out of it.

    There is a voice for each part, or for each staff and voice of a part; more where a voice has
    several notes at once.

    Args:
        path: a file that ends in .xml, .musicxml or .mxl.

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the file cannot be opened, is too large, or holds what a score cannot (the text
            names measure and part).
    """
    path = Path(path)
    data = read_unpacked(path)
    with located(path):
        report = report_from_printed(printed_musicxml(data))
    score = report.score
    return replace(report, score=replace(score, source=score.source or path.name))


def read_musicxml_satb(path: Path) -> Score:
    """Soprano, alto, tenor and bass of a file.

    They are its four parts, or the four of that name where instruments play along.

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the file holds no such four parts, or what a score cannot.
    """
    data = read_unpacked(path)
    with located(path.name):
        score = report_from_printed(printed_musicxml(data, choose_satb)).score
        if len(score.voices) != len(SATB):
            raise FormatError(f"its four parts hold {len(score.voices)} voices")
    return score


def choose_satb(names: Sequence[str]) -> list[int]:
    """The indices of soprano, alto, tenor and bass among parts with these names.

    Raises:
        FormatError: there are not four parts, and not one of each name.

    >>> choose_satb(["Horn", "Soprano", "Alto", "Tenor", "Bass"])
    [1, 2, 3, 4]
    """
    if len(names) == len(SATB):
        return list(range(len(SATB)))
    found = []
    for name in SATB:
        matches = [index for index, given in enumerate(names) if given.split()[:1] == [name]]
        if len(matches) != 1:
            raise FormatError(
                f"holds {len(names)} of four parts, {len(matches)} of them named {name}; "
                "needed are four parts, or one of each name"
            )
        found += matches
    return found
