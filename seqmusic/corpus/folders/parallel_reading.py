"""Reading many files at once, each in one of several processes, with a progress bar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from seqmusic.corpus.dataset import Work
from seqmusic.corpus.folders.workers import WorkerFailure, n_cores, parallel_map
from seqmusic.errors import FormatError
from seqmusic.progress import track
from seqmusic.score import Score

ScoreReader = Callable[[Path], Score]
_MIN_FILES_PER_WORKER = 16  # files; starting a process costs about as much as reading so many
_MIN_TIMEOUT_SECONDS = 60
_BYTES_PER_SECOND = 2_000  # of the slowest format on a slow machine


def read_files(
    paths: Sequence[Path],
    read: ScoreReader,
    *,
    n_processes: int | None = None,
) -> list[Work]:
    """A work for each file, in the order of `paths`, named like the file; with a reason where the file cannot be read.

    Args:
        paths: the files.
        read: a function of a module (so that other processes find it) that raises FormatError for a file it refuses.
        n_processes: 1 or more; as many as there are processor cores when None. A few files are read without another process.

    Raises:
        CorpusError: a reading process cannot be started.
    """
    n_processes = min(n_processes or n_cores(), max(1, len(paths) // _MIN_FILES_PER_WORKER))
    function = partial(_read_or_reason, read)
    answers = (
        parallel_map(function, paths, n_processes, read_timeout)
        if n_processes > 1
        else ((path, function(path)) for path in paths)
    )
    found: dict[Path, tuple[Score, str]] = {}
    for path, answer in track(answers, "Reading", " works", len(paths)):
        found[path] = (
            (Score(()), f"unreadable ({answer.message})")
            if isinstance(answer, WorkerFailure)
            else answer
        )
    return [
        Work(name, found[path][0], reason=found[path][1])
        for name, path in zip(unique_file_names(paths), paths, strict=True)
    ]


def read_timeout(path: Path) -> float:
    """How long reading a file may take: a minute, and more for a large one."""
    try:
        return _MIN_TIMEOUT_SECONDS + path.stat().st_size / _BYTES_PER_SECOND
    except OSError:
        return _MIN_TIMEOUT_SECONDS


def unique_file_names(paths: Sequence[Path]) -> list[str]:
    """A name for each file, unlike all others: the shortest of the file name without its ending, with it, and the path.

    Where files differ in nothing but their ending, the one with the commonest ending gets the short name.

    >>> unique_file_names([Path("bach/bwv1.6.mxl"), Path("bach/bwv277.mxl"), Path("bach/bwv277.krn")])
    ['bwv1.6', 'bwv277', 'bwv277.krn']
    """
    endings = Counter(path.suffix for path in paths)
    names = Counter(path.name for path in paths)
    owners: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: (-endings[path.suffix], path.suffix)):
        owners.setdefault(path.stem, path)
    return [
        path.as_posix()
        if names[path.name] > 1
        else path.stem
        if owners[path.stem] == path
        else path.name
        for path in paths
    ]


def _read_or_reason(read: ScoreReader, path: Path) -> tuple[Score, str]:
    try:
        return read(path), ""
    except FormatError as error:
        return Score(
            ()
        ), f"unreadable ({str(error).removeprefix(f'{path}: ').removeprefix(f'{path.name}: ')})"
