"""Works that are the same music, also after transposition, also with small differences.

The music is reduced to one chord a quarter, on the beats: six chords in a row, transposed so that
their lowest pitch is 0, are a shingle. Two works are near duplicates when most shingles of the one
that has fewer also occur in the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqmusic.corpus.similarity.digests import Sketch
from seqmusic.corpus.similarity.pairs import Pairs

MIN_DUPLICATE_SHARE = 0.75


class Match(NamedTuple):
    """A work that repeats another one.

    Attributes:
        original: number of the work that is repeated.
        semitones: the transposition that turns that work into the other one.
        share: shared shingles over those of the work that has fewer; 1 for an exact duplicate.
        is_exact: the same onsets, durations and intervals in all voices.
    """

    original: int
    semitones: int
    share: float
    is_exact: bool


class Outline(NamedTuple):
    """A sketch without its digests.

    Attributes:
        signature: the same for exact duplicates.
        lowest: the lowest pitch.
        n_shingles: number of different shingles.
    """

    signature: bytes
    lowest: int
    n_shingles: int


def outline(sketch: Sketch) -> Outline:
    """The outline of a sketch."""
    return Outline(sketch.signature, sketch.lowest, len(sketch.shingles.digests))


def find_duplicates(works: Sequence[Outline], pairs: Pairs, min_share: float) -> dict[int, Match]:
    """The works that repeat an earlier work that is no duplicate itself, each with its best match.

    Args:
        works: all works, the preferred ones first.
        pairs: pairs of works that share shingles.
        min_share: share of shingles from which on a work repeats another, 0..1.

    >>> no_pairs = Pairs(*np.zeros((4, 0), np.int64))
    >>> find_duplicates([Outline(b"a", 60, 0), Outline(b"a", 62, 0)], no_pairs, min_share=0.75)
    {1: Match(original=0, semitones=2, share=1.0, is_exact=True)}
    """
    n_shingles = np.array([work.n_shingles for work in works], np.int64)
    shares = pairs.n_shared / np.minimum(n_shingles[pairs.earlier], n_shingles[pairs.later])
    similar = np.flatnonzero(shares >= min_share)
    # The pairs whose later work is number n are rows bounds[n] to bounds[n + 1] of `similar`.
    bounds = np.searchsorted(pairs.later[similar], np.arange(len(works) + 1)).tolist()
    first_with: dict[bytes, int] = {}
    found: dict[int, Match] = {}
    for number, work in enumerate(works):
        if (same := first_with.get(work.signature)) is not None:
            found[number] = Match(same, work.lowest - works[same].lowest, 1.0, True)
            continue
        rows = similar[bounds[number] : bounds[number + 1]].tolist()
        if rows := [row for row in rows if int(pairs.earlier[row]) not in found]:
            best = max(rows, key=lambda row: (shares[row], -row))
            original, semitones = int(pairs.earlier[best]), int(pairs.semitones[best])
            found[number] = Match(original, semitones, float(shares[best]), False)
        else:
            first_with[work.signature] = number
    return found
