"""What is fitted on validation works: the fusion of the experts, and when an answer is given."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.progress import track
from seqmusic.recognition.fusion import (
    Evidence,
    Fusion,
    evidence_of,
    fit_fusion,
    line_evidence,
    sum_evidence,
)
from seqmusic.recognition.inputs import INPUT_KINDS, WHOLE_VOICE_KINDS, input_lines
from seqmusic.recognition.likelihood import LikelihoodExpert
from seqmusic.recognition.linear import Floats, LinearExpert
from seqmusic.recognition.lines import Integers
from seqmusic.recognition.recognizer import (
    Decision,
    largest_sets,
    likelihood_and_lead,
    set_probabilities,
)
from seqmusic.recognition.works import LabeledWork

Experts = tuple[LinearExpert, LikelihoodExpert]
N_DRAWS = 3  # of an input that is random
MIN_PRECISION = 0.95
MAX_CONFUSION = 0.15  # from which on two classes are hard to tell apart
UNKNOWN_SHARE = 0.02  # of the validation inputs that would be none of the classes
_FEW = 8
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
    experts: Experts,
    *,
    kinds: Sequence[str] = INPUT_KINDS,
    seed: int = 0,
) -> dict[str, TrialInputs]:
    """Inputs of some kinds from some works, with what the experts say about them."""
    whole = [
        {line.voice: line_evidence(line, *experts) for line in work.lines}
        for work in track(works, "Voices", " works", len(works))
    ]
    targets = np.array([classes.index(work.class_name) for work in works])
    groups = np.array([work.group for work in works])
    found: dict[str, TrialInputs] = {}
    for number, kind in enumerate(track(kinds, "Inputs", " kinds", len(kinds))):
        rng = np.random.default_rng((seed, number))
        n_draws = N_DRAWS if kind not in ("all voices", "top voice", "bottom voice") else 1
        evidence = []
        for _ in range(n_draws):
            for work, of_lines in zip(works, whole, strict=True):
                lines = input_lines(work, kind, rng)
                if kind.isdigit():
                    evidence.append(evidence_of(lines, *experts))
                else:
                    evidence.append(sum_evidence([of_lines[line.voice] for line in lines]))
        found[kind] = TrialInputs(
            evidence, np.concatenate([targets] * n_draws), np.concatenate([groups] * n_draws)
        )
    return found


def fit_on(inputs: Mapping[str, TrialInputs]) -> Fusion:
    """The fusion that fits some inputs best; all kinds weigh the same, and so do all classes."""
    evidence = [one for kind in inputs.values() for one in kind.evidence]
    targets = [int(target) for kind in inputs.values() for target in kind.targets]
    weights = np.concatenate([class_weights(kind.targets) for kind in inputs.values()])
    return fit_fusion(evidence, targets, weights.tolist())


def decide_on(inputs: Mapping[str, TrialInputs], fusion: Fusion) -> Decision:
    """The sets of classes, the confidence and the likelihood for which an answer is given.

    Sets are found on whole voices, confidences on single voices and on parts of them.
    """
    answers = answer_sets(confusion_rates(*_predicted(inputs, WHOLE_VOICE_KINDS, fusion)))
    single = [kind for kind in inputs if kind != "all voices"]
    confidences = confidences_for_precision(*_predicted(inputs, single, fusion), answers)
    nothing = np.zeros(1)
    return with_limits(Decision(answers, *confidences, nothing, nothing, nothing), inputs)


def _predicted(
    inputs: Mapping[str, TrialInputs], kinds: Sequence[str], fusion: Fusion
) -> tuple[Floats, Integers]:
    """(N, C) probabilities and (N,) true classes of the inputs of some kinds."""
    chosen = [inputs[kind] for kind in kinds]
    log_p = fusion.log_probabilities([one for kind in chosen for one in kind.evidence])
    return np.exp(log_p), np.concatenate([kind.targets for kind in chosen])


def with_limits(decision: Decision, inputs: Mapping[str, TrialInputs]) -> Decision:
    """The decision with the limits below which 2 percent of these inputs are."""
    evidence = [one for kind in inputs.values() for one in kind.evidence]
    figures = np.array([likelihood_and_lead(one) for one in evidence])
    log_steps = np.log([one.n_steps for one in evidence])
    return replace(
        decision,
        log_steps=np.log(_STEP_KNOTS),
        min_likelihood=_lowest(figures[:, 0], log_steps),
        min_lead=_lowest(figures[:, 1], log_steps),
    )


def confusion_rates(probabilities: Floats, targets: Integers) -> Floats:
    """(C, C) share of the inputs of each class (rows) that are taken for each class."""
    n_classes = probabilities.shape[1]
    counts = np.zeros((n_classes, n_classes))
    np.add.at(counts, (targets, probabilities.argmax(axis=1)), 1)
    return np.asarray(counts / np.maximum(1, counts.sum(axis=1, keepdims=True)))


def answer_sets(confusion: Floats) -> tuple[tuple[int, ...], ...]:
    """The classes, and sets of classes that are hard to tell apart.

    The two sets that are most often taken for each other are joined, again and again, as long as
    that happens to so large a share of both.

    >>> answer_sets(np.array([[0.6, 0.4, 0], [0.3, 0.7, 0], [0, 0.1, 0.9]]))
    ((0,), (1,), (2,), (0, 1))
    """
    current: list[tuple[int, ...]] = [(i,) for i in range(len(confusion))]
    found = list(current)
    while len(current) > 2:
        mutual = {
            (a, b): (_taken_for(confusion, a, b) + _taken_for(confusion, b, a)) / 2
            for a, b in itertools.combinations(current, 2)
        }
        a, b = max(mutual, key=lambda pair: mutual[pair])
        if mutual[a, b] < MAX_CONFUSION:
            break
        joined = tuple(sorted((*a, *b)))
        current = [*(one for one in current if one not in (a, b)), joined]
        found.append(joined)
    return tuple(found)


def _taken_for(confusion: Floats, a: Sequence[int], b: Sequence[int]) -> float:
    """The share of the classes `a` that are taken for one of `b`."""
    return float(confusion[np.ix_(a, b)].sum(axis=1).mean())


def class_weights(targets: Integers) -> Floats:
    """(N,) weights with which all classes weigh the same; 1 in all."""
    distinct, inverse, counts = np.unique(targets, return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[inverse] / len(distinct))


def confidences_for_precision(
    probabilities: Floats, targets: Integers, answers: Sequence[tuple[int, ...]]
) -> tuple[float, float]:
    """The lowest confidences at which 95 percent of the answers are right.

    The first is that of sets of classes that are hard to tell apart, and of classes in no such set;
    the second is that of the smaller parts of these sets. All classes weigh the same.
    """
    largest = largest_sets(answers)
    parts = [answer for answer in answers if answer not in largest]
    weights = class_weights(targets)
    return (
        _lowest_confidence(probabilities, targets, weights, largest),
        _lowest_confidence(probabilities, targets, weights, parts),
    )


def _lowest_confidence(
    probabilities: Floats, targets: Integers, weights: Floats, sets: Sequence[tuple[int, ...]]
) -> float:
    """The lowest confidence at which 95 percent of the likeliest sets are right; 1 for no sets."""
    if not sets:
        return 1.0
    totals = set_probabilities(probabilities, sets)
    likeliest = totals.argmax(axis=1)
    right = np.array([t in sets[i] for t, i in zip(targets, likeliest, strict=True)])
    for confidence in np.arange(0.3, 1.0, 0.005):
        given = weights * (totals.max(axis=1) >= confidence)
        if given @ right >= MIN_PRECISION * given.sum() > 0:
            return float(confidence)
    return 0.995


def _lowest(values: Floats, log_steps: Floats) -> Floats:
    """The 2nd percentile of some values, near each number of steps.

    Of few values it is three standard deviations below their mean instead.
    """
    limits: list[float] = []
    for knot in np.log(_STEP_KNOTS):
        near = values[np.abs(log_steps - knot) <= np.log(2) / 2]
        if len(near) >= 2 / UNKNOWN_SHARE:
            limits.append(float(np.quantile(near, UNKNOWN_SHARE)))
        elif len(near) >= _FEW:
            limits.append(float(near.mean() - 3 * near.std()))
        else:
            limits.append(limits[-1] if limits else -np.inf)
    return np.array(limits)
