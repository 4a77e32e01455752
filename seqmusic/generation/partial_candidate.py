"""One candidate while it is composed: where it is in the grammar, its own stream of chance, and what it chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Mask
from seqmusic.generation.constraints import Constraints, allowed_durations, allowed_sounds
from seqmusic.generation.request import Sampling
from seqmusic.generation.sampling import LogProbabilities, log_softmax, sample_ids
from seqmusic.generation.voice_masks import faulty_sound_mask
from seqmusic.tokens.grammar import END_SECTION, GrammarState
from seqmusic.tokens.vocabulary import KEY, N_SOUNDS, is_note_event

_FORBIDDEN = np.float32(-np.inf)
_LOWEST = np.finfo(np.float32).min
Logits = NDArray[np.floating[Any]]
Rule = Callable[[LogProbabilities, GrammarState], LogProbabilities]
"""A rule of your own, asked before each draw of a sound and then of its duration.

It is given (V,) log-probabilities of the sounds, or (97,) of the durations in ticks, and answers with as many numbers: higher is
likelier, -inf forbids; they need not sum to one, and what the grammar forbids stays forbidden. The walk tells where we are
(`voice`, `now`, `bar_position()`); it is not to be changed.
"""


@dataclass(slots=True)
class PartialCandidate:
    """A candidate that grows by one event at a time.

    Attributes:
        state: what was said so far.
        rng: where its random numbers come from.
        constraints: what it must obey.
        rule: applied to both before they are drawn.
        log_probability: of what was composed, under the model at temperature 1, in nats.
        n_events: composed notes and rests.
        is_stuck: whether the constraints and the rule left nothing to choose; it then stays as it is.
    """

    state: GrammarState
    rng: np.random.Generator
    constraints: Constraints
    rule: Rule | None = None
    log_probability: float = 0.0
    n_events: int = 0
    is_stuck: bool = False

    @property
    def is_done(self) -> bool:
        """Whether nothing more comes."""
        return self.is_stuck or self.state.section == END_SECTION

    def advance(self, sound: int, duration: int) -> None:
        """Go on by one event; a candidate that is stuck stays as it is."""
        if not self.is_stuck:
            self.n_events += is_note_event(sound)
            self.state.advance(sound, duration)

    def ruled(self, log_probabilities: LogProbabilities) -> LogProbabilities:
        """What the rule makes of (V,) log-probabilities; a candidate for which it leaves nothing is stuck."""
        if self.rule is None or self.is_stuck:
            return log_probabilities
        kept = np.isfinite(log_probabilities)
        ruled = np.asarray(
            self.rule(log_softmax(log_probabilities, kept), self.state), dtype=np.float64
        )
        if ruled.shape != log_probabilities.shape:
            raise ValueError(
                f"a rule answers with as many numbers as it is given, {log_probabilities.shape}, got {ruled.shape}"
            )
        kept &= ruled > -np.inf
        if not np.isfinite(ruled[kept]).all():
            raise ValueError(
                f"a rule answers with numbers and -inf, got {ruled[kept].max()} at tick {self.state.tick}"
            )
        self.is_stuck = not kept.any()
        return log_probabilities if self.is_stuck else log_softmax(ruled, kept)


def choose_sounds(
    candidates: Sequence[PartialCandidate], logits: Logits, sampling: Sampling
) -> list[int]:
    """The next sound in BODY of each candidate of one request that is not done, drawn from (N, V) logits.

    Sounds by which a voice would cross another or move in parallel with it come less often than the model has it.
    """
    constraints = candidates[0].constraints
    n_sounds = KEY if candidates[0].rule is None else N_SOUNDS  # in BODY the others are forbidden
    allowed = _stacked([allowed_sounds(own.state, constraints) for own in candidates])[:, :n_sounds]
    penalty = None
    if constraints.lenience < 1 and not constraints.strict:
        penalty = (
            np.float32(log(constraints.lenience))
            * _stacked([faulty_sound_mask(own.state) for own in candidates])[:, :n_sounds]
        )
    return _choose_ids(candidates, logits[:, :n_sounds], allowed, sampling, penalty)


def choose_durations(
    candidates: Sequence[PartialCandidate],
    logits: Logits,
    sounds: Sequence[int],
    sampling: Sampling,
) -> list[int]:
    """The duration of each candidate's sound, drawn from (N, 97) logits."""
    constraints = candidates[0].constraints
    allowed = _stacked(
        [
            allowed_durations(own.state, sound, constraints)
            for own, sound in zip(candidates, sounds, strict=True)
        ]
    )
    return _choose_ids(candidates, logits, allowed, sampling)


def _stacked(masks: Sequence[Mask]) -> Mask:
    """(N, V) the masks below one another."""
    return masks[0][None] if len(masks) == 1 else np.concatenate(masks).reshape(len(masks), -1)


def _choose_ids(
    candidates: Sequence[PartialCandidate],
    logits: Logits,
    allowed: Mask,
    sampling: Sampling,
    penalty: Logits | None = None,
) -> list[int]:
    """Ids, whose log-probabilities to the model are added to the candidates'; one without a choice is stuck."""
    kept = np.where(allowed, logits, _FORBIDDEN).astype(
        np.float32, copy=False
    )  # of which exponentials are cheap
    kept -= np.maximum.reduce(kept, axis=1, keepdims=True, initial=_LOWEST)
    sums = np.add.reduce(np.exp(kept), axis=1).tolist()
    if 0.0 in sums:
        for row in np.flatnonzero(np.equal(sums, 0.0)).tolist():
            candidates[row].is_stuck, sums[row] = True, 1.0
            kept[row, 0] = 0.0  # something to draw from, like all others
    weighed = kept if penalty is None else kept + penalty
    if candidates[0].rule is not None:
        weighed = np.stack(
            [stream.ruled(own) for stream, own in zip(candidates, weighed, strict=True)]
        )
    if weighed is not kept:
        weighed -= np.maximum.reduce(weighed, axis=1, keepdims=True)
    ids: list[int] = sample_ids(
        weighed, sampling, [stream.rng.random() for stream in candidates]
    ).tolist()
    for row, (stream, own) in enumerate(zip(candidates, ids, strict=True)):
        stream.log_probability += kept.item(row, own) - log(sums[row])
    return ids
