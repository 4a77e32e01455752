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
    """The K different n-grams of one length in any of C classes, and their J contexts.

    Attributes:
        codes: (K,) in rising order.
        counts: (K, C) how often each occurs in each class.
        contexts: (J,) the n-grams without their last step, in rising order.
        totals: (J, C) how often each context occurs.
        n_followers: (J, C) how many different steps follow it.
    """

    codes: Integers
    counts: Integers
    contexts: Integers
    totals: Integers
    n_followers: Integers

    @classmethod
    def of_counts(cls, codes: Integers, counts: Integers) -> NgramTable:
        """The table of different n-grams in rising order, at least one."""
        contexts, first = np.unique(codes // N_STEPS, return_index=True)
        totals = np.add.reduceat(counts, first, axis=0)
        n_followers = np.add.reduceat((counts > 0).astype(np.int64), first, axis=0)
        return cls(codes, counts, contexts, totals, n_followers)

    def pooled(self) -> NgramTable:
        """The table of all classes as one."""
        return NgramTable.of_counts(self.codes, self.counts.sum(axis=1, keepdims=True))

    def interpolate(self, codes: Integers, shorter: Floats) -> Floats:
        """(M, C) the probability of each last step after its context.

        Args:
            codes: (M,) n-grams.
            shorter: (M, C) the probabilities after the shorter contexts.
        """
        counts = _rows_at(self.codes, self.counts, codes)
        totals = _rows_at(self.contexts, self.totals, codes // N_STEPS)
        weight = BACKOFF * _rows_at(self.contexts, self.n_followers, codes // N_STEPS)
        weight = np.where(totals > 0, weight, 1.0)
        return np.asarray((counts + weight * shorter) / (totals + weight))


def _rows_at(keys: Integers, rows: Integers, wanted: Integers) -> Integers:
    """(M, C) the row of each wanted key, zeros where there is no such key."""
    index = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.asarray(rows[index] * (keys[index] == wanted)[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodExpert:
    """The n-grams of C classes.

    Attributes:
        tables: of n-grams of 1, 2 ... steps.
        pooled: the first of them, for all classes together.
    """

    tables: tuple[NgramTable, ...]
    pooled: tuple[NgramTable, ...]

    def step_log_likelihoods(self, line: Line) -> Floats:
        """(N - 1, C) nats: the log-likelihood of each step of a line in each class.

        The first steps have contexts as long as there are steps before them.
        """
        symbols = steps(line)
        codes = [windows(symbols, N_STEPS, length) for length in range(1, len(self.tables) + 1)]
        uniform = np.full((len(symbols), 1), 1 / N_STEPS)
        shortest = _chain(self.pooled, codes, uniform)
        n_classes = self.tables[0].counts.shape[1]
        return np.log(_chain(self.tables, codes, np.repeat(shortest, n_classes, axis=1)))

    def log_likelihoods(self, line: Line) -> Floats:
        """(C,) nats: the log-likelihood of a line in each class."""
        return np.asarray(self.step_log_likelihoods(line).sum(axis=0))

    def without(self, number: int) -> LikelihoodExpert:
        """The expert for all classes but one."""
        kept = []
        for table in self.tables:
            counts = np.delete(table.counts, number, axis=1)
            is_there = counts.any(axis=1)
            kept.append(NgramTable.of_counts(table.codes[is_there], counts[is_there]))
        return _with_pooled(kept)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays, in few bytes: n-grams as differences, and where a table ends."""
        codes = [np.diff(table.codes, prepend=0) for table in self.tables]
        return {
            "differences": np.concatenate(codes),
            "counts": np.concatenate([table.counts for table in self.tables]).astype(np.uint32),
            "ends": np.cumsum([len(table.codes) for table in self.tables]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LikelihoodExpert:
        """The inverse of `arrays`."""
        ends = arrays["ends"][:-1]
        differences = np.split(arrays["differences"], ends)
        counts = np.split(arrays["counts"].astype(np.int64), ends)
        return _with_pooled(
            [
                NgramTable.of_counts(np.cumsum(of_table), rows)
                for of_table, rows in zip(differences, counts, strict=True)
            ]
        )


def train_likelihood(lines_by_class: Sequence[Sequence[Line]]) -> LikelihoodExpert:
    """The expert that has counted the lines of each class."""
    by_class = [[steps(line) for line in lines] for lines in lines_by_class]
    return _with_pooled([_table(by_class, length) for length in range(1, ORDER + 1)])


def _table(by_class: Sequence[Sequence[Integers]], length: int) -> NgramTable:
    counted = [
        np.unique(
            np.concatenate([windows(symbols, N_STEPS, length) for symbols in sequences]),
            return_counts=True,
        )
        for sequences in by_class
    ]
    codes = np.unique(np.concatenate([found for found, _ in counted]))
    counts = np.zeros((len(codes), len(by_class)), np.int64)
    for number, (found, n) in enumerate(counted):
        counts[np.searchsorted(codes, found), number] = n
    return NgramTable.of_counts(codes, counts)


def _with_pooled(tables: Sequence[NgramTable]) -> LikelihoodExpert:
    return LikelihoodExpert(
        tuple(tables), tuple(table.pooled() for table in tables[:_POOLED_ORDER])
    )


def _chain(tables: Sequence[NgramTable], codes: Sequence[Integers], shortest: Floats) -> Floats:
    """(N, C) the probability of each step after the steps before it, with longer contexts in turn.

    Args:
        tables: n-grams of 1, 2 ... steps.
        codes: the n-grams of a line, of 1, 2 ... steps.
        shortest: (N, C) the probability of each step before the tables are used.
    """
    probabilities = shortest.copy()
    for first, (table, ngrams) in enumerate(zip(tables, codes, strict=False)):
        if len(ngrams):
            probabilities[first:] = table.interpolate(ngrams, probabilities[first:])
    return probabilities
