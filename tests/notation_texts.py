"""Small MusicXML documents for tests, and their reading."""

from __future__ import annotations

from pathlib import Path

from seqmusic.formats import read_with_report
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import Score

FOUR_FOUR = "<time><beats>4</beats><beat-type>4</beat-type></time>"


def note(step: str, quarters: float, inside: str = "", voice: int = 1) -> str:
    """A note of octave 4 with `inside` before its voice; a chord note if that holds "chord"."""
    chord = "<chord/>" if "chord" in inside else ""
    pitch = f"<pitch><step>{step}</step><octave>4</octave></pitch>"
    duration = f"<duration>{round(quarters * 60)}</duration>"
    inside = inside.replace("chord", "")
    return f"<note>{chord}{pitch}{duration}{inside}<voice>{voice}</voice></note>"


def musicxml(*parts: list[str], time: str = FOUR_FOUR, first_number: int = 1) -> str:
    """A document of parts, each a list of the contents of its measures."""
    names = [f"<part-name>Part {i}</part-name>" for i in range(len(parts))]
    listed = "".join(f'<score-part id="P{i}">{name}</score-part>' for i, name in enumerate(names))
    bodies = "".join(
        f'<part id="P{i}">{_measures(part, time, first_number)}</part>'
        for i, part in enumerate(parts)
    )
    root = f'<score-partwise version="4.0"><part-list>{listed}</part-list>{bodies}</score-partwise>'
    return f'<?xml version="1.0"?>{root}'


def _measures(contents: list[str], time: str, first_number: int) -> str:
    attributes = f"<attributes><divisions>60</divisions>{time}</attributes>"
    return "".join(
        f'<measure number="{first_number + i}">{attributes if i == 0 else ""}{content}</measure>'
        for i, content in enumerate(contents)
    )


def read(text: str, folder: Path, suffix: str = ".musicxml") -> Score:
    """The score of a text, read from a file."""
    return report_of(text, folder, suffix).score


def report_of(text: str, folder: Path, suffix: str = ".musicxml") -> ReadReport:
    """The score of a text, read from a file, with what is left out of it."""
    path = folder / f"given{suffix}"
    path.write_text(text, encoding="utf-8")
    return read_with_report(path)
