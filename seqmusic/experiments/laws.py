"""Laws fitted to the results of trials: how loss falls with data, and which size is best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EXPONENTS = np.geomspace(0.02, 2.0, 200)


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Loss = limit + scale x n ** -exponent.

    >>> round(PowerLaw(limit=0.4, scale=0.8, exponent=0.5).at(16), 3)
    0.6
    """

    limit: float
    scale: float
    exponent: float

    def at(self, n: float) -> float:
        """The loss at n."""
        return float(self.limit + self.scale * n**-self.exponent)


def fit_power_law(n: Sequence[float], loss: Sequence[float]) -> PowerLaw:
    """The power law that fits (N,) points best by least squares.

    For each exponent of a fine grid, limit and scale follow from linear least squares; the exponent
    with the smallest error is taken.

    Args:
        n: (N,) sizes above 0.
        loss: (N,) losses.

    Returns:
        A law whose limit and scale are 0 or more, and whose exponent is in 0.02..2.

    Source: the form of J. Hestness et al., Deep Learning Scaling is Predictable, Empirically, 2017.

    Raises:
        ValueError: fewer than three different sizes, or one that is not above 0.
    """
    x, y = np.asarray(n, np.float64), np.asarray(loss, np.float64)
    if len(set(n)) < 3 or x.min() <= 0:
        raise ValueError(f"a power law needs three different sizes above 0, got {sorted(set(n))}")
    powers = x[None] ** -_EXPONENTS[:, None]  # (exponent, point)
    centered = powers - powers.mean(axis=1, keepdims=True)
    scale = np.maximum(centered @ (y - y.mean()) / (centered**2).sum(axis=1), 0.0)
    limit = y.mean() - scale * powers.mean(axis=1)
    # Where the best limit is negative, it is 0, and the scale alone is fitted.
    is_negative = limit < 0
    limit = np.where(is_negative, 0.0, limit)
    scale = np.where(is_negative, powers @ y / (powers**2).sum(axis=1), scale)
    error = ((limit[:, None] + scale[:, None] * powers - y) ** 2).sum(axis=1)
    best = int(error.argmin())
    return PowerLaw(float(limit[best]), float(scale[best]), float(_EXPONENTS[best]))


def bootstrap_means(
    groups: Sequence[Sequence[float]], n_resamples: int, seed: int = 0
) -> NDArray[np.float64]:
    """(R, G) means of the values of G groups, each drawn R times with replacement."""
    rng = np.random.default_rng(seed)
    drawn = [
        np.asarray(values)[rng.integers(len(values), size=(n_resamples, len(values)))]
        for values in groups
    ]
    return np.stack([values.mean(axis=1) for values in drawn], axis=1)


@dataclass(frozen=True, slots=True)
class Parabola:
    """Loss = lowest + bend x (ln size - ln best) ** 2, and the sizes that it was fitted to.

    Attributes:
        best: the size with the smallest loss, in smallest..largest.
        lowest: the loss at that size.
        bend: above 0 if the minimum of the parabola lies within the sizes; 0 if the loss still
            falls at one end.
    """

    best: float
    lowest: float
    bend: float

    def at(self, size: float) -> float:
        """The loss at a size."""
        return float(self.lowest + self.bend * np.log(size / self.best) ** 2)


def fit_parabola(sizes: Sequence[float], loss: Sequence[float]) -> Parabola:
    """The parabola in log size that fits the points best by least squares.

    If it has no minimum within the sizes, the size with the smallest loss is taken, and bend is 0.

    Source: the IsoFLOP profiles of J. Hoffmann et al., Training Compute-Optimal Large Language
    Models, 2022, section 3.2.

    Raises:
        ValueError: fewer than three sizes.
    """
    if len(set(sizes)) < 3:
        raise ValueError(f"a parabola needs three different sizes, got {sorted(set(sizes))}")
    bend, slope, level = np.polyfit(np.log(sizes), np.asarray(loss, np.float64), 2)
    best = float(np.exp(-slope / (2 * bend))) if bend > 0 else np.inf
    if min(sizes) <= best <= max(sizes):
        return Parabola(best, float(level - slope**2 / (4 * bend)), float(bend))
    least = int(np.argmin(loss))
    return Parabola(float(sizes[least]), float(loss[least]), 0.0)
