"""Files of weights, read as numpy arrays: safetensors, with what is needed to build the model again beside them."""

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
FORMAT_VERSION = 1  # of all files of arrays; one that does not tell is of the first


def read_weights(
    folder: Path, parse_vocabulary: Callable[[Mapping[str, object]], Vocabulary]
) -> tuple[ModelSettings, Vocabulary, dict[str, Floats]]:
    """Settings, vocabulary and weights of the trained model in a folder.

    Args:
        folder: of a run.
        parse_vocabulary: that of the tokens which the checkpoint tells of; a ValueError where there is none.

    Raises:
        CheckpointError: the folder holds no whole model, or one made with other tokens or by a later version.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise CheckpointError(
            f"{folder}: no trained model there, {WEIGHTS_FILE} is missing; train one: seqmusic train --out {folder}"
        )
    with checkpoint_errors(path, "not a whole model of this version ({}); train it again"):
        arrays, about = read_arrays(path)
        settings, vocabulary = ModelSettings(**about["model"]), parse_vocabulary(about["tokens"])
        wanted, found = (
            weight_shapes(settings, vocabulary),
            {name: array.shape for name, array in arrays.items()},
        )
        if wrong := sorted(
            name for name in {*wanted, *found} if wanted.get(name) != found.get(name)
        ):
            raise ValueError(
                f"{wrong[0]} has shape {found.get(wrong[0])}, expected {wanted.get(wrong[0])}"
            )
        return settings, vocabulary, {name: array.astype(np.float32) for name, array in arrays.items()}


def read_arrays(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """All arrays of a file, and what it tells of them.

    Raises:
        CheckpointError: it was made by a later version.
        ValueError: its numbers are not those that were written.
    """
    with safe_open(str(path), framework="numpy") as file:
        metadata = file.metadata() or {}
        if int(metadata.get("version", FORMAT_VERSION)) > FORMAT_VERSION:
            made = f"version {metadata['version']}, here {FORMAT_VERSION}"
            raise CheckpointError(f"{path}: made by a later seqmusic ({made}); update seqmusic")
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    if "checksum" in metadata and int(metadata["checksum"]) != checksum(arrays):
        raise ValueError("its numbers are not those that were written")
    return arrays, json.loads(metadata["seqmusic"])


def checksum(arrays: Mapping[str, NDArray[Any]]) -> int:
    """A number that changes with any bit or name."""
    found = 0
    for name in sorted(arrays):
        found = zlib.crc32(
            np.ascontiguousarray(arrays[name]).tobytes(), zlib.crc32(name.encode(), found)
        )
    return found


@contextmanager
def checkpoint_errors(path: Path, message: str) -> Iterator[None]:
    """Whatever a damaged file makes go wrong becomes one line."""
    try:
        yield
    except (
        SafetensorError,
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        IndexError,
        AttributeError,
    ) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise CheckpointError(f"{path}: {message.format(reason)}") from error
