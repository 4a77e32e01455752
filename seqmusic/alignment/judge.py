"""A judge that tells training works from what a model composed, as a scoring function.

It is linear on the shares of patterns (chords, progressions, intervals, rhythms, two voices
together), like the linear judge of `metrics.two_sample`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from seqmusic.array_types import Floats
from seqmusic.metrics.harmony import STEPS_PER_BEAT, beat_steps
from seqmusic.metrics.two_sample.judges import require_judges
from seqmusic.metrics.two_sample.patterns import (
    Pattern,
    count_patterns,
    group_totals,
    pattern_shares,
)
from seqmusic.metrics.two_sample.windows import Pitches
from seqmusic.pitch_grid import pitch_grid
from seqmusic.score import Score

ScoringFunction = Callable[[Score], float]
"""From a piece to how good it is; higher is better."""
_INVERSE_REGULARIZATION = 3.0


def train_judge(works: Sequence[Score], composed: Sequence[Score]) -> ScoringFunction:
    """A function that scores pieces in four voices by the log-odds that they are works.

    Args:
        works: passages of training works.
        composed: what a model composed.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    require_judges()
    from sklearn.linear_model import LogisticRegression

    counts = [count_patterns(whole_beats(score)) for score in (*works, *composed)]
    patterns, shares = pattern_shares(counts)
    labels = np.repeat([1, 0], [len(works), len(composed)])
    classifier: Any = LogisticRegression(
        C=_INVERSE_REGULARIZATION, max_iter=1000, class_weight="balanced"
    )
    classifier.fit(np.sqrt(shares), labels)
    weights: Floats = classifier.coef_[0]
    by_pattern = dict(zip(patterns, weights.tolist(), strict=True))
    intercept = float(classifier.intercept_[0])
    return lambda score: intercept + _weighted_shares(score, by_pattern)


def whole_beats(score: Score) -> Pitches:
    """(voice, step) the pitches of a score from its first beat on, as many beats as are whole."""
    grid = pitch_grid(score)[:, beat_steps(score).start :]
    return grid[:, : grid.shape[1] // STEPS_PER_BEAT * STEPS_PER_BEAT]


def _weighted_shares(score: Score, weights: dict[Pattern, float]) -> float:
    counts = count_patterns(whole_beats(score))
    totals = group_totals(counts)
    return float(
        sum(
            weights[pattern] * np.sqrt(n / totals[pattern.group])
            for pattern, n in counts.items()
            if pattern in weights
        )
    )
