"""A limit on the time that a library may take."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator

# Python drops an exception that is raised in a destructor or during garbage collection.
_RETRY_SECONDS = 1.0


class TimeLimitError(BaseException):
    """The time is over; not an Exception, so that no library catches it as one of its own."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Stop the code inside after some seconds, in whatever thread and on whatever system.

    A call into C is stopped when it returns.

    Raises:
        TimeLimitError: out of the code inside.
    """
    thread, ended = ctypes.c_ulong(threading.get_ident()), threading.Event()
    end_lock = threading.Lock()  # nothing is raised once the code inside has ended

    def interrupt() -> None:
        wait_seconds = seconds
        while not ended.wait(wait_seconds):
            with end_lock:
                if not ended.is_set():
                    error = ctypes.py_object(TimeLimitError)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, error)
            wait_seconds = _RETRY_SECONDS

    threading.Thread(target=interrupt, daemon=True).start()
    try:
        yield
    finally:
        with end_lock:
            ended.set()
