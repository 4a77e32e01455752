"""Guards: bounds within which a model stays while it is aligned; the first that breaks stops it.

A figure of what the model composes must stay within the hull of two intervals, that of Bach on the
same beginnings and that of the base model: it may move towards Bach, and not beyond either. Of some
figures only one side is bad.

No preference comes from the two judges of passages, so they can tell what the preferences missed.

Source of the first three: R. Rafailov et al., 2023 (divergence from the reference), and A. Pal et
al., 2024 (a preferred answer that grows less likely); how far each may go is set here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from seqmusic.alignment.assessment import (
    DIVERGENCE,
    DIVERSITY,
    HELD,
    LONGEST_COPY,
    NATS,
    NOTES,
    UNITS,
    Figures,
)
from seqmusic.alignment.faults import RULES
from seqmusic.evaluation.estimates import Estimate
from seqmusic.metrics.two_sample.judges import LINEAR, TREES

MAX_NATS_FACTOR = 1.03
MIN_DIVERSITY_FACTOR = 0.95
MAX_DIVERGENCE = 0.15  # nats per event
MIN_CHOSEN_CHANGE = -5.0  # nats per passage
CHOSEN = "change of the chosen"
REPETITION = "bars not repeated"
_TWO_SIDED = (NOTES, HELD, REPETITION)


@dataclass(frozen=True, slots=True)
class Guard:
    """One bound on a model.

    Attributes:
        name: of the figure.
        unit: of its value.
        value: of the model.
        low: the least that it may be; minus infinity without a bound.
        high: the most that it may be; infinity without a bound.
    """

    name: str
    unit: str
    value: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the value is within its bounds; one that is unknown is."""
        return math.isnan(self.value) or self.low <= self.value <= self.high

    def __str__(self) -> str:
        """One line.

        >>> print(Guard("held cells", "% of cells", 81.2, 74.5, 79.1))
        held cells: 81.2 % of cells, allowed 74.5 to 79.1: BROKEN
        """
        bounds = f"{self.low:.4g} to {self.high:.4g}"
        if math.isinf(self.low):
            bounds = f"at most {self.high:.4g}"
        if math.isinf(self.high):
            bounds = f"at least {self.low:.4g}"
        state = "holds" if self.holds else "BROKEN"
        return f"{self.name}: {self.value:.4g} {self.unit}, allowed {bounds}: {state}"


def check_guards(
    now: Figures, base: Figures, written: Figures, *, chosen_change: float
) -> list[Guard]:
    """All guards of a model, in the order in which they are looked at.

    Args:
        now: figures of the model.
        base: of the model before its alignment.
        written: of Bach's music.
        chosen_change: how much the log-probability of preferred passages rose on average, in nats.
    """
    return [
        Guard(NATS, UNITS[NATS], now[NATS].value, -math.inf, MAX_NATS_FACTOR * base[NATS].value),
        Guard(DIVERGENCE, UNITS[DIVERGENCE], now[DIVERGENCE].value, -math.inf, MAX_DIVERGENCE),
        Guard(CHOSEN, "nats per passage", chosen_change, MIN_CHOSEN_CHANGE, math.inf),
        *(_guard(name, now, *_hull(base[name], written[name])) for name in _TWO_SIDED),
        _guard(DIVERSITY, now, MIN_DIVERSITY_FACTOR * base[DIVERSITY].value, math.inf),
        *(_ceiling(name, now, base, written) for name in (LONGEST_COPY, *_fault_names())),
        *(_guard(name, now, -math.inf, base[name].high) for name in (LINEAR, TREES)),
    ]


def _fault_names() -> list[str]:
    """The faults of which fewer are no harm."""
    return [rule.name for rule in RULES if rule.name != REPETITION]


def _guard(name: str, now: Figures, low: float, high: float) -> Guard:
    return Guard(name, UNITS[name], now[name].value, low, high)


def _ceiling(name: str, now: Figures, base: Figures, written: Mapping[str, Estimate]) -> Guard:
    return _guard(name, now, -math.inf, _hull(base[name], written[name])[1])


def _hull(base: Estimate, written: Estimate) -> tuple[float, float]:
    """The lowest and the highest bound of two intervals."""
    return min(base.low, written.low), max(base.high, written.high)
