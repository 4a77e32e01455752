"""Stretches of a sequence that return later in it, found lag by lag in linear memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seqmusic.array_types import Floats, Ints

ALL_LAGS_UP_TO = 4096
"""Longest sequence of which every lag is tried; a longer one is searched at `MAX_LAGS` lags."""
MAX_LAGS = 512
_SEED_LENGTH = 8
_SEED_NEIGHBORS = 4


@dataclass(frozen=True, slots=True)
class Repetition:
    """Symbols start..start + length - 1 return `lag` symbols later.

    Attributes:
        start: index of the first symbol.
        length: in symbols; where it exceeds the lag, there are more than two statements.
        lag: in symbols.
        bits: the information in the stretch.
    """

    start: int
    length: int
    lag: int
    bits: float


def repetitions(
    symbols: Ints,
    bits: Floats,
    *,
    min_lag: int,
    min_bits: float,
    min_span: int = 0,
    spans: Ints | None = None,
) -> Iterator[Repetition]:
    """The longest possible stretches that return, at each lag, worth at least `min_bits`.

    Args:
        symbols: (N,) what is compared.
        bits: (N,) what each symbol is worth, 0 or more.
        min_lag: smallest lag, in symbols.
        min_bits: above 0.
        min_span: from the beginning of the first symbol to the end of the last.
        spans: (N, 2) beginning and end of each symbol; None for their indexes.

    >>> symbols = np.array([1, 2, 3, 1, 2, 3, 1, 2])
    >>> list(repetitions(symbols, np.ones(8), min_lag=2, min_bits=2))
    [Repetition(start=0, length=5, lag=3, bits=5.0), Repetition(start=0, length=2, lag=6, bits=2.0)]
    """
    total = np.concatenate(([0.0], np.cumsum(bits)))
    if total[-1] < min_bits:
        return
    for lag in _candidate_lags(symbols, min_lag):
        is_equal = np.zeros(len(symbols) - lag + 2, np.int8)
        is_equal[1:-1] = symbols[:-lag] == symbols[lag:]
        edges = np.flatnonzero(np.diff(is_equal))
        starts, ends = edges[::2], edges[1::2]
        values = total[ends] - total[starts]
        lengths = ends - starts if spans is None else spans[ends - 1, 1] - spans[starts, 0]
        for index in np.flatnonzero((values >= min_bits) & (lengths >= min_span)):
            start, end = int(starts[index]), int(ends[index])
            yield Repetition(start, end - start, int(lag), float(values[index]))


def _candidate_lags(symbols: Ints, min_lag: int) -> Ints:
    """All lags of a short sequence; of a long one those at which most short stretches return."""
    n = len(symbols)
    if n <= ALL_LAGS_UP_TO:
        return np.arange(min_lag, n)
    windows = np.zeros(n - _SEED_LENGTH + 1, np.uint64)
    for shift in range(_SEED_LENGTH):
        windows *= np.uint64(0x9E3779B97F4A7C15)
        windows += symbols[shift : shift + len(windows)].astype(np.uint64)
    order = np.argsort(windows, kind="stable")
    lags = []
    for step in range(1, _SEED_NEIGHBORS + 1):
        is_same = windows[order[step:]] == windows[order[:-step]]
        lags.append((order[step:] - order[:-step])[is_same])
    found, counts = np.unique(np.concatenate(lags), return_counts=True)
    found, counts = found[found >= min_lag], counts[found >= min_lag]
    return np.sort(found[np.argsort(-counts, kind="stable")[:MAX_LAGS]])
