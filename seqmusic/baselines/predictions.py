"""What a baseline predicts, in the form of what a model predicts."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seqmusic.metrics.likelihood import Predictions
from seqmusic.tokens.tokenizer import Trace


class Baseline(Protocol):
    """A predictor of tokens that is counted or grown instead of trained, such as `NGram`."""

    @property
    def size(self) -> int:
        """Size of the predictor: entries of an n-gram, nodes of trees."""

    def distributions(self, trace: Trace) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(N, sound) and (N, duration) probabilities of the N scored events."""


def baseline_predictions(baseline: Baseline, trace: Trace) -> Predictions:
    """What a baseline predicts for the scored events of a piece."""
    rows = np.flatnonzero(trace.is_scored)
    events = trace.events[rows + 1].astype(np.int64)
    sounds, durations = baseline.distributions(trace)
    with np.errstate(divide="ignore"):  # what the grammar forbids
        return Predictions(rows, events[:, 0], events[:, 1], np.log(sounds), np.log(durations))
