"""Reading many files at once, each in one of several processes, with a progress bar."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from types import ModuleType

from tqdm import tqdm

from seqmusic.corpus.dataset import Work
from seqmusic.errors import CorpusError, FormatError
from seqmusic.score import Score

Reader = Callable[[Path], Score]
_FILES_AT_A_TIME = 4
_WORTH_A_PROCESS = 16  # files; starting a process costs about as much as reading so many


def read_files(paths: Sequence[Path], read: Reader, *, progress: bool = True, n_processes: int | None = None) -> list[Work]:
    """A work for each file, in the order of `paths`, named like the file; with a reason where the file cannot be read.

    Args:
        paths: the files.
        read: a function of a module (so that other processes find it) that raises FormatError for a file it refuses.
        progress: whether a bar is shown on standard error.
        n_processes: 1 or more; as many as there are processor cores when None.

    Raises:
        CorpusError: a reading process was killed.
    """
    n_processes = min(n_processes or n_cores(), max(1, len(paths) // _WORTH_A_PROCESS))
    works = []
    shown = partial(tqdm, total=len(paths), desc="Reading", unit=" works", disable=not progress, file=sys.stderr)
    with _mapped(partial(_read, read), paths, n_processes) as results, shown(results) as bar:
        for name, (score, reason) in zip(file_names(paths), bar, strict=True):
            works.append(Work(name, score, reason=reason))
    return works


def n_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def file_names(paths: Sequence[Path]) -> list[str]:
    """A name for each file, unlike all others: the shortest of the file name without its ending, with it, and the path.

    Where files differ in nothing but their ending, the one with the commonest ending gets the short name.

    >>> file_names([Path("bach/bwv1.6.mxl"), Path("bach/bwv277.mxl"), Path("bach/bwv277.krn")])
    ['bwv1.6', 'bwv277', 'bwv277.krn']
    """
    endings = Counter(path.suffix for path in paths)
    names = Counter(path.name for path in paths)
    owners: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: (-endings[path.suffix], path.suffix)):
        owners.setdefault(path.stem, path)
    return [path.as_posix() if names[path.name] > 1 else path.stem if owners[path.stem] == path else path.name for path in paths]


def _read(read: Reader, path: Path) -> tuple[Score, str]:
    try:
        return read(path), ""
    except FormatError as error:
        return Score(()), f"unreadable ({str(error).removeprefix(f'{path}: ').removeprefix(f'{path.name}: ')})"


@contextlib.contextmanager
def _mapped(
    function: Callable[[Path], tuple[Score, str]], paths: Sequence[Path], n_processes: int
) -> Iterator[Iterator[tuple[Score, str]]]:
    """The results in order, as they come; leaving early, by Ctrl-C too, drops what has not been begun."""
    if n_processes == 1:
        yield map(function, paths)
        return
    spawn = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(n_processes, mp_context=spawn, initializer=_leave_interrupts_to_parent)
    try:
        with _unseen_main_module():
            results = executor.map(function, paths, chunksize=_FILES_AT_A_TIME)
        yield results
    except BrokenProcessPool as error:
        raise CorpusError("a process that was reading files was killed; free some memory and try again") from error
    finally:
        executor.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _unseen_main_module() -> Iterator[None]:
    """Processes started meanwhile do not import the caller's script, so it needs no guard against being run once more."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
