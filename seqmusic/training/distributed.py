"""Several processes that train one model together: each computes its share of every batch, and what they find is summed.

`torchrun` starts them, on one machine or several, and says in the environment who each one is. One process alone is a group, too.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from seqmusic.errors import DeviceError, ProcessError, SeqmusicError
from seqmusic.model.transformer import Transformer

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor

_TIMEOUT = timedelta(minutes=10)  # until a process that does not answer is given up
_LOST_PROCESS_MESSAGES = ("gloo", "nccl", "connection", "timed out", "socket", "tcpstore")

_group_numbers = itertools.count()
_CPU = torch.device("cpu")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes of a training, seen from one of them.

    Attributes:
        rank: which one this is; 0 writes and speaks.
        size: how many there are.
        device: where this one computes.
        is_sharded: whether each holds a part of the weights alone, for models that do not fit.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = _CPU
    is_sharded: bool = False

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def rank_slice(self, items: Sequence[Item]) -> Sequence[Item]:
        """Every `size`-th of the items; shares of what is sorted are alike."""
        return items[self.rank :: self.size]

    def sum_over_ranks(self, *values: float) -> list[float]:
        """The sum of each value over all processes."""
        if self.size == 1:
            return list(values)
        totals = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(totals)
        found: list[float] = totals.tolist()
        return found

    def check_on_first(self, check: Callable[[], None]) -> None:
        """Let the first process check something for all; where it refuses, the others end in silence.

        Raises:
            SeqmusicError: in the first process, what `check` raised.
        """
        refusal: SeqmusicError | None = None
        if self.is_first:
            try:
                check()
            except SeqmusicError as error:
                refusal = error
        if self.sum_over_ranks(float(refusal is not None))[0]:
            raise refusal or SystemExit(2)

    def sharded(self, model: Transformer) -> Transformer:
        """The model, changed in place: where the group is sharded, this process keeps its part of each layer."""
        if not self.is_sharded:
            return model
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

        mesh = init_device_mesh(self.device.type, (self.size,))
        for part in (*model.blocks, model.heads, model):
            fully_shard(part, mesh=mesh)
        for name in ("sound_logits", "duration_logits"):
            register_fsdp_forward_method(model.heads, name)
        return model

    def data_parallel(self, module: nn.Module) -> nn.Module:
        """The module, its gradients averaged over the processes after each backward pass."""
        if self.size == 1 or self.is_sharded:
            return module
        return DistributedDataParallel(module)

    @contextlib.contextmanager
    def gradient_sync(self, module: nn.Module, is_last: bool) -> Iterator[None]:
        """Backward passes in it are averaged over the processes if this is the last part of a batch; else they add up here."""
        if isinstance(module, DistributedDataParallel) and not is_last:
            with module.no_sync():
                yield
            return
        if self.is_sharded:
            from torch.distributed.fsdp import FSDPModule

            for part in module.modules():
                if isinstance(part, FSDPModule):
                    part.set_requires_gradient_sync(is_last, recurse=False)
        yield


SINGLE_PROCESS = ProcessGroup()


def to_full_tensor(tensor: Tensor) -> Tensor:
    """The whole of a tensor, also where each process holds a part; then all have to ask."""
    held = _as_dtensor(tensor)
    found: Tensor = tensor if held is None else held.full_tensor()
    return found


def to_local_tensor(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor, in the same memory."""
    held = _as_dtensor(tensor)
    return tensor if held is None else held.to_local()


def distribute_like(tensor: Tensor, like: Tensor) -> Tensor:
    """A whole tensor as `like` is held: as it is, or this process's part of it."""
    held = _as_dtensor(like)
    if held is None:
        return tensor
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(
        tensor.to(like.device), held.device_mesh, held.placements, src_data_rank=None
    )


def _as_dtensor(tensor: Tensor) -> DTensor | None:
    if "torch.distributed.tensor" not in sys.modules:  # half a second that others need not wait for
        return None
    from torch.distributed.tensor import DTensor

    return tensor if isinstance(tensor, DTensor) else None


@contextlib.contextmanager
def process_group(device: torch.device, shard: bool = False) -> Iterator[ProcessGroup]:
    """The group that the environment names; it is left at the end.

    Raises:
        DeviceError: there are fewer GPUs on this machine than processes.
        ProcessError: another process has ended, or cannot be reached.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        if shard:
            raise DeviceError(
                "one process has nobody to share the weights with; start several with torchrun, or leave --shard out"
            )
        yield ProcessGroup(device=device)
        return
    if device.type == "cuda":
        local, present = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if local >= present:
            raise DeviceError(
                f"process {local + 1} on this machine has no GPU of its own, there are {present}; start as many"
            )
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    try:
        store, rank, size = next(rendezvous("env://", timeout=_TIMEOUT))
        own = PrefixStore(
            f"seqmusic {next(_group_numbers)}", store
        )  # a second group finds nothing of the first one's there
        kind = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(kind, store=own, rank=rank, world_size=size, timeout=_TIMEOUT)
        yield ProcessGroup(rank, size, device, shard)
    except RuntimeError as error:
        if not any(sign in str(error).lower() for sign in _LOST_PROCESS_MESSAGES):
            raise
        raise ProcessError(
            "another process of this training has ended, or cannot be reached; go on with --resume"
        ) from error
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
