"""From logits to an id: masks, temperature, and the rules that cut the tail off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How an id is drawn; a rule left at its default does nothing."""

    temperature: float = 1.0  # 0 = the likeliest
    top_k: int = 0  # keep the k likeliest, 0 = all
    top_p: float = 1.0  # keep the likeliest that together reach this probability, 0..1
    min_p: float = 0.0  # keep those at least this share as likely as the likeliest, 0..1

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature must be 0 (the likeliest) or more, got {self.temperature}")
        if self.top_k < 0:
            raise ValueError(f"top_k must be 0 (all) or more, got {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be in 0..1 and not 0, got {self.top_p}")
        if not 0 <= self.min_p <= 1:
            raise ValueError(f"min_p must be in 0..1, got {self.min_p}")


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
