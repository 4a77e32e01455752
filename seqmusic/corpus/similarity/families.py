"""Tune families: works whose highest voices share a tune, wholly or in part, in whatever key.

Two works are of one family when their tunes begin alike, when a stretch of one tune occurs in the
other (note by note, or on the beats only, so that passing notes and ties do not hide it), or when
they share many chords. A work that is related to one member belongs to the whole family. A split
that keeps families whole cannot be won by remembering tunes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from seqmusic.array_types import Ints
from seqmusic.corpus.similarity.digests import tune_ngrams
from seqmusic.corpus.similarity.pairs import Pairs
from seqmusic.score import Score

LEAK_NOTES = 16
MIN_SHINGLE_SHARE = 0.25


def similar_pairs(pairs: Pairs, n_shingles: Sequence[int]) -> Ints:
    """(K, 2) pairs of works that share many chords, given the number of shingles of each work."""
    sizes = np.array(n_shingles, np.int64)
    smaller = np.minimum(sizes[pairs.earlier], sizes[pairs.later])
    is_similar = pairs.n_shared >= MIN_SHINGLE_SHARE * smaller
    return np.stack([pairs.earlier, pairs.later], axis=1)[is_similar]


def families_of(links: Iterable[Ints], n_works: int) -> list[int]:
    """The number of each work's family, from 0 in order of first appearance; links join families.

    >>> families_of([np.array([[0, 2]]), np.array([[4, 2]])], 5)
    [0, 1, 0, 2, 0]
    """
    parents = list(range(n_works))
    for portion in links:
        for a, b in portion.tolist():
            _join(parents, a, b)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(_root(parents, work), len(numbers)) for work in range(n_works)]


def shared_tune_share(
    held_out: Iterable[Score], training: Iterable[Score], n_notes: int = LEAK_NOTES
) -> float:
    """The share of held-out scores with a stretch of a training tune: the leak of a split, 0..1.

    Args:
        held_out: the scores to be counted.
        training: the scores with the known tunes.
        n_notes: length of the stretch.
    """
    known = {ngram for score in training for ngram in tune_ngrams(score, n_notes).tolist()}
    leaks = [not known.isdisjoint(tune_ngrams(score, n_notes).tolist()) for score in held_out]
    return sum(leaks) / len(leaks) if leaks else 0.0


def _root(parents: list[int], position: int) -> int:
    while parents[position] != position:
        parents[position] = parents[parents[position]]
        position = parents[position]
    return position


def _join(parents: list[int], a: int, b: int) -> None:
    a, b = _root(parents, a), _root(parents, b)
    parents[max(a, b)] = min(a, b)
