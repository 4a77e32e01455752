"""The selection among many works: duplicates are dropped, the others grouped by tune and split.

Works are compared by tables of their digests, so that their scores may stay on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.array_types import Ints
from seqmusic.corpus.dataset import Work, natural_sort_key
from seqmusic.corpus.selection.cleaning import duplicate_reason
from seqmusic.corpus.selection.split import Shares, split_works
from seqmusic.corpus.similarity.duplicates import Outline, find_duplicates
from seqmusic.corpus.similarity.families import families_of, similar_pairs
from seqmusic.corpus.similarity.pairs import (
    DigestTable,
    DigestTableReader,
    Pairs,
    linked_pairs,
    shared_pairs,
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Works to select from. In the digest tables a work is its position in `works`.

    Attributes:
        works: each work, with the reason if it is dropped already; their scores are not read.
        end_ticks: length of each work.
        outlines: outline of each work.
        read_shingles: returns the shingles of all works.
        read_tunes: returns the digests of all tunes.
        n_tune_digests: number of rows that `read_tunes` returns.
    """

    works: Sequence[Work]
    end_ticks: Sequence[int]
    outlines: Sequence[Outline]
    read_shingles: DigestTableReader
    read_tunes: DigestTableReader
    n_tune_digests: int


def select_works(
    candidates: Candidates, min_duplicate_share: float | None, shares: Shares, seed: int
) -> list[Work]:
    """The works in the same order, each with a reason to drop it or with its family and split.

    Args:
        candidates: the works, and what is compared of them.
        min_duplicate_share: share of shingles from which on a work is a duplicate; None keeps all.
        shares: how much each part of the split gets.
        seed: another seed gives another split.
    """
    works = list(candidates.works)
    # Of works that repeat each other the longest is kept, of equally long ones the first by name.
    ranked = sorted(
        (number for number, work in enumerate(works) if not work.reason),
        key=lambda n: (-candidates.end_ticks[n], natural_sort_key(works[n].name)),
    )
    rank = np.full(len(works), -1)  # -1 for a dropped work
    rank[ranked] = np.arange(len(ranked))
    outlines = [candidates.outlines[number] for number in ranked]
    pairs = shared_pairs(
        lambda: _with_ranks(candidates.read_shingles, rank),
        sum(outline.n_shingles for outline in candidates.outlines),
        len(ranked),
    )
    if min_duplicate_share is not None:
        for later, match in find_duplicates(outlines, pairs, min_duplicate_share).items():
            reason = duplicate_reason(match, works[ranked[match.original]].name)
            works[ranked[later]] = replace(works[ranked[later]], reason=reason)
            rank[ranked[later]] = -1
    _number_families(works, rank, _families(candidates, rank, outlines, pairs))
    return split_works(works, shares, seed)


def _with_ranks(read_tables: DigestTableReader, rank: Ints) -> Iterator[DigestTable]:
    """The digests of the works that have a rank, with the rank as the number of the work."""
    for table in read_tables():
        ranks = rank[table.work]
        yield table._replace(work=ranks).rows(ranks >= 0)


def _families(
    candidates: Candidates, rank: Ints, outlines: Sequence[Outline], pairs: Pairs
) -> list[int]:
    """The family of each rank; `outlines` and `pairs` still have the ranks of dropped works."""
    n_rows = candidates.n_tune_digests
    links = list(linked_pairs(lambda: _with_ranks(candidates.read_tunes, rank), n_rows))
    similar = similar_pairs(pairs, [outline.n_shingles for outline in outlines])
    is_kept = np.isin(np.arange(len(outlines)), rank)
    links.append(similar[is_kept[similar].all(axis=1)])
    return families_of(links, len(outlines))


def _number_families(works: list[Work], rank: Ints, families: Sequence[int]) -> None:
    """Give each kept work its family, numbered from 0 in the order of the works' names."""
    kept = np.flatnonzero(rank >= 0).tolist()
    numbers: dict[int, int] = {}
    for position in sorted(kept, key=lambda position: natural_sort_key(works[position].name)):
        family = numbers.setdefault(families[rank[position]], len(numbers))
        works[position] = replace(works[position], family=family)
