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
_QUEUE_LENGTH = 3  # items that wait at a process, so that it need not wait for them


class WorkerFailure(NamedTuple):
    """What became of a process over an item, in words."""

    message: str


@dataclass(slots=True)
class _Worker:
    process: Any
    connection: Connection
    queued: deque[Any] = field(default_factory=deque)
    busy_since: float = 0.0
    has_ended: bool = False


def n_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parallel_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    n_processes: int,
    timeout_seconds: Callable[[Item], float],
) -> Generator[tuple[Item, Result | WorkerFailure], None, None]:
    """Each item with what the function makes of it, as they are finished; leaving early, by Ctrl-C too, ends the processes.

    Args:
        function: of a module, so that other processes find it; what it raises ends its process.
        items: taken when a process is free for them.
        n_processes: 1 or more.
        timeout_seconds: how long an item may take.

    Raises:
        CorpusError: a process cannot be started.
    """
    todo, again = iter(items), deque[Item]()
    workers = [_start_worker(function) for _ in range(n_processes)]
    try:
        for worker in workers:
            _await_start(worker)
        while True:
            for worker in workers:
                _fill_queue(worker, again, todo)
            if not any(worker.queued for worker in workers):
                return
            for number, worker in enumerate(workers):
                yield from _received_results(worker)
                if failure := _failure(worker, timeout_seconds):
                    yield worker.queued.popleft(), failure
                    again.extend(worker.queued)
                    workers[number] = _await_start(_start_worker(function))
            _wait_for_result(workers, timeout_seconds)
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()
            worker.connection.close()


def _fill_queue(worker: _Worker, again: deque[Item], todo: Iterator[Item]) -> None:
    while len(worker.queued) < _QUEUE_LENGTH:
        try:
            item = again.popleft() if again else next(todo)
        except StopIteration:
            return
        if not worker.queued:
            worker.busy_since = time.monotonic()
        worker.queued.append(item)
        with contextlib.suppress(OSError):  # a process that has ended is seen when it should answer
            worker.connection.send(item)


def _received_results(worker: _Worker) -> Iterator[tuple[Any, Any]]:
    try:
        while worker.queued and worker.connection.poll():
            answer = worker.connection.recv()
            worker.busy_since = time.monotonic()
            yield worker.queued.popleft(), answer
    except (EOFError, OSError):
        worker.has_ended = True


def _failure(worker: _Worker, timeout_seconds: Callable[[Any], float]) -> WorkerFailure | None:
    """What became of a process that will not answer any more; None for one that may."""
    if not worker.queued:
        return None
    allowed = timeout_seconds(worker.queued[0])
    is_late = time.monotonic() - worker.busy_since > allowed
    if not (is_late or worker.has_ended):
        return None
    _stop_worker(worker)
    return WorkerFailure(
        f"took longer than {allowed:.0f} s"
        if is_late
        else f"ended its process ({_exit_text(worker.process.exitcode)})"
    )


def _stop_worker(worker: _Worker) -> None:
    if not worker.has_ended:
        worker.process.kill()
    worker.process.join()
    worker.connection.close()


def _exit_text(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-exit_code).name}"
    return f"exit status {exit_code}"


def _wait_for_result(workers: list[_Worker], timeout_seconds: Callable[[Any], float]) -> None:
    busy = [worker for worker in workers if worker.queued]
    if busy:
        left = (
            min(worker.busy_since + timeout_seconds(worker.queued[0]) for worker in busy)
            - time.monotonic()
        )
        wait([worker.connection for worker in busy], max(0.0, left) + 0.01)


def _start_worker(function: Callable[[Any], Any]) -> _Worker:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_worker_loop, args=(theirs, function), daemon=True)
    with _hidden_main_module():
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
            f"a reading process ended as it began ({_exit_text(worker.process.exitcode)}); free some memory"
        ) from error
    return worker


def _worker_loop(connection: Connection, function: Callable[[Any], Any]) -> None:
    """What a process does: answer until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who ends its children
    connection.send("ready")
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(function(connection.recv()))


@contextlib.contextmanager
def _hidden_main_module() -> Iterator[None]:
    """Processes started meanwhile do not import the caller's script, so it needs no guard against being run once more."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
