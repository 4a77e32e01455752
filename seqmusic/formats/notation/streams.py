"""Texts of MusicXML and MEI files as music21 streams.

They are checked before music21 reads them, because it would work for hours on some numbers.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import contextlib
import io
import re
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any

import defusedxml
from defusedxml.ElementTree import XMLParser
from music21 import key
from music21.mei.base import MEI_NS, MeiToM21Converter
from music21.musicxml import xmlToM21

from seqmusic.errors import CorruptFileError, FormatError, abbreviated
from seqmusic.formats.notation.unpacking import first_line
from seqmusic.formats.read_report import Tally
from seqmusic.formats.timeout import TimeLimitError, time_limit

_MAX_SECONDS = 60.0
_MAX_ELEMENTS = 1_000_000
_MAX_DEPTH = 100
_MAX_METER_NUMBER = 64
_MAX_NUMBERS = {
    "beats": _MAX_METER_NUMBER,
    "beat-type": _MAX_METER_NUMBER,
    "fifths": 11,
    "octave": 12,
    "alter": 4,
    "chromatic": 96,
    "octave-change": 8,
}
"""The greatest number that is read in each element of MusicXML."""
_MAX_ATTRIBUTES = {
    "meter.count": _MAX_METER_NUMBER,
    "meter.unit": _MAX_METER_NUMBER,
    "trans.semi": 96,
    "trans.diat": 96,
    "oct": 12,
    "dots": 8,
    "num": 1000,
}
"""The greatest number that is read in each attribute of MEI."""


def parse_with_music21(data: bytes, format_name: str) -> Any:
    """The bytes of an unpacked file as music21 reads them.

    Args:
        data: the bytes.
        format_name: MusicXML or MEI.

    Raises:
        FormatError: they hold what is not read.
        Exception: music21 fails on them.
    """
    return _PARSERS[format_name](data)


@contextlib.contextmanager
def translated_errors(format_name: str) -> Iterator[Tally]:
    """Translates whatever music21 raises into errors of this package, and stops it after a minute.

    Yields:
        What music21 could not read, and left out or guessed, which it would write to the error
        stream; filled in at the end.

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the code inside raises it, or does not end in time.
    """
    guesses, messages = Tally(), io.StringIO()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stderr(messages),
            time_limit(_MAX_SECONDS),
        ):
            warnings.simplefilter("ignore")
            yield guesses
    except FormatError:
        raise
    except TimeLimitError as error:
        limit = f"not read within {_MAX_SECONDS:.0f} seconds"
        raise FormatError(f"{limit}; split it into shorter files") from error
    except Exception as error:
        raise CorruptFileError(f"not readable as {format_name}: {first_line(error)}") from error
    for warning in re.findall(r"WARNING: *(.*)", messages.getvalue()):
        location = f"{' '.join(warning.split())[:120]!r}"
        guesses.add("signs that are not understood, left out or guessed", location)


def _parse_musicxml(data: bytes) -> Any:
    root = _checked_root(data)
    if root.tag != "score-partwise":
        found = f"its root is <{abbreviated(root.tag)}>, only <score-partwise> is read"
        raise FormatError(f"not readable as MusicXML: {found}; save it once more as MusicXML")
    for tag, limit in _MAX_NUMBERS.items():
        for element in root.iter(tag):
            _check_numbers(f"<{tag}>", element.text or "", limit)
    _unmark_full_measure_rests(root)
    importer = xmlToM21.MusicXMLImporter()
    importer.xmlRootToScore(root, importer.stream)
    return importer.stream


def _parse_mei(data: bytes) -> Any:
    root = _checked_root(data)
    if root.tag != f"{MEI_NS}mei":
        found = f"its root is <{abbreviated(root.tag)}>, expected <{MEI_NS}mei>"
        raise FormatError(f"not readable as MEI: {found}; save it once more as MEI")
    for element in root.iter():
        for name, limit in _MAX_ATTRIBUTES.items():
            _check_numbers(f"{name}=", element.get(name, ""), limit)
    reader = MeiToM21Converter()
    reader.documentRoot = root
    score = reader.run()
    if not any("key.mode" in element.attrib or "mode" in element.attrib for element in root.iter()):
        _replace_keys_by_signatures(score)
    return score


def _replace_keys_by_signatures(score: Any) -> None:
    """Take back the mode of every key: music21 calls a key without a mode a major key."""
    for guessed in list(score.recurse().getElementsByClass(key.Key)):
        guessed.activeSite.replace(guessed, key.KeySignature(guessed.sharps))


_PARSERS = {"MusicXML": _parse_musicxml, "MEI": _parse_mei}


class _BoundedTreeBuilder(ElementTree.TreeBuilder):
    """Builds the tree of a document that is neither too deep nor too large."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._n_elements = 0

    def start(self, tag: Any, attrs: Any, /) -> Any:
        self._depth += 1
        self._n_elements += 1
        if self._depth > _MAX_DEPTH:
            rule = f"at most {_MAX_DEPTH} are read"
            raise CorruptFileError(f"elements stand {self._depth} deep in each other; {rule}")
        if self._n_elements > _MAX_ELEMENTS:
            rule = f"holds more than {_MAX_ELEMENTS:,} elements"
            raise FormatError(f"{rule}; split it into shorter files")
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Any:
        self._depth -= 1
        return super().end(tag)


def _checked_root(data: bytes) -> Any:
    """The root of an XML document that has no entities and is neither too deep nor too large."""
    parser = XMLParser(target=_BoundedTreeBuilder())
    try:
        parser.feed(data)
        return parser.close()
    except defusedxml.EntitiesForbidden as error:
        rule = "declares XML entities, which no score needs"
        raise CorruptFileError(f"{rule}; they are not expanded") from error


def _check_numbers(location: str, text: str, limit: float) -> None:
    if any(float(number) > limit for number in re.findall(r"[0-9]+\.?[0-9]*", text)):
        raise CorruptFileError(f"holds {location} {abbreviated(text)!r}; at most {limit} is read")


def _unmark_full_measure_rests(root: ElementTree.Element) -> None:
    """Give every rest the length of its duration.

    Music21 stretches a rest for a whole bar to the length of the bar, with two voices of the wrong
    one.
    """
    for element in root.iterfind(".//note[rest]"):
        for rest in element.iterfind("rest[@measure]"):
            del rest.attrib["measure"]
            for note_type in element.findall("type"):
                element.remove(note_type)
