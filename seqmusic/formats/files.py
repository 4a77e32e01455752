"""Writing files so that a crash or a full disk leaves what was there before."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from seqmusic.errors import FormatError


def write_atomic(path: Path, data: bytes | str) -> Path:
    """Write the whole of `data` to `path`, or nothing; text as UTF-8. Missing folders are made.

    Returns:
        `path`.

    Raises:
        FormatError: the file cannot be written; an existing file is left as it was.
    """
    path = Path(path)
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode("utf-8") if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise FormatError(f"{path}: cannot be written: {error.strerror or error}; choose another place or free space") from error
    return path
