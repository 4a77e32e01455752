"""One run for each folder: a lock that the system releases whenever its process ends."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from seqmusic.errors import CheckpointError, FormatError

LOCK_FILE = ".lock"
_WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)  # raised by some file systems


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for this process, and create it if it is missing.

    On a file system without locks the folder is not protected.

    Raises:
        CheckpointError: another process holds it.
        FormatError: the folder cannot be written.
    """
    path = folder / LOCK_FILE
    lock = FileLock(path, timeout=0, mode=0o644, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise CheckpointError(
            f"{folder}: another training is writing there (process {_holder(path)}); "
            "choose another --out"
        ) from error
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise FormatError(
                f"{folder}: cannot be written: {error.strerror or error}; "
                "choose another place or free space"
            ) from error
    try:
        # The number is only for people; a full disk has no room even for that.
        with contextlib.suppress(OSError):
            path.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
