"""Processes that train one model together: each computes its share of every batch.

`torchrun` starts the processes, on one machine or several, and passes their ranks in environment
variables. A single process is a group, too.
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

_TIMEOUT = timedelta(minutes=10)  # for the answer of another process
_LOST_PROCESS_MESSAGES = ("gloo", "nccl", "connection", "timed out", "socket", "tcpstore")

_group_numbers = itertools.count()
_CPU = torch.device("cpu")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes of a training, as one of them sees them.

    Attributes:
        rank: number of this process; process 0 writes files and messages.
        size: number of processes.
        device: on which this process computes.
        is_sharded: whether each process holds only a part of the weights, for large models.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = _CPU
    is_sharded: bool = False

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def rank_slice(self, items: Sequence[Item]) -> Sequence[Item]:
        """Every `size`-th item; if the items are sorted, all ranks have similar slices."""
        return items[self.rank :: self.size]

    def sum_over_ranks(self, *values: float) -> list[float]:
        """The sum of each value over all processes."""
        if self.size == 1:
            return list(values)
        totals = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(totals)
        sums: list[float] = totals.tolist()
        return sums

    def check_on_first(self, check: Callable[[], None]) -> None:
        """Call `check` in the first process; if it raises, the others exit without a message.

        Raises:
            SeqmusicError: raised by `check`, in the first process.
        """
        failure: SeqmusicError | None = None
        if self.is_first:
            try:
                check()
            except SeqmusicError as error:
                failure = error
        if self.sum_over_ranks(float(failure is not None))[0]:
            raise failure or SystemExit(2)

    def sharded(self, model: Transformer) -> Transformer:
        """The model, of which this process keeps its part of each layer if the group is sharded.

        The model is changed in place.
        """
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
        """The module, with gradients that are averaged over the processes in a backward pass."""
        if self.size == 1 or self.is_sharded:
            return module
        return DistributedDataParallel(module)

    @contextlib.contextmanager
    def gradient_sync(self, module: nn.Module, is_last: bool) -> Iterator[None]:
        """Average the gradients over the processes in the last backward pass of a batch.

        Gradients of earlier passes add up in this process.
        """
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
    """The whole tensor; if it is sharded, all processes must call this."""
    sharded = _as_dtensor(tensor)
    full: Tensor = tensor if sharded is None else sharded.full_tensor()
    return full


def to_local_tensor(tensor: Tensor) -> Tensor:
    """The part of a tensor that this process holds, in the same memory."""
    sharded = _as_dtensor(tensor)
    return tensor if sharded is None else sharded.to_local()


def distribute_like(tensor: Tensor, like: Tensor) -> Tensor:
    """A whole tensor, sharded in the same way as `like`."""
    sharded = _as_dtensor(like)
    if sharded is None:
        return tensor
    from torch.distributed.tensor import distribute_tensor

    mesh, placements = sharded.device_mesh, sharded.placements
    return distribute_tensor(tensor.to(like.device), mesh, placements, src_data_rank=None)


def _as_dtensor(tensor: Tensor) -> DTensor | None:
    # Importing takes half a second, and without the import there are no sharded tensors.
    if "torch.distributed.tensor" not in sys.modules:
        return None
    from torch.distributed.tensor import DTensor

    return tensor if isinstance(tensor, DTensor) else None


@contextlib.contextmanager
def process_group(device: torch.device, shard: bool = False) -> Iterator[ProcessGroup]:
    """The group that the environment describes, for as long as the context lasts.

    Raises:
        DeviceError: there are fewer GPUs on this machine than processes, or a single process shall
            shard the weights.
        ProcessError: another process has ended, or cannot be reached.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        if shard:
            raise DeviceError(
                "one process has nobody to share the weights with; "
                "start several with torchrun, or leave --shard out"
            )
        yield ProcessGroup(device=device)
        return
    if device.type == "cuda":
        device = _local_gpu()
    try:
        rank, size = _join_group("nccl" if device.type == "cuda" else "gloo")
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


def _local_gpu() -> torch.device:
    """The GPU of this process, which becomes the current one."""
    local_rank, n_gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if local_rank >= n_gpus:
        raise DeviceError(
            f"process {local_rank + 1} on this machine has no GPU of its own, there are {n_gpus}; "
            "start as many"
        )
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device


def _join_group(backend: str) -> tuple[int, int]:
    """Join the other processes; returns rank and size."""
    store, rank, size = next(rendezvous("env://", timeout=_TIMEOUT))
    # The prefix hides the keys of an earlier group of the same processes.
    prefixed = PrefixStore(f"seqmusic {next(_group_numbers)}", store)
    dist.init_process_group(backend, store=prefixed, rank=rank, world_size=size, timeout=_TIMEOUT)
    return rank, size
