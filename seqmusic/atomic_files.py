"""Files read up to a limit, and written so that a crash or a full disk keeps what was there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from seqmusic.errors import FormatError


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file.

    Raises:
        FormatError: it cannot be opened, or is longer than `max_bytes`.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > max_bytes:
        raise FormatError(
            f"{path}: is longer than {max_bytes / 1e6:g} MB; split it into shorter files"
        )
    return data


def decoded_text(data: bytes) -> str:
    r"""The text in a file, each line ended by a newline character.

    It is UTF-16 if a byte order mark says so, else UTF-8, and Latin-1 if it is not valid UTF-8.

    >>> decoded_text("Flöte\r\n".encode("latin-1"))
    'Flöte\n'
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def write_atomic(path: Path, data: bytes | str) -> Path:
    """Write the whole of `data` to `path`, or nothing; text as UTF-8. Missing folders are created.

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
        raise FormatError(
            f"{path}: cannot be written: {error.strerror or error}; "
            "choose another place or free space"
        ) from error
    return path
