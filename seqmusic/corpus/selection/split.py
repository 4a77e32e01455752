"""The split into training, validation and test: whole tune families, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from seqmusic.corpus.dataset import Work, natural_sort_key


@dataclass(frozen=True, kw_only=True)
class Shares:
    """The shares of the works that the held-out parts get; training gets the rest.

    Attributes:
        test: share of all works, 0..1.
        valid: share of all works, 0..1.
    """

    test: float = 0.2
    valid: float = 0.1

    def __post_init__(self) -> None:
        if not (0 <= self.test <= 1 and 0 <= self.valid <= 1 and self.test + self.valid < 1):
            raise ValueError(
                f"shares must be 0 or more and leave some works for training, got {self}"
            )

    @property
    def train(self) -> float:
        """Share of all works that training gets."""
        return 1 - self.test - self.valid


DEFAULT_SHARES = Shares()


def split_works(
    works: Sequence[Work], shares: Shares = DEFAULT_SHARES, seed: int = 0
) -> list[Work]:
    """The works with their part of the split; dropped works get none.

    Families stay whole; a work without a family is one by itself. The split follows from the names
    of the works and `seed` alone. Families of several works are assigned first, each to the part
    that lacks most for its size; then the single works even out the counts.
    """
    kept = sorted(
        (work for work in works if not work.reason), key=lambda work: natural_sort_key(work.name)
    )
    families: dict[object, list[Work]] = {}
    for work in kept:
        families.setdefault(work.family if work.family >= 0 else work.name, []).append(work)
    wanted = {"train": shares.train, "valid": shares.valid, "test": shares.test}
    counts = {split: 0 for split, share in wanted.items() if share > 0}
    splits: dict[str, str] = {}
    for family in sorted(
        families.values(), key=lambda family: (len(family) == 1, _shuffle_key(family[0].name, seed))
    ):
        emptiest = min(counts, key=lambda split: (counts[split] + len(family)) / wanted[split])
        counts[emptiest] += len(family)
        splits |= {work.name: emptiest for work in family}
    return [replace(work, split=splits.get(work.name, "")) for work in works]


def _shuffle_key(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
