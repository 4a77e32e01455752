"""The transformer's own module one event at a time, on its device: what decodes on a GPU."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from seqmusic.model.decoding.array_decoder import check_capacity
from seqmusic.model.decoding.array_model import Floats, Ids
from seqmusic.model.transformer import KVCache, Transformer


class ModuleDecoder:
    """N sequences that grow by one event each at a time; see `decoding.Decoder`."""

    def __init__(self, model: Transformer, n_rows: int, length: int) -> None:
        self.model, self.n_rows = model, n_rows
        self.device = next(model.parameters()).device
        self.cache = KVCache(model.settings, n_rows, length, self.device)
        self.hidden = torch.empty(0)

    @property
    def length(self) -> int:
        """Events so far."""
        return self.cache.length

    @torch.inference_mode()
    def prefill(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """See `decoding.Decoder`."""
        check_capacity(self.length + events.shape[1], self.cache.keys.shape[-2])
        heard, places, moments = (
            self._tensor(own).expand(self.n_rows, *own.shape[1:])
            for own in (events, context, ticks)
        )
        self.hidden = self.model(heard, places, moments, self.cache)[:, -1]

    def step(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """See `decoding.Decoder`."""
        self.prefill(events[:, None], context[:, None], ticks)

    @torch.inference_mode()
    def sound_logits(self, context: Ids) -> Floats:
        """See `decoding.Decoder`."""
        return self.model.heads.sound_logits(self.hidden, self._tensor(context)).cpu().numpy()

    @torch.inference_mode()
    def duration_logits(self, context: Ids, sounds: Ids) -> Floats:
        """See `decoding.Decoder`."""
        return (
            self.model.heads.duration_logits(
                self.hidden, self._tensor(context), self._tensor(sounds)
            )
            .cpu()
            .numpy()
        )

    def _tensor(self, ids: Ids) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(ids, dtype=np.int64)).to(self.device)
