"""Which works have digests in common: by sorting, a part of the digests at a time, never work against work.

Works are numbers 0, 1, 2 ...; those that are to be preferred come first. A digest that very many works hold, as a held chord, is
counted for each with the first of them alone; so the cost grows with the number of digests.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
MAX_HOLDERS = 48
_CHUNK_ROWS = 500_000
_N_SHIFTS = 512


class DigestTable(NamedTuple):
    """Some digests of some works; a work has each at most once.

    Attributes:
        work: (R,) number.
        digest: (R,).
        lowest: (R,) pitch from which the digest was moved down; zeros where that does not matter.
    """

    work: Ints
    digest: NDArray[np.uint64]
    lowest: Ints


DigestTableReader = Callable[[], Iterable[DigestTable]]
"""All rows, in portions, as often as asked."""


class Pairs(NamedTuple):
    """Pairs of works that share digests, sorted by the later work and then the earlier.

    Attributes:
        earlier, later: (K,) numbers of works, the earlier smaller.
        n_shared: (K,) how many digests they share.
        semitones: (K,) by how much most of them lie higher in the later work.
    """

    earlier: Ints
    later: Ints
    n_shared: Ints
    semitones: Ints


def shared_pairs(rows: DigestTableReader, n_rows: int, n_works: int) -> Pairs:
    """All pairs of works that share digests."""
    keys, counts = _key_counts(_pair_keys(part, n_works) for part in _sorted_parts(rows, n_rows))
    pair, shift = keys // _N_SHIFTS, keys % _N_SHIFTS - _N_SHIFTS // 2
    order = np.lexsort(
        (-shift, counts, pair)
    )  # the commonest shift of each pair last, the lowest of equals
    is_last = np.diff(pair[order], append=-1) != 0
    pairs, where = np.unique(pair, return_inverse=True)
    n_shared = np.bincount(where, counts, len(pairs)).astype(np.int64)
    return Pairs(pairs % n_works, pairs // n_works, n_shared, shift[order][is_last])


def _key_counts(portions: Iterable[Iterable[Ints]]) -> tuple[Ints, Ints]:
    """The different numbers in all portions, and how often each stands there."""
    keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    waiting: list[Ints] = []
    for portion in itertools.chain.from_iterable(portions):
        waiting.append(portion)
        if sum(map(len, waiting)) > _CHUNK_ROWS:
            keys, counts = _merged_counts(keys, counts, waiting)
            waiting = []
    return _merged_counts(keys, counts, waiting)


def _merged_counts(keys: Ints, counts: Ints, more: Sequence[Ints]) -> tuple[Ints, Ints]:
    whole, where = np.unique(np.concatenate([keys, *more]), return_inverse=True)
    weights = np.concatenate([counts, np.ones(sum(map(len, more)), np.int64)])
    return whole, np.bincount(where, weights, len(whole)).astype(np.int64)


def linked_pairs(rows: DigestTableReader, n_rows: int) -> Iterator[Ints]:
    """(K, 2) pairs of works, such that works which share a digest are linked by them, if not at once then over others."""
    for part in _sorted_parts(rows, n_rows):
        same = part.digest[1:] == part.digest[:-1]
        if same.any():
            yield np.unique(np.stack([part.work[:-1][same], part.work[1:][same]], axis=1), axis=0)


def digest_table(
    digests: Sequence[NDArray[np.uint64]], lowest: Sequence[NDArray[np.int16]] | None = None
) -> DigestTable:
    """The digests of works 0, 1, 2 ... as rows."""
    work = np.repeat(np.arange(len(digests)), [len(own) for own in digests])
    flat = np.concatenate([np.zeros(0, np.uint64), *digests])
    low = (
        np.concatenate([np.zeros(0, np.int64), *lowest]).astype(np.int64)
        if lowest is not None
        else np.zeros(len(flat), np.int64)
    )
    return DigestTable(work, flat, low)


def _sorted_parts(rows: DigestTableReader, n_rows: int) -> Iterator[DigestTable]:
    """The rows that share their digest with another one, sorted by digest and work; so many at a time as memory should hold."""
    n_parts = n_rows // _CHUNK_ROWS + 1
    for number in range(n_parts):
        portions = [
            _selected_rows(portion, portion.digest % np.uint64(n_parts) == number)
            for portion in rows()
        ]
        part = (
            DigestTable(*(np.concatenate(columns) for columns in zip(*portions, strict=True)))
            if portions
            else digest_table([])
        )
        part = _selected_rows(part, np.lexsort((part.work, part.digest)))
        same = part.digest[1:] == part.digest[:-1]
        yield _selected_rows(
            part, (np.append(same, False) | np.append(False, same))[: len(part.work)]
        )


def _selected_rows(rows: DigestTable, chosen: NDArray[np.bool_] | Ints) -> DigestTable:
    return DigestTable(rows.work[chosen], rows.digest[chosen], rows.lowest[chosen])


def _pair_keys(part: DigestTable, n_works: int) -> Iterator[Ints]:
    """Each two works that share a digest, and by how much it lies higher in the later, as one number."""
    begins = np.append(True, part.digest[1:] != part.digest[:-1])[: len(part.digest)]
    first = np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))
    place = np.arange(len(begins)) - first
    for holder in range(min(MAX_HOLDERS, int(place.max(initial=0)))):
        later = np.flatnonzero(place > holder)
        earlier = first[later] + holder
        shift = part.lowest[later] - part.lowest[earlier] + _N_SHIFTS // 2
        yield (part.work[later] * n_works + part.work[earlier]) * _N_SHIFTS + shift
