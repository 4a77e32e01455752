"""Works that are the same music, also after transposition, also with small differences.

The music is looked at one chord a quarter, on the beats: six chords in a row, moved so that their lowest pitch is 0, are a shingle.
Two works are near duplicates when most shingles of the shorter one stand in the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqmusic.corpus.similarity.digests import Sketch
from seqmusic.corpus.similarity.pairs import Pairs, digest_table, shared_pairs


class Match(NamedTuple):
    """A work that repeats another one.

    Attributes:
        original: number of the work that is repeated.
        semitones: that work moved by so much sounds like the other one.
        share: of the shingles of the shorter of the two, how many stand in the other; 1 for an exact duplicate.
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
        n_shingles: how many different ones.
    """

    signature: bytes
    lowest: int
    n_shingles: int


def outline(sketch: Sketch) -> Outline:
    """The outline of a sketch."""
    return Outline(sketch.signature, sketch.lowest, len(sketch.shingles.digests))


def pairs_among(sketches: Sequence[Sketch]) -> Pairs:
    """Pairs of works that share shingles."""
    rows = digest_table(
        [own.shingles.digests for own in sketches], [own.shingles.lowest for own in sketches]
    )
    return shared_pairs(lambda: [rows], len(rows.work), len(sketches))


def find_duplicates(
    works: Sequence[Outline], pairs: Pairs, min_share: float, n_originals: int = 0
) -> dict[int, Match]:
    """The works that repeat one before them that repeats none, each with the one it repeats best.

    Args:
        works: all works, those to be preferred first.
        pairs: of works that share shingles.
        min_share: share of shingles from which on a work repeats another, 0..1.
        n_originals: so many works at the beginning, if not 0, are all originals, and no others are.

    >>> from seqmusic.corpus.similarity.digests import sketch
    >>> from seqmusic.score import Note, melody
    >>> tune = melody([Note(0, 24, 60), Note(24, 24, 64)])
    >>> own = [sketch(tune), sketch(tune.transposed(2))]
    >>> find_duplicates([outline(one) for one in own], pairs_among(own), min_share=0.75)
    {1: Match(original=0, semitones=2, share=1.0, is_exact=True)}
    """
    n_shingles = np.array([own.n_shingles for own in works], np.int64)
    shares = pairs.n_shared / np.minimum(n_shingles[pairs.earlier], n_shingles[pairs.later])
    near = np.flatnonzero(shares >= min_share)
    bounds = np.searchsorted(pairs.later[near], np.arange(len(works) + 1)).tolist()
    first_with: dict[bytes, int] = {}
    found: dict[int, Match] = {}
    for number, own in enumerate(works):
        if number < n_originals:
            first_with.setdefault(own.signature, number)
            continue
        if (same := first_with.get(own.signature)) is not None:
            found[number] = Match(same, own.lowest - works[same].lowest, 1.0, True)
            continue
        rivals = [
            row
            for row in near[bounds[number] : bounds[number + 1]].tolist()
            if int(pairs.earlier[row]) not in found
        ]
        if rivals:
            best = max(rivals, key=lambda row: (shares[row], -row))
            found[number] = Match(
                int(pairs.earlier[best]), int(pairs.semitones[best]), float(shares[best]), False
            )
        elif not n_originals:
            first_with[own.signature] = number
    return found
