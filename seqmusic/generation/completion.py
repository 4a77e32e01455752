"""From a prompt to candidates: one prefill, then one step per note, all candidates in a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import DeadEndError
from seqmusic.formats.notebook import mime_bundle
from seqmusic.generation.candidate_batch import CandidateBatch, prefilled_decoder, state_after
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.partial_candidate import PartialCandidate, Rule
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import DecodableModel, Decoder
from seqmusic.score import Note, Score
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import Event
from seqmusic.tokens.vocabulary import MAX_DURATION

_Ids = NDArray[np.integer[Any]]
OnNote = Callable[[int, Note], None]
"""Receives the index of a voice in the score, and a note of it."""
MAX_ATTEMPTS = 24  # at a candidate whose constraints lead into a dead end


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer to a request.

    Attributes:
        score: the whole piece, given notes included.
        n_events: composed notes and rests.
        log_probability: of the composed events, under the model at temperature 1, in nats.
    """

    score: Score
    n_events: int
    log_probability: float

    @property
    def log_probability_per_note(self) -> float:
        """Nats per composed note or rest; higher is less surprising."""
        return self.log_probability / max(1, self.n_events)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """The score as a notebook shows it, with the surprise of the candidate."""
        bits = -self.log_probability_per_note / math.log(2)
        caption = f"{self.n_events} composed notes and rests, {bits:.2f} bits each"
        return mime_bundle(self.score, repr(self), caption)


def complete(
    model: DecodableModel,
    events: Sequence[Event],
    request: Request,
    constraints: Constraints,
    rule: Rule | None = None,
    on_note: OnNote | None = None,
) -> list[Candidate]:
    """`request.n` completions of a sequence that ends with BODY.

    Candidate i draws from a generator of its own, seeded with (seed, i): it does not depend on how
    many candidates there are. If the constraints lead it into a dead end, it is drawn again, from
    (seed, i, 1), (seed, i, 2) and so on.

    Args:
        model: a trained model.
        events: the sequence, up to and including BODY.
        request: how many candidates, and how they are drawn.
        constraints: what they must obey.
        rule: a rule of the caller.
        on_note: receives the notes of candidate 0 as they are composed, and from the beginning
            again if it is drawn again.

    Raises:
        RequestError: the music grows longer than the model can follow, or every attempt ended in a
            dead end.
    """
    done: dict[int, PartialCandidate] = {}
    for candidates, steps in _attempts(model, events, request, constraints, rule):
        n_emitted: dict[int, int] = {}
        for _ in steps:
            if on_note is not None and 0 in candidates:
                for voice_index, note in finished_notes(candidates[0].state, n_emitted):
                    on_note(voice_index, note)
        done |= candidates
    return [finished_candidate(done[index]) for index in range(request.n)]


def finished_candidate(candidate: PartialCandidate) -> Candidate:
    """The candidate that has been composed."""
    return Candidate(candidate.state.score(), candidate.n_events, candidate.log_probability)


def stream_notes(
    model: DecodableModel,
    events: Sequence[Event],
    request: Request,
    constraints: Constraints,
    rule: Rule | None = None,
) -> Iterator[tuple[int, Note]]:
    """The notes of candidate 0 of `complete`, each with its voice index, as they are composed.

    No note is taken back: where `strict` or a rule may lead into a dead end, the notes are held
    back until an attempt has reached the end.

    Raises:
        RequestError: as for `complete`.
    """
    holds_back = constraints.strict or rule is not None
    for candidates, steps in _attempts(model, events, replace(request, n=1), constraints, rule):
        candidate = candidates[0]
        n_emitted: dict[int, int] = {}
        for _ in steps:
            if not holds_back:
                yield from finished_notes(candidate.state, n_emitted)
        if not candidate.is_stuck:
            yield from finished_notes(candidate.state, n_emitted)
        elif n_emitted:
            raise dead_end_error(candidate.state.tick)


def finished_notes(state: GrammarState, n_emitted: dict[int, int]) -> Iterator[tuple[int, Note]]:
    """Composed notes whose end is certain and that were not returned before, with voice indices.

    Args:
        state: during composition, or after it.
        n_emitted: segments of each voice that were returned before; it is brought up to date.
    """
    for voice_index, line in enumerate(state.lines):
        may_be_held = not state.is_finished and line.last_event[1] == MAX_DURATION
        start, stop = n_emitted.get(voice_index, 0), len(line.composed) - may_be_held
        segments = line.composed[start:stop]
        if segments:
            n_emitted[voice_index] = start + len(segments)
        for segment in segments:
            if segment.code >= PITCH_CODE:
                yield voice_index, state.note(segment)


def _attempts(
    model: DecodableModel,
    events: Sequence[Event],
    request: Request,
    constraints: Constraints,
    rule: Rule | None,
) -> Iterator[tuple[dict[int, PartialCandidate], Iterator[None]]]:
    """Attempts at the candidates that are missing, by index, each with the steps that compose them.

    The steps must be exhausted before the next attempt; it is the last one if none got stuck.

    Raises:
        RequestError: candidates are missing after `MAX_ATTEMPTS`.
    """
    state = state_after(events, model.vocabulary.max_voices)
    missing = list(range(request.n))
    for attempt in range(MAX_ATTEMPTS):
        candidates = {
            index: PartialCandidate(
                state.copy(), _make_rng(request.seed, index, attempt), constraints, rule
            )
            for index in missing
        }
        yield candidates, _compose_steps(model, events, list(candidates.values()), request)
        missing = [index for index, candidate in candidates.items() if candidate.is_stuck]
        if not missing:
            return
    raise dead_end_error(max(candidate.state.tick for candidate in candidates.values()))


def _make_rng(seed: int, index: int, attempt: int) -> np.random.Generator:
    return np.random.default_rng([seed, index, attempt] if attempt else [seed, index])


def dead_end_error(tick: int) -> DeadEndError:
    """The refusal where every attempt ended in a dead end."""
    return DeadEndError(
        f"no solution was found in {MAX_ATTEMPTS} attempts, the last of which reached tick {tick}; "
        "loosen the constraints (strict, scale, compass, your rule), or try another seed"
    )


def _compose_steps(
    model: DecodableModel,
    events: Sequence[Event],
    candidates: Sequence[PartialCandidate],
    request: Request,
) -> Iterator[None]:
    """Compose all candidates to their ends, event by event, in batches that the decoder takes."""
    while candidates:
        batch = CandidateBatch(model, events, candidates, request)
        candidates = candidates[len(batch.candidates) :]
        while not batch.is_done:
            batch.grow()
            yield


def prefill_prompt(
    model: DecodableModel, events: Sequence[Event]
) -> tuple[GrammarState, Decoder, _Ids]:
    """State after a sequence, a decoder that has read it, and (1, C) the context of the next event.

    Raises:
        RequestError: the sequence is longer than the model can follow.
    """
    state = state_after(events, model.vocabulary.max_voices)
    return state, *prefilled_decoder(model, events, 1)
