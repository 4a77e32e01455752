"""Bytes of MusicXML, MEI, kern and ABC files as music21 streams: bounded before music21 sees them, and never from its pickles."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import contextlib
import io
import itertools
import re
import warnings
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from music21 import key
from music21.converter.subConverters import ConverterABC, ConverterHumdrum
from music21.mei.base import MEI_NS, MeiToM21Converter
from music21.musicxml import xmlToM21

from seqmusic.atomic_files import decoded_text, read_bounded
from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.read_report import Tally
from seqmusic.formats.timeout import TimeLimitError, time_limit

FORMAT_NAMES = {
    ".xml": "MusicXML",
    ".musicxml": "MusicXML",
    ".mxl": "MusicXML",
    ".mei": "MEI",
    ".krn": "kern",
    ".abc": "ABC",
}
"""What the ending of a file says."""
MAX_BYTES = {"MusicXML": 20_000_000, "MEI": 4_000_000, "kern": 400_000, "ABC": 100_000}
"""Of one piece, after unpacking. Music21 needs about 20 seconds for so many; one movement has a tenth of it."""
MAX_TUNE_BOOK_BYTES = 20_000_000
"""Of an ABC file of many tunes."""
_MAX_SECONDS = 60.0
_MAX_ENTRIES = 1000
_MAX_ELEMENTS = 1_000_000
_MAX_DEPTH = 100
_MAX_NUMBERS = {
    "beats": 64,
    "beat-type": 64,
    "fifths": 11,
    "octave": 12,
    "alter": 4,
    "chromatic": 96,
    "octave-change": 8,
}
_MAX_ATTRIBUTES = {
    "meter.count": 64,
    "meter.unit": 64,
    "trans.semi": 96,
    "trans.diat": 96,
    "oct": 12,
    "dots": 8,
    "num": 1000,
}


def read_unpacked(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file, unpacked if they are packed.

    Raises:
        CorruptFileError: it is packed, and damaged or a bomb.
        FormatError: it cannot be opened, or is too large.
    """
    data = read_bounded(path, max_bytes)
    if path.suffix.lower() != ".mxl":
        return data
    try:
        return _unpack_mxl(data)
    except FormatError as error:
        raise type(error)(f"{path}: {error}") from error.__cause__


def parse_with_music21(data: bytes, kind: str) -> Any:
    """The bytes of an unpacked file of one of the `FORMAT_NAMES`, as music21 reads them.

    Raises:
        FormatError: they hold what is not read.
        Exception: music21 stumbles over them.
    """
    return _READERS[kind](data)


@contextlib.contextmanager
def translated_errors(kind: str) -> Iterator[Tally]:
    """What music21 stumbles over is a damaged file, and what takes too long is stopped.

    Yields:
        What music21 could not read, passed over or guessed (it would write that to the error stream); filled in at the end.

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: the code inside says so, or it is not done in time.
    """
    guessed, said = Tally(), io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(said), time_limit(_MAX_SECONDS):
            warnings.simplefilter("ignore")
            yield guessed
    except FormatError:
        raise
    except TimeLimitError as error:
        raise FormatError(
            f"not read within {_MAX_SECONDS:.0f} seconds; split it into shorter files"
        ) from error
    except Exception as error:
        raise CorruptFileError(f"not readable as {kind}: {_first_line(error)}") from error
    for warning in re.findall(r"WARNING: *(.*)", said.getvalue()):
        guessed.add(
            "signs that are not understood, left out or guessed",
            f"{' '.join(warning.split())[:120]!r}",
        )


def _read_musicxml(data: bytes) -> Any:
    root = _checked_root(data)
    if root.tag != "score-partwise":
        found = f"its root is <{_abbreviated(root.tag)}>, only <score-partwise> is read"
        raise FormatError(f"not readable as MusicXML: {found}; save it once more as MusicXML")
    for tag, limit in _MAX_NUMBERS.items():
        for element in root.iter(tag):
            _check_numbers(f"<{tag}>", element.text or "", limit)
    _unmark_full_measure_rests(root)
    importer = xmlToM21.MusicXMLImporter()
    importer.xmlRootToScore(root, importer.stream)
    return importer.stream


def _read_mei(data: bytes) -> Any:
    root = _checked_root(data)
    if root.tag != f"{MEI_NS}mei":
        found = f"its root is <{_abbreviated(root.tag)}>, expected <{MEI_NS}mei>"
        raise FormatError(f"not readable as MEI: {found}; save it once more as MEI")
    for element in root.iter():
        for name, limit in _MAX_ATTRIBUTES.items():
            _check_numbers(f"{name}=", element.get(name, ""), limit)
    reader = MeiToM21Converter()
    reader.documentRoot = root
    score = reader.run()
    if not any("key.mode" in element.attrib or "mode" in element.attrib for element in root.iter()):
        for made_up in list(
            score.recurse().getElementsByClass(key.Key)
        ):  # music21 calls every key without a mode a major key
            made_up.activeSite.replace(made_up, key.KeySignature(made_up.sharps))
    return score


def _read_kern(data: bytes) -> Any:
    text = decoded_text(data)
    if "**kern" not in text:
        raise CorruptFileError("not readable as kern: no spine begins with **kern")
    _check_meters(text)
    reader = ConverterHumdrum()
    reader.parseData(text)
    return reader.stream


def _read_abc(data: bytes) -> Any:
    text = decoded_text(data)
    if (n_tunes := len(tune_texts(text))) > 1:
        raise FormatError(
            f"holds {n_tunes} tunes; split it into one file a tune, or read them all with read_pieces"
        )
    _check_meters(text)
    reader = ConverterABC()
    reader.parseData(text)
    return reader.stream


_READERS = {"MusicXML": _read_musicxml, "MEI": _read_mei, "kern": _read_kern, "ABC": _read_abc}


def tune_texts(text: str) -> list[tuple[str, str]]:
    """The tunes of an ABC text with their names: each from its field X to an empty line, under the fields before the first tune.

    >>> tune_texts("M:4/4\\nX:1\\nT:A\\nK:C\\nCDE|\\n\\nwords\\nX:2\\nK:G\\nGAB|")
    [('1 A', 'M:4/4\\nX:1\\nT:A\\nK:C\\nCDE|'), ('2', 'M:4/4\\nX:2\\nK:G\\nGAB|')]
    """
    head, *tunes = re.split(r"^(?=X:)", text, flags=re.MULTILINE)
    fields = "".join(f"{line}\n" for line in head.splitlines() if re.match(r"[LMQR]:", line))
    found = []
    for tune in tunes:
        tune = tune.split("\n\n")[0].rstrip("\n")
        number, title = (re.search(rf"^{field}:(.*)", tune, re.MULTILINE) for field in "XT")
        found.append(
            (
                " ".join(match[1].strip() for match in (number, title) if match).strip(),
                fields + tune,
            )
        )
    return found


def _checked_root(data: bytes) -> ElementTree.Element:
    """The root of an XML document that declares no entities and is neither too deep nor too large."""
    depth = n_elements = 0

    def opened(*_: object) -> None:
        nonlocal depth, n_elements
        depth, n_elements = depth + 1, n_elements + 1
        if depth > _MAX_DEPTH:
            raise CorruptFileError(
                f"elements stand {depth} deep in each other; at most {_MAX_DEPTH} are read"
            )
        if n_elements > _MAX_ELEMENTS:
            raise FormatError(
                f"holds more than {_MAX_ELEMENTS:,} elements; split it into shorter files"
            )

    def closed(*_: object) -> None:
        nonlocal depth
        depth -= 1

    def declared(*_: object) -> NoReturn:
        raise CorruptFileError("declares XML entities, which no score needs; they are not expanded")

    scanner = expat.ParserCreate()
    scanner.StartElementHandler, scanner.EndElementHandler, scanner.EntityDeclHandler = (
        opened,
        closed,
        declared,
    )
    scanner.Parse(data, True)
    return ElementTree.fromstring(data)


def _check_numbers(place: str, text: str, limit: float) -> None:
    if any(float(number) > limit for number in re.findall(r"[0-9]+\.?[0-9]*", text)):
        raise CorruptFileError(f"holds {place} {_abbreviated(text)!r}; at most {limit} is read")


def _check_meters(text: str) -> None:
    for digits in itertools.chain(*re.findall(r"M:? *([0-9]+)/([0-9]+)", text)):
        if float(digits) > 64:
            raise CorruptFileError(
                f"holds a time signature with {_abbreviated(digits)}; at most 64 is read"
            )


def _unmark_full_measure_rests(root: ElementTree.Element) -> None:
    """Let every rest last as long as it says; music21 stretches those for a whole bar, and with two voices the wrong one."""
    for element in root.iterfind(".//note[rest]"):
        for rest in element.iterfind("rest[@measure]"):
            del rest.attrib["measure"]
            for written in element.findall("type"):
                element.remove(written)


def _unpack_mxl(data: bytes) -> bytes:
    if data.count(b"PK\1\2") > _MAX_ENTRIES:
        raise CorruptFileError(
            f"packs more than {_MAX_ENTRIES} files; a compressed MusicXML file packs two or three"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read_entry(archive, _score_entry_name(archive))
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ValueError,
        OSError,
        zlib.error,
    ) as error:
        raise CorruptFileError(
            f"not readable as a compressed MusicXML file: {_first_line(error)}"
        ) from error


def _score_entry_name(archive: zipfile.ZipFile) -> str:
    """The name of the score: as the container says, else the first MusicXML file."""
    names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    listed: list[str] = []
    if "META-INF/container.xml" in names:
        container = _read_entry(archive, "META-INF/container.xml").decode("utf-8", "replace")
        listed = re.findall(r"full-path=[\"']([^\"']+)", container)
    inside = [
        n
        for n in names
        if not n.startswith(("META-INF/", "__MACOSX/"))
        and n.lower().endswith((".xml", ".musicxml"))
    ]
    for name in [*listed, *inside]:
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


def _abbreviated(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200] or type(error).__name__
