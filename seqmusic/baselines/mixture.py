"""Several predictors as one: what each gave an event, averaged.

Transformers trained apart err apart, and an n-gram errs differently again: it knows rare contexts by heart. The mean of likelihoods
is a likelihood. The weights below were chosen on validation pieces of the benchmark; the test pieces had no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.baselines.ngram import NGram
from seqmusic.metrics.likelihood import EventScores
from seqmusic.tokens.tokenizer import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureWeights:
    """What the n-grams weigh in the mixture, 0..1; the transformers share the rest evenly."""

    long_term: float = 0.2  # counted over the training works
    short_term_sound: float = 0.03  # counted over the piece so far
    short_term_duration: float = 0.1  # the same, for durations


def mixture_scores(
    members: Sequence[Sequence[EventScores]],
    traces: Sequence[Trace],
    long_term: NGram,
    weights: MixtureWeights = MixtureWeights(),
) -> list[EventScores]:
    """What the mixture gave each event of each piece; ranks and choices are those of the first member.

    Args:
        members: what each transformer gave, all of the same pieces.
        traces: of these pieces.
        long_term: counted over the training works.
        weights: of the n-grams.
    """
    if not members:
        raise ValueError("a mixture needs one transformer or more, got none")
    return [
        _piece_mixture(own, trace, long_term, weights)
        for *own, trace in zip(*members, traces, strict=True)
    ]


def _piece_mixture(
    members: Sequence[EventScores], trace: Trace, long_term: NGram, weights: MixtureWeights
) -> EventScores:
    probabilities = np.mean(
        [np.exp(-np.stack([own.sound_nats, own.duration_nats], axis=1)) for own in members], axis=0
    )
    short = np.array([weights.short_term_sound, weights.short_term_duration])
    rest = 1 - weights.long_term - short
    nats = -np.log(
        rest * probabilities
        + weights.long_term * long_term.event_probabilities(trace)
        + short * NGram([]).adaptive_event_probabilities(trace)
    )
    return replace(members[0], sound_nats=nats[:, 0], duration_nats=nats[:, 1])
