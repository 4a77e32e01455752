"""MusicXML, kern and ABC files, and the Bach chorales that music21 installs; importing this module imports music21.

What a score does not hold is left out when reading: grace notes, words, slurs, dynamics, changes of key, clef or tempo, fermatas
over rests, and repeat signs (which are not expanded). What a score would hold wrongly is refused: notes off the grid of 24 ticks a
quarter note, and two notes at once in one voice. A tempo within a millionth of a whole number is read as that number.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import itertools
import re
import warnings
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from music21 import converter, corpus
from music21.musicxml import xmlToM21

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.files import write_atomic
from seqmusic.formats.notation_reading import satb_from_music21, score_from_music21
from seqmusic.formats.notation_writing import Color, musicxml_text, score_to_music21
from seqmusic.score import Score

__all__ = [
    "chorale_paths",
    "musicxml_text",
    "read_chorale",
    "read_notation",
    "score_from_music21",
    "score_to_music21",
    "write_musicxml",
]

_FORMATS = {".xml": "MusicXML", ".musicxml": "MusicXML", ".mxl": "MusicXML", ".krn": "kern", ".abc": "ABC"}
_LONGEST_FILE = 50_000_000  # bytes, after unpacking
_LARGEST_NUMBERS = {"beats": 64, "beat-type": 64, "fifths": 11, "octave": 12, "alter": 4, "chromatic": 96, "octave-change": 8}


def read_notation(path: Path) -> Score:
    """The score in a MusicXML (.xml, .musicxml, .mxl), kern (.krn) or ABC (.abc) file, one voice a part, or a voice of a part.

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the file cannot be opened, or holds what a score cannot (the text names measure and part).
    """
    path = Path(path)
    try:
        score = score_from_music21(_parsed(path))
    except FormatError as error:
        raise type(error)(f"{path}: {error}") from error.__cause__
    return score if score.source else replace(score, source=path.name)


def write_musicxml(score: Score, path: Path, color: Color | None = None, staves: Literal["open", "closed"] = "open") -> Path:
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
    return sorted(Path(path) for path in corpus.getComposer("bach") if Path(path).suffix in _FORMATS)


def read_chorale(path: Path) -> Score:
    """Soprano, alto, tenor and bass of a file: its four parts, or the four of that name where instruments play along.

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the file holds no such four parts, or what a score cannot.
    """
    path = Path(path)
    try:
        score = satb_from_music21(_parsed(path))
    except FormatError as error:
        raise type(error)(f"{path.name}: {error}") from error.__cause__
    return replace(score, title=f"{path.stem} {score.title}".strip(), source=f"music21 corpus, bach/{path.name}")


def _parsed(path: Path) -> Any:
    """The file as music21 reads it; never from its pickles."""
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise FormatError(f"files of the kind {path.suffix!r} are not read here; expected one of {', '.join(_FORMATS)}")
    data = _checked_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "MusicXML":
                importer = xmlToM21.MusicXMLImporter()
                importer.xmlRootToScore(_checked_root(data), importer.stream)
                return importer.stream
            _check_meters(data)
            return converter.parse(path, format="humdrum" if kind == "kern" else "abc", forceSource=True, storePickle=False)
    except FormatError:
        raise
    except Exception as error:
        raise CorruptFileError(f"not readable as {kind}: {_first_line(error)}") from error


def _checked_bytes(path: Path) -> bytes:
    try:
        data = _unpacked(path) if path.suffix.lower() == ".mxl" else _bounded(path.open("rb"))
    except OSError as error:
        raise FormatError(f"cannot be opened: {error.strerror or error}") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error) as error:
        raise CorruptFileError(f"not readable as a compressed MusicXML file: {_first_line(error)}") from error
    if b"<!ENTITY" in data.replace(b"\0", b""):
        raise CorruptFileError("declares XML entities, which no score needs; they are not expanded")
    return data


def _checked_root(data: bytes) -> ElementTree.Element:
    """The root of a MusicXML file without the numbers that music21 would count up to for minutes."""
    root = ElementTree.fromstring(data)
    if root.tag != "score-partwise":
        raise FormatError(f"not readable as MusicXML: its root is <{root.tag}>, only <score-partwise> is read")
    for tag, limit in _LARGEST_NUMBERS.items():
        for element in root.iter(tag):
            if any(float(number) > limit for number in re.findall(r"[0-9]+\.?[0-9]*", element.text or "")):
                raise CorruptFileError(f"holds <{tag}>{str(element.text)[:20]}</{tag}>; at most {limit} is read")
    _drop_rests_for_a_bar(root)
    return root


def _drop_rests_for_a_bar(root: ElementTree.Element) -> None:
    """Let every rest last as long as it says; music21 stretches those for a whole bar, and with two voices the wrong one."""
    for element in root.iterfind(".//note[rest]"):
        for rest in element.iterfind("rest[@measure]"):
            del rest.attrib["measure"]
            for written in element.findall("type"):
                element.remove(written)


def _check_meters(data: bytes) -> None:
    for digits in itertools.chain(*re.findall(rb"M:? *([0-9]+)/([0-9]+)", data)):
        if float(digits) > 64:
            raise CorruptFileError(f"holds a time signature with {digits.decode()[:20]}; at most 64 is read")


def _unpacked(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _LONGEST_FILE:
            raise CorruptFileError(f"unpacks to more than {_LONGEST_FILE // 1_000_000} MB")
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        listed: list[str] = []
        if "META-INF/container.xml" in names:
            listed = re.findall(
                r"full-path=[\"']([^\"']+)", _bounded(archive.open("META-INF/container.xml")).decode("utf-8", "replace")
            )
        inside = [n for n in names if not n.startswith(("META-INF/", "__MACOSX/")) and n.lower().endswith((".xml", ".musicxml"))]
        for name in [*listed, *inside]:
            if name in names:
                return _bounded(archive.open(name))
    raise CorruptFileError("holds no MusicXML file inside")


def _bounded(file: Any) -> bytes:
    with file:
        data: bytes = file.read(_LONGEST_FILE + 1)
    if len(data) > _LONGEST_FILE:
        raise FormatError(f"is longer than {_LONGEST_FILE // 1_000_000} MB")
    return data


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0] or type(error).__name__
