"""The server's side of the process that reads and engraves scores."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import OrderedDict
from typing import Any, cast

from seqmusic.studio.errors import StudioError
from seqmusic.studio.settings import ENGRAVING_SECONDS, MAX_WAITING

_MAX_LINE_BYTES = 64_000_000
_N_CACHED = 200  # answers


class ScoreClient:
    """Sends requests to the process, one after the other, and starts it anew where it has ended."""

    def __init__(self, timeout_seconds: float = ENGRAVING_SECONDS) -> None:
        self._timeout = timeout_seconds
        self._process: Process | None = None
        self._lock = asyncio.Lock()
        self._n_waiting = 0
        self._cache: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def ask(self, **request: Any) -> dict[str, Any]:
        """The result of a request.

        Raises:
            StudioError: the process refused it, took too long, or has ended; or too many wait.
        """
        line = json.dumps(request)
        if line in self._cache:
            self._cache.move_to_end(line)
            return self._cache[line]
        if self._n_waiting >= MAX_WAITING * 4:
            raise StudioError("busy", "too many requests are waiting; try again in a moment", 503)
        self._n_waiting += 1
        try:
            async with self._lock:
                answer = await self._exchange(line)
        finally:
            self._n_waiting -= 1
        if "error" in answer:
            error = answer["error"]
            raise StudioError(error["kind"], error["message"])
        if request["task"] == "view":
            self._cache[line] = answer["result"]
        while len(self._cache) > _N_CACHED:
            self._cache.popitem(last=False)
        return cast("dict[str, Any]", answer["result"])

    async def start(self) -> Process:
        """The process, started if it does not run."""
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "seqmusic.studio.score_process"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                limit=_MAX_LINE_BYTES,
                start_new_session=True,  # Ctrl-C is for the server, which ends it
            )
        return self._process

    async def close(self) -> None:
        """End the process."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _exchange(self, line: str) -> dict[str, Any]:
        process = await self.start()
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(line.encode() + b"\n")
            await process.stdin.drain()
            answer = await asyncio.wait_for(process.stdout.readline(), self._timeout)
            if not answer:
                raise ConnectionError
        except (OSError, ValueError, TimeoutError) as error:
            await self.close()
            raise StudioError(
                "engraving",
                "this music could not be read or engraved in time; the rest goes on as before",
                422,
            ) from error
        except asyncio.CancelledError:  # its answer would be taken for that of the next request
            await self.close()
            raise
        return cast("dict[str, Any]", json.loads(answer))
