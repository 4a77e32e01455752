"""Candidates that grow together, one event each at a time, on one decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import RequestError
from seqmusic.generation.partial_candidate import (
    PartialCandidate,
    choose_durations,
    choose_sounds,
)
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import DecodableModel, Decoder, make_decoder
from seqmusic.tokens.context_rows import clipped_contexts
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import Event, trace

_Ids = NDArray[np.integer[Any]]


class CandidateBatch:
    """Candidates of one request, which continue the same sequence.

    Attributes:
        candidates: one for each row of the decoder.
    """

    def __init__(
        self,
        model: DecodableModel,
        events: Sequence[Event],
        candidates: Sequence[PartialCandidate],
        request: Request,
        *,
        compiled: bool | None = None,
    ) -> None:
        """As many of the candidates as the decoder takes.

        Args:
            model: a trained model.
            events: the sequence, up to and including BODY.
            candidates: in the state after it, each one of its own.
            request: how events are drawn.
            compiled: as for `make_decoder`.

        Raises:
            RequestError: the sequence is longer than the model can follow.
        """
        self._decoder, self._context = prefilled_decoder(model, events, len(candidates), compiled)
        self.candidates = list(candidates[: self._decoder.n_rows])
        self._sampling = request.pitch_sampling, request.rhythm_sampling
        self._context_length = model.settings.context_length
        n_rows, start = len(self.candidates), candidates[0].state
        self._max_voices, self._events = start.max_voices, np.zeros((n_rows, 2), np.int64)
        self._ticks = np.full((n_rows, 2), start.tick)  # of the last event, of the next one

    @property
    def is_done(self) -> bool:
        """Whether no candidate goes on."""
        return all(candidate.is_done for candidate in self.candidates)

    def grow(self) -> None:
        """Draw one more event for each unfinished candidate.

        Raises:
            RequestError: the music is longer than the model can follow.
        """
        active = [candidate for candidate in self.candidates if not candidate.is_done]
        self._require_room(active)
        # All rows are decoded, but events are drawn only for those of active candidates.
        rows: slice | list[int] = slice(None)
        if len(active) < len(self.candidates):
            rows = [row for row, one in enumerate(self.candidates) if not one.is_done]
        pitch_sampling, rhythm_sampling = self._sampling
        decoder, context, events = self._decoder, self._context, self._events
        sound_logits = decoder.sound_logits(context)[rows]
        events[rows, 0] = sounds = choose_sounds(active, sound_logits, pitch_sampling)
        duration_logits = decoder.duration_logits(context, events[:, 0])[rows]
        durations = choose_durations(active, duration_logits, sounds, rhythm_sampling)
        events[rows, 1] = durations
        for candidate, sound, duration in zip(active, sounds, durations, strict=True):
            candidate.advance(sound, duration)
        contexts = [candidate.state.context_row() for candidate in active]
        context[rows] = clipped_contexts(contexts, self._max_voices)
        self._ticks[:, 0] = self._ticks[:, 1]
        self._ticks[rows, 1] = [candidate.state.tick for candidate in active]
        decoder.step(events, context, self._ticks)

    def select(self, rows: Sequence[int]) -> None:
        """Make each candidate a copy of one of the rows named, but for its random numbers."""
        if list(rows) == list(range(len(self.candidates))):
            return
        self.candidates = [
            self.candidates[row].copy_with(slot.rng)
            for row, slot in zip(rows, self.candidates, strict=True)
        ]
        self._decoder.select(rows)
        chosen = list(rows)
        self._context, self._events = self._context[chosen], self._events[chosen]
        self._ticks = self._ticks[chosen]

    def _require_room(self, active: Sequence[PartialCandidate]) -> None:
        if active and self._decoder.length >= self._context_length:
            tick, end = min(one.state.tick for one in active), active[0].state.end
            raise RequestError(
                f"the music grew beyond the {self._context_length} events this model follows "
                f"(at tick {tick} of {end}); ask for fewer bars"
            )


def state_after(events: Sequence[Event], max_voices: int) -> GrammarState:
    """The grammar state after a sequence, which begins with BOS."""
    state = GrammarState(max_voices)
    for sound, duration in events[1:]:
        state.push(sound, duration)
    return state


def too_long_error(subject: str, n_events: int, context_length: int) -> RequestError:
    """The refusal of music that has more events than a model can follow."""
    return RequestError(f"the {subject} has {n_events} events; this model follows {context_length}")


def prefilled_decoder(
    model: DecodableModel, events: Sequence[Event], n: int, compiled: bool | None = None
) -> tuple[Decoder, _Ids]:
    """A decoder of N sequences with the same prompt, and (N, C) their contexts after it.

    N is `n`, or less if the decoder takes fewer at once.

    Raises:
        RequestError: the sequence is longer than the model can follow.
    """
    context_length = model.settings.context_length
    if len(events) >= context_length:
        raise too_long_error("prompt", len(events), context_length)
    decoder = make_decoder(model, n, context_length, compiled)
    prompt = trace(events, model.vocabulary.max_voices)
    ticks = np.concatenate(([0], prompt.ticks))
    decoder.prefill(prompt.events[None], prompt.context[None], ticks[None])
    return decoder, prompt.context[-1:].repeat(decoder.n_rows, 0)
