"""Tables of pitches: the JSON of the usual chorale benchmark, one pitch a voice and sixteenth."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from seqmusic.atomic_files import read_bounded, write_atomic
from seqmusic.errors import CorruptFileError, FormatError, abbreviated
from seqmusic.formats.csv.grid import REPEATS_MERGED, grid_rows
from seqmusic.formats.read_report import FilePiece, ReadReport
from seqmusic.pitch_grid import REST_CELL, notes_from_cells
from seqmusic.score import SATB, TICKS_PER_SIXTEENTH, Score, Voice

JSB_SPLITS = ("train", "valid", "test")
MAX_JSON_BYTES = 64 * 2**20
_MAX_MESSAGE_CHARACTERS = 300
_Step = list[int]


def read_jsb(path: Path) -> dict[str, tuple[Score, ...]]:
    """The pieces of each split of a file like ``Jsb16thSeparated.json``, in its order.

    The file holds pieces for each split; a piece is a list of sixteenth steps, a step the four
    pitches from soprano to bass as MIDI numbers, -1 for a rest. It does not distinguish a held note
    from one that is struck again, so equal neighbors become one note; nor does it hold meter or
    key, so the scores have none. A score ends with its last note, and no step of the file is lost
    by that: a piece that ends in silence is refused.

    Returns:
        Scores of four voices titled ``train 0``, ``train 1`` and so on, keyed by ``train``,
        ``valid``, ``test``.

    Raises:
        FormatError: there is no such file, it is far too large, or a piece ends in silence.
        CorruptFileError: it is not JSON, or not of this shape; the text names split, piece and
            step, counted from 0.
    """
    path = Path(path)
    splits = _read_splits(path)
    for split in JSB_SPLITS:
        if not splits[split]:
            rule = f"split {split!r} must be a list of pieces"
            raise CorruptFileError(f"{path}: {rule}, got 0 values")
    return {split: tuple(_scores(path, split, splits[split])) for split in JSB_SPLITS}


def read_jsb_with_report(path: Path) -> ReadReport:
    """The one piece in such a file, in whichever split.

    Raises:
        FormatError: as `read_jsb`, or there are several pieces or none.
        CorruptFileError: as `read_jsb`.
    """
    reports = list(itertools.islice(_reports(Path(path)), 2))
    if len(reports) != 1:
        found = "several pieces; read them all with read_pieces" if reports else "no pieces"
        raise FormatError(f"{path}: holds {found}")
    return reports[0]


def read_jsb_pieces(path: Path) -> Iterator[FilePiece]:
    """The pieces of all splits, one after the other.

    Raises:
        FormatError: as `read_jsb`.
        CorruptFileError: as `read_jsb`, but a split may be empty.
    """
    for report in _reports(Path(path)):
        yield FilePiece(report.score.title, report)


def write_jsb(score: Score, path: Path) -> Path:
    """Write a score of four voices as the only piece of such a file, and return the path.

    Raises:
        FormatError: it has not four voices, a note does not fill whole sixteenths, or the file
            cannot be written.
    """
    path = Path(path)
    if len(score.voices) != len(SATB):
        rule = f"holds four voices, got {len(score.voices)}"
        raise FormatError(f"{path}: {rule}; a .csv holds any number")
    try:
        steps = grid_rows(score, TICKS_PER_SIXTEENTH, REST_CELL)
    except FormatError as error:
        raise FormatError(f"{path}: {error} (.csv)") from error
    return write_atomic(path, json.dumps({"train": [steps], "valid": [], "test": []}))


def _reports(path: Path) -> Iterator[ReadReport]:
    splits = _read_splits(path)
    for split in JSB_SPLITS:
        for score in _scores(path, split, splits[split]):
            with_source = replace(score, source=f"{path.name}, {score.title}")
            yield ReadReport(with_source, losses=(REPEATS_MERGED,))


def _read_splits(path: Path) -> dict[str, list[object]]:
    table = _read_json(path)
    if not isinstance(table, dict) or set(table) != set(JSB_SPLITS):
        found = type(table).__name__
        if isinstance(table, dict):
            found = f"the keys {', '.join(map(repr, list(table)[:6]))}"
        rule = f"must be an object with the keys {', '.join(JSB_SPLITS)}"
        raise CorruptFileError(f"{path}: {rule}, got {found}"[:_MAX_MESSAGE_CHARACTERS])
    for split, pieces in table.items():
        if not isinstance(pieces, list):
            rule = f"split {split!r} must be a list of pieces"
            raise CorruptFileError(f"{path}: {rule}, got {_describe(pieces)}")
    return table


def _read_json(path: Path) -> object:
    data = read_bounded(path, MAX_JSON_BYTES)
    try:
        return json.loads(data, object_pairs_hook=_object_with_unique_keys)
    except (ValueError, RecursionError) as error:  # errors of JSON and of Unicode are ValueErrors
        text = f"{path}: is not JSON of this shape: {str(error).splitlines()[0]}"
        raise CorruptFileError(text[:_MAX_MESSAGE_CHARACTERS]) from error


def _object_with_unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    if repeated := next((key for key in keys if keys.count(key) > 1), None):
        raise ValueError(f"the key {abbreviated(repeated)!r} is there twice")
    return dict(pairs)


def _scores(path: Path, split: str, pieces: list[object]) -> Iterator[Score]:
    for number, piece in enumerate(pieces):
        steps = _checked_steps(f"{path}: split {split!r}, piece {number}", piece)
        voices = (
            Voice(name, tuple(notes_from_cells(pitches)))
            for name, pitches in zip(SATB, zip(*steps, strict=True), strict=True)
        )
        yield Score(tuple(voices), (), title=f"{split} {number}")


def _checked_steps(location: str, piece: object) -> list[_Step]:
    if not isinstance(piece, list) or not piece:
        raise CorruptFileError(f"{location}: must be a list of steps, got {_describe(piece)}")
    for number, step in enumerate(piece):
        if not isinstance(step, list) or len(step) != len(SATB):
            rule = f"must be {len(SATB)} pitches"
            raise CorruptFileError(f"{location}, step {number}: {rule}, got {_describe(step)}")
        for name, pitch in zip(SATB, step, strict=True):
            if type(pitch) is not int or not REST_CELL <= pitch <= 127:
                rule = f"{name.lower()} must be a MIDI number in 0..127 or {REST_CELL}"
                raise CorruptFileError(f"{location}, step {number}: {rule}, got {_describe(pitch)}")
    if _is_silent(piece[-1]):
        last = max((n for n, step in enumerate(piece) if not _is_silent(step)), default=-1)
        problem = "ends in silence, which a score cannot hold"
        raise FormatError(f"{location}: {problem}; drop the silent steps after step {last}")
    return piece


def _is_silent(step: _Step) -> bool:
    return all(pitch == REST_CELL for pitch in step)


def _describe(value: object) -> str:
    """A wrong value in a few characters: a number or text itself, else its size or type."""
    if isinstance(value, list):
        return f"{len(value)} values"
    if value is None or isinstance(value, int | float | str):
        return abbreviated(repr(value))
    return type(value).__name__
