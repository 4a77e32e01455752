"""The search for candidates: a population for each, of which the best member is returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.generation.candidate_batch import CandidateBatch, state_after
from seqmusic.generation.completion import (
    MAX_ATTEMPTS,
    Candidate,
    OnNote,
    dead_end_error,
    finished_candidate,
    finished_notes,
)
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.partial_candidate import PartialCandidate, Rule
from seqmusic.generation.prompts import Prompt
from seqmusic.generation.request import Request
from seqmusic.generation.search.effort import EFFORTS, SearchSettings
from seqmusic.generation.search.frames import Layout, layout_of
from seqmusic.generation.search.judge import Judge, judge_from_arrays
from seqmusic.generation.search.population import PartialJudgments, evolve
from seqmusic.generation.search.ranking import Term, authentic_ending, judgment, likelihood, ranked
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import Event

JUDGE_WEIGHT = 1.0  # of mean log-odds per frame, beside nats per note


@dataclass(frozen=True, slots=True)
class Search:
    """What candidates are searched with.

    Attributes:
        settings: how much is searched.
        judge: of the music.
        layout: key, meter and length of the piece, in the key in which it is composed.
        start_tick: where the music that is composed begins.
        terms: their sum is highest for the best member of a population.
    """

    settings: SearchSettings
    judge: Judge
    layout: Layout
    start_tick: int
    terms: Sequence[Term]


def search_of(
    model: DecodableModel,
    prompt: Prompt,
    request: Request,
    shift: int,
    terms: Sequence[Term] = (),
) -> Search | None:
    """How to search for a request; None where candidates are drawn once.

    That is so without effort, with a model that has no judge, in other than four voices, without a
    key, and at temperature 0.

    Args:
        model: a trained model.
        prompt: what is given.
        request: how much is searched.
        shift: semitones by which the music is moved while it is composed.
        terms: that candidates are ranked by beside likelihood and judge.
    """
    settings, layout = EFFORTS[request.effort], layout_of(prompt.score.transposed(shift))
    is_certain = request.pitch_sampling.temperature == request.rhythm_sampling.temperature == 0
    starts = [start for line in prompt.holes for start, _ in line]
    if settings is None or model.judge is None or layout is None or is_certain or not starts:
        return None
    judge = judge_from_arrays(model.judge)
    layout = replace(layout, end_ticks=prompt.end_ticks)
    all_terms = (likelihood, judgment(judge, JUDGE_WEIGHT), authentic_ending, *terms)
    return Search(settings, judge, layout, min(starts), all_terms)


def search_candidates(
    model: DecodableModel,
    events: Sequence[Event],
    request: Request,
    constraints: Constraints,
    search: Search,
    rule: Rule | None = None,
    on_note: OnNote | None = None,
) -> list[Candidate]:
    """The best of each of `request.n` populations; the other arguments are as for `complete`.

    Population i depends on (seed, i) alone. If all of its members end in a dead end, it is drawn
    again. `on_note` receives notes of a member of the first one; those of members that are not
    selected are not taken back.

    Raises:
        RequestError: as for `complete`.
    """
    state = state_after(events, model.vocabulary.max_voices)
    found = []
    for index in range(request.n):
        callback = on_note if index == 0 else None
        for attempt in range(MAX_ATTEMPTS):
            key = [request.seed, index, attempt]
            members = _members(state, key, constraints, rule, search.settings.n_particles)
            batch = CandidateBatch(model, events, members, request, compiled=False)
            _evolve(batch, search, np.random.default_rng(key), callback)
            finished = [finished_candidate(one) for one in batch.candidates if not one.is_stuck]
            if finished:
                found.append(ranked(finished, search.terms)[0])
                break
        else:
            raise dead_end_error(max(one.state.tick for one in batch.candidates))
    return found


def _members(
    state: GrammarState, key: Sequence[int], constraints: Constraints, rule: Rule | None, n: int
) -> list[PartialCandidate]:
    """N candidates in the same state, with random numbers of their own."""
    return [
        PartialCandidate(state.copy(), np.random.default_rng([*key, number]), constraints, rule)
        for number in range(n)
    ]


def _evolve(
    batch: CandidateBatch, search: Search, rng: np.random.Generator, on_note: OnNote | None
) -> None:
    """Grow a batch to the end, and select on the way."""
    settings = search.settings
    judgments = PartialJudgments(
        search.judge, search.layout, settings.n_particles, search.start_tick
    )
    n_emitted: dict[int, int] = {}
    for _ in evolve(batch, judgments, rng, settings):
        if on_note is not None:
            for voice_index, note in finished_notes(batch.candidates[0].state, n_emitted):
                on_note(voice_index, note)
