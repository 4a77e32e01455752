"""The training that a page watches: one at a time, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from seqmusic.studio.errors import StudioError

MAX_MINUTES = 30.0
_MAX_REPORTS = 20_000


class Learning:
    """Starts a training, and keeps what it reports.

    Args:
        folder: each training has a subfolder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.name = ""
        self.reports: list[dict[str, Any]] = []

    @property
    def is_running(self) -> bool:
        """Whether a training goes on."""
        return self._task is not None and not self._task.done()

    async def start(self, minutes: float) -> str:
        """Start a training, and return the name of its model.

        Raises:
            StudioError: one is going on.
            ValueError: `minutes` is out of range.
        """
        if not 0 < minutes <= MAX_MINUTES:
            raise ValueError(f"minutes must be in 0..{MAX_MINUTES:g} and not 0, got {minutes}")
        if self.is_running:
            raise StudioError("training", "a training is going on; stop it first", 409)
        numbers = (int(p.name[8:]) for p in self._folder.glob("learned-*") if p.name[8:].isdigit())
        self.name = f"learned-{max(numbers, default=0) + 1}"
        self.reports = []
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "seqmusic.studio.training_process"),
            *(str(self._folder / self.name), str(minutes)),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,
        )
        self._task = asyncio.create_task(self._follow(self._process))
        return self.name

    async def stop(self) -> None:
        """End the training; the best model so far stays."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), 2)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def events(self, first: int = 0) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """The reports from number `first` on, as they come; ends with the training."""
        position = first
        while True:
            news = self._news
            while position < len(self.reports):
                yield position, self.reports[position]
                position += 1
            if not self.is_running and position >= len(self.reports):
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), 1)

    async def _follow(self, process: Process) -> None:
        assert process.stdout
        while line := await process.stdout.readline():
            if len(self.reports) < _MAX_REPORTS:
                self._add(json.loads(line))
        if await process.wait() and not any("error" in report for report in self.reports[-1:]):
            self._add({"stopped": True})

    def _add(self, report: dict[str, Any]) -> None:
        self.reports.append(report)
        news, self._news = self._news, asyncio.Event()
        news.set()
