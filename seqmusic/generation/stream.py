"""One candidate while it is composed: where it is in the grammar, its own stream of chance, and what it chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.generation.constraints import Constraints, allowed_durations, allowed_sounds, faulty_sounds
from seqmusic.generation.request import Sampling
from seqmusic.generation.sampling import draw, log_softmax
from seqmusic.tokens.grammar import Walk
from seqmusic.tokens.tokenizer import is_music
from seqmusic.tokens.vocabulary import HOLD, KEY, PITCH, REST

LogProbabilities = NDArray[np.float64]
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
        pitch: how sounds are drawn.
        rhythm: how durations are drawn.
        constraints: what it must obey.
        rule: applied to both before they are drawn.
        log_probability: of what was composed, under the model at temperature 1, in nats.
        n_events: composed notes and rests.
        is_stuck: whether the constraints and the rule left nothing to choose; it then stays as it is.
    """

    walk: Walk
    chance: np.random.Generator
    pitch: Sampling
    rhythm: Sampling
    constraints: Constraints
    rule: Rule | None = None
    log_probability: float = 0.0
    n_events: int = 0
    is_stuck: bool = False

    @property
    def is_done(self) -> bool:
        """Whether nothing more comes."""
        return self.is_stuck or self.walk.is_finished

    def choose_sound(self, logits: NDArray[np.float32]) -> int:
        """The next sound, drawn from (V,) logits; 0 once the candidate is done."""
        if self.is_done:
            return 0
        rarer = faulty_sounds(self.walk) if self.constraints.lenience < 1 and not self.constraints.strict else None
        sound, log_p = self._choose(logits, allowed_sounds(self.walk, self.constraints), self.pitch, rarer)
        self.log_probability += log_p if is_music(self.walk, sound) else 0.0
        return sound

    def choose_duration(self, logits: NDArray[np.float32], sound: int) -> int:
        """The duration of `sound`, drawn from (97,) logits; 0 once the candidate is done."""
        if self.is_done:
            return 0
        duration, log_p = self._choose(logits, allowed_durations(self.walk, sound, self.constraints), self.rhythm)
        self.log_probability += log_p
        return duration

    def advance(self, sound: int, duration: int) -> None:
        """Go on by one event; a candidate that is done stays as it is."""
        if not self.is_done:
            self.n_events += sound in (REST, HOLD) or PITCH <= sound < KEY
            self.walk.advance(sound, duration)

    def _choose(
        self, logits: NDArray[np.float32], mask: NDArray[np.bool_], sampling: Sampling, rarer: NDArray[np.bool_] | None = None
    ) -> tuple[int, float]:
        """An id and its log-probability to the model; 0 where nothing may be chosen, and the candidate is stuck."""
        self.is_stuck = not mask.any()
        log_p = ruled = log_softmax(logits, mask) if mask.any() else np.full(len(mask), -np.inf)
        if rarer is not None and (rarer & mask).any() and not (rarer | ~mask).all():
            ruled = log_softmax(np.where(rarer, log_p + np.log(self.constraints.lenience), log_p), mask)
        if self.rule is not None and not self.is_stuck:
            ruled = self._ruled(ruled, self.rule)
        chosen = 0 if self.is_stuck else draw(ruled, sampling, self.chance.random())
        return chosen, float(log_p[chosen])

    def _ruled(self, log_probabilities: LogProbabilities, rule: Rule) -> LogProbabilities:
        ruled = np.asarray(rule(log_probabilities.copy(), self.walk), dtype=np.float64)
        if ruled.shape != log_probabilities.shape:
            raise ValueError(f"a rule answers with as many numbers as it is given, {log_probabilities.shape}, got {ruled.shape}")
        kept = np.isfinite(log_probabilities) & (ruled > -np.inf)
        if not np.isfinite(ruled[kept]).all():
            raise ValueError(f"a rule answers with numbers and -inf, got {ruled[kept].max()} at tick {self.walk.now}")
        self.is_stuck = not kept.any()
        return ruled if self.is_stuck else log_softmax(ruled, kept)
