"""Rates of methods that take turns, and the peak memory of a command."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

MeasuredRates = dict[str, Any]
_MIN_ROUNDS = 3
# A process inherits the peak of the one that starts it; this one is small.
_LAUNCHER = """
import resource, subprocess, sys
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
status = subprocess.run(sys.argv[1:], **quiet).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status != 0)
"""


def interleaved(
    methods: Mapping[str, Callable[[], dict[str, int]]], seconds: float
) -> dict[str, MeasuredRates]:
    """Median rates a second of what each method counts, and the ratios of the first method to it.

    The methods take turns for about `seconds`. The first round warms up and does not count; at
    least three more follow.
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


def _measure_rates(method: Callable[[], dict[str, int]]) -> dict[str, float]:
    started = time.process_time()
    counts = method()
    seconds = max(time.process_time() - started, 1e-9)
    return {unit: count / seconds for unit, count in counts.items()}


def peak_megabytes(command: Sequence[str]) -> float | None:
    """Largest memory of a process that runs a command; None where it fails, or on Windows."""
    if sys.platform == "win32":
        return None
    launched = subprocess.run(
        [sys.executable, "-c", _LAUNCHER, *command], capture_output=True, text=True, check=False
    )
    if launched.returncode:
        return None
    return int(launched.stdout) / (1e6 if sys.platform == "darwin" else 1e3)


def format_rates(title: str, methods: Mapping[str, MeasuredRates]) -> str:
    """A line for each method and unit."""
    lines = []
    for name, rates in methods.items():
        for unit, rate in rates.items():
            ratio = f"{rate['ratio']:>8.2f} x" if name != "ours" else ""
            lines.append(f"{title:<22} {name:<26} {rate['per_second']:>10,.1f} {unit}/s{ratio}")
    return "\n".join(lines)
