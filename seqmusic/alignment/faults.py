"""Rules that masks cannot enforce, as faults that are counted per opportunity.

A candidate is scored by its excess of faults: those it has, less those that as many opportunities
would have brought on average over all candidates. So more notes or more sevenths are neither reward
nor penalty. Faults per time are counted only to show what goes wrong with them: whoever writes
fewer notes makes fewer faults in a bar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from seqmusic.array_types import Floats
from seqmusic.metrics import phrases, resolution, style, voice_leading
from seqmusic.metrics.rates import Rate
from seqmusic.score import TICKS_PER_QUARTER, Score


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that a candidate should not have.

    Attributes:
        name: of the fault.
        weight: of one fault.
        faults: how often it happened, of all opportunities.
    """

    name: str
    weight: float
    faults: Callable[[Score], Rate]


def _missed(score: Score, rate: Callable[[Score], Rate]) -> Rate:
    """What did not happen, of all opportunities."""
    hits, opportunities = rate(score)
    return Rate(opportunities - hits, opportunities)


RULES = (
    Rule("parallels", 2.5, voice_leading.parallel_fifths_and_octaves),
    Rule("unresolved leading tones", 3.0, partial(_missed, rate=resolution.resolved_leading_tones)),
    Rule("unresolved sevenths", 4.0, partial(_missed, rate=resolution.resolved_sevenths)),
    Rule("unprepared dissonances", 0.5, partial(_missed, rate=resolution.prepared_dissonances)),
    Rule("phrases without cadence", 1.0, partial(phrases.cadence_rate, kind="other")),
    Rule("bars not repeated", 0.5, partial(_missed, rate=style.repeated_bars)),
)


def count_faults(score: Score) -> list[Rate]:
    """The faults of a score, in the order of RULES."""
    return [rule.faults(score) for rule in RULES]


def scores_per_opportunity(counts: Sequence[Sequence[Rate]]) -> Floats:
    """(N,) minus the weighted excess of faults of each of N candidates; higher is better.

    >>> none, one = Rate(0, 4), Rate(1, 4)
    >>> rates = [[fault, *[none] * (len(RULES) - 1)] for fault in (none, one)]
    >>> scores_per_opportunity(rates).tolist()
    [1.25, -1.25]
    """
    hits, opportunities = (
        np.array([[rate[i] for rate in row] for row in counts], float) for i in (0, 1)
    )
    means = hits.sum(axis=0) / np.maximum(1, opportunities.sum(axis=0))
    weights = np.array([rule.weight for rule in RULES])
    scores: Floats = -((hits - means * opportunities) @ weights)
    return scores


def scores_per_time(counts: Sequence[Sequence[Rate]], scores: Sequence[Score]) -> Floats:
    """(N,) minus the weighted faults of each of N candidates in a quarter: the wrong measure."""
    hits = np.array([[rate.hits for rate in row] for row in counts], float)
    quarters = np.array([score.end_ticks / TICKS_PER_QUARTER for score in scores])
    found: Floats = -(hits @ np.array([rule.weight for rule in RULES])) / np.maximum(1, quarters)
    return found
