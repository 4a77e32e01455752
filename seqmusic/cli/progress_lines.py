"""Progress in a log: a line for each tenth of long work, where no bar can be drawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO


class ProgressLines:
    """Writes a line whenever another tenth of the work is done.

    Work that is done within a few seconds writes none, nor does work of unknown length.
    """

    def __init__(
        self,
        *,
        total: int | None,
        description: str,
        unit: str,
        initial: int,
        stream: TextIO,
        quiet_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The lines of one piece of work.

        Args:
            total: its steps, None if unknown.
            description: what is done.
            unit: of a step.
            initial: steps that are done.
            stream: where the lines go.
            quiet_seconds: no line is written before.
            clock: seconds, from any moment.
        """
        self._total = total
        self._what = f"{description}: " if description else ""
        self._unit = unit
        self._n_done = initial
        self._tenths = 10 * initial // total if total else 0
        self._stream = stream
        self._clock = clock
        self._loud_from = clock() + quiet_seconds

    def __enter__(self) -> ProgressLines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def update(self, n: int = 1) -> None:
        """Report `n` more steps."""
        self._n_done += n
        tenths = 10 * self._n_done // self._total if self._total else 0
        if tenths > self._tenths and self._clock() >= self._loud_from:
            self._tenths = tenths
            done = f"{10 * tenths} % ({self._n_done} of {self._total} {self._unit})"
            print(f"{self._what}{done}", file=self._stream, flush=True)

    def set_postfix_str(self, s: str) -> None:
        """A short text beside a bar; a log does without it."""
