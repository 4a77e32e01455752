"""The transformer: decoder-only, pre-norm, rotary positions on the order of events and on musical time.

Half of each head turns with the order of events, half with time: a query stands at the onset of the event it predicts, a key at the
onset of its own event, so a score between them can depend on how long ago a note began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmusic.model.attention import packed_attention
from seqmusic.model.operations import dropout, gelu, summed_rows
from seqmusic.model.output_layer import OutputLayer
from seqmusic.model.settings import NORM_EPSILON, TICKS_PER_ROTARY_UNIT, ModelSettings, Vocabulary


@dataclass(frozen=True, slots=True)
class Packing:
    """What there is of B sequences of up to T events, and what is asked about.

    Attributes:
        lengths: (B,) how many events each sequence has.
        is_needed: (B, T) whether the hidden state of each event is wanted; False for what is not there.
    """

    lengths: Sequence[int]
    is_needed: Tensor


class KVCache:
    """Keys and values of the events so far, (L, B, H, S, K) each, allocated once."""

    def __init__(
        self, settings: ModelSettings, batch: int, length: int, device: torch.device
    ) -> None:
        shape = (settings.layers, batch, settings.heads, length, settings.width // settings.heads)
        self.keys = torch.zeros(shape, device=device)
        self.values = torch.zeros(shape, device=device)
        self.length = 0


class Block(nn.Module):
    """Attention and a feed-forward layer, each on a normalized copy and added back."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        width, self.heads, self.dropout = settings.width, settings.heads, settings.dropout
        self.norm_attention, self.norm_feedforward = (
            _normalization(settings),
            _normalization(settings),
        )
        self.project_in, self.project_out = (
            nn.Linear(width, 3 * width, bias=False),
            nn.Linear(width, width, bias=False),
        )
        self.widen = nn.Linear(width, settings.feedforward * width)
        self.narrow = nn.Linear(settings.feedforward * width, width)

    def forward(
        self,
        x: Tensor,
        rotations: Tensor,
        cache: KVCache | None,
        layer: int,
        lengths: Sequence[int] | None,
        selected: Tensor | None,
    ) -> Tensor:
        """(B, T, D), or of the events `selected` alone."""
        batch, n_new, width = x.shape
        qkv = _rotated(
            self.project_in(self.norm_attention(x)).view(batch, n_new, 3, self.heads, -1), rotations
        )
        mixed = (
            self._attention(qkv, cache, layer)
            if lengths is None
            else packed_attention(qkv[0], lengths)
        )
        mixed = mixed.reshape(batch, n_new, width)
        if selected is not None:
            x, mixed = x.index_select(1, selected), mixed.index_select(1, selected)
        x = x + self._drop(self.project_out(mixed))
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
        return F.scaled_dot_product_attention(
            q, k, v, is_causal=is_prefix and n_new > 1, scale=1.0
        ).transpose(1, 2)

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.dropout, self.training)


class Transformer(nn.Module):
    """Events and where they stand in; logits of the next sound, and of its duration given that sound, out."""

    starts: Tensor  # (C,) row of the place table where each context column begins

    def __init__(self, settings: ModelSettings, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.settings, self.vocabulary = settings, vocabulary
        width = settings.width
        self.sounds = nn.Embedding(vocabulary.n_sounds, width)
        self.durations = nn.Embedding(vocabulary.n_durations, width)
        self.places = nn.EmbeddingBag(sum(vocabulary.context_sizes), width, mode="sum")
        starts = torch.tensor(
            [sum(vocabulary.context_sizes[:i]) for i in range(len(vocabulary.context_sizes))]
        )
        self.register_buffer("starts", starts, persistent=False)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))
        self.norm = _normalization(settings)
        self.heads = OutputLayer(width, vocabulary, is_relative=settings.relative_output)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                nn.init.normal_(
                    parameter,
                    std=0.02 / (2 * settings.layers) ** 0.5
                    if name.endswith(("project_out.weight", "narrow.weight"))
                    else 0.02,
                )

    def forward(
        self,
        events: Tensor,
        context: Tensor,
        ticks: Tensor,
        cache: KVCache | None = None,
        packing: Packing | None = None,
    ) -> Tensor:
        """(B, T, D) hidden states; row t predicts event t + 1. With a packing (N, D), those that are wanted.

        Args:
            events: (B, T, 2) sound and duration ids.
            context: (B, T, C) where the next event goes.
            ticks: (B, T + 1) onsets of the events and, last, of the one to come.
            cache: what came before; it is made longer by T.
            packing: of sequences of different lengths, without a cache; nothing is computed for what is not there.
        """
        batch, n_new = events.shape[:2]
        first = cache.length if cache is not None else 0
        event_indices = torch.arange(
            first, first + n_new, device=events.device, dtype=torch.float32
        ).expand(batch, n_new)
        positions = event_indices, ticks[:, :-1], ticks[:, 1:]
        if packing is None:
            return self._hidden_states(events, context, positions, cache)
        is_present = (
            torch.arange(n_new)[None] < torch.tensor(packing.lengths)[:, None]
        )  # on the processor, which knows their number
        rows = tuple(axis.to(events.device) for axis in is_present.nonzero(as_tuple=True))
        event_indices, onsets, next_onsets = (own[rows][None] for own in positions)
        selected = packing.is_needed[rows].nonzero()[:, 0]
        return self._hidden_states(
            events[rows][None],
            context[rows][None],
            (event_indices, onsets, next_onsets),
            None,
            packing.lengths,
            selected,
        )[0]

    def _hidden_states(
        self,
        events: Tensor,
        context: Tensor,
        positions: tuple[Tensor, Tensor, Tensor],
        cache: KVCache | None,
        lengths: Sequence[int] | None = None,
        selected: Tensor | None = None,
    ) -> Tensor:
        """(B, T, D) hidden states, of events with their (B, T) number, onset, and onset of the next one; or of those `selected`."""
        batch, n_new = events.shape[:2]
        embedded = self.sounds(events[..., 0]) + self.durations(events[..., 1])
        if self.training and self.settings.input_dropout:
            embedded, context = self._input_dropout(embedded, context)
        places = (context + self.starts).view(batch * n_new, -1)
        x = embedded + summed_rows(self.places.weight, places).view(batch, n_new, -1)
        x = dropout(x, self.settings.dropout, self.training)
        event_indices, onsets, next_onsets = positions
        rotations = self._rotations(event_indices, next_onsets, onsets)
        for layer, block in enumerate(self.blocks):
            is_last = layer == len(self.blocks) - 1
            x = block(x, rotations, cache, layer, lengths, selected if is_last else None)
        if cache is not None:
            cache.length += n_new
        normed: Tensor = self.norm(x)
        return normed

    def _input_dropout(self, embedded: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Events and columns of the context with some of them hidden: 0 says nothing."""
        rate = self.settings.input_dropout
        keeps = (
            torch.rand(*context.shape[:-1], context.shape[-1] + 1, device=embedded.device) >= rate
        )
        return embedded * keeps[..., :1], context * keeps[..., 1:]

    def _rotations(self, event_indices: Tensor, next_onsets: Tensor, onsets: Tensor) -> Tensor:
        """(B, T, 3, 1, K / 2) complex turns of queries, which are also scaled, keys, and values, which stay as they are.

        Half of them are by order, half by time.
        """
        places = [
            torch.stack([event_indices, ticks / TICKS_PER_ROTARY_UNIT], dim=-1)
            for ticks in (next_onsets, onsets)
        ]
        angles = torch.stack(places, dim=2)[..., None] * rotary_frequencies(
            self.settings, event_indices.device
        )
        angles = F.pad(angles.flatten(-2), (0, 0, 0, 1))
        sizes = torch.ones_like(angles)
        sizes[:, :, 0] = (self.settings.width // self.settings.heads) ** -0.5
        return torch.polar(sizes, angles)[..., None, :]


def _normalization(settings: ModelSettings) -> nn.Module:
    if settings.normalization == "none":
        return nn.Identity()
    return (nn.LayerNorm if settings.normalization == "layer" else nn.RMSNorm)(
        settings.width, eps=NORM_EPSILON
    )


def rotary_frequencies(settings: ModelSettings, device: torch.device) -> Tensor:
    """(K / 4,) radians by which pairs of a head turn for each event, and for each sixteenth."""
    n_each = settings.width // settings.heads // 4
    return 512.0 ** -(torch.arange(n_each, device=device) / n_each)


def n_parameters(model: nn.Module) -> int:
    """Trainable numbers of a model."""
    return sum(parameter.numel() for parameter in model.parameters())


def _rotated(x: Tensor, rotations: Tensor) -> Tensor:
    pairs = torch.view_as_complex(x.float().view(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * rotations).flatten(-2).to(x.dtype)
