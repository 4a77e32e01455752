"""Decoding one event at a time, arrays in and arrays out: what generation needs of a model.

On a processor this is done by `array_decoder`, without torch; on a GPU by the transformer's module.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import MissingExtraError
from seqmusic.model.decoding import forward
from seqmusic.model.decoding.array_decoder import ArrayDecoder
from seqmusic.model.decoding.packed_model import ArrayModel, Ids, pack_model

if TYPE_CHECKING:
    from seqmusic.model.transformer import Transformer

logger = logging.getLogger(__name__)
DecodableModel: TypeAlias = "Transformer | ArrayModel"
Logits = NDArray[np.floating[Any]]
# Keys and values of so many rows stay in the processor's cache, beside the weights.
_MAX_COMPILED_ROWS = 8


class Decoder(Protocol):
    """N sequences that grow by one event each at a time.

    Taking more events than the decoder was made for is a ValueError.
    """

    @property
    def n_rows(self) -> int:
        """How many sequences, N."""

    @property
    def length(self) -> int:
        """Events so far."""

    def prefill(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """Take the first events; arrays of one row instead of N hold for all sequences.

        Args:
            events: (N, T, 2) sound and duration ids.
            context: (N, T, C) where the next event goes.
            ticks: (N, T + 1) onsets of the events and, last, of the one to come.
        """

    def step(self, events: Ids, context: Ids, ticks: Ids) -> None:
        """Take one more event.

        Args:
            events: (N, 2) sound and duration ids.
            context: (N, C) where the next event goes.
            ticks: (N, 2) onsets of the event and of the one to come.
        """

    def select(self, rows: Sequence[int]) -> None:
        """Make each sequence a copy of one of the sequences so far, (N,) of their numbers."""

    def sound_logits(self, context: Ids) -> Logits:
        """(N, V) logits of the next sounds, given the (N, C) context where they go."""

    def duration_logits(self, context: Ids, sounds: Ids) -> Logits:
        """(N, 97) logits of the next durations, given also the (N,) sounds."""


def make_decoder(
    model: DecodableModel, n_rows: int, max_length: int, compiled: bool | None = None
) -> Decoder:
    """A decoder of `n_rows` sequences, or of as many of them as it takes, on the model's device.

    Args:
        model: a trained model.
        n_rows: sequences; a compiled decoder takes eight at most.
        max_length: events of a sequence, prompt and steps together.
        compiled: whether to use compiled code on a processor; None for what the model says.

    Raises:
        MissingExtraError: compiled code is required, and numba is not installed.
    """
    ready = prepare_for_decoding(model)
    if isinstance(ready, ArrayModel):
        return make_array_decoder(ready, n_rows, max_length, compiled)
    from seqmusic.model.decoding.module_decoder import ModuleDecoder

    return ModuleDecoder(ready, n_rows, max_length)


def make_array_decoder(
    model: ArrayModel, n_rows: int, max_length: int, compiled: bool | None = None
) -> ArrayDecoder:
    """A decoder as from `make_decoder`, on a processor."""
    compiled = model.compiled if compiled is None else compiled
    backend = None if compiled is False else compiled_backend()
    if backend is not None:
        return ArrayDecoder(model, min(n_rows, _MAX_COMPILED_ROWS), max_length, backend)
    if compiled:
        raise MissingExtraError(
            "compiled decoding needs numba; install it with: pip install 'seqmusic[fast]' "
            "(in a clone: '.[fast]')"
        )
    return ArrayDecoder(model, n_rows, max_length, forward)


@cache
def compiled_backend() -> ModuleType | None:
    """The compiled forward pass; None where numba (extra `fast`) is not installed.

    Compiling takes some seconds, once: later programs load the result from disk.
    """
    started = time.perf_counter()
    try:
        from seqmusic.model.decoding import compiled_kernels
    except ImportError:
        return None
    seconds = time.perf_counter() - started
    if seconds > 1 and not compiled_kernels.is_loaded_from_disk():
        logger.warning("Compiled the decoder for this processor, once, in %.0f seconds", seconds)
    return compiled_kernels


def prepare_for_decoding(model: DecodableModel) -> DecodableModel:
    """The model as `make_decoder` uses it; worth calling once before many decoders are made."""
    if not isinstance(model, ArrayModel) and next(model.parameters()).device.type != "cpu":
        return model
    return to_array_model(model)


def to_array_model(model: DecodableModel) -> ArrayModel:
    """The model's weights as they are now, packed for decoding on a processor."""
    if isinstance(model, ArrayModel):
        return model
    state = model.state_dict().items()
    weights = {name: tensor.detach().float().cpu().numpy() for name, tensor in state}
    return replace(pack_model(weights, model.settings, model.vocabulary), judge=model.judge)
