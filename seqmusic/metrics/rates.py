"""How often something happens in music, out of how many chances it has, and how sure a corpus makes us of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from seqmusic.metrics.likelihood import bootstrap_interval


class Rate(NamedTuple):
    """What was counted in one score.

    Attributes:
        hits: how often it happened.
        opportunities: how often it could have.
    """

    hits: int
    opportunities: int


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """One figure of a list of scores.

    Attributes:
        name: what was counted.
        unit: of `value`, `low` and `high`.
        value: over all scores together, so that a long one counts for more; nan without a chance.
        low: where 95 percent of the values lie when whole scores are drawn again: from here
        high: to here.
        hits: in all scores.
        opportunities: in all scores.
    """

    name: str
    unit: str
    value: float
    low: float
    high: float
    hits: int
    opportunities: int


def pooled_rate(name: str, unit: str, rates: Sequence[Rate], scale: float) -> RateEstimate:
    """The rate over all scores, times `scale`, with its bootstrap interval; scores without a chance take no part.

    >>> pooled_rate("crossings", "% of steps", [Rate(1, 10), Rate(2, 20), Rate(0, 0)], scale=100)
    RateEstimate(name='crossings', unit='% of steps', value=10.0, low=10.0, high=10.0, hits=3, opportunities=30)
    """
    told = [rate for rate in rates if rate.opportunities]
    if not told:
        return RateEstimate(name, unit, *(float("nan"),) * 3, 0, 0)
    hits, opportunities = (sum(column) for column in zip(*told, strict=True))
    low, high = (scale * bound for bound in bootstrap_interval(*zip(*told, strict=True)))
    return RateEstimate(name, unit, scale * hits / opportunities, low, high, hits, opportunities)
