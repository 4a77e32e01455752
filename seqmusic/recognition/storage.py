"""A recognizer on disk: `recognizer.npz` holds its arrays, `recognizer.json` everything else."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.storage import DAMAGE_ERRORS
from seqmusic.errors import CheckpointError
from seqmusic.recognition.fusion import Fusion
from seqmusic.recognition.likelihood import LikelihoodExpert
from seqmusic.recognition.linear import LinearExpert
from seqmusic.recognition.nearest import WorkIndex
from seqmusic.recognition.recognizer import Decision, Recognizer

ARRAYS_FILE, VALUES_FILE = "recognizer.npz", "recognizer.json"
PRETRAINED = Path(__file__).parent.parent / "pretrained" / "recognizer"
_VERSION = 2


def save_recognizer(recognizer: Recognizer, folder: Path) -> None:
    """Write a recognizer into a folder.

    Raises:
        FormatError: it cannot be written.
    """
    arrays: dict[str, Any] = {
        **_prefixed("linear", recognizer.linear.arrays()),
        **_prefixed("likelihood", recognizer.likelihood.arrays()),
        "factors": recognizer.fusion.factors,
        "bias": recognizer.fusion.bias,
        "log_temperatures": recognizer.fusion.log_temperatures,
        "log_steps": recognizer.decision.log_steps,
        "min_likelihood": recognizer.decision.min_likelihood,
        "min_lead": recognizer.decision.min_lead,
        "profiles": recognizer.index.profiles,
        "work_classes": recognizer.index.classes,
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    values = {
        "version": _VERSION,
        "classes": recognizer.classes,
        "answers": recognizer.decision.answers,
        "min_confidence": recognizer.decision.min_confidence,
        "narrow_confidence": recognizer.decision.narrow_confidence,
        "works": recognizer.index.names,
        "knows_keyboards": recognizer.knows_keyboards,
    }
    write_atomic(folder / ARRAYS_FILE, buffer.getvalue())
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    write_atomic(folder / VALUES_FILE, text + "\n")


def load_recognizer(folder: Path | None = None) -> Recognizer:
    """The recognizer in a folder; the one that comes with seqmusic if None.

    Raises:
        CheckpointError: the folder holds no whole recognizer of this version.
    """
    folder = folder or PRETRAINED
    if not (folder / VALUES_FILE).is_file():
        raise CheckpointError(
            f"{folder}: no recognizer there, {VALUES_FILE} is missing; "
            f"train one: seqmusic recognize --train FOLDER --out {folder}"
        )
    try:
        values = json.loads((folder / VALUES_FILE).read_text(encoding="utf-8"))
        if values["version"] != _VERSION:
            raise ValueError(f"version {values['version']}, here {_VERSION}")
        data = io.BytesIO((folder / ARRAYS_FILE).read_bytes())
        with np.load(data, allow_pickle=False) as file:
            return _recognizer(values, {name: file[name] for name in file.files})
    except DAMAGE_ERRORS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise CheckpointError(
            f"{folder}: not a whole recognizer ({reason}); train it again"
        ) from error


def _recognizer(values: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Recognizer:
    answers = tuple(tuple(map(int, answer)) for answer in values["answers"])
    return Recognizer(
        tuple(map(str, values["classes"])),
        LinearExpert.from_arrays(_without_prefix("linear", arrays)),
        LikelihoodExpert.from_arrays(_without_prefix("likelihood", arrays)),
        Fusion(*(arrays[name] for name in ("factors", "bias", "log_temperatures"))),
        Decision(
            answers,
            float(values["min_confidence"]),
            float(values["narrow_confidence"]),
            *(arrays[name] for name in ("log_steps", "min_likelihood", "min_lead")),
        ),
        WorkIndex(tuple(values["works"]), arrays["work_classes"], arrays["profiles"]),
        bool(values["knows_keyboards"]),
    )


def _prefixed(name: str, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{name}_{key}": array for key, array in arrays.items()}


def _without_prefix(name: str, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    start = f"{name}_"
    return {key.removeprefix(start): a for key, a in arrays.items() if key.startswith(start)}
