"""Scores as arrays, and a data set in one file of arrays.

The notes are one (note, 6) array - work, voice, onset, duration, pitch, fermata - and everything
else about the works is JSON.
"""

from __future__ import annotations

import io
import itertools
import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.errors import CorpusError
from seqmusic.score import Note, Score
from seqmusic.score_data import metadata_to_score, score_metadata

FORMAT_VERSION = 1
_WORK, _VOICE = 0, 1  # columns of the notes; the others are the fields of `Note`
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
DAMAGE_ERRORS = (*_ZIP_ERRORS, OSError, ValueError, LookupError, TypeError, AttributeError)
"""What reading a damaged .npz file, and the values in it, can raise."""


def write_dataset(dataset: Dataset, path: Path) -> Path:
    """Write all works to one file; returns `path`.

    Raises:
        FormatError: the file cannot be written; an existing file is left as it was.
    """
    buffer = io.BytesIO()
    arrays = dataset_to_arrays(dataset)
    np.savez_compressed(buffer, notes=arrays["notes"], works=arrays["works"])
    return write_atomic(path, buffer.getvalue())


def read_dataset(path: Path) -> Dataset:
    """The data set in the file that `write_dataset` wrote.

    Raises:
        CorpusError: the file is missing, damaged, or of another version.
    """
    try:
        with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as file:
            return arrays_to_dataset({name: file[name] for name in ("notes", "works")})
    except DAMAGE_ERRORS as error:
        raise CorpusError(
            f"{path}: not a readable data set ({type(error).__name__}: {error}); prepare it again"
        ) from error


def dataset_to_arrays(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """The data set as arrays: `notes` (note, 6) int32 and `works`, JSON in UTF-8 bytes."""
    works = [_work_metadata(work) for work in dataset.works]
    metadata = {"format": FORMAT_VERSION, "works": works}
    text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return {
        "notes": note_rows([work.score for work in dataset.works]),
        "works": np.frombuffer(text, np.uint8),
    }


def note_rows(scores: Sequence[Score]) -> NDArray[np.int32]:
    """(note, 6) number of the score, number of the voice, onset, duration, pitch, fermata."""
    rows = [
        (w, v, note.onset_ticks, note.duration_ticks, note.pitch, note.fermata)
        for w, score in enumerate(scores)
        for v, voice in enumerate(score.voices)
        for note in voice.notes
    ]
    return np.array(rows, np.int32).reshape(-1, 6)


def arrays_to_dataset(arrays: dict[str, NDArray[Any]]) -> Dataset:
    """The inverse of `dataset_to_arrays`, exact.

    Raises:
        ValueError, KeyError, TypeError: the arrays are of another version or do not match.
    """
    metadata = json.loads(arrays["works"].tobytes().decode("utf-8"))
    if metadata["format"] != FORMAT_VERSION:
        raise ValueError(f"format {metadata['format']}, this version reads {FORMAT_VERSION}")
    works = metadata["works"]
    voice_notes = notes_by_voice(arrays["notes"], [len(work["voices"]) for work in works])
    return Dataset(tuple(_metadata_to_work(work, voice_notes) for work in works))


def notes_by_voice(notes: NDArray[np.int32], n_voices: Sequence[int]) -> Iterator[tuple[Note, ...]]:
    """The notes of every voice of every work, in order; `n_voices` counts the voices of each work.

    Raises:
        ValueError: the rows are not in that order.
    """
    first_voice = np.concatenate([[0], np.cumsum(n_voices, dtype=np.int64)])
    voices = first_voice[notes[:, _WORK]] + notes[:, _VOICE]  # counted through all works
    is_outside = len(voices) and (voices[0] < 0 or voices[-1] >= first_voice[-1])
    if (np.diff(voices) < 0).any() or is_outside:
        raise ValueError("the notes do not stand in the order of works and voices")
    bounds = np.searchsorted(voices, np.arange(first_voice[-1] + 1)).tolist()
    flat = [
        Note(onset, duration, pitch, bool(fermata))
        for onset, duration, pitch, fermata in notes[:, 2:].tolist()
    ]
    return (tuple(flat[start:end]) for start, end in itertools.pairwise(bounds))


def _work_metadata(work: Work) -> dict[str, Any]:
    fields = {"name": work.name, "split": work.split, "family": work.family, "reason": work.reason}
    return fields | ({"style": work.style} if work.style else {}) | score_metadata(work.score)


def _metadata_to_work(metadata: dict[str, Any], voice_notes: Iterator[tuple[Note, ...]]) -> Work:
    score = metadata_to_score(metadata, voice_notes)
    fields = {field: metadata[field] for field in ("name", "split", "family", "reason")}
    return Work(score=score, style=metadata.get("style", ""), **fields)
