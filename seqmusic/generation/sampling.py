"""From logits to an id: masks, temperature, and the rules that cut the tail off."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.generation.request import Sampling


def log_softmax(logits: NDArray[np.floating[Any]], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(V,) log-probabilities of the allowed ids, -inf for the others."""
    kept = np.where(mask, logits, -np.inf).astype(np.float64)
    kept -= kept.max()
    return np.asarray(kept - np.log(np.exp(kept).sum()))


def draw(log_probabilities: NDArray[np.float64], sampling: Sampling, uniform: float) -> int:
    """The id at `uniform` (0..1) of the cumulative distribution that the rules leave.

    The tail is cut at temperature 1, the temperature comes last.

    >>> draw(np.log([0.5, 0.3, 0.2]), Sampling(top_k=2), 0.9), draw(np.log([0.2, 0.8]), Sampling(temperature=0), 0.0)
    (1, 1)
    """
    if sampling.temperature == 0:
        return int(np.argmax(log_probabilities))
    order = np.argsort(-log_probabilities, kind="stable")
    kept = log_probabilities[order]
    probabilities = np.exp(kept)
    keep = np.isfinite(kept) & (probabilities >= sampling.min_p * probabilities[0])
    keep &= np.concatenate(([0.0], np.cumsum(probabilities)[:-1])) < sampling.top_p
    if sampling.top_k:
        keep[sampling.top_k :] = False
    scaled = kept[keep] / sampling.temperature
    weights = np.exp(scaled - scaled[0])
    place = int(np.searchsorted(np.cumsum(weights), uniform * weights.sum(), side="right"))
    return int(order[keep][min(place, len(weights) - 1)])
