"""A limit on the time that a library may take."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator

_RETRY_SECONDS = (
    1.0  # later: what is raised in a destructor, or while garbage is collected, Python drops
)


class TimeLimitError(BaseException):
    """The time is over; no Exception, so that no library takes it for one of its own."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Stop the code inside after some seconds, in whatever thread and on whatever system; a call into C is stopped when it returns.

    Raises:
        TimeLimitError: out of the code inside.
    """
    thread, ended = ctypes.c_ulong(threading.get_ident()), threading.Event()
    hand_over = threading.Lock()

    def interrupt() -> None:
        patience = seconds
        while not ended.wait(patience):
            with hand_over:
                if not ended.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        thread, ctypes.py_object(TimeLimitError)
                    )
            patience = _RETRY_SECONDS

    threading.Thread(target=interrupt, daemon=True).start()
    try:
        yield
    finally:
        with hand_over:
            ended.set()
