"""One run a folder: a lock that the system takes back when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from seqmusic.errors import CheckpointError, FormatError

LOCK_FILE = ".lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; it is made.

    Raises:
        CheckpointError: another process holds it.
        FormatError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise FormatError(
            f"{folder}: cannot be written: {error.strerror or error}; choose another place or free space"
        ) from error
    try:
        if not _try_lock(handle):
            holder = (
                os.pread(handle, 20, 0).decode("ascii", "replace") if hasattr(os, "pread") else ""
            )
            raise CheckpointError(
                f"{folder}: another training is writing there (process {holder}); choose another --out"
            )
        with contextlib.suppress(
            OSError
        ):  # who holds it is told for people; a full disk has no room even for that
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode("ascii"))
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        """Whether it is locked for us now; so it counts, too, where the file system knows no locks."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True
