"""What is read of one file: its outcome, the remarks on it, and its pieces, ready to be stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.corpus.folders.parallel_reading import error_text
from seqmusic.corpus.selection.cleaning import CleaningRules, drop_reason
from seqmusic.corpus.selection.halving import in_shorter_values
from seqmusic.corpus.similarity.digests import Sketch, sketch
from seqmusic.corpus.storage import note_rows
from seqmusic.corpus.works_table import score_figures
from seqmusic.errors import FormatError, UnencodableError
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import Score
from seqmusic.score_data import score_metadata
from seqmusic.tokens.tokenizer import header_events, normalized
from seqmusic.tokens.vocabulary import timesig_to_id
from seqmusic.tonality import with_tonal_key

PieceReader = Callable[[Path], Sequence[ReadReport | FormatError]]
FileStamp = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds; zeros for a missing file."""
_MAX_REMARKS = 12  # for each file


@dataclass(frozen=True, slots=True)
class PieceRecord:
    """A piece as it was read.

    Attributes:
        metadata: everything of the score but its notes, and its figures for the tables, in plain
            values.
        notes: (note, 6) as in `storage.note_rows`.
        sketch: its digests.
    """

    metadata: dict[str, Any]
    notes: NDArray[np.int32]
    sketch: Sketch


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What was read of a file.

    Attributes:
        name: its path in the folder, with slashes.
        stamp: its size and the time of its last change.
        outcome: "read", "repaired" or "refused".
        remarks: what was repaired and left out, or why it was refused.
        pieces: the pieces in it.
    """

    name: str
    stamp: FileStamp
    outcome: str
    remarks: tuple[str, ...]
    pieces: tuple[PieceRecord, ...] = ()


def read_file_record(
    read: PieceReader, rules: CleaningRules, file: tuple[str, Path, FileStamp]
) -> FileRecord:
    """The record of a file; whatever is wrong with the file stands in it, and nothing is raised."""
    name, path, stamp = file
    try:
        pieces = read(path)
    except FormatError as error:
        return FileRecord(name, stamp, "refused", (error_text(error, path),))
    except Exception as error:  # a fault of a library must not stop the reading of other files
        text = " ".join(str(error).split())[:200]
        message = f"the reader failed: {type(error).__name__}: {text}"
        return FileRecord(name, stamp, "refused", (message,))
    reports = [piece for piece in pieces if isinstance(piece, ReadReport)]
    remarks = [error_text(piece, path) for piece in pieces if isinstance(piece, FormatError)]
    is_repaired = bool(remarks) or any(report.repairs for report in reports)
    scores = [report.score for report in reports]
    for report in reports:
        remarks += [*report.repairs, *report.losses]
    if rules.halves_long_values:
        scores = [in_shorter_values(score) for score in scores]
        if any(new is not report.score for new, report in zip(scores, reports, strict=True)):
            remarks.append("note values halved")
    shown = tuple(remarks[:_MAX_REMARKS])
    if not reports:
        return FileRecord(name, stamp, "refused", shown or ("holds no music",))
    outcome = "repaired" if is_repaired else "read"
    records = tuple(piece_record(score, rules) for score in scores)
    return FileRecord(name, stamp, outcome, shown, records)


def piece_record(score: Score, rules: CleaningRules) -> PieceRecord:
    """The record of a piece, with the reason if the rules drop it."""
    if rules.drops_empty_voices:
        score = replace(score, voices=tuple(voice for voice in score.voices if voice.notes))
    score = with_tonal_key(score)
    metadata = score_metadata(score) | {
        "about": score_figures(score),
        "reason": drop_reason(score, rules) or _unencodable_reason(score),
    }
    return PieceRecord(metadata, note_rows([score]), sketch(score))


def _unencodable_reason(score: Score) -> str:
    """Why a score cannot be encoded in tokens, "" if it can."""
    try:
        plain = normalized(score)
        header_events(plain)
        for _, signature in plain.time_signatures[1:]:
            timesig_to_id(signature)
    except UnencodableError as error:
        return f"without tokens ({error})"
    return ""
