"""Two judges of different kind: one linear on counts of patterns, one of trees on statistics.

Both need scikit-learn (extra ``[report]``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqmusic.array_types import Floats, Ints
from seqmusic.errors import MissingExtraError
from seqmusic.metrics.two_sample.pattern_names import group_name, pattern_name
from seqmusic.metrics.two_sample.patterns import (
    Pattern,
    count_patterns,
    group_totals,
    pattern_shares,
)
from seqmusic.metrics.two_sample.separation import Scorer, Separation, separate
from seqmusic.metrics.two_sample.statistics import window_statistics
from seqmusic.metrics.two_sample.windows import Windows

LINEAR, TREES = "linear", "trees"
_INVERSE_REGULARIZATION = 3.0
N_TREES = 300
_MIN_SAMPLES_LEAF = 2


@dataclass(frozen=True, slots=True)
class Sign:
    """A pattern that one kind of music has more of than the other.

    Attributes:
        name: what it is.
        unit: what the shares are shares of.
        share: in the first kind, over all windows together, 0..1.
        other_share: in the second.
        strength: mean difference in log-odds that it makes to the linear judge.
    """

    name: str
    unit: str
    share: float
    other_share: float
    strength: float


def judge(first: Windows, second: Windows, *, seed: int = 0) -> dict[str, Separation]:
    """How well each judge tells two kinds of music apart in groups that it has not seen.

    Raises:
        MissingExtraError: scikit-learn is not installed.
        ValueError: a kind has windows of fewer than five groups.
    """
    require_judges()
    labels = np.repeat([0, 1], [len(first), len(second)])
    groups = np.concatenate([first.groups, second.groups])
    pitches = [*first.pitches, *second.pitches]
    shares = pattern_shares([count_patterns(window) for window in pitches])[1]
    statistics = np.array([list(window_statistics(window).values()) for window in pitches])
    found: Mapping[str, tuple[Floats, Scorer]] = {
        LINEAR: (np.sqrt(shares), _linear_scores),
        TREES: (statistics, _tree_scores),
    }
    return {
        name: separate(features, labels, groups, scorer, seed=seed)
        for name, (features, scorer) in found.items()
    }


def strongest_signs(first: Windows, second: Windows, n: int = 10) -> list[Sign]:
    """The patterns that the linear judge goes by most, strongest first.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    require_judges()
    counts = [[count_patterns(window) for window in kind.pitches] for kind in (first, second)]
    patterns, shares = pattern_shares([*counts[0], *counts[1]])
    features, labels = np.sqrt(shares), np.repeat([0, 1], [len(first), len(second)])
    weights = _linear_classifier().fit(features, labels).coef_[0]
    difference = features[labels == 1].mean(axis=0) - features[labels == 0].mean(axis=0)
    strengths = weights * difference
    pooled = [sum(kind, Counter[Pattern]()) for kind in counts]
    return [
        _sign(patterns[index], pooled[0], pooled[1], float(strengths[index]))
        for index in np.argsort(-np.abs(strengths), kind="stable")[:n].tolist()
    ]


def _sign(
    pattern: Pattern, counts: Counter[Pattern], other: Counter[Pattern], strength: float
) -> Sign:
    shares = [kind[pattern] / max(1, group_totals(kind)[pattern.group]) for kind in (counts, other)]
    return Sign(pattern_name(pattern), group_name(pattern), shares[0], shares[1], strength)


def require_judges() -> None:
    """Do nothing where scikit-learn is installed.

    Raises:
        MissingExtraError: it is not.
    """
    try:
        import sklearn  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "telling music apart needs scikit-learn; `pip install 'seqmusic[report]'` brings it"
        ) from error


def _linear_scores(training: Floats, labels: Ints, test: Floats) -> Floats:
    scores: Floats = _linear_classifier().fit(training, labels).decision_function(test)
    return scores


def _tree_scores(training: Floats, labels: Ints, test: Floats) -> Floats:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(N_TREES, min_samples_leaf=_MIN_SAMPLES_LEAF, random_state=0)
    probabilities: Floats = forest.fit(training, labels).predict_proba(test)[:, 1]
    return probabilities


def _linear_classifier() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=_INVERSE_REGULARIZATION, max_iter=1000)
