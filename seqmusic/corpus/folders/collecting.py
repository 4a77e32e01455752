"""Files of a corpus read into shards: in parallel, and only those that are new or changed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from seqmusic.corpus.folders.file_records import (
    FileRecord,
    FileStamp,
    PieceReader,
    read_file_record,
)
from seqmusic.corpus.folders.parallel_reading import read_timeout
from seqmusic.corpus.folders.shards import N_SHARDS, Shard, shard_number, shard_path, write_shard
from seqmusic.corpus.folders.workers import WorkerFailure, n_cores, parallel_map
from seqmusic.corpus.selection.cleaning import CleaningRules
from seqmusic.errors import CorpusError
from seqmusic.progress import ProgressBar, progress_bar


@dataclass(frozen=True, slots=True)
class CorpusSource:
    """The files of a corpus, and how they are read.

    Attributes:
        title: name of the corpus.
        files: by their names, which are paths with slashes.
        read: returns the pieces of a file; defined in a module, so that other processes find it.
        rules: which pieces are kept.
        styles: the style of each file that has one.
    """

    title: str
    files: Mapping[str, Path]
    read: PieceReader
    rules: CleaningRules
    styles: Mapping[str, str]


def find_files(folder: Path, endings: Sequence[str], state_file: str) -> Iterator[tuple[str, Path]]:
    """Name and path of each file with one of the endings, at any depth below `folder`.

    Folders that hold `state_file` are left out, as are hidden files and folders.
    """
    for parent, folders, files in os.walk(folder):
        if state_file in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(files):
            if not file.startswith(".") and os.path.splitext(file)[1].lower() in endings:
                path = Path(parent, file)
                yield path.relative_to(folder).as_posix(), path


def file_stamps(files: Mapping[str, Path]) -> dict[str, FileStamp]:
    """The stamp of each file, by which an unchanged file is recognized."""
    stamps = {}
    for name, path in files.items():
        try:
            status = os.stat(path)
            stamps[name] = status.st_size, status.st_mtime_ns
        except OSError:
            stamps[name] = 0, 0
    return stamps


def update_shards(
    source: CorpusSource,
    stamps: Mapping[str, FileStamp],
    folder: Path,
    *,
    n_processes: int | None = None,
) -> None:
    """Read the files that are missing in the shards of `folder`, and remove those that are gone.

    Ctrl-C, or any other interruption, leaves in the shards what has been read.

    Raises:
        FormatError: a shard cannot be written.
        CorpusError: a reading process cannot be started.
    """
    names: list[list[str]] = [[] for _ in range(N_SHARDS)]
    for name in sorted(source.files):
        names[shard_number(name)].append(name)
    missing = [
        _update_shard(shard_path(folder, number), names[number], stamps)
        for number in range(N_SHARDS)
    ]
    todo = [name for in_shard in missing for name in in_shard]
    if not todo:
        return
    n_read = len(source.files) - len(todo)
    records = _read_records(source, todo, stamps, n_processes or n_cores())
    n_read = len(source.files) - len(todo)
    with progress_bar(len(source.files), "Reading", " files", n_read) as bar:
        _store_records(records, [len(in_shard) for in_shard in missing], folder, stamps, bar)


def _update_shard(path: Path, names: Sequence[str], stamps: Mapping[str, FileStamp]) -> list[str]:
    """The names that are missing in a shard. If none is, it is cleared of files that are gone."""
    in_shard = _stamps_in_shard(path)
    missing = [name for name in names if in_shard.get(name) != stamps[name]]
    if not names:
        path.unlink(missing_ok=True)
    elif not missing and len(in_shard) > len(names):
        _rewrite_shard(path, (), stamps)
    return missing


def _stamps_in_shard(path: Path) -> dict[str, FileStamp]:
    if not path.is_file():
        return {}
    try:
        return {file["name"]: tuple(file["stamp"]) for file in Shard(path).file_metadata()}
    except CorpusError:
        path.unlink()  # the files of a damaged shard are read again
        return {}


def _read_records(
    source: CorpusSource, names: Sequence[str], stamps: Mapping[str, FileStamp], n_processes: int
) -> Generator[FileRecord, None, None]:
    """The records of files, as they are finished."""
    function = partial(read_file_record, source.read, source.rules)
    files = ((name, source.files[name], stamps[name]) for name in names)
    results = parallel_map(
        function, files, min(n_processes, len(names)), lambda file: read_timeout(file[1])
    )
    with contextlib.closing(results):
        for (name, _, stamp), result in results:
            if isinstance(result, WorkerFailure):
                yield FileRecord(name, stamp, "refused", (result.message,))
            else:
                yield result


def _store_records(
    records: Generator[FileRecord, None, None],
    n_missing: Sequence[int],
    folder: Path,
    stamps: Mapping[str, FileStamp],
    bar: ProgressBar,
) -> None:
    """Write each shard as soon as it is complete; when interrupted, the incomplete ones, too."""
    waiting: dict[int, list[FileRecord]] = {}
    try:
        with contextlib.closing(records):
            for record in records:
                number = shard_number(record.name)
                waiting.setdefault(number, []).append(record)
                bar.update()
                if len(waiting[number]) == n_missing[number]:
                    _rewrite_shard(shard_path(folder, number), waiting.pop(number), stamps)
    finally:
        for number, in_shard in waiting.items():
            _rewrite_shard(shard_path(folder, number), in_shard, stamps)


def _rewrite_shard(path: Path, new: Iterable[FileRecord], stamps: Mapping[str, FileStamp]) -> None:
    """Write a shard of its records that are still up to date, and of new ones."""
    old = Shard(path).records() if path.is_file() else []
    write_shard([*(file for file in old if stamps.get(file.name) == file.stamp), *new], path)
