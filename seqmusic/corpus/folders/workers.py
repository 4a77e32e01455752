"""The same function over many items in several processes; an item that kills or hangs its process costs no more than itself."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from seqmusic.errors import CorpusError

Item = TypeVar("Item")
Result = TypeVar("Result")
_AHEAD = 3  # items that wait at a process, so that it need not wait for them


class Failure(NamedTuple):
    """What became of a process over an item, in words."""

    words: str


@dataclass(slots=True)
class _Worker:
    process: Any
    connection: Connection
    waiting: deque[Any] = field(default_factory=deque)
    busy_since: float = 0.0
    has_ended: bool = False


def n_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def results(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    n_processes: int,
    seconds: Callable[[Item], float],
) -> Generator[tuple[Item, Result | Failure], None, None]:
    """Each item with what the function makes of it, as they are finished; leaving early, by Ctrl-C too, ends the processes.

    Args:
        function: of a module, so that other processes find it; what it raises ends its process.
        items: taken when a process is free for them.
        n_processes: 1 or more.
        seconds: how long an item may take.

    Raises:
        CorpusError: a process cannot be started.
    """
    todo, again = iter(items), deque[Item]()
    workers = [_started(function) for _ in range(n_processes)]
    try:
        for worker in workers:
            _await_start(worker)
        while True:
            for worker in workers:
                _feed(worker, again, todo)
            if not any(worker.waiting for worker in workers):
                return
            for number, worker in enumerate(workers):
                yield from _answers(worker)
                if failure := _failure(worker, seconds):
                    yield worker.waiting.popleft(), failure
                    again.extend(worker.waiting)
                    workers[number] = _await_start(_started(function))
            _sleep_until_one_answers(workers, seconds)
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()
            worker.connection.close()


def _feed(worker: _Worker, again: deque[Item], todo: Iterator[Item]) -> None:
    while len(worker.waiting) < _AHEAD:
        try:
            item = again.popleft() if again else next(todo)
        except StopIteration:
            return
        if not worker.waiting:
            worker.busy_since = time.monotonic()
        worker.waiting.append(item)
        with contextlib.suppress(OSError):  # a process that has ended is seen when it should answer
            worker.connection.send(item)


def _answers(worker: _Worker) -> Iterator[tuple[Any, Any]]:
    try:
        while worker.waiting and worker.connection.poll():
            answer = worker.connection.recv()
            worker.busy_since = time.monotonic()
            yield worker.waiting.popleft(), answer
    except (EOFError, OSError):
        worker.has_ended = True


def _failure(worker: _Worker, seconds: Callable[[Any], float]) -> Failure | None:
    """What became of a process that will not answer any more; None for one that may."""
    if not worker.waiting:
        return None
    allowed = seconds(worker.waiting[0])
    is_late = time.monotonic() - worker.busy_since > allowed
    if not (is_late or worker.has_ended):
        return None
    _end(worker)
    return Failure(
        f"took longer than {allowed:.0f} s"
        if is_late
        else f"ended its process ({_ending(worker.process.exitcode)})"
    )


def _end(worker: _Worker) -> None:
    if not worker.has_ended:
        worker.process.kill()
    worker.process.join()
    worker.connection.close()


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-exit_code).name}"
    return f"exit status {exit_code}"


def _sleep_until_one_answers(workers: list[_Worker], seconds: Callable[[Any], float]) -> None:
    busy = [worker for worker in workers if worker.waiting]
    if busy:
        left = (
            min(worker.busy_since + seconds(worker.waiting[0]) for worker in busy)
            - time.monotonic()
        )
        wait([worker.connection for worker in busy], max(0.0, left) + 0.01)


def _started(function: Callable[[Any], Any]) -> _Worker:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, function), daemon=True)
    with _unseen_main_module():
        process.start()
    theirs.close()
    return _Worker(process, ours)


def _await_start(worker: _Worker) -> _Worker:
    """The worker, once it has said that it is ready."""
    try:
        worker.connection.recv()
    except (EOFError, OSError) as error:
        worker.process.join()
        raise CorpusError(
            f"a reading process ended as it began ({_ending(worker.process.exitcode)}); free some memory"
        ) from error
    return worker


def _serve(connection: Connection, function: Callable[[Any], Any]) -> None:
    """What a process does: answer until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who ends its children
    connection.send("ready")
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(function(connection.recv()))


@contextlib.contextmanager
def _unseen_main_module() -> Iterator[None]:
    """Processes started meanwhile do not import the caller's script, so it needs no guard against being run once more."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
