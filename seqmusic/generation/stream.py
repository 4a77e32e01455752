"""One candidate while it is composed: where it is in the grammar, its own stream of chance, and what it chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.errors import RequestError
from seqmusic.generation.sampling import Sampling, draw, log_softmax
from seqmusic.tokens import rules
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tokens.grammar import Walk
from seqmusic.tokens.tokenizer import is_music
from seqmusic.tokens.vocabulary import HOLD, KEY, PITCH, REST, TIMESIG, voice_name

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
        rule: applied to both before they are drawn.
        log_probability: of what was composed, under the model at temperature 1, in nats.
        n_events: composed notes and rests.
    """

    walk: Walk
    chance: np.random.Generator
    pitch: Sampling
    rhythm: Sampling
    rule: Rule | None = None
    log_probability: float = 0.0
    n_events: int = 0

    def choose_sound(self, logits: NDArray[np.float32]) -> int:
        """The next sound, drawn from (V,) logits; 0 once the candidate is finished."""
        if self.walk.is_finished:
            return 0
        mask = _allowed(self.walk, rules.sound_masks(self.walk.max_voices)[self.walk.sound_rule])
        log_p = log_softmax(logits, mask)
        sound = draw(self._ruled(log_p), self.pitch, self.chance.random())
        self.log_probability += log_p[sound] if is_music(self.walk, sound) else 0.0
        return sound

    def choose_duration(self, logits: NDArray[np.float32], sound: int) -> int:
        """The duration of `sound`, drawn from (97,) logits; 0 once the candidate is finished."""
        if self.walk.is_finished:
            return 0
        mask = rules.duration_masks()[self.walk.duration_rule(sound)]
        if sound == REST and _reaches_end(self.walk):
            mask = mask.copy()
            mask[self.walk.longest_ticks] = False
        log_p = log_softmax(logits, mask)
        duration = draw(self._ruled(log_p), self.rhythm, self.chance.random())
        self.log_probability += log_p[duration]
        return duration

    def advance(self, sound: int, duration: int) -> None:
        """Go on by one event; a finished candidate stays as it is."""
        if not self.walk.is_finished:
            self.n_events += sound in (REST, HOLD) or PITCH <= sound < KEY
            self.walk.advance(sound, duration)

    def _ruled(self, log_probabilities: LogProbabilities) -> LogProbabilities:
        if self.rule is None:
            return log_probabilities
        ruled = np.asarray(self.rule(log_probabilities.copy(), self.walk), dtype=np.float64)
        if ruled.shape != log_probabilities.shape:
            raise ValueError(f"a rule answers with as many numbers as it is given, {log_probabilities.shape}, got {ruled.shape}")
        kept = np.isfinite(log_probabilities) & (ruled > -np.inf)
        if not kept.any() or not np.isfinite(ruled[kept]).all():
            raise RequestError(f"the rule leaves nothing to choose at tick {self.walk.now}; allow at least one sound and duration")
        return log_softmax(ruled, kept)


def _allowed(walk: Walk, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The grammar's mask, cut to the voice's compass, without changes of meter and without a rest at the end."""
    mask = mask.copy()
    mask[REST] &= walk.longest_ticks > 1 or not _reaches_end(walk)
    mask[TIMESIG:] = False
    if walk.voice is not None:
        low, high = COMPASS.get(voice_name(walk.voice), (0, 127))
        mask[PITCH : PITCH + low] = False
        mask[PITCH + high + 1 : KEY] = False
    return mask


def _reaches_end(walk: Walk) -> bool:
    """Whether the longest event that fits here is the last of its voice: music that ends together ends with notes."""
    return walk.end is not None and walk.now + walk.longest_ticks == walk.end
