"""Decision trees as a baseline, a single one or a forest of random ones (extra ``[report]``).

They split on the context columns of the grammar. Pitches, those in the context and the predicted
one, are relative to the last one of their voice, so that all keys are learned together. A leaf
gives nothing to what it has never seen, which makes a likelihood zero: so a small share goes to how
often each id comes anywhere. What the grammar forbids gets nothing, and the rest is renormalized.

Source: P. Geurts, D. Ernst and L. Wehenkel, Extremely Randomized Trees, 2006 (the forest). Gradient
boosting as in scikit-learn did not converge on classes as many and as rare as these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Floats, Ints
from seqmusic.baselines.viewpoints import scored_examples, transpose_sound
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSettings:
    """How trees are grown. The defaults were chosen on the validation works of the chorales."""

    n_trees: int = 30  # random trees; 1 = one decision tree, grown on everything
    min_samples_leaf: int = 5  # fewest events in a leaf
    smoothing: float = 0.02  # share left to how often each id comes anywhere, 0..1, 0 excluded
    seed: int = 0


ONE_TREE = TreeSettings(n_trees=1, min_samples_leaf=25, smoothing=0.1)


class Trees:
    """Trees for the next sound, and for its duration given that sound, grown on `training`."""

    def __init__(self, training: Sequence[Trace], settings: TreeSettings = TreeSettings()) -> None:
        """Grow the trees.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            ValueError: `training` is empty.
        """
        if not training:
            raise ValueError("trees need one piece or more to grow on, got none")
        self._smoothing = settings.smoothing
        columns = zip(*(_features(trace)[:3] for trace in training), strict=True)
        features, sounds, durations = map(np.concatenate, columns)
        self._sounds = _new_estimator(settings).fit(features, sounds)
        with_sounds = np.column_stack([features, sounds])
        self._durations = _new_estimator(settings).fit(with_sounds, durations)
        self._sound_frequencies = _relative_frequencies(sounds, N_SOUNDS)
        self._duration_frequencies = _relative_frequencies(durations, N_DURATIONS)

    @property
    def size(self) -> int:
        """Splits and leaves of all trees together."""
        return sum(
            tree.tree_.node_count
            for estimator in (self._sounds, self._durations)
            for tree in getattr(estimator, "estimators_", [estimator])
        )

    def distributions(self, trace: Trace) -> tuple[Floats, Floats]:
        """The predicted distributions of the N scored events; each row sums to 1.

        Returns:
            (N, sound) probabilities, and (N, duration) ones given the actual sound.
        """
        features, sounds, _, shifts, rows = _features(trace)
        sound_rules, duration_rules = trace.rules[rows].T
        of_sounds = self._smoothed(self._sounds, features, self._sound_frequencies)
        # Column of each pitch in what was learned of relative pitches.
        relative = (np.arange(KEY - PITCH)[None] + shifts[:, None]) % (KEY - PITCH)
        of_sounds[:, PITCH:KEY] = np.take_along_axis(of_sounds, PITCH + relative, axis=1)
        with_sounds = np.column_stack([features, sounds])
        of_durations = self._smoothed(self._durations, with_sounds, self._duration_frequencies)
        allowed_sounds = sound_masks(columns_to_max_voices(trace.context.shape[1]))
        return (
            _renormalized(of_sounds, allowed_sounds[sound_rules]),
            _renormalized(of_durations, duration_masks()[duration_rules]),
        )

    def _smoothed(self, estimator: Any, features: Ints, frequencies: Floats) -> Floats:
        probabilities = np.zeros((len(features), len(frequencies)))
        probabilities[:, estimator.classes_] = estimator.predict_proba(features)
        smoothed: Floats = (1 - self._smoothing) * probabilities + self._smoothing * frequencies
        return smoothed


class _Features(NamedTuple):
    """What the trees see of N scored events, and what they predict.

    Attributes:
        context: (N, C) context, pitches relative.
        sounds: (N,) relative sound ids.
        durations: (N,) duration ids.
        shifts: (N,) semitones from actual to relative pitches.
        rows: (N,) rows of the trace.
    """

    context: Ints
    sounds: Ints
    durations: Ints
    shifts: Ints
    rows: Ints


def _features(trace: Trace) -> _Features:
    examples = list(scored_examples(trace))
    rows = np.array([example.row for example in examples])
    shifts = np.array([example.shift for example in examples])
    are_pitches = np.array(
        [
            name not in GLOBAL_COLUMNS and name.rpartition("_")[0] in _PITCH_COLUMNS
            for name in context_columns(columns_to_max_voices(trace.context.shape[1]))
        ]
    )
    context = trace.context[rows].astype(np.int64)
    context += shifts[:, None] * (are_pitches & (context >= PITCH_CODE))
    sounds = np.array([transpose_sound(example.sound, example.shift) for example in examples])
    durations = np.array([example.duration for example in examples])
    return _Features(context, sounds, durations, shifts, rows)


def _new_estimator(settings: TreeSettings) -> Any:
    """Trees before they grow."""
    try:
        from sklearn.ensemble import ExtraTreesClassifier
        from sklearn.tree import DecisionTreeClassifier
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "trees need scikit-learn; `pip install 'seqmusic[report]'` brings it"
        ) from error
    options = {
        "criterion": "entropy",
        "min_samples_leaf": settings.min_samples_leaf,
        "random_state": settings.seed,
    }
    if settings.n_trees == 1:
        return DecisionTreeClassifier(**options)
    return ExtraTreesClassifier(settings.n_trees, max_features=0.5, **options)


def _relative_frequencies(ids: Ints, n_ids: int) -> Floats:
    """(id,) share of each id, with one half added to each count."""
    counts = np.bincount(ids, minlength=n_ids) + 0.5
    shares: Floats = counts / counts.sum()
    return shares


def _renormalized(probabilities: Floats, allowed: NDArray[np.bool_]) -> Floats:
    probabilities = probabilities * allowed
    shares: Floats = probabilities / probabilities.sum(axis=1, keepdims=True)
    return shares
