"""The order of candidates: a sum of terms, of which likelihood and judge are two.

A term is any function of a candidate, higher for a better one. Others can be added, such as what a
person prefers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from seqmusic.generation.completion import Candidate
from seqmusic.generation.search.judge import Judge
from seqmusic.metrics.phrases import cadences

Term = Callable[[Candidate], float]
"""How good a candidate is in one respect, higher for better."""


def likelihood(candidate: Candidate) -> float:
    """Log-probability per composed note, in nats."""
    return candidate.log_probability_per_note


def judgment(judge: Judge, weight: float) -> Term:
    """The mean log-odds of a candidate's frames, times a weight."""
    return lambda candidate: weight * judge.mean_log_odds(candidate.score)


def authentic_ending(candidate: Candidate) -> float:
    """1 if a dominant leads to the last chord and this is its tonic in root position, else 0."""
    return float(cadences(candidate.score)[-1:] == ["authentic"])


def ranked(
    candidates: Iterable[Candidate], terms: Sequence[Term] = (likelihood,)
) -> list[Candidate]:
    """The distinct candidates, those with the highest sum of terms first."""
    distinct = {candidate.score: candidate for candidate in candidates}
    return sorted(distinct.values(), key=lambda one: -sum(term(one) for term in terms))
