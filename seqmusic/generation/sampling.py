"""From logits to an id: masks, temperature, and the rules that cut the tail off."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqmusic.generation.request import Sampling

LogProbabilities = NDArray[np.float64]


def log_softmax(logits: NDArray[np.floating[Any]], mask: NDArray[np.bool_]) -> LogProbabilities:
    """(..., V) log-probabilities of the allowed ids, -inf for the others; at least one is allowed."""
    kept = np.where(mask, logits, -np.inf).astype(np.float64, copy=False)
    kept -= kept.max(axis=-1, keepdims=True)
    kept -= np.log(np.exp(kept).sum(axis=-1, keepdims=True))
    return kept


def sample_ids(
    log_weights: NDArray[np.floating[Any]], sampling: Sampling, uniform: ArrayLike
) -> NDArray[np.int64]:
    """(N,) ids at (N,) `uniform` (0..1, without 1) of the cumulative distributions that the rules leave of (N, V) weights.

    The largest weight is 1 or about that; they need not sum to one. The tail is cut at temperature 1, the temperature comes last.

    >>> sample_ids(np.log([[1.0, 0.6, 0.4], [0.1, 0.8, 0.1]]), Sampling(top_k=2), [0.9, 0.0]).tolist()
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
    """Those that the rules keep, the others -inf."""
    if sampling.top_k == 0 and sampling.top_p == 1 and sampling.min_p == 0:
        return log_weights
    order = np.argsort(-log_weights, axis=1, kind="stable")
    falling = np.take_along_axis(log_weights, order, 1)
    weights = np.exp(falling)
    sums = weights.cumsum(axis=1)
    keep = weights >= sampling.min_p * weights[:, :1]
    keep[:, 1:] &= sums[:, :-1] < sampling.top_p * sums[:, -1:]
    if sampling.top_k:
        keep[:, sampling.top_k :] = False
    kept = np.empty_like(log_weights)
    np.put_along_axis(kept, order, np.where(keep, falling, -np.inf), 1)
    return kept
