"""Requests to stop, which a training obeys between two batches, when its state can be saved."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A launcher passes Ctrl-C on to its processes, which have received it from the terminal already.
_MIN_SECONDS_BETWEEN_INTERRUPTS = 1.0


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """A function that returns whether Ctrl-C or SIGTERM was received.

    A second Ctrl-C, a second or more after the first, stops at once. Only the main thread receives
    signals; in another thread the function always returns False.
    """
    received: list[float] = []

    def on_signal(number: int, frame: FrameType | None) -> None:
        received.append(time.monotonic())
        is_late = received[-1] - received[0] > _MIN_SECONDS_BETWEEN_INTERRUPTS
        if number == signal.SIGINT and is_late:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
