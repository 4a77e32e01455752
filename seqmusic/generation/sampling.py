"""From logits to an id: masks, tails that are cut off, and temperature."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqmusic.generation.request import Sampling

LogProbabilities = NDArray[np.float64]


def log_softmax(logits: NDArray[np.floating[Any]], mask: NDArray[np.bool_]) -> LogProbabilities:
    """(..., V) log-probabilities of the allowed ids, -inf for the others; some are allowed."""
    allowed = np.where(mask, logits, -np.inf).astype(np.float64, copy=False)
    allowed -= allowed.max(axis=-1, keepdims=True)
    allowed -= np.log(np.exp(allowed).sum(axis=-1, keepdims=True))
    return allowed


def sample_ids(
    log_weights: NDArray[np.floating[Any]], sampling: Sampling, uniform: ArrayLike
) -> NDArray[np.int64]:
    """(N,) ids drawn from N distributions, whose tails are cut before the temperature applies.

    Args:
        log_weights: (N, V) logarithms of weights, which need not sum to one; the largest weight of
            a row is about 1.
        sampling: which tail is cut, and the temperature.
        uniform: (N,) numbers in [0, 1), at which the cumulative distributions are inverted.

    >>> log_weights = np.log([[1.0, 0.6, 0.4], [0.1, 0.8, 0.1]])
    >>> sample_ids(log_weights, Sampling(top_k=2), [0.9, 0.0]).tolist()
    [1, 0]
    """
    if sampling.temperature == 0:
        return np.asarray(log_weights.argmax(axis=1))
    sums = _without_tail(log_weights, sampling) / sampling.temperature
    np.add.accumulate(np.exp(sums, out=sums), axis=1, out=sums)
    return np.asarray((sums > np.asarray(uniform)[:, None] * sums[:, -1:]).argmax(axis=1))


def _without_tail(
    log_weights: NDArray[np.floating[Any]], sampling: Sampling
) -> NDArray[np.floating[Any]]:
    """(N, V) weights of the ids that top-k, top-p and min-p keep, the others -inf."""
    if sampling.top_k == 0 and sampling.top_p == 1 and sampling.min_p == 0:
        return log_weights
    order = np.argsort(-log_weights, axis=1, kind="stable")  # equal weights in the order of ids
    falling = np.take_along_axis(log_weights, order, 1)
    weights = np.exp(falling)
    sums = weights.cumsum(axis=1)
    keep = weights >= sampling.min_p * weights[:, :1]
    keep[:, 1:] &= sums[:, :-1] < sampling.top_p * sums[:, -1:]
    if sampling.top_k:
        keep[:, sampling.top_k :] = False
    cut = np.empty_like(log_weights)
    np.put_along_axis(cut, order, np.where(keep, falling, -np.inf), 1)
    return cut
