"""Tables of pitches: the JSON of the usual chorale benchmark, one pitch a voice and sixteenth step."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.csv.grid import REPEATS_MERGED, grid_rows
from seqmusic.formats.read_report import FilePiece, ReadReport
from seqmusic.score import SATB, TICKS_PER_SIXTEENTH, Note, Score, Voice

JSB_SPLITS = ("train", "valid", "test")
JSB_REST = -1
MAX_JSON_BYTES = 64 * 2**20
_Step = tuple[int, ...]


def read_jsb(path: Path) -> dict[str, tuple[Score, ...]]:
    """The pieces of each split of a file like ``Jsb16thSeparated.json``, in its order.

    The file holds, per split, pieces; a piece is a list of sixteenth steps, a step the four pitches from soprano to bass as MIDI
    numbers, -1 for a rest. It does not tell a held note from one that is struck again, so equal neighbors become one note; nor does
    it tell meter or key, so the scores have none. A score ends with its last note, and no step of the file is lost by that: a piece
    that ends in silence is refused.

    Returns:
        Scores of four voices titled ``train 0``, ``train 1`` and so on, keyed by ``train``, ``valid``, ``test``.

    Raises:
        FormatError: there is no such file, it is far too large, or a piece ends in silence.
        CorruptFileError: it is not JSON, or not of this shape; the text names split, piece and step, counted from 0.
    """
    path = Path(path)
    splits = _read_splits(path)
    for split in JSB_SPLITS:
        if not splits[split]:
            raise CorruptFileError(
                f"{path}: split {split!r} must be a list of pieces, got 0 values"
            )
    return {split: tuple(_pieces(path, split, splits[split])) for split in JSB_SPLITS}


def read_jsb_with_report(path: Path) -> ReadReport:
    """The one piece in such a file, in whichever split.

    Raises:
        FormatError: as `read_jsb`, or there are several pieces or none.
        CorruptFileError: as `read_jsb`.
    """
    pieces = list(itertools.islice(read_jsb_pieces(path), 2))
    if len(pieces) != 1:
        found = "several pieces; read them all with read_pieces" if pieces else "no pieces"
        raise FormatError(f"{path}: holds {found}")
    reading = pieces[0].report
    assert reading  # every piece is read, or the whole file refused
    return reading


def read_jsb_pieces(path: Path) -> Iterator[FilePiece]:
    """The pieces of all splits, one after the other.

    Raises:
        FormatError: as `read_jsb`.
        CorruptFileError: as `read_jsb`, but a split may be empty.
    """
    path = Path(path)
    splits = _read_splits(path)
    for split in JSB_SPLITS:
        for score in _pieces(path, split, splits[split]):
            source = f"{path.name}, {score.title}"
            yield FilePiece(
                score.title, ReadReport(replace(score, source=source), losses=(REPEATS_MERGED,))
            )


def write_jsb(score: Score, path: Path) -> Path:
    """Write a score of four voices as such a file, of which it is the only piece (in ``train``), and return the path.

    Raises:
        FormatError: it has not four voices, a note does not fill whole sixteenths, or the file cannot be written.
    """
    path = Path(path)
    if len(score.voices) != len(SATB):
        raise FormatError(
            f"{path}: holds four voices, got {len(score.voices)}; a .csv holds any number"
        )
    try:
        steps = grid_rows(score, TICKS_PER_SIXTEENTH, JSB_REST)
    except FormatError as error:
        raise FormatError(f"{path}: {error} (.csv)") from error
    return write_atomic(path, json.dumps({"train": [steps], "valid": [], "test": []}))


def _read_splits(path: Path) -> dict[str, list[object]]:
    table = _read_json(path)
    if not isinstance(table, dict) or set(table) != set(JSB_SPLITS):
        keys = (
            f"the keys {', '.join(map(repr, list(table)[:6]))}"
            if isinstance(table, dict)
            else type(table).__name__
        )
        raise CorruptFileError(
            f"{path}: must be an object with the keys {', '.join(JSB_SPLITS)}, got {keys}"[:300]
        )
    for split, pieces in table.items():
        if not isinstance(pieces, list):
            raise CorruptFileError(
                f"{path}: split {split!r} must be a list of pieces, got {_abbreviated(pieces)}"
            )
    return table


def _read_json(path: Path) -> object:
    try:
        n_bytes = path.stat().st_size
        if path.is_file() and n_bytes > MAX_JSON_BYTES:
            raise FormatError(
                f"{path}: {n_bytes:,} bytes is too large for a table of chorales; at most {MAX_JSON_BYTES:,} are read"
            )
        return json.loads(path.read_bytes(), object_pairs_hook=_object_with_unique_keys)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise CorruptFileError(
            f"{path}: is not JSON of this shape: {str(error).splitlines()[0]}"[:300]
        ) from error


def _object_with_unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise ValueError(f"the key {twice[:40]!r} stands twice")
    return dict(pairs)


def _pieces(path: Path, split: str, pieces: list[object]) -> Iterator[Score]:
    for number, piece in enumerate(pieces):
        steps = _checked_steps(f"{path}: split {split!r}, piece {number}", piece)
        lines = zip(SATB, zip(*steps, strict=True), strict=True)
        yield Score(
            tuple(pitches_to_voice(name, line) for name, line in lines),
            (),
            title=f"{split} {number}",
        )


def _checked_steps(place: str, piece: object) -> list[_Step]:
    if not isinstance(piece, list) or not piece:
        raise CorruptFileError(f"{place}: must be a list of steps, got {_abbreviated(piece)}")
    for number, step in enumerate(piece):
        if not isinstance(step, list) or len(step) != len(SATB):
            raise CorruptFileError(
                f"{place}, step {number}: must be {len(SATB)} pitches, got {_abbreviated(step)}"
            )
        for name, pitch in zip(SATB, step, strict=True):
            if type(pitch) is not int or not JSB_REST <= pitch <= 127:
                raise CorruptFileError(
                    f"{place}, step {number}: {name.lower()} must be a MIDI number in 0..127 or {JSB_REST}, got {_abbreviated(pitch)}"
                )
    if all(pitch == JSB_REST for pitch in piece[-1]):
        raise FormatError(
            f"{place}: ends in silence, which a score cannot hold; drop the silent steps after step {_last_sounding_step(piece)}"
        )
    return piece


def pitches_to_voice(name: str, line: Sequence[int]) -> Voice:
    """The voice of pitches a sixteenth each, -1 for a rest; a run of the same pitch is one note.

    >>> [(note.onset_ticks, note.duration_ticks) for note in pitches_to_voice("Alto", [60, 60, -1, 60]).notes]
    [(0, 12), (18, 6)]
    """
    return Voice(name, tuple(_notes(line)))


def _notes(line: Sequence[int]) -> Iterator[Note]:
    onset = 0
    for pitch, run in itertools.groupby(line):
        ticks = TICKS_PER_SIXTEENTH * sum(1 for _ in run)
        if pitch != JSB_REST:
            yield Note(onset, ticks, pitch)
        onset += ticks


def _last_sounding_step(piece: list[_Step]) -> int:
    """The last step in which something sounds, -1 if there is none."""
    return max(
        (number for number, step in enumerate(piece) if any(pitch != JSB_REST for pitch in step)),
        default=-1,
    )


def _abbreviated(value: object) -> str:
    text = (
        repr(value)
        if isinstance(value, (int, float, str, bool, type(None)))
        else type(value).__name__
    )
    return (
        f"{len(value)} values"
        if isinstance(value, list)
        else text
        if len(text) <= 40
        else f"{text[:37]}..."
    )
