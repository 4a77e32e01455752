"""Pairs to learn from: of the candidates of one passage, a good one and a bad one.

Both have about as many notes. Otherwise the bad one has more on average, because more notes have
more faults, and the model would learn to write fewer.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from seqmusic.alignment.optimization import PreferencePair
from seqmusic.alignment.passages import Continued

MAX_NOTE_DIFFERENCE = 0.05  # of the notes of the longer one
_PAIRS_PER_PASSAGE = 2


def scored_pairs(
    groups: Sequence[Sequence[Continued]],
    scores: Sequence[float],
    *,
    min_margin_quantile: float = 0.25,
    matches_notes: bool = True,
) -> list[PreferencePair]:
    """Up to two pairs of each passage, those with the largest margins.

    Args:
        groups: the candidates of each passage.
        scores: of all candidates in this order; higher is better.
        min_margin_quantile: share of the pairs that is left out because their margin is smallest.
        matches_notes: whether both have about as many notes.
    """
    found: list[tuple[float, PreferencePair]] = []
    start = 0
    for group in groups:
        part = scores[start : start + len(group)]
        start += len(group)
        found += _group_pairs(group, part, matches_notes)
    if not found:
        return []
    least = float(np.quantile([margin for margin, _ in found], min_margin_quantile))
    return [pair for margin, pair in found if margin >= least]


def disjoint_pairs(
    scores: Sequence[float], notes: Sequence[int], max_difference: float
) -> list[tuple[int, int]]:
    """Pairs (better, worse) of candidates with the largest margins; each candidate in one at most.

    Args:
        scores: of each candidate.
        notes: of each candidate.
        max_difference: of the notes of the two, as a share of the larger number.

    >>> disjoint_pairs([0.0, 5.0, 9.0, 1.0], [50, 50, 90, 48], max_difference=0.1)
    [(1, 0)]
    """
    pairs = [
        (scores[i] - scores[j], i, j)
        for i, j in itertools.permutations(range(len(scores)), 2)
        if scores[i] > scores[j]
        and abs(notes[i] - notes[j]) <= max_difference * max(notes[i], notes[j])
    ]
    used: set[int] = set()
    chosen = []
    for _, i, j in sorted(pairs, reverse=True):
        if not {i, j} & used:
            used |= {i, j}
            chosen.append((i, j))
    return chosen


def _group_pairs(
    group: Sequence[Continued], scores: Sequence[float], matches_notes: bool
) -> list[tuple[float, PreferencePair]]:
    notes = [found.passage.n_notes for found in group]
    chosen = disjoint_pairs(scores, notes, MAX_NOTE_DIFFERENCE if matches_notes else 1.0)
    return [
        (scores[i] - scores[j], PreferencePair(group[i].sequence, group[j].sequence))
        for i, j in chosen[:_PAIRS_PER_PASSAGE]
    ]
