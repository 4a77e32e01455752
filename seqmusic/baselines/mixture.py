"""A mixture of several predictors: the mean of the probabilities they give each event.

Transformers that are trained separately err differently, and an n-gram errs differently again,
because it memorizes rare contexts. The mean of likelihoods is a likelihood. The default weights
were chosen on validation pieces of the benchmark, not on its test pieces.
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
    """The weights of the n-grams in the mixture, 0..1; the transformers share the rest evenly."""

    long_term: float = 0.2  # counted over the training works
    short_term_sound: float = 0.03  # counted over the piece so far
    short_term_duration: float = 0.1  # the same, for durations


def mixture_scores(
    members: Sequence[Sequence[EventScores]],
    traces: Sequence[Trace],
    long_term: NGram,
    weights: MixtureWeights = MixtureWeights(),
) -> list[EventScores]:
    """The scores that the mixture gives each piece; ranks and choices are of the first member.

    Args:
        members: the scores by each transformer, all of the same pieces.
        traces: of these pieces.
        long_term: counted over the training works.
        weights: of the n-grams.

    Raises:
        ValueError: there is no transformer.
    """
    if not members:
        raise ValueError("a mixture needs one transformer or more, got none")
    return [
        _piece_mixture(scores, trace, long_term, weights)
        for *scores, trace in zip(*members, traces, strict=True)
    ]


def _piece_mixture(
    members: Sequence[EventScores], trace: Trace, long_term: NGram, weights: MixtureWeights
) -> EventScores:
    nats = [np.stack([member.sound_nats, member.duration_nats], axis=1) for member in members]
    short = np.array([weights.short_term_sound, weights.short_term_duration])
    rest = 1 - weights.long_term - short
    probabilities = (  # (N, [sound, duration])
        rest * np.mean([np.exp(-member) for member in nats], axis=0)
        + weights.long_term * long_term.event_probabilities(trace)
        + short * NGram([]).adaptive_event_probabilities(trace)
    )
    sound_nats, duration_nats = -np.log(probabilities).T
    return replace(members[0], sound_nats=sound_nats, duration_nats=duration_nats)
