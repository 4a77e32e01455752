"""The transformer: decoder-only, pre-norm, rotary positions on the order of events and on musical time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Size and regularization of the transformer."""

    width: int = 128  # embedding size, a multiple of 4 x heads
    layers: int = 4  # blocks, 1 or more
    heads: int = 4  # attention heads
    context_length: int = 1024  # longest sequence in events
    feedforward: int = 4  # width of the feed-forward layer, in widths
    dropout: float = 0.2  # probability, 0..1
