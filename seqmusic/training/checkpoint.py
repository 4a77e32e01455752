"""Weights and unfinished training on disk: safetensors and JSON, never pickle; every file is written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from seqmusic.errors import CheckpointError
from seqmusic.formats.files import write_atomic
from seqmusic.model.settings import ModelSettings, Vocabulary
from seqmusic.model.transformer import Transformer
from seqmusic.training.loop import TrainingState

WEIGHTS = "model.safetensors"
RESUME = Path("resume") / "state.safetensors"


def save_weights(model: Transformer, folder: Path, tokens: Mapping[str, object], precision: torch.dtype = torch.float32) -> None:
    """Write the weights, with what is needed to build the model again, into `folder`; in half precision they take half the room."""
    settings = {name: getattr(model.settings, name) for name in ModelSettings.__dataclass_fields__}
    about = {"model": settings, "tokens": tokens}
    write_atomic(folder / "tokenizer.json", json.dumps(tokens, indent=1) + "\n")
    tensors = {name: tensor.detach().cpu().to(precision).contiguous() for name, tensor in model.state_dict().items()}
    write_atomic(folder / WEIGHTS, safetensors.torch.save(tensors, metadata={"seqmusic": json.dumps(about)}))


def load_weights(folder: Path, vocabulary: Callable[[Mapping[str, object]], Vocabulary]) -> Transformer:
    """The model of a folder, on the processor, ready to predict.

    Args:
        folder: of a run.
        vocabulary: that of the tokens which the checkpoint tells of; a ValueError where there is none.

    Raises:
        CheckpointError: the folder holds no whole model, or one made with other tokens.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise CheckpointError(f"{folder}: no trained model there, {WEIGHTS} is missing; train one: seqmusic train --out {folder}")
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            about = json.loads((file.metadata() or {})["seqmusic"])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - not a dict
        settings = ModelSettings(**about["model"])
        model = Transformer(settings, vocabulary(about["tokens"]))
        model.load_state_dict(tensors)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path}: not a whole model of this version ({_first_line(error)}); train it again") from error
    return model.eval()


def save_progress(state: TrainingState, folder: Path) -> None:
    """Write everything a run needs to go on."""
    tensors = {f"model.{name}": tensor for name, tensor in state.model.state_dict().items()}
    tensors |= {f"averaged.{name}": tensor for name, tensor in state.averaged.state_dict().items()}
    for index, values in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in values.items() if value is not None}
    numbers = {"step": state.step, "seconds": state.seconds, "best": state.best, "since_best": state.since_best}
    whole = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    write_atomic(folder / RESUME, safetensors.torch.save(whole, metadata={"state": json.dumps(numbers)}))


def load_progress(state: TrainingState, folder: Path) -> None:
    """Put a saved run back into `state`, made with the same settings.

    Raises:
        CheckpointError: there is none, or it is damaged or of another size.
    """
    path = folder / RESUME
    if not path.is_file():
        raise CheckpointError(f"{folder}: nothing to resume there; leave --resume out to begin")
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            numbers = json.loads((file.metadata() or {})["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        state.model.load_state_dict(_under(tensors, "model."))
        state.averaged.load_state_dict(_under(tensors, "averaged."))
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under(tensors, "optimizer.").items():
            index, _, slot = name.partition(".")
            slots.setdefault(int(index), {})[slot] = tensor
        state.optimizer.load_state_dict({**state.optimizer.state_dict(), "state": slots})
        state.step, state.seconds = int(numbers["step"]), float(numbers["seconds"])
        state.best, state.since_best = float(numbers["best"]), int(numbers["since_best"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path}: cannot be resumed ({_first_line(error)}); train again into another folder") from error


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
