"""The user's cache folder, where prepared data sets lie so that it is not prepared twice."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.storage import read_dataset, write_dataset
from seqmusic.errors import CorpusError, FormatError

log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """The folder for what can be made again: `SEQMUSIC_CACHE` if set, else seqmusic's place among the user's caches.

    Source: XDG Base Directory Specification 0.8 (a relative XDG_CACHE_HOME is not looked at); the customs of macOS and Windows.
    """
    if chosen := os.environ.get("SEQMUSIC_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return (
            Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
            / "seqmusic"
            / "Cache"
        )
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "seqmusic"
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(chosen) if os.path.isabs(chosen) else Path.home() / ".cache") / "seqmusic"


def load_or_prepare(path: Path, make: Callable[[], Dataset]) -> Dataset:
    """The data set kept at `path`; made and kept where it is missing or damaged. What could not be kept is said once."""
    if os.path.exists(path):
        try:
            return read_dataset(path)
        except CorpusError as error:
            log.warning("%s; this is done now", error)
    dataset = make()
    try:
        write_dataset(dataset, path)
    except FormatError as error:
        _warn_once(f"prepared data is not kept and will be prepared again next time: {error}")
    return dataset


@functools.cache
def _warn_once(text: str) -> None:
    log.warning(text)
