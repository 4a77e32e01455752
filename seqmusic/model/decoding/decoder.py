"""The model one event at a time, arrays in and arrays out: what generation asks, and the ways to answer.

On a processor the step is `array_decoding`'s, which needs no torch, or `compiled_decoding`'s, which is faster once it is loaded;
elsewhere, on a GPU, the module itself takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seqmusic.model.decoding.array_decoder import ArrayDecoder
from seqmusic.model.decoding.array_model import ArrayModel, Ids, pack_model

if TYPE_CHECKING:
    from seqmusic.model.transformer import Transformer

DecodableModel: TypeAlias = "Transformer | ArrayModel"
Logits = NDArray[np.floating[Any]]
MAX_UNCOMPILED_DECODERS = (
    4  # decoders of a program, which are done sooner than compiled code is loaded
)
_MAX_COMPILED_ROWS = 8  # whose past stays in the processor's cache, beside the weights; of sixteen, each takes longer
_decoder_count = count()


class Decoder(Protocol):
    """N sequences that grow by one event each at a time; more than they were made for is a ValueError."""

    @property
    def n_rows(self) -> int:
        """How many sequences, N."""

    @property
    def length(self) -> int:
        """Events so far."""

    def prefill(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """Take the first events; what is given once, with 1 for N, all sequences have in common.

        Args:
            events: (N, T, 2) sound and duration ids.
            context: (N, T, C) where the next event goes.
            ticks: (N, T + 1) onsets of the events and, last, of the one to come.
        """

    def step(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """Take one event more.

        Args:
            events: (N, 2) sound and duration ids.
            context: (N, C) where the next event goes.
            ticks: (N, 2) onsets of the event and of the one to come.
        """

    def sound_logits(self, context: Ids) -> Logits:
        """(N, V) logits of the next sounds, given the (N, C) context where they go."""

    def duration_logits(self, context: Ids, sounds: Ids) -> Logits:
        """(N, 97) logits of the next durations, given also the (N,) sounds."""


def make_decoder(model: DecodableModel, n_rows: int, length: int) -> Decoder:
    """The fastest way to decode `n_rows` sequences of at most `length` events on the model's device, or the first of them."""
    if isinstance(ready := prepare_for_decoding(model), ArrayModel):
        kind = (
            fastest_decoder_class()
            if next(_decoder_count) >= MAX_UNCOMPILED_DECODERS
            else ArrayDecoder
        )
        return kind(
            ready, n_rows if kind is ArrayDecoder else min(n_rows, _MAX_COMPILED_ROWS), length
        )
    from seqmusic.model.decoding.module_decoder import ModuleDecoder

    return ModuleDecoder(ready, n_rows, length)


@cache
def fastest_decoder_class() -> Callable[[ArrayModel, int, int], Decoder]:
    """The decoder that is compiled, where the extra `fast` is installed."""
    try:
        from seqmusic.model.decoding.compiled_decoder import CompiledDecoder
    except ImportError:
        return ArrayDecoder
    return CompiledDecoder


def prepare_for_decoding(model: DecodableModel) -> DecodableModel:
    """The model as `make_decoder` wants it, to be made once where it is called often."""
    is_elsewhere = (
        not isinstance(model, ArrayModel) and next(model.parameters()).device.type != "cpu"
    )
    return model if is_elsewhere else to_array_model(model)


def to_array_model(model: DecodableModel) -> ArrayModel:
    """The model's weights as they are now, packed for decoding on a processor."""
    if isinstance(model, ArrayModel):
        return model
    weights = {
        name: tensor.detach().float().cpu().numpy() for name, tensor in model.state_dict().items()
    }
    return pack_model(weights, model.settings, model.vocabulary)
