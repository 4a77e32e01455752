"""The classifier two-sample test: the area under the ROC curve of music never trained on.

Groups of works are dealt into five folds. A classifier is trained on four of them and scores the
fifth. The area (AUC) is the probability that a window of one kind scores higher than one of the
other kind, among the windows of the same fold: 0.5 where the two are indistinguishable, 1 where
they are always separated.

Source: D. Lopez-Paz and M. Oquab, Revisiting Classifier Two-Sample Tests, 2017.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqmusic.array_types import Floats, Ints
from seqmusic.metrics.bootstrap import resampled_interval

N_FOLDS = 5
Scorer = Callable[[Floats, Ints, Floats], Floats]
"""From training features, their labels (0 or 1) and test features to scores, higher for 1."""


@dataclass(frozen=True, slots=True)
class Separation:
    """How well a judge separates two kinds of music.

    Attributes:
        auc: area under the ROC curve, 0..1.
        low: lower end of the 95 percent bootstrap interval over groups.
        high: upper end of the interval.
    """

    auc: float
    low: float
    high: float


def separate(
    features: Floats, labels: Ints, groups: Ints, scorer: Scorer, *, seed: int = 0
) -> Separation:
    """How well a classifier separates windows whose groups it has not seen.

    Args:
        features: (N, F) of the windows of both kinds.
        labels: (N,) 0 or 1, the kind of each.
        groups: (N,) the group of each; windows of both kinds may be of one group.
        scorer: trains a classifier and scores with it.
        seed: of the folds.

    Raises:
        ValueError: a kind has windows of fewer than five groups.
    """
    folds = deal_folds(labels, groups, seed)
    scores = np.zeros(len(labels))
    for fold in range(N_FOLDS):
        is_test = folds == fold
        scores[is_test] = scorer(features[~is_test], labels[~is_test], features[is_test])
    return auc_with_interval(scores, labels, groups, folds)


def deal_folds(labels: Ints, groups: Ints, seed: int = 0) -> Ints:
    """(N,) the fold of each window, 0..4: all windows of a group in one, both kinds in each.

    >>> labels, groups = np.repeat([0, 1], 6), np.array([*range(6)] * 2)
    >>> folds = deal_folds(labels, groups)
    >>> sorted(folds[:6].tolist()), (folds[:6] == folds[6:]).all().item()
    ([0, 0, 1, 2, 3, 4], True)

    Raises:
        ValueError: a kind has windows of fewer than five groups.
    """
    zeros, ones = (set(groups[labels == label].tolist()) for label in (0, 1))
    if (fewest := min(len(zeros), len(ones))) < N_FOLDS:
        raise ValueError(
            f"telling two kinds of music apart needs windows of {N_FOLDS} groups of works or more "
            f"of each kind, got {fewest}"
        )
    rng, fold_of = np.random.default_rng(seed), {}
    for numbers in (zeros & ones, zeros - ones, ones - zeros):
        for position, number in enumerate(rng.permutation(sorted(numbers)).tolist()):
            fold_of[number] = position % N_FOLDS
    return np.array([fold_of[group] for group in groups.tolist()])


def auc_with_interval(scores: Floats, labels: Ints, groups: Ints, folds: Ints) -> Separation:
    """The area under the ROC curve within folds, and its interval, groups drawn again.

    >>> labels = np.array([0, 1])
    >>> auc_with_interval(np.array([0.2, 0.7]), labels, np.zeros(2, int), np.zeros(2, int))
    Separation(auc=1.0, low=1.0, high=1.0)
    """
    names, number = np.unique(groups, return_inverse=True)
    wins, pairs = (np.zeros((len(names), len(names))) for _ in range(2))  # (group of 1, group of 0)
    ones, zeros = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    is_same_fold = folds[ones][:, None] == folds[zeros][None]
    difference = scores[ones][:, None] - scores[zeros][None]
    index = (number[ones][:, None], number[zeros][None])
    np.add.at(wins, index, is_same_fold * (np.sign(difference) + 1) / 2)
    np.add.at(pairs, index, is_same_fold)

    def statistic(drawn: Ints) -> Floats:
        times = np.stack([np.bincount(row, minlength=len(names)) for row in drawn])
        n_pairs: Floats = ((times @ pairs) * times).sum(axis=1)
        areas: Floats = ((times @ wins) * times).sum(axis=1) / np.maximum(n_pairs, 1)
        return areas

    low, high = resampled_interval(len(names), statistic)
    return Separation(float(wins.sum() / pairs.sum()), low, high)
