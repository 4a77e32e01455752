"""A candidate while it is composed: its grammar state, its random numbers, and its choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
"""A rule of the caller, applied before each draw of a sound and then of its duration.

It receives (V,) log-probabilities of the sounds, or (97,) of the durations in ticks, and returns as
many numbers: higher is likelier, -inf forbids. They need not sum to one, and what the grammar
forbids stays forbidden. The state says what the next note is (`voice`, `tick`, `bar_position()`);
the rule must not change it.
"""


@dataclass(slots=True)
class PartialCandidate:
    """A candidate that grows by one event at a time.

    Attributes:
        state: position in the grammar after the events so far.
        rng: source of its random numbers.
        constraints: what it must obey.
        rule: applied to log-probabilities before each draw.
        log_probability: of the composed events, under the model at temperature 1, in nats.
        n_events: composed notes and rests.
        is_stuck: whether the constraints and the rule forbid every event; it then stays as it is.
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
        """Whether no event follows."""
        return self.is_stuck or self.state.section == END_SECTION

    def copy_with(self, rng: np.random.Generator) -> PartialCandidate:
        """An independent copy with another source of random numbers."""
        return replace(self, state=self.state.copy(), rng=rng)

    def advance(self, sound: int, duration: int) -> None:
        """Append an event, unless the candidate is stuck."""
        if not self.is_stuck:
            self.n_events += is_note_event(sound)
            self.state.advance(sound, duration)

    def apply_rule(self, log_probabilities: LogProbabilities) -> LogProbabilities:
        """(V,) log-probabilities after the rule; the candidate is stuck if it forbids all of them.

        Raises:
            ValueError: the rule returns another number of values, or +inf.
        """
        if self.rule is None or self.is_stuck:
            return log_probabilities
        allowed = np.isfinite(log_probabilities)
        ruled = np.asarray(
            self.rule(log_softmax(log_probabilities, allowed), self.state), dtype=np.float64
        )
        if ruled.shape != log_probabilities.shape:
            raise ValueError(
                "a rule answers with as many numbers as it is given, "
                f"{log_probabilities.shape}, got {ruled.shape}"
            )
        allowed &= ruled > -np.inf
        if not np.isfinite(ruled[allowed]).all():
            raise ValueError(
                f"a rule answers with numbers and -inf, got {ruled[allowed].max()} "
                f"at tick {self.state.tick}"
            )
        self.is_stuck = not allowed.any()
        return log_probabilities if self.is_stuck else log_softmax(ruled, allowed)


def choose_sounds(
    candidates: Sequence[PartialCandidate], logits: Logits, sampling: Sampling
) -> list[int]:
    """The next sound in BODY of each unfinished candidate of a request, drawn from (N, V) logits.

    Sounds with which a voice would cross another or move in parallel with it are penalized.
    """
    constraints = candidates[0].constraints
    n_sounds = KEY if candidates[0].rule is None else N_SOUNDS  # in BODY the others are forbidden
    masks = [allowed_sounds(candidate.state, constraints) for candidate in candidates]
    allowed = _stacked(masks)[:, :n_sounds]
    penalty = None
    if constraints.lenience < 1 and not constraints.strict:
        faults = _stacked([faulty_sound_mask(candidate.state) for candidate in candidates])
        penalty = np.float32(log(constraints.lenience)) * faults[:, :n_sounds]
    return _choose_ids(candidates, logits[:, :n_sounds], allowed, sampling, penalty)


def choose_durations(
    candidates: Sequence[PartialCandidate],
    logits: Logits,
    sounds: Sequence[int],
    sampling: Sampling,
) -> list[int]:
    """The duration of each candidate's sound, drawn from (N, 97) logits."""
    constraints = candidates[0].constraints
    pairs = zip(candidates, sounds, strict=True)
    masks = [allowed_durations(candidate.state, sound, constraints) for candidate, sound in pairs]
    return _choose_ids(candidates, logits, _stacked(masks), sampling)


def _stacked(masks: Sequence[Mask]) -> Mask:
    """(N, V) the N masks as rows."""
    return masks[0][None] if len(masks) == 1 else np.concatenate(masks).reshape(len(masks), -1)


def _choose_ids(
    candidates: Sequence[PartialCandidate],
    logits: Logits,
    allowed: Mask,
    sampling: Sampling,
    penalty: Logits | None = None,
) -> list[int]:
    """An id for each of N candidates, drawn from (N, V) logits; a candidate without one is stuck.

    The log-probability of the id under the model is added to that of its candidate.
    """
    # Single precision, in which exponentials cost a third.
    allowed_logits = np.where(allowed, logits, _FORBIDDEN).astype(np.float32, copy=False)
    allowed_logits -= np.maximum.reduce(allowed_logits, axis=1, keepdims=True, initial=_LOWEST)
    sums = np.add.reduce(np.exp(allowed_logits), axis=1).tolist()
    if 0.0 in sums:
        for row in np.flatnonzero(np.equal(sums, 0.0)).tolist():
            candidates[row].is_stuck, sums[row] = True, 1.0
            allowed_logits[row, 0] = (
                0.0  # any id, so that the row can be drawn from like the others
            )
    log_weights = allowed_logits if penalty is None else allowed_logits + penalty
    if candidates[0].rule is not None:
        rows = zip(candidates, log_weights, strict=True)
        log_weights = np.stack([candidate.apply_rule(row) for candidate, row in rows])
    if log_weights is not allowed_logits:
        log_weights -= np.maximum.reduce(log_weights, axis=1, keepdims=True)
    uniform = [candidate.rng.random() for candidate in candidates]
    ids: list[int] = sample_ids(log_weights, sampling, uniform).tolist()
    for row, (candidate, chosen) in enumerate(zip(candidates, ids, strict=True)):
        candidate.log_probability += allowed_logits.item(row, chosen) - log(sums[row])
    return ids
