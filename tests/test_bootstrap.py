"""Bootstrap intervals: their coverage, and one by hand."""

import numpy as np

from seqmusic.metrics.bootstrap import bootstrap_interval


def test_95_percent_of_the_intervals_hold_the_mean() -> None:
    """Of 200 sets of 60 pieces around a known mean; 88 to 99 percent pass."""
    rng = np.random.default_rng(3)
    n_hits = 0
    for _ in range(200):
        n_cells = rng.integers(400, 1600, 60)
        low, high = bootstrap_interval(n_cells * rng.normal(0.4, 0.1, 60), n_cells)
        n_hits += low <= 0.4 <= high
    assert 176 <= n_hits <= 198
    assert bootstrap_interval([1.0, 9.0], [4, 4], seed=1) == bootstrap_interval(
        [1.0, 9.0], [4, 4], seed=1
    )
    assert bootstrap_interval([1.0, 9.0], [4, 4]) == (0.25, 2.25)
