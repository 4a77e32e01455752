"""Bootstrap intervals: how far a figure of some pieces may lie from that of all such pieces.

Whole pieces are drawn again, with replacement, because the notes of one piece resemble each other.

Source: B. Efron, Bootstrap Methods: Another Look at the Jackknife, 1979 (percentile intervals).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 2000
_LEVEL = 0.95

Statistic = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""From the (resample, piece) positions of the drawn pieces to (resample,) figures."""


def resampled_interval(
    n_pieces: int, statistic: Statistic, *, seed: int = 0
) -> tuple[float, float]:
    """The range that holds 95 percent of a statistic over 2000 resamples of the pieces.

    >>> values = np.array([3.0, 3.0, 3.0])
    >>> resampled_interval(3, lambda drawn: np.median(values[drawn], axis=1))
    (3.0, 3.0)
    """
    drawn = np.random.default_rng(seed).integers(n_pieces, size=(N_RESAMPLES, n_pieces))
    low, high = np.quantile(statistic(drawn), [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def bootstrap_interval(
    numerators: Sequence[float], denominators: Sequence[float], *, seed: int = 0
) -> tuple[float, float]:
    """The 95 percent interval of a ratio of sums over pieces, such as nats over cells.

    >>> bootstrap_interval([2.0, 4.0, 6.0], [4, 8, 12])
    (0.5, 0.5)
    """
    above, below = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)

    def ratio(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = above[drawn].sum(axis=1) / below[drawn].sum(axis=1)
        return sums

    return resampled_interval(len(above), ratio, seed=seed)
