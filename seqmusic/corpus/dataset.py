"""The prepared data set: works with their split and tune family, or the reason they are dropped."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from seqmusic.score import Score

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of a corpus.

    Attributes:
        name: unique in its corpus, for instance a file name without its ending.
        score: the music; without voices where it could not be read.
        split: "train", "valid", "test", or "" for a work that is dropped or not yet split.
        family: works with the same number share their tune; -1 where not known.
        reason: why the work is dropped, "" for a work that is kept.
        style: a label that the model may learn, "" for none.
    """

    name: str
    score: Score
    split: str = ""
    family: int = -1
    reason: str = ""
    style: str = ""

    def __post_init__(self) -> None:
        if self.split not in ("", *SPLITS):
            raise ValueError(
                f"a split is one of {', '.join(SPLITS)}, got {self.split!r} (work {self.name!r})"
            )
        if self.split and self.reason:
            raise ValueError(
                f"a dropped work has no split, got {self.split!r} "
                f"(work {self.name!r}, {self.reason})"
            )


@dataclass(frozen=True)
class Dataset:
    """A corpus, cleaned and split; works stand in the order of their names.

    >>> Dataset((Work("bwv10", Score(())), Work("bwv9", Score(()), reason="no meter")))
    <Dataset 1 works (train 0, valid 0, test 0), 1 dropped>
    """

    works: tuple[Work, ...]

    def __post_init__(self) -> None:
        for name, count in Counter(work.name for work in self.works).items():
            if count > 1:
                raise ValueError(f"names of works must differ, got {name!r} {count} times")
        by_name = sorted(self.works, key=lambda work: natural_sort_key(work.name))
        object.__setattr__(self, "works", tuple(by_name))

    @cached_property
    def kept_works(self) -> list[Work]:
        """Works that passed the cleaning."""
        return [work for work in self.works if not work.reason]

    @cached_property
    def dropped_works(self) -> list[Work]:
        """Works that did not pass the cleaning."""
        return [work for work in self.works if work.reason]

    def works_in(self, split: str) -> list[Work]:
        """The works of one part of the split.

        Raises:
            ValueError: there is no such part.
        """
        if split not in SPLITS:
            raise ValueError(f"a split is one of {', '.join(SPLITS)}, got {split!r}")
        return [work for work in self.works if work.split == split]

    def work(self, name: str) -> Work:
        """The work of that name.

        Raises:
            KeyError: there is no such work.
        """
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Work]:
        return {work.name: work for work in self.works}

    @cached_property
    def families(self) -> dict[int, list[Work]]:
        """Kept works by the number of their tune family, in rising order."""
        families: dict[int, list[Work]] = {}
        for work in self.kept_works:
            families.setdefault(work.family, []).append(work)
        return dict(sorted(families.items()))

    def __repr__(self) -> str:
        parts = ", ".join(f"{split} {len(self.works_in(split))}" for split in SPLITS)
        return (
            f"<Dataset {len(self.kept_works)} works ({parts}), {len(self.dropped_works)} dropped>"
        )


def natural_sort_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sorting key that compares digits as numbers.

    >>> sorted(["bwv10.7", "bwv2.6", "bwv2.6-a"], key=natural_sort_key)
    ['bwv2.6', 'bwv2.6-a', 'bwv10.7']
    """
    pieces = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple(
        (0, int(piece), piece) if piece[0] in "0123456789" else (1, 0, piece) for piece in pieces
    )
