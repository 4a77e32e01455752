"""Training operations that torch does slowly on a processor, done faster with the same result."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    """The GELU of (..., N, D) by torch's own kernel.

    A contiguous tensor would get oneDNN's on a processor, which is compiled for every shape it
    meets and kept, half a megabyte each; in training every batch has new shapes.
    """
    return F.gelu(x.mT).mT


def dropout(x: Tensor, rate: float, training: bool) -> Tensor:
    """The numbers, in training a share `rate` of them 0 and the others larger by as much.

    On a processor torch draws a number for each of them, one after the other. Here one draw of 64
    bits serves four, and the share is rounded to 1 / 65536. Comparisons and masks are slow, so a
    steep line is clipped on both sides instead.
    """
    if not training or not rate or x.device.type != "cpu":
        return F.dropout(x, rate, training)
    bits = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    draws = bits.view(torch.int16)[: x.numel()].view(x.shape)
    n_hidden = round(rate * 65536)
    scale = 65536 / (65536 - n_hidden)
    # at least half a step from 0 on either side
    distances = draws.float().add_(32768.5 - n_hidden)
    return x * distances.mul_(2 * scale).clamp_(0, scale)


def summed_rows(table: Tensor, rows: Tensor) -> Tensor:
    """(N, D) sums of the (N, C) rows of a table, no two columns of which name the same row."""
    if rows.device.type != "cpu":
        return F.embedding_bag(rows, table, mode="sum")
    sums: Tensor = _SummedRows.apply(table, rows)  # type: ignore[no-untyped-call]
    return sums


def summed_windows(windows: Tensor, starts: Tensor, n: int) -> Tensor:
    """(n,) sums of (M, W) windows, each added at W positions from one of (M,) `starts` on."""
    sums: Tensor = _SummedWindows.apply(windows, starts, n)  # type: ignore[no-untyped-call]
    return sums


class _SummedRows(torch.autograd.Function):
    """Torch sorts all rows to add up gradients; column by column takes a third of the time."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.shape = table.shape
        return F.embedding_bag(rows, table, mode="sum")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        table_gradient = gradient.new_zeros(ctx.shape)
        for column in rows.T.contiguous():
            table_gradient.index_add_(0, column, gradient)
        return table_gradient, None


class _SummedWindows(torch.autograd.Function):
    """The gradients of a window are contiguous: they are copied, not picked one by one."""

    @staticmethod
    def forward(ctx: Any, windows: Tensor, starts: Tensor, n: int) -> Tensor:
        ctx.save_for_backward(starts)
        ctx.width = windows.shape[1]
        positions = starts[:, None] + torch.arange(ctx.width, device=starts.device)
        return windows.new_zeros(n).scatter_add_(0, positions.flatten(), windows.flatten())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (starts,) = ctx.saved_tensors
        return gradient.unfold(0, ctx.width, 1).index_select(0, starts), None, None
