"""A trained recognizer: the class of a score or of a few notes, with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqmusic.recognition.fusion import Evidence, Fusion, evidence_of
from seqmusic.recognition.likelihood import LikelihoodExpert
from seqmusic.recognition.linear import Floats, LinearExpert
from seqmusic.recognition.lines import Line
from seqmusic.recognition.nearest import WorkIndex

SURE, UNSURE, UNKNOWN = "sure", "not sure", "none of these"


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """When an answer is given, and which.

    Attributes:
        answers: sets of class indices; single classes, and classes that are hard to tell apart.
        min_confidence: probability from which on an answer is given, 0..1.
        narrow_confidence: probability from which on one of several classes that are hard to tell
            apart is named alone, 0..1.
        log_steps: (K,) rising logarithms of numbers of steps.
        min_likelihood: (K,) nats a step in the best class, below which an input of so many steps
            is none of the classes.
        min_lead: (K,) nats a step by which the best class is above the mean of all classes, below
            which it is none of them.
    """

    answers: tuple[tuple[int, ...], ...]
    min_confidence: float
    narrow_confidence: float
    log_steps: Floats
    min_likelihood: Floats
    min_lead: Floats

    def is_known(self, evidence: Evidence) -> bool:
        """Whether an input is as likely as the works of the classes are, in one of them."""
        log_steps = np.log(evidence.n_steps)
        best, lead = likelihood_and_lead(evidence)
        limits = (
            np.interp(log_steps, self.log_steps, limits)
            for limits in (self.min_likelihood, self.min_lead)
        )
        return all(value >= limit for value, limit in zip((best, lead), limits, strict=True))

    def answer(self, probabilities: Floats) -> tuple[int, ...]:
        """The largest set that is probable enough, or a part of it that is; () if none is.

        >>> nothing = np.zeros(1)
        >>> decision = Decision(((0,), (1,), (2,), (0, 1)), 0.7, 0.8, nothing, nothing, nothing)
        >>> rows = ([0.9, 0.1, 0], [0.5, 0.4, 0.1], [0.2, 0, 0.8], [0.4, 0, 0.6])
        >>> [decision.answer(np.array(row)) for row in rows]
        [(0,), (0, 1), (2,), ()]
        """
        total = {answer: float(sum(probabilities[i] for i in answer)) for answer in self.answers}
        whole = max(largest_sets(self.answers), key=lambda answer: total[answer])
        if total[whole] < self.min_confidence:
            return ()
        parts = [answer for answer in self.answers if set(answer) < set(whole)]
        enough = [answer for answer in parts if total[answer] >= self.narrow_confidence]
        return min(enough, key=lambda answer: (len(answer), -total[answer]), default=whole)


def largest_sets(answers: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The sets that are part of no other, in rising order.

    >>> largest_sets([(0,), (1,), (2,), (3,), (1, 2), (0, 1, 2)])
    [(0, 1, 2), (3,)]
    """
    return sorted(one for one in answers if not any(set(one) < set(other) for other in answers))


def set_probabilities(probabilities: Floats, sets: Sequence[tuple[int, ...]]) -> Floats:
    """(N, S) probability of each of S sets of classes, from the (N, C) of the classes.

    >>> set_probabilities(np.array([[0.5, 0.25, 0.25]]), [(0,), (1, 2)]).tolist()
    [[0.5, 0.5]]
    """
    return np.stack([probabilities[:, list(one)].sum(axis=1) for one in sets], axis=1)


def likelihood_and_lead(evidence: Evidence) -> tuple[float, float]:
    """Nats a step in the best class, and by how much that is above the mean of all classes."""
    best = float(evidence.likelihood.max())
    return best, best - float(evidence.likelihood.mean())


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a recognizer makes of an input.

    Attributes:
        probabilities: of each class, the likeliest first.
        outcome: "sure", "not sure" or "none of these".
        answer: the class, or classes that cannot be told apart; the likeliest one where it is not
            sure; nothing for none of these.
        confidence: probability of the answer, 0..1.
        n_notes: notes that were read.
        n_lines: voices that were read.
        is_foreign: whether this is keyboard music, of which the recognizer has learned nothing.
    """

    probabilities: dict[str, float]
    outcome: str
    answer: tuple[str, ...]
    confidence: float
    n_notes: int
    n_lines: int
    is_foreign: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Recognizer:
    """Everything that was learned, for C classes.

    A recognizer that has learned from no keyboard music is never sure about it: the chords of a
    piano part are taken apart into lines, which are no voices.
    """

    classes: tuple[str, ...]
    linear: LinearExpert
    likelihood: LikelihoodExpert
    fusion: Fusion
    decision: Decision
    index: WorkIndex
    knows_keyboards: bool = True

    def evidence(self, lines: Sequence[Line]) -> Evidence:
        """What the experts say about some lines.

        Raises:
            ValueError: no line has two notes.
        """
        return evidence_of(lines, self.linear, self.likelihood)

    def recognize(self, lines: Sequence[Line]) -> Recognition:
        """The classes of some lines of one work.

        Raises:
            ValueError: no line has two notes.
        """
        evidence = self.evidence(lines)
        probabilities = np.exp(self.fusion.log_probabilities([evidence])[0])
        is_foreign = not self.knows_keyboards and all(line.is_keyboard for line in lines)
        answer, outcome = self.decision.answer(probabilities), SURE
        if not answer or is_foreign:
            answer, outcome = (int(np.argmax(probabilities)),), UNSURE
        confidence = float(sum(probabilities[i] for i in answer))
        if not self.decision.is_known(evidence):
            answer, outcome, confidence = (), UNKNOWN, 0.0
        order = np.argsort(-probabilities, kind="stable").tolist()
        return Recognition(
            {self.classes[i]: float(probabilities[i]) for i in order},
            outcome,
            tuple(self.classes[i] for i in answer),
            confidence,
            evidence.n_steps + evidence.n_lines,
            evidence.n_lines,
            is_foreign,
        )
