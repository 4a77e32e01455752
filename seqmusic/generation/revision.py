"""Revision of a piece in rounds, in the manner of Gibbs sampling."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from seqmusic.generation.completion import Candidate
from seqmusic.generation.composing import compose_candidates, with_voice_names_of
from seqmusic.generation.prediction import log_likelihoods
from seqmusic.generation.prompts import (
    Prompt,
    fitting_shift,
    regeneration_prompt,
    with_random_holes,
)
from seqmusic.generation.request import Request
from seqmusic.generation.search.ranking import Term, likelihood, ranked
from seqmusic.model.decoding.decoder import DecodableModel, prepare_for_decoding
from seqmusic.runs.pretrained import learned_voice_names
from seqmusic.score import Score

MAX_ROUNDS = 100
_REVISIONS_PER_ROUND = 4  # tried in a round
logger = logging.getLogger(__name__)


def revision(
    model: DecodableModel,
    score: Score,
    request: Request | None = None,
    *,
    share: float,
    rounds: int = 4,
    bars: tuple[int, int] | None = None,
    voices: Sequence[str] = (),
    terms: Sequence[Term] = (),
) -> list[Candidate]:
    """Candidates that are revised in rounds, each at least as likely as a whole as the one before.

    In a round some notes are drawn and composed anew, a few times, with all the others given; the
    likeliest of the results and of the previous version is kept. The log-probability of the whole
    is logged after each round; round 0 is the score as it was.

    Args:
        model: a trained model.
        request: how candidates are drawn, and what they must obey.
        share: of the notes in the bars and voices, 0..1.
        rounds: how many, 1..100.
        score, bars, voices: as for `regeneration`.
        terms: that the results are ranked by beside their likelihood.

    Raises:
        RequestError: as for `regeneration`.
    """
    request = request or Request()
    if not 0 < share <= 1:
        raise ValueError(f"the share of notes must be in 0..1 and not 0, got {share}")
    if not 1 <= rounds <= MAX_ROUNDS:
        raise ValueError(f"rounds must be in 1..{MAX_ROUNDS}, got {rounds}")
    names, model = learned_voice_names(model.vocabulary), prepare_for_decoding(model)

    def open_random_holes(score: Score, rng: np.random.Generator) -> Prompt:
        return with_random_holes(regeneration_prompt(score, bars, voices, names), share, rng)

    revise = partial(_revise, model, score, request, rounds, open_random_holes)
    return ranked(map(revise, range(request.n)), [likelihood, *terms])


def _revise(
    model: DecodableModel,
    score: Score,
    request: Request,
    rounds: int,
    open_random_holes: Callable[[Score, np.random.Generator], Prompt],
    index: int,
) -> Candidate:
    """Candidate number `index` after all rounds."""
    (best,) = _as_candidates(model, [score])
    _log_round(index, 0, best)
    for round_number in range(1, rounds + 1):
        rng = np.random.default_rng([request.seed, index, round_number])
        prompt = open_random_holes(best.score, rng)
        seed = int(rng.integers(2**31))
        drawn_request = replace(request, n=_REVISIONS_PER_ROUND, seed=seed, effort=0)
        drawn = compose_candidates(model, prompt, drawn_request)
        scores = [with_voice_names_of(candidate, score).score for candidate in drawn]
        whole = [best, *_as_candidates(model, scores)]
        best = max(whole, key=lambda candidate: candidate.log_probability)
        _log_round(index, round_number, best)
    return best


def _log_round(index: int, number: int, best: Candidate) -> None:
    logger.warning(
        "candidate %d  round %3d  log-probability %.2f", index + 1, number, best.log_probability
    )


def _as_candidates(model: DecodableModel, scores: Sequence[Score]) -> list[Candidate]:
    """Whole scores as if all of their notes were composed."""
    moved = [score.transposed(fitting_shift(score)) for score in scores]
    likelihoods = log_likelihoods(model, moved)
    return [
        Candidate(score, n_events, nats)
        for score, (nats, n_events) in zip(scores, likelihoods, strict=True)
    ]
