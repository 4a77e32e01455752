"""Ids are drawn in proportion to their probabilities, as temperature and truncation change them."""

import numpy as np
import pytest

from seqmusic.generation.sampling import Sampling, sample_ids


def test_draws_follow_the_probabilities() -> None:
    rows = np.broadcast_to(np.log([0.1, 0.6, 0.3]), (1000, 3))
    uniform = (np.arange(1000) + 0.5) / 1000
    counts = np.bincount(sample_ids(rows, Sampling(), uniform), minlength=3)
    assert counts.tolist() == [100, 600, 300]
    assert set(sample_ids(rows, Sampling(min_p=0.4), uniform)) == {1, 2}
    assert set(sample_ids(rows, Sampling(top_p=0.5), uniform)) == {1}
    cold = np.bincount(sample_ids(rows, Sampling(temperature=0.5), uniform), minlength=3)
    # Squared, 0.1, 0.6 and 0.3 add up to 0.46.
    assert cold.tolist() == pytest.approx([1000 * p**2 / 0.46 for p in (0.1, 0.6, 0.3)], abs=1.5)
