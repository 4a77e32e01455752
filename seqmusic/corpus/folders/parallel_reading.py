"""Many files read at once, in several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from seqmusic.corpus.dataset import Work
from seqmusic.corpus.file_names import unique_file_names
from seqmusic.corpus.folders.workers import WorkerFailure, n_cores, parallel_map
from seqmusic.errors import FormatError
from seqmusic.progress import track
from seqmusic.score import Score

ScoreReader = Callable[[Path], Score]
_MIN_FILES_PER_WORKER = 16  # starting a process takes about as long as reading so many files
_MIN_TIMEOUT_SECONDS = 60
_BYTES_PER_SECOND = 2_000  # of the slowest format on a slow machine


def read_files(
    paths: Sequence[Path], read: ScoreReader, *, n_processes: int | None = None
) -> list[Work]:
    """A work for each file, in the order of `paths`, with a reason if the file cannot be read.

    Args:
        paths: the files, whose names the works get.
        read: defined in a module, so that other processes find it; it raises FormatError for a
            file that cannot be read.
        n_processes: 1 or more; as many as there are processor cores if None. A few files are read
            without another process.

    Raises:
        CorpusError: a reading process cannot be started.
    """
    n_processes = min(n_processes or n_cores(), max(1, len(paths) // _MIN_FILES_PER_WORKER))
    function = partial(_read_or_reason, read)
    results = (
        parallel_map(function, paths, n_processes, read_timeout)
        if n_processes > 1
        else ((path, function(path)) for path in paths)
    )
    found: dict[Path, tuple[Score, str]] = {}
    for path, result in track(results, "Reading", " works", len(paths)):
        if isinstance(result, WorkerFailure):
            result = Score(()), f"unreadable ({result.message})"
        found[path] = result
    return [
        Work(name, found[path][0], reason=found[path][1])
        for name, path in zip(unique_file_names(paths), paths, strict=True)
    ]


def read_timeout(path: Path) -> float:
    """Seconds that reading a file may take: a minute, and more for a large file."""
    try:
        return _MIN_TIMEOUT_SECONDS + path.stat().st_size / _BYTES_PER_SECOND
    except OSError:
        return _MIN_TIMEOUT_SECONDS


def error_text(error: FormatError, path: Path) -> str:
    """The message of an error in one line, without the file that it names first."""
    return " ".join(str(error).removeprefix(f"{path}: ").removeprefix(f"{path.name}: ").split())


def _read_or_reason(read: ScoreReader, path: Path) -> tuple[Score, str]:
    try:
        return read(path), ""
    except FormatError as error:
        return Score(()), f"unreadable ({error_text(error, path)})"
