"""Steps of a training that torch takes slowly on a processor, done in another way with the same outcome."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    """The GELU of (..., N, D) by torch's own kernel.

    oneDNN's, which a contiguous tensor would get on a processor, is compiled for every shape that it meets, and kept: half a
    megabyte each, and in training every batch has new shapes.
    """
    return F.gelu(x.mT).mT


def dropout(x: Tensor, rate: float, training: bool) -> Tensor:
    """The numbers with a share `rate` of them set to 0, and the others larger by as much; unchanged where nothing is trained.

    Torch draws a number for each of them on a processor, one after the other. Here one draw of 64 bits serves four; the share is
    rounded to 1 / 65536. Comparisons and what follows from truth values are slow, so a slope is cut off on both sides instead.
    """
    if not training or not rate or x.device.type != "cpu":
        return F.dropout(x, rate, training)
    bits = (
        torch.empty((x.numel() + 3) // 4, dtype=torch.int64)
        .random_(-(2**63), None)
        .view(torch.int16)
    )
    hidden = round(rate * 65536)
    larger = 65536 / (65536 - hidden)
    above = (
        bits[: x.numel()].view(x.shape).float().add_(32768.5 - hidden)
    )  # half a step or more from 0
    return x * above.mul_(2 * larger).clamp_(0, larger)


def summed_rows(table: Tensor, rows: Tensor) -> Tensor:
    """(N, D) sums of the (N, C) rows of a table, of which no column shares one with another."""
    if rows.device.type != "cpu":
        return F.embedding_bag(rows, table, mode="sum")
    sums: Tensor = _SummedRows.apply(table, rows)  # type: ignore[no-untyped-call]
    return sums


def summed_windows(windows: Tensor, starts: Tensor, n: int) -> Tensor:
    """(n,) sums of (M, W) numbers: each row of them falls on W places that follow one another, from its one of (M,) `starts` on."""
    sums: Tensor = _SummedWindows.apply(windows, starts, n)  # type: ignore[no-untyped-call]
    return sums


class _SummedRows(torch.autograd.Function):
    """Torch sorts all rows to add up their gradients; column by column that takes a third of the time."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.shape = table.shape
        return F.embedding_bag(rows, table, mode="sum")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        found = gradient.new_zeros(ctx.shape)
        for column in rows.T.contiguous():
            found.index_add_(0, column, gradient)
        return found, None


class _SummedWindows(torch.autograd.Function):
    """The gradients of a window lie one after the other: they are copied, not picked one by one."""

    @staticmethod
    def forward(ctx: Any, windows: Tensor, starts: Tensor, n: int) -> Tensor:
        ctx.save_for_backward(starts)
        ctx.width = windows.shape[1]
        places = starts[:, None] + torch.arange(ctx.width, device=starts.device)
        return windows.new_zeros(n).scatter_add_(0, places.flatten(), windows.flatten())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (starts,) = ctx.saved_tensors
        return gradient.unfold(0, ctx.width, 1).index_select(0, starts), None, None
