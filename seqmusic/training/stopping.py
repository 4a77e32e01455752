"""Stopping between two batches, when all is in order."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_MIN_SECONDS_BETWEEN_INTERRUPTS = (
    1.0  # seconds; a launcher passes on to its processes what the terminal has told them already
)


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, or the process was told to end, since; who presses Ctrl-C again later ends it at once."""
    asked: list[float] = []

    def on_signal(number: int, frame: FrameType | None) -> None:
        asked.append(time.monotonic())
        if number == signal.SIGINT and asked[-1] - asked[0] > _MIN_SECONDS_BETWEEN_INTERRUPTS:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
