"""The weights of a judge of compositions, beside those of the model that it was trained against."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from seqmusic.atomic_files import write_atomic
from seqmusic.model.decoding.packed_model import Floats
from seqmusic.runs.weights import FORMAT_VERSION, checkpoint_errors, checksum, read_arrays

JUDGE_FILE = "judge.safetensors"


def read_judge_weights(folder: Path) -> dict[str, Floats] | None:
    """The weights of the judge in a model's folder, by name; None if there is none.

    Raises:
        CheckpointError: the file is damaged, or written by a later version.
    """
    path = folder / JUDGE_FILE
    if not path.is_file():
        return None
    with checkpoint_errors(path, "not a whole judge of this version ({}); train it again"):
        arrays, _ = read_arrays(path)
        return {name: array.astype(np.float32) for name, array in arrays.items()}


def write_judge_weights(
    weights: Mapping[str, NDArray[Any]], folder: Path, origin: Mapping[str, object]
) -> Path:
    """Write the weights of a judge into a model's folder, in half precision.

    Args:
        weights: by name.
        folder: of the model.
        origin: how they were made, as plain values.

    Raises:
        FormatError: the file cannot be written.
    """
    arrays = {name: np.ascontiguousarray(array, np.float16) for name, array in weights.items()}
    metadata = {
        "seqmusic": json.dumps(dict(origin)),
        "version": str(FORMAT_VERSION),
        "checksum": str(checksum(arrays)),
    }
    return write_atomic(folder / JUDGE_FILE, safetensors.numpy.save(arrays, metadata=metadata))
