"""The transformer's own module one event at a time, on its device: the decoder for a GPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqmusic.model.decoding.array_decoder import check_capacity
from seqmusic.model.decoding.packed_model import Floats, Ids
from seqmusic.model.transformer import KVCache, Transformer


class ModuleDecoder:
    """N sequences that grow by one event each at a time; see `decoder.Decoder`."""

    def __init__(self, model: Transformer, n_rows: int, max_length: int) -> None:
        self.model, self.n_rows, self.max_length = model, n_rows, max_length
        self.device = next(model.parameters()).device
        self.cache = KVCache(model.settings, n_rows, max_length, self.device)
        self.hidden = torch.empty(0)

    @property
    def length(self) -> int:
        """Events so far."""
        return self.cache.length

    @torch.inference_mode()
    def prefill(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """See `decoder.Decoder`."""
        check_capacity(self.length + events.shape[1], self.max_length)
        inputs = (
            self._tensor(ids).expand(self.n_rows, *ids.shape[1:])
            for ids in (events, context, ticks)
        )
        self.hidden = self.model(*inputs, self.cache)[:, -1]

    def step(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """See `decoder.Decoder`."""
        self.prefill(events[:, None], context[:, None], ticks)

    @torch.inference_mode()
    def select(self, rows: Sequence[int]) -> None:
        """See `decoder.Decoder`."""
        chosen = torch.tensor(list(rows), device=self.device)
        for cached in (self.cache.keys, self.cache.values):
            cached[..., : self.length, :] = cached[:, chosen, :, : self.length]
        self.hidden = self.hidden[chosen]

    @torch.inference_mode()
    def sound_logits(self, context: Ids) -> Floats:
        """See `decoder.Decoder`."""
        logits = self.model.heads.sound_logits(self.hidden, self._tensor(context))
        return logits.cpu().numpy()

    @torch.inference_mode()
    def duration_logits(self, context: Ids, sounds: Ids) -> Floats:
        """See `decoder.Decoder`."""
        inputs = self._tensor(context), self._tensor(sounds)
        return self.model.heads.duration_logits(self.hidden, *inputs).cpu().numpy()

    def _tensor(self, ids: Ids) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(ids, dtype=np.int64)).to(self.device)
