"""Files of arrays in the safetensors format, read without torch.

A file also holds, as JSON, the values that are needed to use its arrays.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from seqmusic.errors import CheckpointError
from seqmusic.model.decoding.packed_model import Floats, weight_shapes
from seqmusic.model.settings import ModelSettings, Vocabulary

WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
FORMAT_VERSION = 1  # of all files of arrays; a file without a version has the first one
_READING_ERRORS = (
    *(SafetensorError, OSError, ValueError, KeyError),
    *(TypeError, RuntimeError, IndexError, AttributeError),
)


def read_weights(
    folder: Path, parse_vocabulary: Callable[[Mapping[str, object]], Vocabulary]
) -> tuple[ModelSettings, Vocabulary, dict[str, Floats]]:
    """Settings, vocabulary and weights of the trained model in a folder.

    Args:
        folder: of a run.
        parse_vocabulary: returns the vocabulary of the tokens that the file describes, or raises a
            ValueError if they are others.

    Raises:
        CheckpointError: the folder holds no complete model, or a model of other tokens or of a
            later version.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise CheckpointError(
            f"{folder}: no trained model there, {WEIGHTS_FILE} is missing; "
            f"train one: seqmusic train --out {folder}"
        )
    with checkpoint_errors(path, "not a whole model of this version ({}); train it again"):
        arrays, values = read_arrays(path)
        settings = ModelSettings(**values["model"])
        vocabulary = parse_vocabulary(values["tokens"])
        _check_shapes(arrays, weight_shapes(settings, vocabulary))
        weights = {name: array.astype(np.float32) for name, array in arrays.items()}
        return settings, vocabulary, weights


def read_arrays(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """All arrays of a file, and the values stored with them.

    Raises:
        CheckpointError: the file was written by a later version.
        ValueError: the arrays differ from those that were written.
    """
    with safe_open(str(path), framework="numpy") as file:
        metadata = file.metadata() or {}
        if int(metadata.get("version", FORMAT_VERSION)) > FORMAT_VERSION:
            versions = f"version {metadata['version']}, here {FORMAT_VERSION}"
            raise CheckpointError(f"{path}: made by a later seqmusic ({versions}); update seqmusic")
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    if "checksum" in metadata and int(metadata["checksum"]) != checksum(arrays):
        raise ValueError("its numbers are not those that were written")
    return arrays, json.loads(metadata["seqmusic"])


def checksum(arrays: Mapping[str, NDArray[Any]]) -> int:
    """A number that changes with any bit of the arrays or their names."""
    crc = 0
    for name in sorted(arrays):
        crc = zlib.crc32(name.encode(), crc)
        crc = zlib.crc32(np.ascontiguousarray(arrays[name]).tobytes(), crc)
    return crc


@contextmanager
def checkpoint_errors(path: Path, message: str) -> Iterator[None]:
    """Turn every error that a damaged file causes into a CheckpointError of one line.

    Args:
        path: of the file.
        message: of the error, with {} for the reason.
    """
    try:
        yield
    except _READING_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise CheckpointError(f"{path}: {message.format(reason)}") from error


def _check_shapes(
    arrays: Mapping[str, NDArray[Any]], expected: Mapping[str, tuple[int, ...]]
) -> None:
    for name in sorted({*arrays, *expected}):
        shape = arrays[name].shape if name in arrays else None
        if shape != expected.get(name):
            raise ValueError(f"{name} has shape {shape}, expected {expected.get(name)}")
