"""The user's cache folder, where prepared data sets are kept so that each is prepared only once."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from pathlib import Path

import platformdirs

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.storage import read_dataset, write_dataset
from seqmusic.errors import CorpusError, FormatError

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """The folder for files that can be made again: `SEQMUSIC_CACHE`, or in the user's cache."""
    if chosen := os.environ.get("SEQMUSIC_CACHE"):
        return Path(chosen).expanduser()
    return platformdirs.user_cache_path("seqmusic", appauthor=False)


def load_or_prepare(path: Path, prepare: Callable[[], Dataset]) -> Dataset:
    """The data set kept at `path`; prepared and kept there if it is missing or damaged.

    If it cannot be kept, one warning says so.
    """
    if os.path.exists(path):
        try:
            return read_dataset(path)
        except CorpusError as error:
            logger.warning("%s; this is done now", error)
    dataset = prepare()
    try:
        write_dataset(dataset, path)
    except FormatError as error:
        _warn_once(f"prepared data is not kept and will be prepared again next time: {error}")
    return dataset


@functools.cache
def _warn_once(text: str) -> None:
    logger.warning(text)
