"""Bytes of notation files, unpacked where they are compressed, and never more than is read."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path

from seqmusic.atomic_files import read_bounded
from seqmusic.errors import CorruptFileError, FormatError, located

FORMAT_NAMES = {
    ".xml": "MusicXML",
    ".musicxml": "MusicXML",
    ".mxl": "MusicXML",
    ".mei": "MEI",
    ".krn": "kern",
    ".abc": "ABC",
}
"""The format of each ending."""
MAX_BYTES = {"MusicXML": 20_000_000, "MEI": 4_000_000, "kern": 2_000_000, "ABC": 200_000}
"""Of one piece, after unpacking. A movement has a tenth."""
MAX_TUNE_BOOK_BYTES = 20_000_000
"""Of an ABC file of many tunes."""
_MAX_ENTRIES = 1000
_UNPACKING_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError),
)


def format_name(path: Path) -> str:
    """The format of a file by its ending.

    Raises:
        FormatError: the ending is unknown.
    """
    name = FORMAT_NAMES.get(path.suffix.lower())
    if name is None:
        expected = f"expected one of {', '.join(FORMAT_NAMES)}"
        raise FormatError(
            f"{path}: files of the kind {path.suffix!r} are not read here; {expected}"
        )
    return name


def read_unpacked(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is a compressed MusicXML file.

    Raises:
        CorruptFileError: it is compressed, and damaged or a bomb.
        FormatError: it cannot be opened, is too large, or its ending is unknown.
    """
    data = read_bounded(path, MAX_BYTES[format_name(path)])
    if path.suffix.lower() != ".mxl":
        return data
    with located(path):
        return _unpack_mxl(data)


def _unpack_mxl(data: bytes) -> bytes:
    if data.count(b"PK\1\2") > _MAX_ENTRIES:
        rule = "a compressed MusicXML file packs two or three"
        raise CorruptFileError(f"packs more than {_MAX_ENTRIES} files; {rule}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read_entry(archive, _score_entry_name(archive))
    except _UNPACKING_ERRORS as error:
        reason = first_line(error)
        raise CorruptFileError(f"not readable as a compressed MusicXML file: {reason}") from error


def _score_entry_name(archive: zipfile.ZipFile) -> str:
    """The name of the score: as the container gives it, else the first MusicXML file."""
    names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    listed: list[str] = []
    if "META-INF/container.xml" in names:
        container = _read_entry(archive, "META-INF/container.xml").decode("utf-8", "replace")
        listed = re.findall(r"full-path=[\"']([^\"']+)", container)
    scores = [name for name in names if name.lower().endswith((".xml", ".musicxml"))]
    scores = [name for name in scores if not name.startswith(("META-INF/", "__MACOSX/"))]
    for name in [*listed, *scores]:
        if name in names:
            return name
    raise CorruptFileError("holds no MusicXML file inside")


def _read_entry(archive: zipfile.ZipFile, name: str) -> bytes:
    limit = MAX_BYTES["MusicXML"]
    with archive.open(name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise CorruptFileError(f"unpacks to more than {limit // 1_000_000} MB")
    return data


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or the name of its class."""
    return (str(error).strip().splitlines() or [""])[0][:200] or type(error).__name__
