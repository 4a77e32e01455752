"""The accuracy of predictions, by hand."""

import math

import numpy as np
import pytest

from seqmusic.evaluation.accuracy import prediction_accuracy
from seqmusic.metrics.likelihood import EventScores


def test_accuracies_are_means_over_the_selected_events() -> None:
    work = EventScores(
        rows=np.arange(4),
        sound_nats=np.array([1.0, 2.0, 3.0, 50.0]),
        duration_nats=np.array([0.5, 0.5, 2.0, 50.0]),
        sound_ranks=np.array([0, 2, 4, 0]),
        duration_ranks=np.array([0, 0, 7, 0]),
        sound_choices=np.array([9, 9, 9, 9]),
        duration_choices=np.array([1, 9, 9, 9]),
    )
    masks = [np.array([True, True, True, False]), np.zeros(4, bool)]
    accuracy = prediction_accuracy([work, work], masks)
    assert (accuracy.n, accuracy.sound_nats, accuracy.duration_nats, accuracy.nats) == (3, 2, 1, 3)
    assert accuracy.sound_top_k == pytest.approx((1 / 3, 2 / 3, 1))
    # The first duration is left out, because the grammar allows no other.
    assert accuracy.duration_top_k == pytest.approx((1 / 2, 1 / 2, 1 / 2))
    assert accuracy.interval == (3.0, 3.0), "only one work has selected events"
    assert accuracy.sound_perplexity == pytest.approx(math.e**2)
