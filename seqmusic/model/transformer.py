"""The transformer: decoder-only, pre-norm, with rotary positions by order and by musical time.

Half of each head rotates with the order of events, half with time. A query stands at the onset of
the event it predicts, a key at the onset of its own event, so a score between them can depend on
how long ago a note began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmusic.model.attention import packed_attention
from seqmusic.model.decoding.packed_model import Weights
from seqmusic.model.embedding import EventModel
from seqmusic.model.operations import dropout, gelu, summed_rows
from seqmusic.model.output_layer import OutputLayer
from seqmusic.model.settings import (
    NORM_EPSILON,
    ROTARY_BASE,
    TICKS_PER_ROTARY_UNIT,
    ModelSettings,
    Vocabulary,
)


@dataclass(frozen=True, slots=True)
class Packing:
    """Lengths of B sequences of up to T events, and which of their hidden states are needed.

    Attributes:
        lengths: (B,) events of each sequence.
        is_needed: (B, T) whether the hidden state of each event is needed; False beyond the length.
    """

    lengths: Sequence[int]
    is_needed: Tensor


class KVCache:
    """Keys and values of the events so far, (L, B, H, S, K) each, allocated once."""

    def __init__(
        self, settings: ModelSettings, batch: int, max_length: int, device: torch.device
    ) -> None:
        width, heads = settings.width, settings.heads
        shape = (settings.layers, batch, heads, max_length, width // heads)
        self.keys = torch.zeros(shape, device=device)
        self.values = torch.zeros(shape, device=device)
        self.length = 0


class _Inputs(NamedTuple):
    """Events with their positions.

    Attributes:
        events: (B, T, 2) sound and duration ids.
        context: (B, T, C) where the next event goes.
        indices: (B, T) number of each event in its sequence.
        onsets, next_onsets: (B, T) onset of each event, and of the one after it, in ticks.
    """

    events: Tensor
    context: Tensor
    indices: Tensor
    onsets: Tensor
    next_onsets: Tensor


class Block(nn.Module):
    """Attention and a feed-forward layer, each on a normalized copy and added back."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        width, wide = settings.width, settings.feedforward * settings.width
        self.heads, self.dropout = settings.heads, settings.dropout
        self.norm_attention = _normalization(settings)
        self.norm_feedforward = _normalization(settings)
        self.project_in = nn.Linear(width, 3 * width, bias=False)
        self.project_out = nn.Linear(width, width, bias=False)
        self.widen = nn.Linear(width, wide)
        self.narrow = nn.Linear(wide, width)

    def forward(
        self,
        x: Tensor,
        rotations: Tensor,
        cache: KVCache | None,
        layer: int,
        lengths: Sequence[int] | None,
        selected: Tensor | None,
    ) -> Tensor:
        """(B, T, D), or of the events `selected` alone.

        Args:
            x: (B, T, D) residual stream.
            rotations: (B, T, 3, 1, K / 2) complex factors of queries, keys and values.
            cache: keys and values of the events before these; the new ones are written into it.
            layer: which layer of the cache is this block's.
            lengths: of packed sequences, which stand one after the other in one row.
            selected: indices of the events whose result is needed; all for None.
        """
        batch, n_new, width = x.shape
        qkv = self.project_in(self.norm_attention(x)).view(batch, n_new, 3, self.heads, -1)
        qkv = _rotated(qkv, rotations)
        if lengths is None:
            attended = self._attention(qkv, cache, layer)
        else:
            attended = packed_attention(qkv[0], lengths)
        attended = attended.reshape(batch, n_new, width)
        if selected is not None:
            x, attended = x.index_select(1, selected), attended.index_select(1, selected)
        x = x + self._drop(self.project_out(attended))
        return x + self._drop(self.narrow(gelu(self.widen(self.norm_feedforward(x)))))

    def _attention(self, qkv: Tensor, cache: KVCache | None, layer: int) -> Tensor:
        """(B, T, H, K) from (B, T, 3, H, K) queries, keys and values, and those in the cache."""
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, H, T, K)
        n_new = q.shape[2]
        is_prefix = cache is None or cache.length == 0
        if cache is not None:
            start, end = cache.length, cache.length + n_new
            cache.keys[layer, :, :, start:end], cache.values[layer, :, :, start:end] = k, v
            k, v = cache.keys[layer, :, :, :end], cache.values[layer, :, :, :end]
        is_causal = is_prefix and n_new > 1
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=is_causal, scale=1.0)
        return attended.transpose(1, 2)

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.dropout, self.training)


class Transformer(EventModel):
    """Hidden states, from which the output layer makes logits, by attention over the events."""

    def __init__(self, settings: ModelSettings, vocabulary: Vocabulary) -> None:
        super().__init__(settings.width, vocabulary)
        self.settings = settings
        self.judge: Weights | None = None  # of its compositions, see `ArrayModel`
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))
        self.norm = _normalization(settings)
        self.heads = OutputLayer(settings.width, vocabulary, is_relative=settings.relative_output)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                is_residual = name.endswith(("project_out.weight", "narrow.weight"))
                depth_factor = (2 * settings.layers) ** 0.5 if is_residual else 1.0
                nn.init.normal_(parameter, std=0.02 / depth_factor)

    def forward(
        self,
        events: Tensor,
        context: Tensor,
        ticks: Tensor,
        cache: KVCache | None = None,
        packing: Packing | None = None,
    ) -> Tensor:
        """(B, T, D) hidden states; row t predicts event t + 1. With a packing, (N, D).

        Args:
            events: (B, T, 2) sound and duration ids.
            context: (B, T, C) where the next event goes.
            ticks: (B, T + 1) onsets of the events and, last, of the one to come.
            cache: keys and values of the events before these; it grows by T.
            packing: lengths of the sequences, without a cache; nothing is computed beyond them.
        """
        batch, n_new = events.shape[:2]
        first = cache.length if cache is not None else 0
        indices = torch.arange(first, first + n_new, device=events.device, dtype=torch.float32)
        inputs = _Inputs(events, context, indices.expand(batch, n_new), ticks[:, :-1], ticks[:, 1:])
        if packing is None:
            return self._hidden_states(inputs, cache)
        # found on the processor, so that no device has to report how many there are
        is_present = torch.arange(n_new)[None] < torch.tensor(packing.lengths)[:, None]
        rows = tuple(axis.to(events.device) for axis in is_present.nonzero(as_tuple=True))
        selected = packing.is_needed[rows].nonzero()[:, 0]
        packed = _Inputs(*(part[rows][None] for part in inputs))
        return self._hidden_states(packed, None, packing.lengths, selected)[0]

    def _hidden_states(
        self,
        inputs: _Inputs,
        cache: KVCache | None,
        lengths: Sequence[int] | None = None,
        selected: Tensor | None = None,
    ) -> Tensor:
        """(B, T, D) hidden states, or those of the events `selected`."""
        embedded, context = self.embed_events(inputs.events), inputs.context
        if self.training and self.settings.input_dropout:
            embedded, context = self._input_dropout(embedded, context)
        x = embedded + summed_rows(self.places.weight, self.context_rows(context)).view_as(embedded)
        x = dropout(x, self.settings.dropout, self.training)
        rotations = self._rotations(inputs)
        for layer, block in enumerate(self.blocks):
            is_last = layer == len(self.blocks) - 1
            x = block(x, rotations, cache, layer, lengths, selected if is_last else None)
        if cache is not None:
            cache.length += inputs.events.shape[1]
        normed: Tensor = self.norm(x)
        return normed

    def _input_dropout(self, embedded: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """The embedded events and the context with some events and columns set to 0."""
        rate = self.settings.input_dropout
        shape = (*context.shape[:-1], context.shape[-1] + 1)
        is_kept = torch.rand(*shape, device=embedded.device) >= rate
        return embedded * is_kept[..., :1], context * is_kept[..., 1:]

    def _rotations(self, inputs: _Inputs) -> Tensor:
        """(B, T, 3, 1, K / 2) complex factors of queries, keys, and values, which stay as they are.

        Half of them are by order, half by time; those of queries also scale them.
        """
        positions = [
            torch.stack([inputs.indices, ticks / TICKS_PER_ROTARY_UNIT], dim=-1)
            for ticks in (inputs.next_onsets, inputs.onsets)
        ]
        head_width = self.settings.width // self.settings.heads
        n_each = head_width // 4
        # radians for each event, and for each sixteenth
        frequencies = ROTARY_BASE ** -(torch.arange(n_each, device=inputs.indices.device) / n_each)
        angles = torch.stack(positions, dim=2)[..., None] * frequencies
        angles = F.pad(angles.flatten(-2), (0, 0, 0, 1))
        sizes = torch.ones_like(angles)
        sizes[:, :, 0] = head_width**-0.5
        return torch.polar(sizes, angles)[..., None, :]


def n_parameters(model: nn.Module) -> int:
    """Trainable numbers of a model."""
    return sum(parameter.numel() for parameter in model.parameters())


def _normalization(settings: ModelSettings) -> nn.Module:
    if settings.normalization == "none":
        return nn.Identity()
    norm = nn.LayerNorm if settings.normalization == "layer" else nn.RMSNorm
    return norm(settings.width, eps=NORM_EPSILON)


def _rotated(x: Tensor, rotations: Tensor) -> Tensor:
    pairs = torch.view_as_complex(x.float().view(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * rotations).flatten(-2).to(x.dtype)
