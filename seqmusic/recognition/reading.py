"""Files read for recognition, without bar lines where the parts do not agree on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqmusic import formats
from seqmusic.corpus.folders.source import read_pieces_or_errors
from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.read_report import ReadReport

_NOTATION = (".xml", ".musicxml", ".mxl", ".mei", ".krn")


def read_recognizable(path: Path) -> ReadReport:
    """The score in a file, without bar lines where the parts do not agree on them.

    Raises:
        FormatError: the file cannot be read in either way; the text is that of the usual reading.
    """
    try:
        return formats.read_with_report(path)
    except CorruptFileError:
        raise
    except FormatError as error:
        return _unmeasured(path, error)


def read_recognizable_pieces(path: Path) -> Sequence[ReadReport | FormatError]:
    """The pieces of a file, without bar lines where the parts do not agree on them.

    Raises:
        FormatError: the file cannot be read in either way.
    """
    try:
        return read_pieces_or_errors(path)
    except CorruptFileError:
        raise
    except FormatError as error:
        return [_unmeasured(path, error)]


def _unmeasured(path: Path, error: FormatError) -> ReadReport:
    if path.suffix.lower() not in _NOTATION or not path.is_file():
        raise error
    from seqmusic.formats.notation.file import read_unmeasured

    try:
        return read_unmeasured(path)
    except FormatError:
        raise error from None
