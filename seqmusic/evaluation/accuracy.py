"""How well a predictor does on some of the events of several works.

A prediction is a note, a rest or a tied part of a long note. The events of the header and the end
of a piece count in nats per cell and per note, but not as predictions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from seqmusic.array_types import Mask
from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.metrics.likelihood import EventScores, top_k_accuracy
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import is_note_event

TOP_KS = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well some predictions went.

    Attributes:
        n: number of predictions.
        sound_nats: mean negative log-likelihood of the sound (a pitch, a rest or a tie).
        duration_nats: mean negative log-likelihood of its duration given the sound.
        interval: 95 percent bootstrap interval over works of the mean of both together.
        sound_top_k: share of the sounds among the likeliest 1, 3 and 5, where there is a choice.
        duration_top_k: the same for durations.
    """

    n: int
    sound_nats: float
    duration_nats: float
    interval: tuple[float, float]
    sound_top_k: tuple[float, ...]
    duration_top_k: tuple[float, ...]

    @property
    def nats(self) -> float:
        """Mean of sound and duration together."""
        return self.sound_nats + self.duration_nats

    @property
    def sound_perplexity(self) -> float:
        """Perplexity of sounds, 1..130: 128 pitches, a rest, a tie."""
        return math.exp(self.sound_nats)

    @property
    def duration_perplexity(self) -> float:
        """Perplexity of durations, 1..96: 1 to 96 ticks."""
        return math.exp(self.duration_nats)


def prediction_mask(trace: Trace, event_scores: EventScores) -> Mask:
    """(N,) which of the scored events are notes, rests or ties."""
    mask: Mask = is_note_event(trace.events[event_scores.rows + 1, 0])
    return mask


def prediction_accuracy(event_scores: Sequence[EventScores], masks: Sequence[Mask]) -> Accuracy:
    """How well the selected events of some works were predicted.

    Args:
        event_scores: of each work.
        masks: (N,) of each work, which of its events are selected; one or more in all.
    """
    pairs = list(zip(event_scores, masks, strict=True))
    counts = [int(mask.sum()) for mask in masks]
    n = sum(counts)
    sound_nats = [float(scores.sound_nats[mask].sum()) for scores, mask in pairs]
    duration_nats = [float(scores.duration_nats[mask].sum()) for scores, mask in pairs]
    columns = zip(sound_nats, duration_nats, counts, strict=True)
    nats_and_counts = [(a + b, count) for a, b, count in columns if count]
    sounds = [(scores.sound_ranks[mask], scores.sound_choices[mask]) for scores, mask in pairs]
    durations = [
        (scores.duration_ranks[mask], scores.duration_choices[mask]) for scores, mask in pairs
    ]
    return Accuracy(
        n,
        sum(sound_nats) / n,
        sum(duration_nats) / n,
        bootstrap_interval(*zip(*nats_and_counts, strict=True)),
        tuple(top_k_accuracy(sounds, k) for k in TOP_KS),
        tuple(top_k_accuracy(durations, k) for k in TOP_KS),
    )
