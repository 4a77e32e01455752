"""Texts of MEI files as music21 streams.

They are checked before music21 reads them, because it would work for hours on some numbers.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator
from typing import Any

from music21 import key
from music21.mei.base import MEI_NS, MeiToM21Converter

from seqmusic.errors import CorruptFileError, FormatError, abbreviated
from seqmusic.formats.musicxml.tree import checked_root
from seqmusic.formats.notation.unpacking import first_line
from seqmusic.formats.read_report import Tally
from seqmusic.formats.timeout import TimeLimitError, time_limit

_MAX_SECONDS = 60.0
_MAX_METER_NUMBER = 64
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


def parse_mei(data: bytes) -> Any:
    """The bytes of an MEI file as music21 reads them.

    Raises:
        FormatError: they hold what is not read.
        Exception: music21 fails on them.
    """
    root = checked_root(data)
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


def _check_numbers(location: str, text: str, limit: float) -> None:
    if any(float(number) > limit for number in re.findall(r"[0-9]+\.?[0-9]*", text)):
        raise CorruptFileError(f"holds {location} {abbreviated(text)!r}; at most {limit} is read")
