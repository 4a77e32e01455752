"""Weights and unfinished training on disk: safetensors and JSON, never pickle; every file is written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import CheckpointError
from seqmusic.model.settings import ModelSettings, Vocabulary
from seqmusic.model.transformer import Transformer
from seqmusic.runs.weights import (
    FORMAT_VERSION,
    WEIGHTS_FILE,
    checkpoint_errors,
    checksum,
    read_arrays,
    read_weights,
)
from seqmusic.training.distributed import (
    SINGLE_PROCESS,
    ProcessGroup,
    distribute_like,
    to_full_tensor,
)
from seqmusic.training.loop import TrainingState

RESUME_FILE = Path("resume") / "state.safetensors"
_SAVED_NUMBERS = {
    "step": int,
    "seconds": float,
    "best": float,
    "best_step": int,
    "since_best": int,
    "notes": int,
}


def save_weights(
    model: Transformer,
    folder: Path,
    tokens: Mapping[str, object],
    precision: torch.dtype = torch.float32,
    group: ProcessGroup = SINGLE_PROCESS,
) -> None:
    """Write the weights, with what is needed to build the model again, into `folder`; in half precision they take half the room.

    All processes of a group ask; the first one writes.
    """
    tensors = {
        name: to_full_tensor(tensor).detach().cpu().to(precision)
        for name, tensor in model.state_dict().items()
    }
    if not group.is_first:
        return
    settings = {name: getattr(model.settings, name) for name in ModelSettings.__dataclass_fields__}
    write_atomic(folder / "tokenizer.json", json.dumps(tokens, indent=1) + "\n")
    _write_tensors(folder / WEIGHTS_FILE, tensors, {"model": settings, "tokens": tokens})


def load_weights(
    folder: Path, parse_vocabulary: Callable[[Mapping[str, object]], Vocabulary]
) -> Transformer:
    """The model of a folder, on the processor, ready to predict.

    Args:
        folder: of a run.
        parse_vocabulary: that of the tokens which the checkpoint tells of; a ValueError where there is none.

    Raises:
        CheckpointError: the folder holds no whole model, or one made with other tokens or by a later version.
    """
    settings, vocabulary, weights = read_weights(folder, parse_vocabulary)
    model = Transformer(settings, vocabulary)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return model.eval()


def save_training_state(
    state: TrainingState, folder: Path, group: ProcessGroup = SINGLE_PROCESS
) -> None:
    """Write everything a run needs to go on; all processes of a group ask, and the first one writes."""
    tensors = {f"model.{name}": tensor for name, tensor in state.model.state_dict().items()}
    tensors |= {f"averaged.{name}": tensor for name, tensor in state.averaged.state_dict().items()}
    for index, values in state.optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer.{index}.{name}": torch.as_tensor(value)
            for name, value in values.items()
            if value is not None
        }
    found = {name: to_full_tensor(tensor).detach().cpu() for name, tensor in tensors.items()}
    if group.is_first:
        _write_tensors(
            folder / RESUME_FILE, found, {name: getattr(state, name) for name in _SAVED_NUMBERS}
        )


def load_training_state(state: TrainingState, folder: Path) -> None:
    """Put a saved run back into `state`, made with the same settings, on any number of processes.

    Raises:
        CheckpointError: there is none, or it is damaged, of another size, or made by a later version.
    """
    path = folder / RESUME_FILE
    if not path.is_file():
        raise CheckpointError(f"{folder}: nothing to resume there; leave --resume out to begin")
    with checkpoint_errors(
        path,
        f"cannot be resumed ({{}}); {WEIGHTS_FILE} beside it is the best so far; train again into another folder",
    ):
        arrays, numbers = read_arrays(path)
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        for model, prefix in ((state.model, "model."), (state.averaged, "averaged.")):
            like = model.state_dict()
            model.load_state_dict(
                {
                    name: distribute_like(own, like[name])
                    for name, own in _strip_prefix(tensors, prefix).items()
                }
            )
        parameters = [own for part in state.optimizer.param_groups for own in part["params"]]
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _strip_prefix(tensors, "optimizer.").items():
            index, _, slot = name.partition(".")
            like_it = parameters[int(index)]
            slots.setdefault(int(index), {})[slot] = (
                distribute_like(tensor, like_it) if tensor.dim() else tensor
            )
        state.optimizer.load_state_dict({**state.optimizer.state_dict(), "state": slots})
        for name, kind in _SAVED_NUMBERS.items():
            setattr(state, name, kind(numbers[name]))


def _write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
    kept = {name: tensor.contiguous() for name, tensor in tensors.items()}
    arrays = {name: tensor.numpy() for name, tensor in kept.items()}
    metadata = {
        "seqmusic": json.dumps(about),
        "version": str(FORMAT_VERSION),
        "checksum": str(checksum(arrays)),
    }
    write_atomic(path, safetensors.torch.save(kept, metadata=metadata))


def _strip_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
