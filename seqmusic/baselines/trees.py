"""Decision trees as a rival, one or a forest of random ones: they ask about the grammar's context columns (extra ``[report]``).

Pitches, those asked about and the one to be predicted, are steps from the voice's last one, so that all keys teach each other. A
leaf that never saw something gives it nothing, which a likelihood does not forgive: so a little is left to how often each thing
comes anywhere, what the grammar forbids gets nothing, and the rest is renormalized.

Source: P. Geurts, D. Ernst and L. Wehenkel, Extremely Randomized Trees, 2006 (the forest); gradient boosting as scikit-learn has it
did not converge on classes as many and as rare as these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.baselines.ngram import scored_examples, transpose_sound
from seqmusic.errors import MissingExtraError
from seqmusic.tokens.context import (
    GLOBAL_COLUMNS,
    PITCH_CODE,
    columns_to_max_voices,
    context_columns,
)
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import KEY, N_DURATIONS, N_SOUNDS, PITCH

_PITCH_COLUMNS = ("sound", "ahead", "parallel")
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSettings:
    """How trees are grown. The defaults of both kinds were chosen on the validation works of the chorales."""

    n_trees: int = 30  # random trees; 1 = one decision tree, grown on everything
    min_samples_leaf: int = 5  # fewest events in a leaf
    smoothing: float = 0.02  # share left to how often each thing comes anywhere, 0..1, 0 excluded
    seed: int = 0


ONE_TREE = TreeSettings(n_trees=1, min_samples_leaf=25, smoothing=0.1)


class Trees:
    """Trees for the next sound, and for its duration given that sound, grown on `training`."""

    def __init__(self, training: Sequence[Trace], settings: TreeSettings = TreeSettings()) -> None:
        """Grow them.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            ValueError: nothing to grow on.
        """
        if not training:
            raise ValueError("trees need one piece or more to grow on, got none")
        self._settings = settings
        tables = [_features(trace) for trace in training]
        features, sounds, durations = (
            np.concatenate([table[column] for table in tables]) for column in range(3)
        )
        self._sounds = _new_estimator(settings).fit(features, sounds)
        self._durations = _new_estimator(settings).fit(
            np.column_stack([features, sounds]), durations
        )
        self._sound_frequencies = _relative_frequencies(sounds, N_SOUNDS)
        self._duration_frequencies = _relative_frequencies(durations, N_DURATIONS)

    @property
    def size(self) -> int:
        """Questions and leaves of all trees together."""
        return sum(
            tree.tree_.node_count
            for estimator in (self._sounds, self._durations)
            for tree in getattr(estimator, "estimators_", [estimator])
        )

    def sound_probabilities(self, trace: Trace) -> _Floats:
        """(scored event, sound) what each sound was given; a row sums to 1 over what the grammar allows."""
        features, _, _, shifts, rows = _features(trace)
        probabilities = self._smoothed(self._sounds, features, self._sound_frequencies)
        pitches = np.arange(KEY - PITCH)
        moved = PITCH + (pitches[None] + shifts[:, None]) % (
            KEY - PITCH
        )  # where the count of each pitch stands
        probabilities[:, PITCH:KEY] = np.take_along_axis(probabilities, moved, axis=1)
        return _renormalized(
            probabilities,
            sound_masks(columns_to_max_voices(trace.context.shape[1]))[trace.rules[rows, 0]],
        )

    def duration_probabilities(self, trace: Trace) -> _Floats:
        """(scored event, duration) what each duration was given, the event's sound being known; a row sums to 1."""
        features, sounds, _, _, rows = _features(trace)
        probabilities = self._smoothed(
            self._durations, np.column_stack([features, sounds]), self._duration_frequencies
        )
        return _renormalized(probabilities, duration_masks()[trace.rules[rows, 1]])

    def _smoothed(
        self, estimator: Any, features: NDArray[np.int64], frequencies: _Floats
    ) -> _Floats:
        probabilities = np.zeros((len(features), len(frequencies)))
        probabilities[:, estimator.classes_] = estimator.predict_proba(features)
        smoothed: _Floats = (
            1 - self._settings.smoothing
        ) * probabilities + self._settings.smoothing * frequencies
        return smoothed


def _features(trace: Trace) -> tuple[NDArray[np.int64], ...]:
    """Of the N scored events: (N, C) context, and (N,) relative sounds, durations, shifts, and rows of the trace."""
    own = list(scored_examples(trace))
    rows, shifts = np.array([m.row for m in own]), np.array([m.shift for m in own])
    columns = context_columns(columns_to_max_voices(trace.context.shape[1]))
    are_pitches = [
        name not in GLOBAL_COLUMNS and name.rpartition("_")[0] in _PITCH_COLUMNS for name in columns
    ]
    features = trace.context[rows].astype(np.int64)
    features += shifts[:, None] * (np.array(are_pitches) & (features >= PITCH_CODE))
    sounds = np.array([transpose_sound(m.sound, m.shift) for m in own])
    return features, sounds, np.array([m.duration for m in own]), shifts, rows


def _new_estimator(settings: TreeSettings) -> Any:
    """Trees before they grow."""
    try:
        from sklearn.ensemble import ExtraTreesClassifier
        from sklearn.tree import DecisionTreeClassifier
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "trees need scikit-learn; `pip install 'seqmusic[report]'` brings it"
        ) from error
    own = {
        "criterion": "entropy",
        "min_samples_leaf": settings.min_samples_leaf,
        "random_state": settings.seed,
    }
    if settings.n_trees == 1:
        return DecisionTreeClassifier(**own)
    return ExtraTreesClassifier(settings.n_trees, max_features=0.5, **own)


def _relative_frequencies(ids: NDArray[np.int64], n_ids: int) -> _Floats:
    """(id,) how often each comes, half a time added to each."""
    counts = np.bincount(ids, minlength=n_ids) + 0.5
    shares: _Floats = counts / counts.sum()
    return shares


def _renormalized(probabilities: _Floats, allowed: NDArray[np.bool_]) -> _Floats:
    probabilities = probabilities * allowed
    rest: _Floats = probabilities / probabilities.sum(axis=1, keepdims=True)
    return rest
