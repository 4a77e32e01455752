"""The state of a prepared folder, `prepared.json`: what it was made from, and if it is finished."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import CorpusError, FormatError

STATE_FILE = "prepared.json"


def is_prepared(folder: Path) -> bool:
    """Whether a folder holds a data set that was prepared, or begun."""
    return (folder / STATE_FILE).is_file()


def check_finished(folder: Path) -> None:
    """Check that a folder holds a data set that was prepared to the end.

    Raises:
        CorpusError: it is no such folder, or its preparation was not finished.
    """
    state = _read_state(folder)
    if state is None:
        raise CorpusError(
            f"{folder}: no prepared data set here ({STATE_FILE} is missing); "
            "make one with `seqmusic data prepare`"
        )
    if not state.get("files"):
        raise CorpusError(
            f"{folder}: its preparation was not finished; "
            "give the same seqmusic data prepare command again"
        )


def read_matching_state(out: Path, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """The state of `out`, None for a new or empty folder.

    Raises:
        CorpusError: it holds another corpus than is wanted.
        FormatError: it is a file, or holds something else.
    """
    if out.exists() and not out.is_dir():
        raise FormatError(f"{out}: is a file, and the data needs a folder; choose another name")
    state = _read_state(out)
    if state is None:
        if out.is_dir() and any(out.iterdir()):
            raise FormatError(
                f"{out}: exists and is not empty; choose another folder, or delete it first"
            )
        return None
    for key in ("version", "source", "rules"):
        if state.get(key) != wanted[key]:
            difference = f"{key} {_truncated(state.get(key))}, now {_truncated(wanted[key])}"
            raise CorpusError(
                f"{out}: holds data prepared otherwise ({difference}); "
                "choose another folder, or delete it"
            )
    return state


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Write the state of a folder; without files it is not finished.

    Raises:
        FormatError: it cannot be written.
    """
    write_atomic(folder / STATE_FILE, json.dumps(state, indent=1) + "\n")


def _read_state(folder: Path) -> dict[str, Any] | None:
    path = folder / STATE_FILE
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{path}: damaged ({error}); delete the folder, and prepare again"
        ) from error
    if not isinstance(state, dict):
        raise CorpusError(f"{path}: damaged; delete the folder, and prepare again")
    return state


def _truncated(value: object) -> str:
    text = str(value)
    return text if len(text) < 60 else f"{text[:57]}..."
