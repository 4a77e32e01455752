"""One function over many items in several processes, with a deadline for each item.

An item that kills or blocks its process costs no other item its result. Each process has a pipe of
its own for this: pools that share one, as `concurrent.futures` and `pebble` do, break or stall when
a process is killed while it sends a result.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from seqmusic.errors import CorpusError

Item = TypeVar("Item")
Result = TypeVar("Result")
_QUEUE_LENGTH = 3  # items sent ahead, so that a process need not wait for the next one


class WorkerFailure(NamedTuple):
    """Why a process returned no result for an item."""

    message: str


def n_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parallel_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    n_processes: int,
    timeout_seconds: Callable[[Item], float],
) -> Generator[tuple[Item, Result | WorkerFailure], None, None]:
    """Each item with its result, as they are finished; closing the generator ends the processes.

    Args:
        function: defined in a module, so that other processes find it; it must not raise.
        items: taken when a process is free for them.
        n_processes: 1 or more.
        timeout_seconds: how long an item may take.

    Raises:
        CorpusError: a process cannot be started.
    """
    todo = iter(items)
    retried = deque[Item]()  # items that were sent to a process that has ended
    workers = [_Worker(function, timeout_seconds) for _ in range(n_processes)]
    try:
        for worker in workers:
            worker.await_start()
        while True:
            for worker in workers:
                worker.fill_queue(retried, todo)
            if not any(worker.queued for worker in workers):
                return
            for number, worker in enumerate(workers):
                yield from worker.received_results()
                if failure := worker.failure():
                    yield worker.queued.popleft(), failure
                    retried.extend(worker.queued)
                    workers[number] = _Worker(function, timeout_seconds)
                    workers[number].await_start()
            _wait_for_result([worker for worker in workers if worker.queued])
    finally:
        for worker in workers:
            worker.process.kill()
            worker.stop()


def _wait_for_result(busy: list[_Worker]) -> None:
    if busy:
        left = min(worker.deadline() for worker in busy) - time.monotonic()
        wait([worker.connection for worker in busy], max(0.0, left) + 0.01)


class _Worker:
    """A process, and the items that were sent to it."""

    def __init__(
        self, function: Callable[[Any], Any], timeout_seconds: Callable[[Any], float]
    ) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.connection, remote = spawn.Pipe()
        self.process = spawn.Process(target=_worker_loop, args=(remote, function), daemon=True)
        with _hidden_main_module():
            self.process.start()
        remote.close()
        self.timeout_seconds = timeout_seconds
        self.queued: deque[Any] = deque()
        self.busy_since = 0.0
        self.has_ended = False

    def await_start(self) -> None:
        """Wait until the process is ready; CorpusError if it ends before."""
        try:
            self.connection.recv()
        except (EOFError, OSError) as error:
            self.process.join()
            raise CorpusError(
                f"a reading process ended as it began ({self.exit_text()}); free some memory"
            ) from error

    def fill_queue(self, retried: deque[Any], todo: Iterator[Any]) -> None:
        while len(self.queued) < _QUEUE_LENGTH:
            try:
                item = retried.popleft() if retried else next(todo)
            except StopIteration:
                return
            if not self.queued:
                self.busy_since = time.monotonic()
            self.queued.append(item)
            # That the process has ended shows later, when its result is missing.
            with contextlib.suppress(OSError):
                self.connection.send(item)

    def received_results(self) -> Iterator[tuple[Any, Any]]:
        try:
            while self.queued and self.connection.poll():
                result = self.connection.recv()
                self.busy_since = time.monotonic()
                yield self.queued.popleft(), result
        except (EOFError, OSError):
            self.has_ended = True

    def deadline(self) -> float:
        """The time by which the result of the first item must have come."""
        return self.busy_since + self.timeout_seconds(self.queued[0])

    def failure(self) -> WorkerFailure | None:
        """Why no result will come for the first item; the process is ended then."""
        if not self.queued:
            return None
        is_late = time.monotonic() > self.deadline()
        if not (is_late or self.has_ended):
            return None
        allowed = self.timeout_seconds(self.queued[0])
        self.stop()
        if is_late:
            return WorkerFailure(f"took longer than {allowed:.0f} s")
        return WorkerFailure(f"ended its process ({self.exit_text()})")

    def stop(self) -> None:
        if not self.has_ended:
            self.process.kill()
        self.process.join()
        self.connection.close()

    def exit_text(self) -> str:
        exit_code = self.process.exitcode
        if exit_code is not None and exit_code < 0:
            with contextlib.suppress(ValueError):
                return f"signal {signal.Signals(-exit_code).name}"
        return f"exit status {exit_code}"


def _worker_loop(connection: Connection, function: Callable[[Any], Any]) -> None:
    """Runs in the process: answers until the parent process is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C the parent ends its processes
    connection.send("ready")
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(function(connection.recv()))


@contextlib.contextmanager
def _hidden_main_module() -> Iterator[None]:
    """Processes started meanwhile do not import the caller's script, so that it needs no guard."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
