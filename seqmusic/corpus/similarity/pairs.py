"""Which works have digests in common: by sorting digests, a part of them at a time.

Works are numbers 0, 1, 2 ...; the preferred ones come first. Comparing every work with every other
would be quadratic. A digest that very many works hold, such as a long chord, is therefore counted
only between each of them and the first `MAX_HOLDERS`; so the cost grows with the number of digests.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Ints

MAX_HOLDERS = 48
_CHUNK_ROWS = 500_000
_N_SHIFTS = 512  # more than the differences of two MIDI pitches


class DigestTable(NamedTuple):
    """Some digests of some works; a work has each at most once.

    Attributes:
        work: (R,) number of the work.
        digest: (R,) the digest.
        lowest: (R,) pitch that was moved to 0 for the digest; zeros where that does not matter.
    """

    work: Ints
    digest: NDArray[np.uint64]
    lowest: Ints

    def rows(self, chosen: NDArray[np.bool_] | Ints) -> DigestTable:
        """Some of the rows, by a mask or by their numbers."""
        return DigestTable(self.work[chosen], self.digest[chosen], self.lowest[chosen])


DigestTableReader = Callable[[], Iterable[DigestTable]]
"""Returns all rows, in portions, each time it is called."""


class Pairs(NamedTuple):
    """Pairs of works that share digests, sorted by the later work and then the earlier.

    Attributes:
        earlier, later: (K,) numbers of works, the earlier one smaller.
        n_shared: (K,) number of digests they share.
        semitones: (K,) by how much most of these lie higher in the later work.
    """

    earlier: Ints
    later: Ints
    n_shared: Ints
    semitones: Ints


def shared_pairs(read_tables: DigestTableReader, n_rows: int, n_works: int) -> Pairs:
    """All pairs of works that share digests."""
    parts = _sorted_parts(read_tables, n_rows)
    keys, counts = _key_counts(_pair_keys(part, n_works) for part in parts)
    pair, shift = keys // _N_SHIFTS, keys % _N_SHIFTS - _N_SHIFTS // 2
    # The most frequent shift of each pair comes last; of equally frequent ones, the lowest.
    order = np.lexsort((-shift, counts, pair))
    is_last = np.diff(pair[order], append=-1) != 0
    pairs, inverse = np.unique(pair, return_inverse=True)
    n_shared = np.bincount(inverse, counts, len(pairs)).astype(np.int64)
    return Pairs(pairs % n_works, pairs // n_works, n_shared, shift[order][is_last])


def _key_counts(portions: Iterable[Iterable[Ints]]) -> tuple[Ints, Ints]:
    """The different keys in all portions, and how often each occurs."""
    keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    waiting: list[Ints] = []
    for portion in itertools.chain.from_iterable(portions):
        waiting.append(portion)
        if sum(map(len, waiting)) > _CHUNK_ROWS:
            keys, counts = _merged_counts(keys, counts, waiting)
            waiting = []
    return _merged_counts(keys, counts, waiting)


def _merged_counts(keys: Ints, counts: Ints, more: Sequence[Ints]) -> tuple[Ints, Ints]:
    merged, inverse = np.unique(np.concatenate([keys, *more]), return_inverse=True)
    weights = np.concatenate([counts, np.ones(sum(map(len, more)), np.int64)])
    return merged, np.bincount(inverse, weights, len(merged)).astype(np.int64)


def linked_pairs(read_tables: DigestTableReader, n_rows: int) -> Iterator[Ints]:
    """(K, 2) pairs of works that link all works with a common digest, directly or over others."""
    for part in _sorted_parts(read_tables, n_rows):
        same = part.digest[1:] == part.digest[:-1]
        if same.any():
            yield np.unique(np.stack([part.work[:-1][same], part.work[1:][same]], axis=1), axis=0)


def digest_table(
    digests: Sequence[NDArray[np.uint64]], lowest: Sequence[NDArray[np.int16]] | None = None
) -> DigestTable:
    """The digests of works 0, 1, 2 ... as rows."""
    work = np.repeat(np.arange(len(digests)), [len(digests_of_work) for digests_of_work in digests])
    digest = np.concatenate([np.zeros(0, np.uint64), *digests])
    if lowest is None:
        return DigestTable(work, digest, np.zeros(len(digest), np.int64))
    return DigestTable(work, digest, np.concatenate([np.zeros(0, np.int64), *lowest]))


def _sorted_parts(read_tables: DigestTableReader, n_rows: int) -> Iterator[DigestTable]:
    """The rows whose digest occurs more than once, sorted by digest and work.

    A part takes the digests of one residue class, so that memory holds about `_CHUNK_ROWS` rows.
    """
    n_parts = n_rows // _CHUNK_ROWS + 1
    for number in range(n_parts):
        portions = [
            table.rows(table.digest % np.uint64(n_parts) == number) for table in read_tables()
        ]
        columns = zip(digest_table([]), *portions, strict=True)
        part = DigestTable(*(np.concatenate(column) for column in columns))
        part = part.rows(np.lexsort((part.work, part.digest)))
        same = part.digest[1:] == part.digest[:-1]
        is_shared = np.append(same, False) | np.append(False, same)
        yield part.rows(is_shared[: len(part.work)])


def _pair_keys(part: DigestTable, n_works: int) -> Iterator[Ints]:
    """One number for each two works with a common digest, which also says how they are transposed.

    It is (later * n_works + earlier) * _N_SHIFTS + shift, the shift being that of the digest.
    """
    begins = np.append(True, part.digest[1:] != part.digest[:-1])[: len(part.digest)]
    first = np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))
    position = np.arange(len(begins)) - first  # among the holders of the digest
    for holder in range(min(MAX_HOLDERS, int(position.max(initial=0)))):
        later = np.flatnonzero(position > holder)
        earlier = first[later] + holder
        shift = part.lowest[later] - part.lowest[earlier] + _N_SHIFTS // 2
        yield (part.work[later] * n_works + part.work[earlier]) * _N_SHIFTS + shift
