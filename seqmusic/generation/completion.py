"""From a prompt to candidates: prefill once, then one step a note, all candidates in one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import RequestError
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.partial_candidate import (
    PartialCandidate,
    Rule,
    choose_durations,
    choose_sounds,
)
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import DecodableModel, Decoder, make_decoder
from seqmusic.score import Note, Score
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.context_rows import clipped_contexts
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import Event, trace
from seqmusic.tokens.vocabulary import MAX_DURATION

_Ids = NDArray[np.integer[Any]]
OnNote = Callable[[int, Note], None]  # told the place of a voice, and a note of it
MAX_ATTEMPTS = 24  # at a candidate whose constraints lead into a dead end


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer.

    Attributes:
        score: the whole piece, what was given included.
        n_events: composed notes and rests.
        log_probability: of what was composed, under the model at temperature 1, in nats.
    """

    score: Score
    n_events: int
    log_probability: float

    @property
    def log_probability_per_note(self) -> float:
        """Nats a composed note or rest; higher is less surprising."""
        return self.log_probability / max(1, self.n_events)


def complete(
    model: DecodableModel,
    events: Sequence[Event],
    request: Request,
    constraints: Constraints,
    rule: Rule | None = None,
    on_note: OnNote | None = None,
) -> list[Candidate]:
    """`request.n` completions of a sequence that ends with BODY, in the order of their streams of chance.

    Candidate i draws from its own stream (seed, i): it does not depend on how many are asked for. One that the constraints lead
    into a dead end is drawn again, from (seed, i, 1), (seed, i, 2) and so on. `on_note` is told the notes of the first one as they are
    made, and from the beginning again where it is drawn again.

    Raises:
        RequestError: the music grows longer than the model can follow, or every attempt ended where nothing may be chosen.
    """
    state = _state_after(model, events)
    done: dict[int, PartialCandidate] = {}
    for attempt in range(MAX_ATTEMPTS):
        missing = [index for index in range(request.n) if index not in done]
        candidates = [
            PartialCandidate(state.copy(), _rng(request, index, attempt), constraints, rule)
            for index in missing
        ]
        n_emitted: dict[int, int] = {}
        for _ in _compose_steps(model, events, candidates, request):
            if on_note is not None and missing[0] == 0:
                for place, note in finished_notes(candidates[0].state, n_emitted):
                    on_note(place, note)
        done |= {
            index: stream
            for index, stream in zip(missing, candidates, strict=True)
            if not stream.is_stuck
        }
        if len(done) == request.n:
            return [
                Candidate(done[i].state.score(), done[i].n_events, done[i].log_probability)
                for i in range(request.n)
            ]
    raise _dead_end_error(max(stream.state.tick for stream in candidates))


def stream_notes(
    model: DecodableModel,
    events: Sequence[Event],
    request: Request,
    constraints: Constraints,
    rule: Rule | None = None,
) -> Iterator[tuple[int, Note]]:
    """The notes of `complete`'s first candidate, each with the place of its voice, as they are made.

    What was told is not taken back: where `strict` or a rule may lead into a dead end, notes come once a way through is found.

    Raises:
        RequestError: as for `complete`.
    """
    state, holds_back = _state_after(model, events), constraints.strict or rule is not None
    for attempt in range(MAX_ATTEMPTS):
        stream = PartialCandidate(state.copy(), _rng(request, 0, attempt), constraints, rule)
        n_emitted: dict[int, int] = {}
        for _ in _compose_steps(model, events, [stream], request):
            if not holds_back:
                yield from finished_notes(stream.state, n_emitted)
        if not stream.is_stuck:
            yield from finished_notes(stream.state, n_emitted)
            return
        if n_emitted:
            break
    raise _dead_end_error(stream.state.tick)


def finished_notes(state: GrammarState, n_emitted: dict[int, int]) -> Iterator[tuple[int, Note]]:
    """Composed notes that sound no longer whatever follows, each with the place of its voice; of those not yet told.

    Args:
        state: while it is composed, or after it.
        n_emitted: how much of each voice was told; brought up to date.
    """
    for place, line in enumerate(state.lines):
        may_go_on = not state.is_finished and line.last_event[1] == MAX_DURATION
        segments = line.composed[n_emitted.get(place, 0) : len(line.composed) - may_go_on]
        if segments:
            n_emitted[place] = n_emitted.get(place, 0) + len(segments)
        yield from ((place, t.note) for t in segments if t.code >= PITCH_CODE)


def _rng(request: Request, index: int, attempt: int) -> np.random.Generator:
    return np.random.default_rng([request.seed, index, attempt][: 2 + (attempt > 0)])


def _dead_end_error(reached: int) -> RequestError:
    return RequestError(
        f"no way through was found in {MAX_ATTEMPTS} attempts, the last to tick {reached}; "
        "loosen what is asked (strict, scale, compass, a rule of your own), or try another seed"
    )


def _compose_steps(
    model: DecodableModel,
    events: Sequence[Event],
    candidates: Sequence[PartialCandidate],
    request: Request,
) -> Iterator[None]:
    """Compose all streams to their ends, event by event, as many at once as the decoder takes."""
    while candidates:
        decoder, context = _prefilled_decoder(model, events, len(candidates))
        yield from _compose_batch(
            decoder, context, candidates[: decoder.n_rows], request, model.settings.context_length
        )
        candidates = candidates[decoder.n_rows :]


def _compose_batch(
    decoder: Decoder,
    context: _Ids,
    candidates: Sequence[PartialCandidate],
    request: Request,
    context_length: int,
) -> Iterator[None]:
    of_pitch, of_rhythm = request.pitch_sampling, request.rhythm_sampling
    said, ticks = (
        np.zeros((len(candidates), 2), np.int64),
        np.full((len(candidates), 2), candidates[0].state.tick),
    )
    while composed := [stream for stream in candidates if not stream.is_done]:
        if decoder.length >= context_length:
            reached = min(stream.state.tick for stream in composed)
            raise RequestError(
                f"the music grew beyond the {context_length} events this model follows (at tick {reached} of {candidates[0].state.end}); "
                "ask for fewer bars"
            )
        is_all = len(composed) == len(candidates)
        rows = (
            slice(None)
            if is_all
            else [row for row, stream in enumerate(candidates) if not stream.is_done]
        )
        said[rows, 0] = sounds = choose_sounds(
            composed, decoder.sound_logits(context)[rows], of_pitch
        )
        lasting = decoder.duration_logits(context, said[:, 0])[rows]
        said[rows, 1] = durations = choose_durations(composed, lasting, sounds, of_rhythm)
        for stream, sound, duration in zip(composed, sounds, durations, strict=True):
            stream.advance(sound, duration)
        context[rows] = clipped_contexts(
            [stream.state.context_row() for stream in composed], candidates[0].state.max_voices
        )
        ticks[:, 0] = ticks[:, 1]
        ticks[rows, 1] = [stream.state.tick for stream in composed]
        decoder.step(said, context, ticks)
        yield


def prefill_prompt(
    model: DecodableModel, events: Sequence[Event]
) -> tuple[GrammarState, Decoder, _Ids]:
    """Where a sequence stands after its last event, a decoder that has heard it, and (1, C) the context to ask it with.

    Raises:
        RequestError: the sequence is longer than the model can follow.
    """
    return _state_after(model, events), *_prefilled_decoder(model, events, 1)


def _state_after(model: DecodableModel, events: Sequence[Event]) -> GrammarState:
    state = GrammarState(model.vocabulary.max_voices)
    for sound, duration in events[1:]:
        state.push(sound, duration)
    return state


def _prefilled_decoder(
    model: DecodableModel, events: Sequence[Event], n: int
) -> tuple[Decoder, _Ids]:
    """A decoder of `n` sequences, or the first of them, that have the prompt in common, and (N, C) where these stand after it."""
    context_length = model.settings.context_length
    if len(events) >= context_length:
        raise RequestError(
            f"the prompt has {len(events)} events; this model follows {context_length}"
        )
    decoder, prompt = (
        make_decoder(model, n, context_length),
        trace(events, model.vocabulary.max_voices),
    )
    decoder.prefill(
        prompt.events[None], prompt.context[None], np.concatenate(([0], prompt.ticks))[None]
    )
    return decoder, prompt.context[-1:].repeat(decoder.n_rows, 0)
