"""The linear expert: multinomial logistic regression on the n-grams of a line.

An n-gram counts as often as it is rare (tf-idf), and a line has length 1 as a vector, whatever
its number of notes.

Source: G. Salton and C. Buckley, Term-weighting approaches in automatic text retrieval, 1988.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.recognition.lines import Integers, Line
from seqmusic.recognition.ngrams import Ngrams, ngrams_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """V n-grams that are known, and how rare they are.

    Attributes:
        codes: (V,) in rising order.
        rarity: (V,) inverse document frequency.
    """

    codes: Integers
    rarity: Floats

    def vector(self, ngrams: Ngrams) -> tuple[Integers, Floats]:
        """Indices of the known n-grams of a line, and its tf-idf vector of length 1 there."""
        found, counts = np.unique(ngrams.codes, return_counts=True)
        index = self.indices(found)
        known = index >= 0
        index, counts = index[known], counts[known]
        values = (1 + np.log(counts)) * self.rarity[index]
        return index, values / (np.linalg.norm(values) or 1.0)

    def indices(self, codes: Integers) -> Integers:
        """(M,) the index of each code, -1 for an unknown one."""
        index: Integers = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return np.where(self.codes[index] == codes, index, -1)


def vocabulary_of(lines: Sequence[Line], min_lines: int = 4) -> Vocabulary:
    """The n-grams that stand in at least so many of the lines."""
    distinct = [np.unique(ngrams_of(line).codes) for line in lines]
    codes, counts = np.unique(np.concatenate(distinct), return_counts=True)
    kept = counts >= min(min_lines, len(lines))
    rarity = np.log((1 + len(lines)) / (1 + counts[kept])) + 1
    return Vocabulary(codes[kept], rarity)


@dataclass(frozen=True, slots=True, eq=False)
class LinearExpert:
    """Weights of V n-grams for C classes.

    Attributes:
        vocabulary: the n-grams.
        weights: (V, C).
        bias: (C,).
    """

    vocabulary: Vocabulary
    weights: Floats
    bias: Floats

    def log_probabilities(self, line: Line) -> Floats:
        """(C,) the log-probability of each class, given one line."""
        index, values = self.vocabulary.vector(ngrams_of(line))
        logits = values @ self.weights[index] + self.bias
        logits -= logits.max()
        return np.asarray(logits - np.log(np.exp(logits).sum()))

    def evidence(self, line: Line, class_index: int) -> tuple[Ngrams, Floats]:
        """The n-grams of a line, and what each adds to one class beyond the mean of all classes.

        An n-gram that stands in the line k times adds a k-th of its weight each time.
        """
        ngrams = ngrams_of(line)
        index, values = self.vocabulary.vector(ngrams)
        weights = self.weights[index]
        total = values * (weights[:, class_index] - weights.mean(axis=1))
        _, inverse, counts = np.unique(ngrams.codes, return_inverse=True, return_counts=True)
        share = dict(zip(self.vocabulary.codes[index].tolist(), total.tolist(), strict=True))
        each = np.array([share.get(code, 0.0) for code in ngrams.codes.tolist()])
        return ngrams, each / counts[inverse]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays, in few bytes."""
        return {
            "codes": self.vocabulary.codes,
            "rarity": self.vocabulary.rarity.astype(np.float32),
            "weights": self.weights.astype(np.float16),
            "bias": self.bias.astype(np.float32),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> LinearExpert:
        """The inverse of `arrays`, with rounded weights."""
        rarity, weights, bias = (
            arrays[name].astype(np.float64) for name in ("rarity", "weights", "bias")
        )
        return cls(Vocabulary(arrays["codes"], rarity), weights, bias)
