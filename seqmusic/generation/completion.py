"""From a prompt to candidates: prefill once, then one step a note, all candidates in one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import RequestError
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.partial_candidate import Rule, Stream, choose_durations, choose_sounds
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import Decoder, Model, make_decoder
from seqmusic.score import Note, Score
from seqmusic.tokens.context import SOUND_PITCH
from seqmusic.tokens.grammar import Walk, contexts
from seqmusic.tokens.tokenizer import Event, trace
from seqmusic.tokens.vocabulary import MAX_DURATION

_Ids = NDArray[np.integer[Any]]
Hear = Callable[[int, Note], None]  # told the place of a voice, and a note of it
MOST_ATTEMPTS = 24  # at a candidate whose constraints lead into a dead end


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
    model: Model,
    events: Sequence[Event],
    request: Request,
    constraints: Constraints,
    rule: Rule | None = None,
    hear: Hear | None = None,
) -> list[Candidate]:
    """`request.n` completions of a sequence that ends with BODY, in the order of their streams of chance.

    Candidate i draws from its own stream (seed, i): it does not depend on how many are asked for. One that the constraints lead
    into a dead end is drawn again, from (seed, i, 1), (seed, i, 2) and so on. `hear` is told the notes of the first one as they are
    made, and from the beginning again where it is drawn again.

    Raises:
        RequestError: the music grows longer than the model can follow, or every attempt ended where nothing may be chosen.
    """
    walk = _walked(model, events)
    done: dict[int, Stream] = {}
    for attempt in range(MOST_ATTEMPTS):
        missing = [index for index in range(request.n) if index not in done]
        streams = [
            Stream(walk.copy(), _chance(request, index, attempt), constraints, rule)
            for index in missing
        ]
        n_told: dict[int, int] = {}
        for _ in _steps(model, events, streams, request):
            if hear is not None and missing[0] == 0:
                for place, note in finished_notes(streams[0].walk, n_told):
                    hear(place, note)
        done |= {
            index: stream
            for index, stream in zip(missing, streams, strict=True)
            if not stream.is_stuck
        }
        if len(done) == request.n:
            return [
                Candidate(done[i].walk.score(), done[i].n_events, done[i].log_probability)
                for i in range(request.n)
            ]
    raise _no_way(max(stream.walk.now for stream in streams))


def streamed(
    model: Model,
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
    walk, holds_back = _walked(model, events), constraints.strict or rule is not None
    for attempt in range(MOST_ATTEMPTS):
        stream = Stream(walk.copy(), _chance(request, 0, attempt), constraints, rule)
        n_told: dict[int, int] = {}
        for _ in _steps(model, events, [stream], request):
            if not holds_back:
                yield from finished_notes(stream.walk, n_told)
        if not stream.is_stuck:
            yield from finished_notes(stream.walk, n_told)
            return
        if n_told:
            break
    raise _no_way(stream.walk.now)


def finished_notes(walk: Walk, n_told: dict[int, int]) -> Iterator[tuple[int, Note]]:
    """Composed notes that sound no longer whatever follows, each with the place of its voice; of those not yet told.

    Args:
        walk: while it is composed, or after it.
        n_told: how much of each voice was told; brought up to date.
    """
    for place, line in enumerate(walk.lines):
        may_go_on = not walk.is_finished and line.last[1] == MAX_DURATION
        tiles = line.made[n_told.get(place, 0) : len(line.made) - may_go_on]
        if tiles:
            n_told[place] = n_told.get(place, 0) + len(tiles)
        yield from ((place, t.note) for t in tiles if t.code >= SOUND_PITCH)


def _chance(request: Request, index: int, attempt: int) -> np.random.Generator:
    return np.random.default_rng([request.seed, index, attempt][: 2 + (attempt > 0)])


def _no_way(reached: int) -> RequestError:
    return RequestError(
        f"no way through was found in {MOST_ATTEMPTS} attempts, the last to tick {reached}; "
        "loosen what is asked (strict, scale, compass, a rule of your own), or try another seed"
    )


def _steps(
    model: Model, events: Sequence[Event], streams: Sequence[Stream], request: Request
) -> Iterator[None]:
    """Compose all streams to their ends, event by event, as many at once as the decoder takes."""
    while streams:
        decoder, context = _prefilled(model, events, len(streams))
        yield from _composed(
            decoder, context, streams[: decoder.n_rows], request, model.settings.context_length
        )
        streams = streams[decoder.n_rows :]


def _composed(
    decoder: Decoder, context: _Ids, streams: Sequence[Stream], request: Request, longest: int
) -> Iterator[None]:
    of_pitch, of_rhythm = request.pitch_sampling, request.rhythm_sampling
    said, ticks = (
        np.zeros((len(streams), 2), np.int64),
        np.full((len(streams), 2), streams[0].walk.now),
    )
    while composed := [stream for stream in streams if not stream.is_done]:
        if decoder.length >= longest:
            reached = min(stream.walk.now for stream in composed)
            raise RequestError(
                f"the music grew beyond the {longest} events this model follows (at tick {reached} of {streams[0].walk.end}); "
                "ask for fewer bars"
            )
        is_all = len(composed) == len(streams)
        rows = (
            slice(None)
            if is_all
            else [row for row, stream in enumerate(streams) if not stream.is_done]
        )
        said[rows, 0] = sounds = choose_sounds(
            composed, decoder.sound_logits(context)[rows], of_pitch
        )
        lasting = decoder.duration_logits(context, said[:, 0])[rows]
        said[rows, 1] = durations = choose_durations(composed, lasting, sounds, of_rhythm)
        for stream, sound, duration in zip(composed, sounds, durations, strict=True):
            stream.advance(sound, duration)
        context[rows] = contexts(
            [stream.walk.context_row() for stream in composed], streams[0].walk.max_voices
        )
        ticks[:, 0] = ticks[:, 1]
        ticks[rows, 1] = [stream.walk.now for stream in composed]
        decoder.step(said, context, ticks)
        yield


def fed(model: Model, events: Sequence[Event]) -> tuple[Walk, Decoder, _Ids]:
    """Where a sequence stands after its last event, a decoder that has heard it, and (1, C) the context to ask it with.

    Raises:
        RequestError: the sequence is longer than the model can follow.
    """
    return _walked(model, events), *_prefilled(model, events, 1)


def _walked(model: Model, events: Sequence[Event]) -> Walk:
    walk = Walk(model.vocabulary.max_voices)
    for sound, duration in events[1:]:
        walk.push(sound, duration)
    return walk


def _prefilled(model: Model, events: Sequence[Event], n: int) -> tuple[Decoder, _Ids]:
    """A decoder of `n` sequences, or the first of them, that have the prompt in common, and (N, C) where these stand after it."""
    longest = model.settings.context_length
    if len(events) >= longest:
        raise RequestError(f"the prompt has {len(events)} events; this model follows {longest}")
    decoder, prompt = make_decoder(model, n, longest), trace(events, model.vocabulary.max_voices)
    decoder.prefill(
        prompt.events[None], prompt.context[None], np.concatenate(([0], prompt.ticks))[None]
    )
    return decoder, prompt.context[-1:].repeat(decoder.n_rows, 0)
