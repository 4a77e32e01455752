"""How often something happens in music, out of the opportunities it has, with an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from seqmusic.metrics.bootstrap import bootstrap_interval


class Rate(NamedTuple):
    """What was counted in one score.

    Attributes:
        hits: how often it happened.
        opportunities: how often it could have happened.
    """

    hits: int
    opportunities: int


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """One figure of several scores.

    Attributes:
        name: of what was counted.
        unit: of `value`, `low` and `high`.
        value: over all scores together, so that a long one counts for more; nan without
            opportunities.
        low: lower end of the 95 percent bootstrap interval over scores.
        high: upper end of the interval.
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
    """The rate over all scores, times `scale`; scores without opportunities are left out.

    >>> pooled_rate("crossings", "% of steps", [Rate(1, 10), Rate(2, 20), Rate(0, 0)], scale=100)
    ... # doctest: +NORMALIZE_WHITESPACE
    RateEstimate(name='crossings', unit='% of steps', value=10.0, low=10.0, high=10.0,
                 hits=3, opportunities=30)
    """
    counted = [rate for rate in rates if rate.opportunities]
    if not counted:
        return RateEstimate(name, unit, math.nan, math.nan, math.nan, 0, 0)
    hits, opportunities = (list(column) for column in zip(*counted, strict=True))
    low, high = bootstrap_interval(hits, opportunities)
    value = scale * sum(hits) / sum(opportunities)
    return RateEstimate(name, unit, value, scale * low, scale * high, sum(hits), sum(opportunities))
