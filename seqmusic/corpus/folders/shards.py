"""The records of many files on disk, in shards: each shard is one file that is complete by itself.

The shard of a file follows from its name alone, so that the same files give the same shards, in
whatever order they are read and however often the reading is interrupted.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.folders.file_records import FileRecord, PieceRecord
from seqmusic.corpus.similarity.digests import Digests, Shingles, Sketch
from seqmusic.corpus.storage import DAMAGE_ERRORS, notes_by_voice
from seqmusic.errors import CorpusError
from seqmusic.score import Score
from seqmusic.score_data import metadata_to_score

N_SHARDS = 256
_VERSION = 1


def shard_number(name: str) -> int:
    """The shard of a file, 0..255."""
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=1).digest()[0]


def shard_path(folder: Path, number: int) -> Path:
    """The path of a shard."""
    return folder / f"{number:03d}.npz"


def write_shard(files: Sequence[FileRecord], path: Path) -> Path:
    """Write a shard; its files are in the order of their names.

    Raises:
        FormatError: it cannot be written; an existing one is left as it was.
    """
    files = sorted(files, key=lambda file: file.name)
    pieces = [piece for file in files for piece in file.pieces]
    metadata = {"version": _VERSION, "files": [_file_to_json(file) for file in files]}
    notes = [_with_piece_number(piece.notes, number) for number, piece in enumerate(pieces)]
    shingles = [piece.sketch.shingles for piece in pieces]
    text = json.dumps(metadata, separators=(",", ":")).encode("utf-8")
    buffer = io.BytesIO()
    # An empty array in front, so that a shard without pieces has its arrays, too.
    np.savez_compressed(
        buffer,
        facts=np.frombuffer(text, np.uint8),
        notes=np.concatenate([np.zeros((0, 6), np.int32), *notes]),
        shingle=np.concatenate([np.zeros(0, np.uint64), *(of.digests for of in shingles)]),
        shingle_lowest=np.concatenate([np.zeros(0, np.int16), *(of.lowest for of in shingles)]),
        tune=np.concatenate([np.zeros(0, np.uint64), *(piece.sketch.tune for piece in pieces)]),
    )
    return write_atomic(path, buffer.getvalue())


class Shard:
    """A shard that is read a part at a time. Every method raises CorpusError for a damaged one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def arrays(self, *names: str) -> tuple[NDArray[Any], ...]:
        """Some of its arrays."""
        try:
            with np.load(io.BytesIO(self.path.read_bytes()), allow_pickle=False) as file:
                return tuple(file[name] for name in names)
        except DAMAGE_ERRORS as error:
            raise self._damaged(error) from error

    def file_metadata(self) -> list[dict[str, Any]]:
        """The record of each file in plain values; those of its pieces are under "pieces"."""
        (text,) = self.arrays("facts")
        try:
            metadata = json.loads(text.tobytes().decode("utf-8"))
            version, files = metadata["version"], list(metadata["files"])
        except DAMAGE_ERRORS as error:
            raise self._damaged(error) from error
        if version != _VERSION:
            raise CorpusError(
                f"{self.path}: of version {version}, here {_VERSION}; "
                "delete the folder, and prepare again"
            )
        return files

    def piece_metadata(self) -> list[dict[str, Any]]:
        """The records of all pieces in plain values."""
        return [piece for file in self.file_metadata() for piece in file["pieces"]]

    def shingle_digests(self) -> list[Digests]:
        """The digests of the shingles of each piece."""
        counts = [piece["n_shingles"] for piece in self.piece_metadata()]
        return _split_by_counts(self.arrays("shingle")[0], counts)

    def records(self) -> list[FileRecord]:
        """The records of all files."""
        files = self.file_metadata()
        pieces = iter(self._piece_records([piece for file in files for piece in file["pieces"]]))
        return [
            FileRecord(
                name=file["name"],
                stamp=tuple(file["stamp"]),
                outcome=file["outcome"],
                remarks=tuple(file["words"]),
                pieces=tuple(next(pieces) for _ in file["pieces"]),
            )
            for file in files
        ]

    def _piece_records(self, pieces: Sequence[dict[str, Any]]) -> Iterator[PieceRecord]:
        notes, digests, lowest, tunes = self.arrays("notes", "shingle", "shingle_lowest", "tune")
        n_notes = np.bincount(notes[:, 0], minlength=len(pieces)).tolist()
        n_shingles = [piece["n_shingles"] for piece in pieces]
        columns = (
            _split_by_counts(notes, n_notes),
            _split_by_counts(digests, n_shingles),
            _split_by_counts(lowest, n_shingles),
            _split_by_counts(tunes, [piece["n_tune"] for piece in pieces]),
        )
        for piece, rows, of_shingles, lows, tune in zip(pieces, *columns, strict=True):
            signature, shingles = bytes.fromhex(piece["signature"]), Shingles(of_shingles, lows)
            sketch = Sketch(signature, piece["lowest"], piece["end_ticks"], shingles, tune)
            yield PieceRecord(piece, rows, sketch)

    def scores(self) -> Iterator[Score]:
        """The score of each piece, in order."""
        pieces = self.piece_metadata()
        n_voices = [len(piece["voices"]) for piece in pieces]
        voice_notes = notes_by_voice(self.arrays("notes")[0], n_voices)
        return (metadata_to_score(piece, voice_notes) for piece in pieces)

    def _damaged(self, error: BaseException) -> CorpusError:
        return CorpusError(
            f"{self.path}: damaged ({type(error).__name__}: {error}); delete it, and prepare again"
        )


def _split_by_counts(array: NDArray[Any], counts: Sequence[int]) -> list[NDArray[Any]]:
    return np.split(array, np.cumsum(counts)[:-1]) if counts else []


def _file_to_json(file: FileRecord) -> dict[str, Any]:
    return {
        "name": file.name,
        "stamp": file.stamp,
        "outcome": file.outcome,
        "words": file.remarks,
        "pieces": [piece.metadata | _sketch_to_json(piece.sketch) for piece in file.pieces],
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
