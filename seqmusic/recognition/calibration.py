"""What is fitted on validation works: the fusion of the experts, and when an answer is given."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seqmusic.progress import track
from seqmusic.recognition.fusion import Evidence, Fusion, evidence_of, fit_fusion
from seqmusic.recognition.inputs import INPUT_KINDS, WHOLE_VOICE_KINDS, input_lines
from seqmusic.recognition.likelihood import LikelihoodExpert
from seqmusic.recognition.linear import Floats, LinearExpert
from seqmusic.recognition.lines import Integers
from seqmusic.recognition.recognizer import Decision
from seqmusic.recognition.works import LabeledWork

N_DRAWS = 3  # of an input that is random
MIN_PRECISION = 0.95
MAX_CONFUSION = 0.15  # from which on two classes are hard to tell apart
UNKNOWN_SHARE = 0.02  # of the validation inputs that would be none of the classes
_STEP_KNOTS = (7, 15, 31, 63, 127, 255, 511, 1023)


@dataclass(frozen=True, slots=True, eq=False)
class TrialInputs:
    """The evidence of N inputs of one kind.

    Attributes:
        evidence: of each input.
        targets: (N,) true class.
        groups: (N,) group of the work.
    """

    evidence: list[Evidence]
    targets: Integers
    groups: Integers


def trial_inputs(
    works: Sequence[LabeledWork],
    classes: Sequence[str],
    experts: tuple[LinearExpert, LikelihoodExpert],
    *,
    seed: int = 0,
) -> dict[str, TrialInputs]:
    """All kinds of inputs from some works, with what the experts say about them."""
    found: dict[str, TrialInputs] = {}
    targets = np.array([classes.index(work.class_name) for work in works])
    groups = np.array([work.group for work in works])
    for number, kind in enumerate(track(INPUT_KINDS, "Inputs", " kinds")):
        rng = np.random.default_rng((seed, number))
        n_draws = N_DRAWS if kind not in ("all voices", "top voice", "bottom voice") else 1
        evidence = [
            evidence_of(input_lines(work, kind, rng), *experts)
            for _ in range(n_draws)
            for work in works
        ]
        found[kind] = TrialInputs(evidence, np.tile(targets, n_draws), np.tile(groups, n_draws))
    return found


def fit_on(inputs: Mapping[str, TrialInputs]) -> Fusion:
    """The fusion that fits some inputs best; all kinds weigh the same, and so do all classes."""
    evidence = [one for kind in inputs.values() for one in kind.evidence]
    targets = [int(target) for kind in inputs.values() for target in kind.targets]
    weights: list[float] = []
    for kind in inputs.values():
        counts = Counter(kind.targets.tolist())
        weights += [1 / counts[target] for target in kind.targets.tolist()]
    return fit_fusion(evidence, targets, weights)


def decide_on(inputs: Mapping[str, TrialInputs], fusion: Fusion) -> Decision:
    """The sets of classes, the confidence and the likelihood for which an answer is given."""
    whole = [inputs[kind] for kind in WHOLE_VOICE_KINDS]
    log_p = fusion.log_probabilities([one for kind in whole for one in kind.evidence])
    probabilities, targets = np.exp(log_p), np.concatenate([kind.targets for kind in whole])
    answers = tuple(_answers(confusion_rates(probabilities, targets)))
    confidence = confidence_for_precision(probabilities, targets, answers)
    evidence = [one for kind in inputs.values() for one in kind.evidence]
    return Decision(answers, confidence, np.log(_STEP_KNOTS), _likelihood_limits(evidence))


def confusion_rates(probabilities: Floats, targets: Integers) -> Floats:
    """(C, C) share of the inputs of each class (rows) that are taken for each class."""
    n_classes = probabilities.shape[1]
    counts = np.zeros((n_classes, n_classes))
    np.add.at(counts, (targets, probabilities.argmax(axis=1)), 1)
    return np.asarray(counts / np.maximum(1, counts.sum(axis=1, keepdims=True)))


def _answers(confusion: Floats) -> list[tuple[int, ...]]:
    """Single classes, pairs that are hard to tell apart, and all classes that pairs connect."""
    n_classes = len(confusion)
    mutual = (confusion + confusion.T) / 2
    pairs = [
        (i, j)
        for i, j in itertools.combinations(range(n_classes), 2)
        if mutual[i, j] >= MAX_CONFUSION
    ]
    connected: list[set[int]] = []
    for pair in pairs:
        touching = [group for group in connected if group & set(pair)]
        connected = [group for group in connected if group not in touching]
        connected.append(set(pair).union(*touching))
    larger = [tuple(sorted(group)) for group in connected if len(group) > 2]
    return [*((i,) for i in range(n_classes)), *pairs, *larger]


def confidence_for_precision(
    probabilities: Floats, targets: Integers, answers: Sequence[tuple[int, ...]]
) -> float:
    """The lowest confidence at which 95 percent of the answers given are right."""
    for confidence in np.arange(0.3, 1.0, 0.005):
        decision = Decision(tuple(answers), float(confidence), np.zeros(1), np.full(1, -np.inf))
        given = [decision.answer(row) for row in probabilities]
        right = [
            target in answer for answer, target in zip(given, targets.tolist(), strict=True) if answer
        ]
        if right and np.mean(right) >= MIN_PRECISION:
            return float(confidence)
    return 0.995


def _likelihood_limits(evidence: Sequence[Evidence]) -> Floats:
    """The 2nd percentile of the likelihood in the best class, near each number of steps."""
    log_steps = np.log([one.n_steps for one in evidence])
    best = np.array([one.likelihood.max() for one in evidence])
    limits: list[float] = []
    for knot in np.log(_STEP_KNOTS):
        near = best[np.abs(log_steps - knot) <= np.log(2) / 2]
        if len(near) >= 1 / UNKNOWN_SHARE:
            limits.append(float(np.quantile(near, UNKNOWN_SHARE)))
        else:
            limits.append(limits[-1] if limits else float(best.min()))
    return np.array(limits)


