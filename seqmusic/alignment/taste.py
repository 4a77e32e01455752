"""A taste, fitted to few answers: the model of Bradley and Terry over measures of the music.

The probability that A is preferred to B is the logistic function of a weighted sum of their
differences, each in standard deviations of the measure. Weights are held small, as far as few
answers require.

Source: R. A. Bradley and M. E. Terry, Rank Analysis of Incomplete Block Designs, 1952.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqmusic.alignment.measures import MEASURES, measure_values
from seqmusic.array_types import Floats
from seqmusic.score import Score

_PRECISION = 4.0  # of the normal prior of each weight: a standard deviation of a half
_MAX_ITERATIONS = 100
_TOLERANCE = 1e-10
_MIN_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class Taste:
    """What a person prefers, as a weight for each measure.

    Attributes:
        means, spreads: (M,) of the measures over all candidates that were compared.
        weights: (M,) log-odds that one standard deviation more of each measure brings.
        errors: (M,) standard errors of the weights.
    """

    means: Floats
    spreads: Floats
    weights: Floats
    errors: Floats

    def score(self, score: Score) -> float:
        """How much the person likes a piece, as log-odds against an average candidate."""
        return float(self.scores(measure_values([score]))[0])

    def scores(self, values: Floats) -> Floats:
        """(N,) the same of (N, M) measures; each weight is made smaller by its standard error.

        So a measure that the answers say little about does not disturb the order.
        """
        certain = np.sign(self.weights) * np.maximum(0, np.abs(self.weights) - self.errors)
        found: Floats = self.standardized(values) @ certain
        return found

    def standardized(self, values: Floats) -> Floats:
        """(N, M) the measures in standard deviations; 0 where one says nothing."""
        found: Floats = np.nan_to_num((values - self.means) / self.spreads)
        return found

    def sentences(self) -> list[str]:
        """The measures whose weight is beyond its standard error, strongest first.

        >>> one, none = np.eye(len(MEASURES))[0], np.zeros(len(MEASURES))
        >>> Taste(none, none + 1, 0.8 * one, none + 0.2).sentences()
        ['you prefer more notes in a quarter (+0.80 ± 0.20)']
        """
        order = np.argsort(-np.abs(self.weights), kind="stable").tolist()
        return [
            f"you prefer {'more' if self.weights[i] > 0 else 'fewer or less'} {MEASURES[i].name} "
            f"({self.weights[i]:+.2f} ± {self.errors[i]:.2f})"
            for i in order
            if abs(self.weights[i]) > self.errors[i]
        ]


def fit_taste(preferred: Sequence[Score], others: Sequence[Score]) -> Taste:
    """The taste that explains why each of N pieces is preferred to the other of its pair.

    Args:
        preferred: N pieces, one or more.
        others: N pieces.
    """
    values = measure_values([*preferred, *others])
    means, spreads = _means_and_spreads(values)
    standard = np.nan_to_num((values - means) / spreads)
    differences = standard[: len(preferred)] - standard[len(preferred) :]
    weights, errors = fit_bradley_terry(differences)
    return Taste(means, spreads, weights, errors)


def fit_bradley_terry(differences: Floats, precision: float = _PRECISION) -> tuple[Floats, Floats]:
    """Weights under which each preferred item is likely preferred, with their standard errors.

    Args:
        differences: (N, M) features of the preferred item less those of the other.
        precision: of the normal prior of the weights, more than 0.

    Returns:
        (M,) weights of the highest posterior density, and (M,) standard errors.

    >>> weights, errors = fit_bradley_terry(np.array([[1.0], [1.0], [1.0], [-1.0]]), precision=1e-9)
    >>> round(float(weights[0]), 4)  # log 3: preferred three times of four
    1.0986
    """
    weights = np.zeros(differences.shape[1])
    for _ in range(_MAX_ITERATIONS):
        gradient, curvature = _derivatives(differences, weights, precision)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if float(np.abs(step).max(initial=0.0)) < _TOLERANCE:
            break
    curvature = _derivatives(differences, weights, precision)[1]
    return weights, np.sqrt(np.diag(np.linalg.inv(curvature)))


def _derivatives(differences: Floats, weights: Floats, precision: float) -> tuple[Floats, Floats]:
    """Gradient of the log-posterior, and its negative second derivative."""
    surprise = 1 / (1 + np.exp(differences @ weights))  # (N,) probability of the other answer
    gradient = differences.T @ surprise - precision * weights
    variance = surprise * (1 - surprise)
    curvature = (differences.T * variance) @ differences + precision * np.eye(len(weights))
    return gradient, curvature


def _means_and_spreads(values: Floats) -> tuple[Floats, Floats]:
    """(M,) mean and deviation of each measure where it says something; 0 and 1 if it never does."""
    is_known = np.isfinite(values)
    n = np.maximum(1, is_known.sum(axis=0))
    means = np.where(is_known, values, 0).sum(axis=0) / n
    deviations = np.where(is_known, values - means, 0)
    spreads = np.sqrt((deviations**2).sum(axis=0) / n)
    return means, np.where(spreads > _MIN_SPREAD, spreads, 1.0)
