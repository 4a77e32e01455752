"""Methods measured side by side in rounds, so that other work of the machine affects all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

Method = Callable[[], dict[str, int]]
"""Does some work, and returns how much of each unit it did."""
MeasuredRates = dict[str, Any]
"""By unit: rate per second, ratio of the first method to this one, and number of rounds."""
_MIN_ROUNDS = 3


def interleaved(methods: Mapping[str, Method], seconds: float) -> dict[str, MeasuredRates]:
    """The median rates of each method, and the median of the first one's ratios to it.

    A round runs every method once, and its ratios are of its own rates. The first round is a
    warm-up and does not count; at least three more follow.

    Args:
        methods: by name.
        seconds: about how long all rounds take.
    """
    rounds: list[dict[str, dict[str, float]]] = []
    started = time.perf_counter()
    while len(rounds) <= _MIN_ROUNDS or time.perf_counter() - started < seconds:
        rounds.append({name: _measure_rates(method) for name, method in methods.items()})
    first, counted = next(iter(methods)), rounds[1:]
    return {
        name: {
            unit: {
                "per_second": median(rates[name][unit] for rates in counted),
                "ratio": median(rates[first][unit] / rates[name][unit] for rates in counted),
                "rounds": len(counted),
            }
            for unit in rounds[0][name]
        }
        for name in methods
    }


def _measure_rates(method: Method) -> dict[str, float]:
    started = time.process_time()
    counts = method()
    seconds = max(time.process_time() - started, 1e-9)
    return {unit: count / seconds for unit, count in counts.items()}
