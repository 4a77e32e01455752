"""Every note of a file is in its score, or the report tells: counted in the text of many files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from defusedxml import ElementTree

from seqmusic.atomic_files import decoded_text
from seqmusic.errors import FormatError
from seqmusic.formats import read_pieces
from seqmusic.formats.abc.reading import tune_texts
from seqmusic.formats.notation.collections import collection_files, collection_names
from seqmusic.formats.notation.unpacking import read_unpacked
from seqmusic.formats.read_report import ReadReport

TELLING = re.compile(
    "notes too short|notes written twice|ties that lead|not understood|without a length|percussion"
)


def kern_count(path: Path) -> list[int]:
    """Notes in the **kern spines, less those tied to a next one; grace notes are left out."""
    kinds: list[str] = []
    n_notes = 0
    for line in decoded_text(path.read_bytes()).splitlines():
        tokens = line.split("\t")
        if line.startswith("**"):
            kinds = tokens
        elif line.startswith("*"):
            kinds = list(_kinds_after(kinds, tokens))
        elif line and line[0] not in "!=":
            for kind, token in zip(kinds, tokens, strict=True):
                notes = token.split() if kind == "**kern" else []
                notes = [note for note in notes if re.search("[a-gA-G]", note)]
                notes = [note for note in notes if not re.search("[rqQ]", note)]
                n_notes += sum(1 - bool(re.search(r"[\[_]", note)) for note in notes)
    return [n_notes]


def _kinds_after(kinds: list[str], tokens: list[str]) -> Iterator[str]:
    before = ""
    for kind, token in zip(kinds, tokens, strict=True):
        if token != "*-" and not (token == before == "*v"):
            yield kind
        if token == "*^":
            yield kind
        before = token


def musicxml_count(path: Path) -> list[int]:
    """Elements <note> with a pitch, less those tied to a next one; grace notes are left out."""
    n_notes = 0
    for note in ElementTree.fromstring(read_unpacked(path)).iter("note"):
        if note.find("pitch") is not None and note.find("grace") is None:
            ties = note.findall("tie") or note.findall("notations/tied")
            n_notes += 1 - any(tie.get("type") == "start" for tie in ties)
    return [n_notes]


def abc_count(path: Path) -> list[int]:
    """Letters of notes in each tune, less the ties; grace notes are left out."""
    counts = []
    for _, text in tune_texts(decoded_text(path.read_bytes())):
        _, body = re.split(r"^K:.*$", text, maxsplit=1, flags=re.MULTILINE)
        body = re.sub(r"^[A-Za-z]:.*$|%.*$", "", body, flags=re.MULTILINE)
        body = re.sub(r'"[^"\n]*"|![^!\s]*!|\[[A-Za-z]:[^]]*\]|\{[^}\n]*\}', "", body)
        counts.append(len(re.findall("[A-Ga-g]", body)) - body.count("-"))
    return counts


COUNTS: dict[str, Callable[[Path], list[int]]] = {
    ".krn": kern_count,
    ".abc": abc_count,
    ".xml": musicxml_count,
    ".mxl": musicxml_count,
}


def sample() -> list[Path]:
    """Files of all collections; of the large ones every fourth or fortieth."""
    steps = {"palestrina": 4, "essenFolksong": 4, "oneills1850": 4, "ryansMammoth": 12, "bach": 4}
    return [
        path
        for name in collection_names()
        for path in collection_files(name)[:: steps.get(name, 1)]
        if path.suffix in COUNTS
    ]


def untold_difference(report: ReadReport, n_notes: int) -> int:
    """Notes that the score has more or less than the text, without a word in the report."""
    if TELLING.search(" ".join(report.repairs + report.losses)):
        return 0
    return report.score.n_notes - n_notes


@pytest.mark.slow
def test_every_note_is_in_the_score_or_the_report_tells():
    n_equal = n_pieces = 0
    untold = []
    for path in sample():
        try:
            pieces = list(read_pieces(path))
        except FormatError:
            continue
        for piece, n_notes in zip(pieces, COUNTS[path.suffix](path), strict=True):
            if piece.report is None:
                continue
            n_pieces += 1
            n_equal += piece.report.score.n_notes == n_notes
            if difference := untold_difference(piece.report, n_notes):
                untold.append(f"{path.name}, {piece.name}: {difference:+d} of {n_notes}")
    assert n_pieces >= 500
    assert not untold
    assert n_equal >= 0.98 * n_pieces
