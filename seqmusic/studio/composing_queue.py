"""Composing in one thread: short jobs that take turns, a bounded number, one order a client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from seqmusic.studio.errors import StudioError
from seqmusic.studio.settings import MAX_WAITING

T = TypeVar("T")


class ComposingQueue:
    """Runs functions in a thread, in the order of asking."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="composing")
        self._n_waiting = 0
        self._orders: dict[str, threading.Event] = {}

    async def run(self, function: Callable[[], T]) -> T:
        """What a function returns.

        Raises:
            StudioError: too many are waiting.
        """
        if self._n_waiting >= MAX_WAITING:
            raise StudioError("busy", "too many requests are waiting; try again in a moment", 503)
        self._n_waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, function)
        finally:
            self._n_waiting -= 1

    def begin_order(self, client: str) -> threading.Event:
        """The stop signal of a new order of a client; an older order of it is stopped."""
        self.stop_order(client)
        stop = self._orders[client] = threading.Event()
        return stop

    def end_order(self, client: str, stop: threading.Event) -> None:
        """Forget an order that is done."""
        stop.set()
        if self._orders.get(client) is stop:
            del self._orders[client]

    def stop_order(self, client: str) -> None:
        """Stop the order of a client, if it has one."""
        if client in self._orders:
            self._orders.pop(client).set()

    def close(self) -> None:
        """Stop all orders; what waits is dropped."""
        for stop in self._orders.values():
            stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
