"""Sessions kept on disk, one file each; a session is found by its id, never by a path."""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections import OrderedDict
from pathlib import Path

from seqmusic.atomic_files import read_bounded, write_atomic
from seqmusic.errors import RequestError, SeqmusicError
from seqmusic.studio.session import Session, data_to_session, session_to_data

MAX_SESSIONS = 200  # files; the oldest are deleted
_MAX_FILE_BYTES = 50_000_000
_MAX_IN_MEMORY = 32
logger = logging.getLogger(__name__)


class UnknownSessionError(RequestError):
    """A session that this server does not know."""


class SessionFiles:
    """The sessions of a folder.

    Args:
        folder: is created at the first writing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        self._paths = {path.stem: path for path in files}

    def new(self, session: Session) -> str:
        """Keep a new session, and return its id."""
        name = secrets.token_hex(12)
        with self._lock:
            self._paths[name] = self._folder / f"{name}.json"
            self._write(name, session)
            while len(self._paths) > MAX_SESSIONS:
                oldest = next(iter(self._paths))
                self._paths.pop(oldest).unlink(missing_ok=True)
                self._sessions.pop(oldest, None)
        return name

    def read(self, name: str) -> Session:
        """The session with this id.

        Raises:
            UnknownSessionError: there is none, or its file is damaged.
        """
        with self._lock:
            if name in self._sessions:
                self._sessions.move_to_end(name)
                return self._sessions[name]
            if name not in self._paths:
                raise UnknownSessionError("this session is unknown here; the page starts a new one")
            try:
                data = json.loads(read_bounded(self._paths[name], _MAX_FILE_BYTES))
                session = data_to_session(data)
            except (ValueError, KeyError, TypeError, SeqmusicError) as error:
                raise UnknownSessionError(
                    "the file of this session is damaged; the page starts a new one"
                ) from error
            self._remember(name, session)
            return session

    def replace(self, name: str, session: Session) -> None:
        """Keep another state of a session that is known."""
        with self._lock:
            if name in self._paths:
                self._write(name, session)

    def _write(self, name: str, session: Session) -> None:
        self._remember(name, session)
        try:
            write_atomic(self._paths[name], json.dumps(session_to_data(session)))
        except SeqmusicError as error:  # the page goes on, and keeps the work itself
            logger.warning("A session could not be saved: %s", error)

    def _remember(self, name: str, session: Session) -> None:
        self._sessions[name] = session
        self._sessions.move_to_end(name)
        while len(self._sessions) > _MAX_IN_MEMORY:
            self._sessions.popitem(last=False)
