"""What was read of many files, on disk in shards: each is one file that is complete by itself.

The shard of a file follows from its name alone, so that the same files give the same shards, in whatever order and however often
interrupted they are read.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.similarity.digests import Shingles, Sketch
from seqmusic.corpus.storage import notes_by_voice
from seqmusic.errors import CorpusError
from seqmusic.score import Score
from seqmusic.score_data import metadata_to_score

N_SHARDS = 256
_VERSION = 1
_DAMAGE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
)


@dataclass(frozen=True, slots=True)
class PieceRecord:
    """A piece as it was read.

    Attributes:
        facts: all of the score but its notes, and what the tables say about it, in plain values.
        notes: (note, 6) as in `storage.note_rows`.
        sketch: what tells whether it repeats another piece.
    """

    facts: dict[str, Any]
    notes: NDArray[np.int32]
    sketch: Sketch


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What was read of a file.

    Attributes:
        name: its path in the folder, with slashes.
        stamp: size in bytes and time of the last change in nanoseconds.
        outcome: "read", "repaired" or "refused".
        remarks: what was repaired and left out, or why it was refused.
        pieces: what it holds.
    """

    name: str
    stamp: tuple[int, int]
    outcome: str
    remarks: tuple[str, ...]
    pieces: tuple[PieceRecord, ...] = ()


def shard_number(name: str) -> int:
    """The shard of a file, 0..255."""
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=1).digest()[0]


def shard_path(folder: Path, number: int) -> Path:
    """Where a shard lies."""
    return folder / f"{number:03d}.npz"


def write_shard(files: Sequence[FileRecord], path: Path) -> Path:
    """Write a shard; the files stand in it in the order of their names.

    Raises:
        FormatError: it cannot be written; an existing one is left as it was.
    """
    files = sorted(files, key=lambda file: file.name)
    pieces = [piece for file in files for piece in file.pieces]
    facts = {"version": _VERSION, "files": [_file_to_json(file) for file in files]}
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        facts=np.frombuffer(json.dumps(facts, separators=(",", ":")).encode("utf-8"), np.uint8),
        notes=np.concatenate(
            [
                np.zeros((0, 6), np.int32),
                *(_with_piece_number(piece.notes, i) for i, piece in enumerate(pieces)),
            ]
        ),
        shingle=np.concatenate(
            [np.zeros(0, np.uint64), *(piece.sketch.shingles.digests for piece in pieces)]
        ),
        shingle_lowest=np.concatenate(
            [np.zeros(0, np.int16), *(piece.sketch.shingles.lowest for piece in pieces)]
        ),
        tune=np.concatenate([np.zeros(0, np.uint64), *(piece.sketch.tune for piece in pieces)]),
    )
    return write_atomic(path, buffer.getvalue())


class Shard:
    """A shard that is read a part at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def arrays(self, *names: str) -> tuple[NDArray[Any], ...]:
        """Some of its arrays.

        Raises:
            CorpusError: it is damaged, or of another version.
        """
        try:
            with np.load(io.BytesIO(self.path.read_bytes()), allow_pickle=False) as file:
                return tuple(file[name] for name in names)
        except _DAMAGE_ERRORS as error:
            raise CorpusError(
                f"{self.path}: damaged ({type(error).__name__}: {error}); delete it, and prepare again"
            ) from error

    def files(self) -> list[dict[str, Any]]:
        """What it says about each file, in plain values; those of its pieces under "pieces".

        Raises:
            CorpusError: it is damaged, or of another version.
        """
        (text,) = self.arrays("facts")
        try:
            facts = json.loads(text.tobytes().decode("utf-8"))
            if facts["version"] == _VERSION:
                return list(facts["files"])
        except _DAMAGE_ERRORS as error:
            raise CorpusError(
                f"{self.path}: damaged ({type(error).__name__}: {error}); delete it, and prepare again"
            ) from error
        raise CorpusError(
            f"{self.path}: of version {facts['version']}, here {_VERSION}; delete the folder, and prepare again"
        )

    def read_files(self) -> list[FileRecord]:
        """All that it holds.

        Raises:
            CorpusError: it is damaged, or of another version.
        """
        notes, shingle, lowest, tune = self.arrays("notes", "shingle", "shingle_lowest", "tune")
        whole, n_pieces, at, passages = [], 0, 0, 0
        for facts in self.files():
            pieces = []
            for own in facts["pieces"]:
                rows = notes[notes[:, 0] == n_pieces]
                shingles = Shingles(
                    shingle[at : at + own["n_shingles"]], lowest[at : at + own["n_shingles"]]
                )
                tunes = tune[passages : passages + own["n_tune"]]
                sketch = Sketch(
                    bytes.fromhex(own["signature"]),
                    own["lowest"],
                    own["end_ticks"],
                    shingles,
                    tunes,
                )
                pieces.append(PieceRecord(own, rows, sketch))
                n_pieces, at, passages = (
                    n_pieces + 1,
                    at + own["n_shingles"],
                    passages + own["n_tune"],
                )
            whole.append(
                FileRecord(
                    facts["name"],
                    tuple(facts["stamp"]),
                    facts["outcome"],
                    tuple(facts["words"]),
                    tuple(pieces),
                )
            )
        return whole

    def scores(self) -> Iterator[Score]:
        """The score of each piece, in order.

        Raises:
            CorpusError: it is damaged, or of another version.
        """
        pieces = [piece for file in self.files() for piece in file["pieces"]]
        lines = notes_by_voice(self.arrays("notes")[0], [len(piece["voices"]) for piece in pieces])
        return (metadata_to_score(piece, lines) for piece in pieces)


def _file_to_json(file: FileRecord) -> dict[str, Any]:
    pieces = [piece.facts | _sketch_to_json(piece.sketch) for piece in file.pieces]
    return {
        "name": file.name,
        "stamp": file.stamp,
        "outcome": file.outcome,
        "words": file.remarks,
        "pieces": pieces,
    }


def _sketch_to_json(sketch: Sketch) -> dict[str, Any]:
    return {
        "signature": sketch.signature.hex(),
        "lowest": sketch.lowest,
        "end_ticks": sketch.end_ticks,
        "n_shingles": len(sketch.shingles.digests),
        "n_tune": len(sketch.tune),
    }


def _with_piece_number(notes: NDArray[np.int32], number: int) -> NDArray[np.int32]:
    numbered = notes.copy()
    numbered[:, 0] = number
    return numbered
