"""How well a recognizer does on held-out works; every class weighs the same.

Source: C. Guo et al., On Calibration of Modern Neural Networks, 2017 (expected calibration error);
R. El-Yaniv and Y. Wiener, On the Foundations of Noise-free Selective Classification, 2010
(risk and coverage).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.metrics.bootstrap import resampled_interval
from seqmusic.recognition.calibration import TrialInputs, class_weights, confusion_rates
from seqmusic.recognition.fusion import Floats
from seqmusic.recognition.lines import Integers
from seqmusic.recognition.recognizer import Decision, Recognizer, largest_sets, set_probabilities

N_BINS = 15
CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A balanced accuracy, 0..1, with its 95 percent bootstrap interval over groups."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class InputFigures:
    """The figures for one kind of input.

    Attributes:
        kind: of the input.
        n_inputs: how many.
        classes: accuracy among all classes.
        joined: accuracy where classes that are hard to tell apart count as one.
        calibration_error: expected calibration error of the likeliest class.
        coverage: share of inputs that get an answer.
        precision: share of the answers that are right.
        unknown: share of inputs that are called none of the classes.
    """

    kind: str
    n_inputs: int
    classes: Accuracy
    joined: Accuracy
    calibration_error: float
    coverage: float
    precision: float
    unknown: float

    def values(self) -> dict[str, object]:
        """Everything as plain values."""
        return asdict(self)


def input_figures(kind: str, inputs: TrialInputs, recognizer: Recognizer) -> InputFigures:
    """The figures of a recognizer on inputs of one kind."""
    probabilities = np.exp(recognizer.fusion.log_probabilities(inputs.evidence))
    decision, targets = recognizer.decision, inputs.targets
    weights = class_weights(targets)
    known = np.array([decision.is_known(one) for one in inputs.evidence])
    coverage, precision = coverage_and_precision(probabilities, targets, decision, known)
    sets = largest_sets(decision.answers)
    return InputFigures(
        kind,
        len(targets),
        balanced_accuracy(probabilities.argmax(axis=1), targets, inputs.groups),
        joined_accuracy(probabilities, inputs, sets),
        calibration_error(probabilities, targets, weights),
        coverage,
        precision,
        float(weights @ ~known),
    )


def joined_accuracy(
    probabilities: Floats, inputs: TrialInputs, sets: Sequence[tuple[int, ...]]
) -> Accuracy:
    """The accuracy where each set of classes counts as one; classes in no set are left out."""
    position = {i: number for number, one in enumerate(sets) for i in one}
    kept = np.flatnonzero([target in position for target in inputs.targets.tolist()])
    sums = set_probabilities(probabilities, sets)
    targets = np.array([position[target] for target in inputs.targets[kept].tolist()])
    return balanced_accuracy(sums[kept].argmax(axis=1), targets, inputs.groups[kept])


def balanced_accuracy(predicted: Integers, targets: Integers, groups: Integers) -> Accuracy:
    """The mean over classes of the share of their inputs that is recognized.

    >>> str(balanced_accuracy(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([0, 1, 2])))
    '0.750 (0.000 to 1.000)'
    """
    _, members = np.unique(groups, return_inverse=True)
    classes, numbers = np.unique(targets, return_inverse=True)
    shape = (int(members.max()) + 1, len(classes))
    totals, right = np.zeros(shape), np.zeros(shape)
    np.add.at(totals, (members, numbers), 1)
    np.add.at(right, (members, numbers), predicted == targets)

    def statistic(drawn: NDArray[np.int64]) -> Floats:
        counts = np.array([np.bincount(row, minlength=shape[0]) for row in drawn])
        with np.errstate(invalid="ignore"):
            return np.asarray(np.nanmean((counts @ right) / (counts @ totals), axis=1))

    value = float(np.mean(right.sum(axis=0) / totals.sum(axis=0)))
    return Accuracy(value, *resampled_interval(shape[0], statistic))


def calibration_error(probabilities: Floats, targets: Integers, weights: Floats) -> float:
    """Expected calibration error of the likeliest class, 0..1, in 15 bins of equal width.

    >>> certain = np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> calibration_error(certain, np.array([0, 1]), np.full(2, 0.5))
    0.5
    """
    confidence = probabilities.max(axis=1)
    gap = weights * (confidence - (probabilities.argmax(axis=1) == targets))
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    return float(np.abs(np.bincount(bins, gap)).sum() / weights.sum())


def coverage_and_precision(
    probabilities: Floats, targets: Integers, decision: Decision, known: NDArray[np.bool_]
) -> tuple[float, float]:
    """The share of inputs that get an answer, and the share of the answers that are right."""
    weights = class_weights(targets)
    answers = [decision.answer(row) for row in probabilities]
    given = np.array([bool(answer) for answer in answers]) & known
    right = np.array([t in answer for t, answer in zip(targets, answers, strict=True)])
    coverage = float(weights @ given)
    return coverage, float(weights @ (given & right)) / coverage if coverage else float("nan")


def risk_coverage(inputs: TrialInputs, recognizer: Recognizer) -> list[tuple[float, float, float]]:
    """Confidence, coverage and precision of the likeliest joined class at several confidences."""
    sets = largest_sets(recognizer.decision.answers)
    probabilities = np.exp(recognizer.fusion.log_probabilities(inputs.evidence))
    sums = set_probabilities(probabilities, sets)
    right = np.array(
        [t in sets[i] for t, i in zip(inputs.targets, sums.argmax(axis=1), strict=True)]
    )
    weights, rows = class_weights(inputs.targets), []
    for confidence in CONFIDENCES:
        given = sums.max(axis=1) >= confidence
        coverage = float(weights @ given)
        rows.append((confidence, coverage, float(weights @ (given & right)) / max(coverage, 1e-9)))
    return rows


def confusion_table(inputs: TrialInputs, recognizer: Recognizer) -> Floats:
    """(C, C) share of the inputs of each class (rows) that are taken for each class."""
    log_p = recognizer.fusion.log_probabilities(inputs.evidence)
    return confusion_rates(log_p, inputs.targets)


def pooled_calibration_error(inputs: Mapping[str, TrialInputs], recognizer: Recognizer) -> float:
    """Expected calibration error over all kinds of inputs together, each weighing the same."""
    log_p = [recognizer.fusion.log_probabilities(kind.evidence) for kind in inputs.values()]
    targets = np.concatenate([kind.targets for kind in inputs.values()])
    weights = np.concatenate([class_weights(kind.targets) for kind in inputs.values()])
    return calibration_error(np.exp(np.concatenate(log_p)), targets, weights)
