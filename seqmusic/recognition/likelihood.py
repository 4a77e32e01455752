"""The likelihood expert: how probable the steps of a line are in each class, by n-grams.

The class of highest likelihood is the answer of Bayes with equal priors. The distribution after a
context is that of the class, interpolated with the distribution after a shorter context, and in
the end with that of all classes together.

Source: I. Witten and T. Bell, The zero-frequency problem, 1991 (method C); the weight of the
shorter context is multiplied by `BACKOFF`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.recognition.lines import N_STEPS, Integers, Line, steps
from seqmusic.recognition.ngrams import windows

Floats = NDArray[np.float64]
ORDER = 4  # steps in the longest n-gram
BACKOFF = 3.0
_POOLED_ORDER = 2


@dataclass(frozen=True, slots=True, eq=False)
class NgramTable:
    """The K different n-grams of one length, and their J contexts.

    Attributes:
        codes: (K,) in rising order.
        counts: (K,) how often each occurs.
        contexts: (J,) the n-grams without their last step, in rising order.
        totals: (J,) how often each context occurs.
        n_followers: (J,) how many different steps follow it.
    """

    codes: Integers
    counts: Integers
    contexts: Integers
    totals: Integers
    n_followers: Integers

    @classmethod
    def of_counts(cls, codes: Integers, counts: Integers) -> NgramTable:
        """The table of different n-grams in rising order."""
        contexts, first = np.unique(codes // N_STEPS, return_index=True)
        totals = np.add.reduceat(counts, first) if len(codes) else counts
        return cls(codes, counts, contexts, totals, np.diff(np.append(first, len(codes))))

    def interpolate(self, codes: Integers, shorter: Floats) -> Floats:
        """(M,) the probability of each last step after its context.

        Args:
            codes: (M,) n-grams.
            shorter: (M,) the probabilities after the shorter contexts.
        """
        counts = _values_at(self.codes, self.counts, codes)
        totals = _values_at(self.contexts, self.totals, codes // N_STEPS)
        weight = BACKOFF * _values_at(self.contexts, self.n_followers, codes // N_STEPS)
        weight = np.where(totals > 0, weight, 1.0)
        return np.asarray((counts + weight * shorter) / (totals + weight))


def _values_at(keys: Integers, values: Integers, wanted: Integers) -> Integers:
    """(M,) the value of each wanted key, 0 where there is no such key."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    index = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[index] == wanted, values[index], 0)


Tables = tuple[NgramTable, ...]
"""Of one class: n-grams of 1, 2 ... steps."""


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodExpert:
    """The n-grams of C classes, and of all together."""

    tables: tuple[Tables, ...]
    pooled: Tables

    def step_log_likelihoods(self, line: Line) -> Floats:
        """(C, N - 1) nats: the log-likelihood of each step of a line in each class.

        The first steps have contexts as long as there are steps before them.
        """
        symbols = steps(line)
        uniform = np.full(len(symbols), 1 / N_STEPS)
        shortest = _chain(self.pooled, symbols, uniform)
        return np.log([_chain(tables, symbols, shortest) for tables in self.tables])

    def log_likelihoods(self, line: Line) -> Floats:
        """(C,) nats: the log-likelihood of a line in each class."""
        return np.asarray(self.step_log_likelihoods(line).sum(axis=1))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays, in few bytes: n-grams as differences, and where a table ends."""
        flat = [table for tables in self.tables for table in tables]
        codes = [np.diff(table.codes, prepend=0) for table in flat]
        return {
            "differences": np.concatenate(codes),
            "counts": np.concatenate([table.counts for table in flat]).astype(np.uint32),
            "ends": np.cumsum([len(table.codes) for table in flat]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LikelihoodExpert:
        """The inverse of `arrays`."""
        ends = arrays["ends"][:-1]
        flat = [
            NgramTable.of_counts(np.cumsum(differences), counts)
            for differences, counts in zip(
                np.split(arrays["differences"], ends),
                np.split(arrays["counts"].astype(np.int64), ends),
                strict=True,
            )
        ]
        tables = [tuple(flat[i : i + ORDER]) for i in range(0, len(flat), ORDER)]
        return _with_pooled(tables)


def train_likelihood(lines_by_class: Sequence[Sequence[Line]]) -> LikelihoodExpert:
    """The expert that has counted the lines of each class."""
    by_class = [[steps(line) for line in lines] for lines in lines_by_class]
    return _with_pooled([_tables(sequences) for sequences in by_class])


def _tables(sequences: Sequence[Integers]) -> Tables:
    tables = []
    for length in range(1, ORDER + 1):
        codes = np.concatenate([windows(symbols, N_STEPS, length) for symbols in sequences])
        tables.append(NgramTable.of_counts(*np.unique(codes, return_counts=True)))
    return tuple(tables)


def _with_pooled(tables: Sequence[Tables]) -> LikelihoodExpert:
    pooled = []
    for i in range(_POOLED_ORDER):
        codes = np.concatenate([of_class[i].codes for of_class in tables])
        counts = np.concatenate([of_class[i].counts for of_class in tables])
        distinct, inverse = np.unique(codes, return_inverse=True)
        sums = np.bincount(inverse, counts, len(distinct)).astype(np.int64)
        pooled.append(NgramTable.of_counts(distinct, sums))
    return LikelihoodExpert(tuple(tables), tuple(pooled))


def _chain(tables: Tables, symbols: Integers, shortest: Floats) -> Floats:
    """(N,) the probability of each step after the steps before it, with longer and longer contexts.

    Args:
        tables: n-grams of 1, 2 ... steps.
        symbols: (N,) steps.
        shortest: (N,) the probability of each step before the tables are asked.
    """
    probabilities = shortest.copy()
    for length, table in enumerate(tables, start=1):
        codes = windows(symbols, N_STEPS, length)
        first = length - 1
        probabilities[first:] = table.interpolate(codes, probabilities[first:])
    return probabilities
