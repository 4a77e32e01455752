"""Reading the files of a corpus into shards: in parallel, only what is new or has changed, and so that nothing stops it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from seqmusic.corpus.selection.cleaning import CleaningRules, drop_reason
from seqmusic.corpus.folders.parallel_reading import read_timeout
from seqmusic.corpus.folders.shards import (
    N_SHARDS,
    FileRecord,
    PieceRecord,
    Shard,
    shard_number,
    shard_path,
    write_shard,
)
from seqmusic.corpus.folders.workers import WorkerFailure, n_cores, parallel_map
from seqmusic.corpus.similarity.digests import sketch
from seqmusic.corpus.storage import note_rows, score_metadata
from seqmusic.corpus.works_table import key_label, meter_label, n_bars
from seqmusic.errors import CorpusError, FormatError, UnencodableError
from seqmusic.formats.read_report import ReadReport
from seqmusic.progress import ProgressBar, progress_bar
from seqmusic.score import Score
from seqmusic.tokens.tokenizer import header_events, normalized
from seqmusic.tokens.vocabulary import timesig_to_id

PieceReader = Callable[[Path], Sequence[ReadReport | FormatError]]
_MAX_REMARKS = 12  # of what is said about a file


@dataclass(frozen=True, slots=True)
class CorpusSource:
    """Where a corpus comes from.

    Attributes:
        title: what it is called.
        files: by their names, which are paths with slashes.
        read: the pieces of a file; a function of a module, so that other processes find it.
        rules: which pieces are kept.
        styles: the style of each file that has one.
    """

    title: str
    files: Mapping[str, Path]
    read: PieceReader
    rules: CleaningRules
    styles: Mapping[str, str]


FileStamps = Mapping[str, tuple[int, int]]


def file_stamps(files: Mapping[str, Path]) -> dict[str, tuple[int, int]]:
    """Size and time of the last change of each file, by which it is known again; zeros for one that is not there."""
    found = {}
    for name, path in files.items():
        try:
            status = os.stat(path)
            found[name] = status.st_size, status.st_mtime_ns
        except OSError:
            found[name] = 0, 0
    return found


def update_shards(
    source: CorpusSource,
    stamps: FileStamps,
    folder: Path,
    *,
    n_processes: int | None = None,
) -> None:
    """Read what is not yet in the shards of `folder`, and take out of them what is no longer there.

    Ctrl-C, or any other end, leaves in the shards what has been read.

    Raises:
        FormatError: a shard cannot be written.
        CorpusError: a reading process cannot be started.
    """
    shards: list[list[str]] = [[] for _ in range(N_SHARDS)]
    for name in sorted(source.files):
        shards[shard_number(name)].append(name)
    done = [_unchanged_files(shard_path(folder, number), stamps) for number in range(N_SHARDS)]
    missing = {
        number: [name for name in names if name not in done[number]]
        for number, names in enumerate(shards)
    }
    for number, names in enumerate(shards):
        path = shard_path(folder, number)
        if not names:
            path.unlink(missing_ok=True)
        elif not missing[number] and path.is_file() and len(Shard(path).files()) > len(names):
            _rewrite_shard(path, (), stamps)
    todo = [name for names in missing.values() for name in names]
    if not todo:
        return
    n_read = len(source.files) - len(todo)
    with progress_bar(len(source.files), "Reading", " files", n_read) as bar:
        _read_missing(source, todo, missing, stamps, folder, bar, n_processes or n_cores())


def _unchanged_files(path: Path, stamps: FileStamps) -> set[str]:
    """Names of the files in a shard that are as they were when they were read."""
    if not path.is_file():
        return set()
    try:
        return {
            file["name"]
            for file in Shard(path).files()
            if stamps.get(file["name"]) == tuple(file["stamp"])
        }
    except CorpusError:
        path.unlink()  # what is damaged is read again
        return set()


def _read_missing(
    source: CorpusSource,
    todo: Sequence[str],
    missing: Mapping[int, list[str]],
    stamps: FileStamps,
    folder: Path,
    bar: ProgressBar,
    n: int,
) -> None:
    left = {number: len(names) for number, names in missing.items()}
    found: dict[int, list[FileRecord]] = {}
    function = partial(read_file_record, source.read, source.rules)
    items = ((name, source.files[name], stamps[name]) for name in todo)
    try:
        with contextlib.closing(
            parallel_map(function, items, min(n, len(todo)), lambda item: read_timeout(item[1]))
        ) as answers:
            for (name, _, stamp), answer in answers:
                if isinstance(answer, WorkerFailure):
                    answer = FileRecord(name, stamp, "refused", (answer.message,))
                number = shard_number(name)
                found.setdefault(number, []).append(answer)
                left[number] -= 1
                bar.update()
                if not left[number]:
                    _rewrite_shard(shard_path(folder, number), found.pop(number), stamps)
    finally:
        for number, files in found.items():
            _rewrite_shard(shard_path(folder, number), files, stamps)


def _rewrite_shard(path: Path, files: Sequence[FileRecord], stamps: FileStamps) -> None:
    """Write a shard of what it holds and is still so, and of `files`."""
    kept = Shard(path).read_files() if path.is_file() else []
    write_shard([*(file for file in kept if stamps.get(file.name) == file.stamp), *files], path)


def read_file_record(
    read: PieceReader, rules: CleaningRules, item: tuple[str, Path, tuple[int, int]]
) -> FileRecord:
    """What a file holds; nothing that is wrong with it is raised."""
    name, path, stamp = item
    try:
        pieces = read(path)
    except FormatError as error:
        return FileRecord(name, stamp, "refused", (_error_text(error, path),))
    except (
        Exception
    ) as error:  # a fault of ours or of a library must not stop the reading of thousands of files
        message = f"the reader failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return FileRecord(name, stamp, "refused", (message,))
    readings = [piece for piece in pieces if isinstance(piece, ReadReport)]
    refused = [_error_text(piece, path) for piece in pieces if isinstance(piece, FormatError)]
    said = (
        *refused,
        *(word for reading in readings for word in (*reading.repairs, *reading.losses)),
    )
    if not readings:
        return FileRecord(name, stamp, "refused", said[:_MAX_REMARKS] or ("holds no music",))
    outcome = "repaired" if refused or any(reading.repairs for reading in readings) else "read"
    return FileRecord(
        name,
        stamp,
        outcome,
        said[:_MAX_REMARKS],
        tuple(_piece_record(reading.score, rules) for reading in readings),
    )


def _error_text(error: FormatError, path: Path) -> str:
    return " ".join(str(error).removeprefix(f"{path}: ").removeprefix(f"{path.name}: ").split())


def _piece_record(score: Score, rules: CleaningRules) -> PieceRecord:
    if rules.drops_empty_voices:
        score = replace(score, voices=tuple(voice for voice in score.voices if voice.notes))
    about = {
        "notes": score.n_notes,
        "bars": n_bars(score),
        "key": key_label(score),
        "meter": meter_label(score),
    }
    facts = score_metadata(score) | {
        "about": about,
        "reason": drop_reason(score, rules) or _unencodable_reason(score),
    }
    return PieceRecord(facts, note_rows([score]), sketch(score))


def _unencodable_reason(score: Score) -> str:
    """Why the tokens cannot say a score, "" where they can."""
    try:
        plain = normalized(score)
        header_events(plain)
        for _, signature in plain.time_signatures[1:]:
            timesig_to_id(signature)
    except UnencodableError as error:
        return f"without tokens ({error})"
    return ""


def find_files(folder: Path, endings: Sequence[str], state_file: str) -> Iterator[tuple[str, Path]]:
    """Name and path of each file with such an ending, below `folder` however deep; not those in a folder that holds `state_file`."""
    for place, folders, files in os.walk(folder):
        if state_file in files:
            folders.clear()
            continue
        folders[:] = sorted(own for own in folders if not own.startswith("."))
        for file in sorted(files):
            if not file.startswith(".") and os.path.splitext(file)[1].lower() in endings:
                path = Path(place, file)
                yield path.relative_to(folder).as_posix(), path
