"""The transformer: decoder-only, pre-norm, rotary positions on the order of events and on musical time.

Half of each head turns with the order of events, half with time: a query stands at the onset of the event it predicts, a key at the
onset of its own event, so a score between them can depend on how long ago a note began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmusic.model.heads import Heads, Vocabulary, gelu

TICKS_PER_TURN_UNIT = 6.0  # a sixteenth


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Size and regularization of the transformer."""

    width: int = 128  # embedding size, a multiple of 4 x heads
    layers: int = 4  # blocks, 1 or more
    heads: int = 4  # attention heads
    context_length: int = 1024  # longest sequence in events
    feedforward: int = 4  # width of the feed-forward layer, in widths
    dropout: float = 0.2  # probability, 0..1
    input_dropout: float = 0.0  # probability that an event, and each column beside it, is hidden in training, 0..1
    normalization: str = "layer"  # before attention and feed-forward: layer, rms or none
    relative_output: bool = True  # whether the output layer also says pitches as intervals and durations as lags


NORMALIZATIONS = ("layer", "rms", "none")


def _normalization(settings: ModelSettings) -> nn.Module:
    kinds: dict[str, Callable[[int], nn.Module]] = {"layer": nn.LayerNorm, "rms": nn.RMSNorm, "none": nn.Identity}
    return kinds[settings.normalization](settings.width)


class Cache:
    """Keys and values of the events so far, (L, B, H, S, K) each, allocated once."""

    def __init__(self, settings: ModelSettings, batch: int, length: int, device: torch.device) -> None:
        shape = (settings.layers, batch, settings.heads, length, settings.width // settings.heads)
        self.keys = torch.zeros(shape, device=device)
        self.values = torch.zeros(shape, device=device)
        self.length = 0


class Block(nn.Module):
    """Attention and a feed-forward layer, each on a normalized copy and added back."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        width, self.heads, self.dropout = settings.width, settings.heads, settings.dropout
        self.norm_attention, self.norm_feedforward = _normalization(settings), _normalization(settings)
        self.project_in, self.project_out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.widen = nn.Linear(width, settings.feedforward * width)
        self.narrow = nn.Linear(settings.feedforward * width, width)

    def forward(self, x: Tensor, query_turn: Tensor, key_turn: Tensor, cache: Cache | None, layer: int) -> Tensor:
        batch, n_new, width = x.shape
        q, k, v = (
            self.project_in(self.norm_attention(x)).view(batch, n_new, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        )  # (B, H, T, K)
        q, k = _turned(q, query_turn), _turned(k, key_turn)
        if cache is not None:
            start, end = cache.length, cache.length + n_new
            cache.keys[layer, :, :, start:end], cache.values[layer, :, :, start:end] = k, v
            k, v = cache.keys[layer, :, :, :end], cache.values[layer, :, :, :end]
        is_prefix = cache is None or cache.length == 0
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=is_prefix and n_new > 1)
        x = x + self._drop(self.project_out(mixed.transpose(1, 2).reshape(batch, n_new, width)))
        return x + self._drop(self.narrow(gelu(self.widen(self.norm_feedforward(x)))))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


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
        starts = torch.tensor([sum(vocabulary.context_sizes[:i]) for i in range(len(vocabulary.context_sizes))])
        self.register_buffer("starts", starts, persistent=False)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))
        self.norm = _normalization(settings)
        self.heads = Heads(width, vocabulary, is_relative=settings.relative_output)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                nn.init.normal_(
                    parameter,
                    std=0.02 / (2 * settings.layers) ** 0.5 if name.endswith(("project_out.weight", "narrow.weight")) else 0.02,
                )

    def forward(self, events: Tensor, context: Tensor, ticks: Tensor, cache: Cache | None = None) -> Tensor:
        """(B, T, D) hidden states; row t predicts event t + 1.

        Args:
            events: (B, T, 2) sound and duration ids.
            context: (B, T, C) where the next event goes.
            ticks: (B, T + 1) onsets of the events and, last, of the one to come.
            cache: what came before; it is made longer by T.
        """
        batch, n_new = events.shape[:2]
        said = self.sounds(events[..., 0]) + self.durations(events[..., 1])
        if self.training and self.settings.input_dropout:
            said, context = self._hidden(said, context)
        places = (context + self.starts).view(batch * n_new, -1)
        x = said + self.places(places).view(batch, n_new, -1)
        x = F.dropout(x, self.settings.dropout, self.training)
        first = cache.length if cache is not None else 0
        order = torch.arange(first, first + n_new, device=events.device, dtype=torch.float32).expand(batch, n_new)
        times = ticks.float() / TICKS_PER_TURN_UNIT
        query_turn, key_turn = self._turns(order, times[:, 1:]), self._turns(order, times[:, :-1])
        for layer, block in enumerate(self.blocks):
            x = block(x, query_turn, key_turn, cache, layer)
        if cache is not None:
            cache.length += n_new
        normed: Tensor = self.norm(x)
        return normed

    def _hidden(self, said: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Events and columns of the context with some of them hidden: 0 says nothing."""
        rate = self.settings.input_dropout
        keeps = torch.rand(*context.shape[:-1], context.shape[-1] + 1, device=said.device) >= rate
        return said * keeps[..., :1], context * keeps[..., 1:]

    def _turns(self, order: Tensor, times: Tensor) -> Tensor:
        """(B, 1, T, K / 2) complex turns: half of them by order, half by time."""
        rates = turn_rates(self.settings, order.device)
        angles = torch.cat([order[..., None] * rates, times[..., None] * rates], dim=-1)
        return torch.polar(torch.ones_like(angles), angles)[:, None]


def turn_rates(settings: ModelSettings, device: torch.device) -> Tensor:
    """(K / 4,) radians by which pairs of a head turn for each event, and for each sixteenth."""
    n_each = settings.width // settings.heads // 4
    return 512.0 ** -(torch.arange(n_each, device=device) / n_each)


def n_parameters(model: nn.Module) -> int:
    """Trainable numbers of a model."""
    return sum(parameter.numel() for parameter in model.parameters())


def _turned(x: Tensor, turn: Tensor) -> Tensor:
    pairs = torch.view_as_complex(x.float().view(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turn).flatten(-2).to(x.dtype)
