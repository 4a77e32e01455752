"""Weights and unfinished training on disk: safetensors and JSON, never pickle; every file is written whole or not at all."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from seqmusic.errors import CheckpointError
from seqmusic.formats.files import write_atomic
from seqmusic.model.settings import ModelSettings, Vocabulary
from seqmusic.model.transformer import Transformer
from seqmusic.training.loop import TrainingState
from seqmusic.training.processes import ALONE, Group, shared_like, whole

WEIGHTS = "model.safetensors"
RESUME = Path("resume") / "state.safetensors"
VERSION = 1  # of both files; a file that does not tell is of the first
_NUMBERS = {"step": int, "seconds": float, "best": float, "best_step": int, "since_best": int, "notes": int}


def save_weights(
    model: Transformer,
    folder: Path,
    tokens: Mapping[str, object],
    precision: torch.dtype = torch.float32,
    group: Group = ALONE,
) -> None:
    """Write the weights, with what is needed to build the model again, into `folder`; in half precision they take half the room.

    All processes of a group ask; the first one writes.
    """
    tensors = {name: whole(tensor).detach().cpu().to(precision) for name, tensor in model.state_dict().items()}
    if not group.is_first:
        return
    settings = {name: getattr(model.settings, name) for name in ModelSettings.__dataclass_fields__}
    write_atomic(folder / "tokenizer.json", json.dumps(tokens, indent=1) + "\n")
    _write(folder / WEIGHTS, tensors, {"model": settings, "tokens": tokens})


def load_weights(folder: Path, vocabulary: Callable[[Mapping[str, object]], Vocabulary]) -> Transformer:
    """The model of a folder, on the processor, ready to predict.

    Args:
        folder: of a run.
        vocabulary: that of the tokens which the checkpoint tells of; a ValueError where there is none.

    Raises:
        CheckpointError: the folder holds no whole model, or one made with other tokens or by a later version.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise CheckpointError(f"{folder}: no trained model there, {WEIGHTS} is missing; train one: seqmusic train --out {folder}")
    with _refusing(path, "not a whole model of this version ({}); train it again"):
        tensors, about = _read(path)
        model = Transformer(ModelSettings(**about["model"]), vocabulary(about["tokens"]))
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return model.eval()


def save_progress(state: TrainingState, folder: Path, group: Group = ALONE) -> None:
    """Write everything a run needs to go on; all processes of a group ask, and the first one writes."""
    tensors = {f"model.{name}": tensor for name, tensor in state.model.state_dict().items()}
    tensors |= {f"averaged.{name}": tensor for name, tensor in state.averaged.state_dict().items()}
    for index, values in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in values.items() if value is not None}
    found = {name: whole(tensor).detach().cpu() for name, tensor in tensors.items()}
    if group.is_first:
        _write(folder / RESUME, found, {name: getattr(state, name) for name in _NUMBERS})


def load_progress(state: TrainingState, folder: Path) -> None:
    """Put a saved run back into `state`, made with the same settings, on any number of processes.

    Raises:
        CheckpointError: there is none, or it is damaged, of another size, or made by a later version.
    """
    path = folder / RESUME
    if not path.is_file():
        raise CheckpointError(f"{folder}: nothing to resume there; leave --resume out to begin")
    with _refusing(path, f"cannot be resumed ({{}}); {WEIGHTS} beside it is the best so far; train again into another folder"):
        tensors, numbers = _read(path)
        for model, prefix in ((state.model, "model."), (state.averaged, "averaged.")):
            like = model.state_dict()
            model.load_state_dict({name: shared_like(own, like[name]) for name, own in _under(tensors, prefix).items()})
        parameters = [own for part in state.optimizer.param_groups for own in part["params"]]
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under(tensors, "optimizer.").items():
            index, _, slot = name.partition(".")
            like_it = parameters[int(index)]
            slots.setdefault(int(index), {})[slot] = shared_like(tensor, like_it) if tensor.dim() else tensor
        state.optimizer.load_state_dict({**state.optimizer.state_dict(), "state": slots})
        for name, kind in _NUMBERS.items():
            setattr(state, name, kind(numbers[name]))


def _write(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
    kept = {name: tensor.contiguous() for name, tensor in tensors.items()}
    metadata = {"seqmusic": json.dumps(about), "version": str(VERSION), "checksum": str(_checksum(kept))}
    write_atomic(path, safetensors.torch.save(kept, metadata=metadata))


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safetensors.safe_open(str(path), framework="pt") as file:
        metadata = file.metadata() or {}
        if int(metadata.get("version", VERSION)) > VERSION:
            made = f"version {metadata['version']}, here {VERSION}"
            raise CheckpointError(f"{path}: made by a later seqmusic ({made}); update seqmusic")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    if "checksum" in metadata and int(metadata["checksum"]) != _checksum(tensors):
        raise ValueError("its numbers are not those that were written")
    return tensors, json.loads(metadata["seqmusic"])


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    found = 0
    for name in sorted(tensors):
        found = zlib.crc32(tensors[name].flatten().view(torch.uint8).numpy().data, zlib.crc32(name.encode(), found))
    return found


@contextmanager
def _refusing(path: Path, words: str) -> Iterator[None]:
    """Whatever a damaged file makes go wrong becomes one line."""
    try:
        yield
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError, IndexError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise CheckpointError(f"{path}: {words.format(reason)}") from error


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
