"""Models and unfinished trainings on disk, as safetensors and JSON and never as pickles.

Every file is written completely or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import CheckpointError
from seqmusic.model.settings import Vocabulary
from seqmusic.model.transformer import Transformer
from seqmusic.runs.weights import (
    FORMAT_VERSION,
    TOKENIZER_FILE,
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
    """Write the weights of a model, its settings and its tokens into a folder.

    All processes of a group must call this; the first one writes.

    Args:
        model: the model.
        folder: the folder; it is created if it is missing.
        tokens: describes the tokens; `vocabulary_to_dict` makes it.
        precision: of the stored weights.
        group: the processes that hold the model.

    Raises:
        FormatError: a file cannot be written.
    """
    tensors = _full_tensors(model.state_dict())
    if not group.is_first:
        return
    tensors = {name: tensor.to(precision) for name, tensor in tensors.items()}
    write_atomic(folder / TOKENIZER_FILE, json.dumps(tokens, indent=1) + "\n")
    values = {"model": asdict(model.settings), "tokens": tokens}
    _write_tensors(folder / WEIGHTS_FILE, tensors, values)


def load_weights(
    folder: Path, parse_vocabulary: Callable[[Mapping[str, object]], Vocabulary]
) -> Transformer:
    """The model that `read_weights` finds in a folder, on the processor, in evaluation mode.

    Raises:
        CheckpointError: as in `read_weights`.
    """
    settings, vocabulary, weights = read_weights(folder, parse_vocabulary)
    model = Transformer(settings, vocabulary)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return model.eval()


def save_training_state(
    state: TrainingState, folder: Path, group: ProcessGroup = SINGLE_PROCESS
) -> None:
    """Write all that a run needs to resume; all processes of a group must call this.

    Raises:
        FormatError: the file cannot be written.
    """
    tensors = {f"model.{name}": tensor for name, tensor in state.model.state_dict().items()}
    tensors |= {f"averaged.{name}": tensor for name, tensor in state.averaged.state_dict().items()}
    for index, values in state.optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer.{index}.{name}": torch.as_tensor(value)
            for name, value in values.items()
            if value is not None
        }
    tensors = _full_tensors(tensors)
    if group.is_first:
        numbers = {name: getattr(state, name) for name in _SAVED_NUMBERS}
        _write_tensors(folder / RESUME_FILE, tensors, numbers)


def load_training_state(state: TrainingState, folder: Path) -> None:
    """Restore a saved run into `state`, which must have the settings that it was saved with.

    The number of processes may differ.

    Raises:
        CheckpointError: there is no saved run, or it is damaged, of another size, or written by a
            later version.
    """
    path = folder / RESUME_FILE
    if not path.is_file():
        raise nothing_to_resume(folder)
    message = (
        f"cannot be resumed ({{}}); {WEIGHTS_FILE} beside it is the best so far; "
        "train again into another folder"
    )
    with checkpoint_errors(path, message):
        arrays, numbers = read_arrays(path)
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        _restore_model(state.model, _strip_prefix(tensors, "model."))
        _restore_model(state.averaged, _strip_prefix(tensors, "averaged."))
        _restore_optimizer(state.optimizer, _strip_prefix(tensors, "optimizer."))
        for name, kind in _SAVED_NUMBERS.items():
            setattr(state, name, kind(numbers[name]))


def nothing_to_resume(folder: Path) -> CheckpointError:
    """The error for a folder without a run."""
    return CheckpointError(f"{folder}: nothing to resume there; leave --resume out to begin")


def _full_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: to_full_tensor(tensor).detach().cpu() for name, tensor in tensors.items()}


def _restore_model(model: Transformer, tensors: Mapping[str, Tensor]) -> None:
    current = model.state_dict()
    model.load_state_dict(
        {name: distribute_like(tensor, current[name]) for name, tensor in tensors.items()}
    )


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    slots: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, slot = name.partition(".")
        if tensor.dim():  # a number, such as the step count, is not sharded
            tensor = distribute_like(tensor, parameters[int(index)])
        slots.setdefault(int(index), {})[slot] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": slots})


def _write_tensors(path: Path, tensors: Mapping[str, Tensor], values: Mapping[str, object]) -> None:
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    arrays = {name: tensor.numpy() for name, tensor in contiguous.items()}
    metadata = {
        "seqmusic": json.dumps(values),
        "version": str(FORMAT_VERSION),
        "checksum": str(checksum(arrays)),
    }
    write_atomic(path, safetensors.torch.save(contiguous, metadata=metadata))


def _strip_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
