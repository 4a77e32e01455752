"""Tune families: works whose highest voices sing the same tune, wholly or in part, in whatever key.

Two works are of one family when their tunes begin alike, when a stretch of one tune stands in the other (note by note, or on the
beats only, so that passing notes and ties do not hide it), or when they share many chords; and so is whoever is of one family with
one of them. A split that keeps families whole cannot be won by remembering tunes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from seqmusic.corpus.similarity.digests import sketch, tune_ngrams
from seqmusic.corpus.similarity.duplicates import pairs_among
from seqmusic.corpus.similarity.pairs import Ints, Pairs, digest_table, linked_pairs
from seqmusic.score import Score

LEAK_NOTES = 16
_MIN_SHINGLE_SHARE = 0.25


def tune_families(scores: Sequence[Score]) -> list[int]:
    """The number of each score's family, counted from 0 in order of first appearance."""
    sketches = [sketch(score) for score in scores]
    tunes = digest_table([own.tune for own in sketches])
    links = [*linked_pairs(lambda: [tunes], len(tunes.work))]
    links.append(
        similar_pairs(pairs_among(sketches), [len(own.shingles.digests) for own in sketches])
    )
    return families_of(links, len(scores))


def similar_pairs(pairs: Pairs, n_shingles: Sequence[int]) -> Ints:
    """(K, 2) pairs of works that share many chords."""
    sizes = np.array(n_shingles, np.int64)
    chosen = pairs.n_shared >= _MIN_SHINGLE_SHARE * np.minimum(
        sizes[pairs.earlier], sizes[pairs.later]
    )
    return np.stack([pairs.earlier, pairs.later], axis=1)[chosen]


def families_of(links: Iterable[Ints], n_works: int) -> list[int]:
    """The number of each work's family, counted from 0 in order of first appearance; linked works are of one family.

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
    """The share of held-out scores with `n_notes` notes in a row that a training tune holds too: the leak of a split, 0..1."""
    known = {stretch for score in training for stretch in tune_ngrams(score, n_notes).tolist()}
    leaks = [
        any(stretch in known for stretch in tune_ngrams(score, n_notes).tolist())
        for score in held_out
    ]
    return sum(leaks) / len(leaks) if leaks else 0.0


def _root(parents: list[int], position: int) -> int:
    while parents[position] != position:
        parents[position] = parents[parents[position]]
        position = parents[position]
    return position


def _join(parents: list[int], a: int, b: int) -> None:
    a, b = _root(parents, a), _root(parents, b)
    parents[max(a, b)] = min(a, b)
