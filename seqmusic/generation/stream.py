"""One candidate while it is composed: where it is in the grammar, its own stream of chance, and what it chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.generation.constraints import Constraints, Mask, allowed_durations, allowed_sounds, faulty_sounds
from seqmusic.generation.request import Sampling
from seqmusic.generation.sampling import LogProbabilities, draw, log_softmax
from seqmusic.tokens.grammar import Walk
from seqmusic.tokens.tokenizer import is_music
from seqmusic.tokens.vocabulary import HOLD, KEY, PITCH, REST

Logits = NDArray[np.floating[Any]]
Rule = Callable[[LogProbabilities, Walk], LogProbabilities]
"""A rule of your own, asked before each draw of a sound and then of its duration.

It is given (V,) log-probabilities of the sounds, or (97,) of the durations in ticks, and answers with as many numbers: higher is
likelier, -inf forbids; they need not sum to one, and what the grammar forbids stays forbidden. The walk tells where we are
(`voice`, `now`, `bar_position()`); it is not to be changed.
"""


@dataclass(slots=True)
class Stream:
    """A candidate that grows by one event at a time.

    Attributes:
        walk: what was said so far.
        chance: where its random numbers come from.
        constraints: what it must obey.
        rule: applied to both before they are drawn.
        log_probability: of what was composed, under the model at temperature 1, in nats.
        n_events: composed notes and rests.
        is_stuck: whether the constraints and the rule left nothing to choose; it then stays as it is.
    """

    walk: Walk
    chance: np.random.Generator
    constraints: Constraints
    rule: Rule | None = None
    log_probability: float = 0.0
    n_events: int = 0
    is_stuck: bool = False

    @property
    def is_done(self) -> bool:
        """Whether nothing more comes."""
        return self.is_stuck or self.walk.is_finished

    def advance(self, sound: int, duration: int) -> None:
        """Go on by one event; a candidate that is done stays as it is."""
        if not self.is_done:
            self.n_events += sound in (REST, HOLD) or PITCH <= sound < KEY
            self.walk.advance(sound, duration)

    def ruled(self, log_probabilities: LogProbabilities) -> LogProbabilities:
        """What the rule makes of (V,) log-probabilities; a candidate for which it leaves nothing is stuck."""
        if self.rule is None or self.is_done:
            return log_probabilities
        ruled = np.asarray(self.rule(log_probabilities.copy(), self.walk), dtype=np.float64)
        if ruled.shape != log_probabilities.shape:
            raise ValueError(f"a rule answers with as many numbers as it is given, {log_probabilities.shape}, got {ruled.shape}")
        kept = np.isfinite(log_probabilities) & (ruled > -np.inf)
        if not np.isfinite(ruled[kept]).all():
            raise ValueError(f"a rule answers with numbers and -inf, got {ruled[kept].max()} at tick {self.walk.now}")
        self.is_stuck = not kept.any()
        return log_probabilities if self.is_stuck else log_softmax(ruled, kept)


def choose_sounds(streams: Sequence[Stream], logits: Logits, sampling: Sampling) -> list[int]:
    """The next sound of each candidate of one request, drawn from (N, V) logits; 0 once it is done.

    Sounds by which a voice would cross another or move in parallel with it come less often than the model has it.
    """
    constraints = streams[0].constraints
    allowed = np.stack([allowed_sounds(own.walk, own.constraints) for own in streams])
    penalty = None
    if constraints.lenience < 1 and not constraints.strict:
        penalty = np.log(constraints.lenience) * np.stack([faulty_sounds(own.walk) for own in streams])
    sounds, log_p = _choose(streams, logits, allowed, sampling, penalty)
    for stream, sound, own in zip(streams, sounds, log_p, strict=True):
        stream.log_probability += own if is_music(stream.walk, sound) else 0.0
    return sounds


def choose_durations(streams: Sequence[Stream], logits: Logits, sounds: Sequence[int], sampling: Sampling) -> list[int]:
    """The duration of each candidate's sound, drawn from (N, 97) logits; 0 once it is done."""
    allowed = np.stack([allowed_durations(own.walk, sound, own.constraints) for own, sound in zip(streams, sounds, strict=True)])
    durations, log_p = _choose(streams, logits, allowed, sampling)
    for stream, own in zip(streams, log_p, strict=True):
        stream.log_probability += own
    return durations


def _choose(
    streams: Sequence[Stream], logits: Logits, allowed: Mask, sampling: Sampling, penalty: LogProbabilities | None = None
) -> tuple[list[int], list[float]]:
    """Ids and their log-probabilities to the model, 0 of the candidates that are done; one without a choice is stuck."""
    for stream, has_choice, mask in zip(streams, np.any(allowed, axis=1).tolist(), allowed, strict=True):
        if not (stream.is_done or has_choice):
            stream.is_stuck = True
        if stream.is_done:
            mask[0] = True  # something to draw from, like all others
    log_p = weighed = log_softmax(logits, allowed)
    if penalty is not None:
        weighed = log_softmax(log_p + penalty, allowed)
    if any(stream.rule is not None for stream in streams):
        weighed = np.stack([stream.ruled(own) for stream, own in zip(streams, weighed, strict=True)])
    drawn = draw(weighed, sampling, [0.0 if stream.is_done else stream.chance.random() for stream in streams])
    chosen = log_p[np.arange(len(streams)), drawn].tolist()
    ids = [0 if stream.is_done else own for stream, own in zip(streams, drawn.tolist(), strict=True)]
    return ids, [0.0 if stream.is_done else own for stream, own in zip(streams, chosen, strict=True)]
