"""The works of a class that are most like an input, found by short profiles.

A profile is the sum of the tf-idf vectors of all lines, projected at random to 256 numbers: the
cosine of two profiles is about that of the vectors.

Source: W. Johnson and J. Lindenstrauss, Extensions of Lipschitz mappings, 1984.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.recognition.linear import Floats, Vocabulary
from seqmusic.recognition.lines import Line
from seqmusic.recognition.ngrams import ngrams_of

N_DIMENSIONS = 256
_SCALE = 127.0


@dataclass(frozen=True, slots=True)
class NearWork:
    """A work like the input.

    Attributes:
        name: of the work.
        similarity: cosine of the profiles, -1..1.
    """

    name: str
    similarity: float

    @property
    def title(self) -> str:
        """The source, where there is one, and the name of the file, in words.

        >>> NearWork("motet/Jos/Jos2105/Jos2105-Huc_me_sydereo.krn", 0.7).title
        'Jos2105-Huc me sydereo'
        >>> NearWork("lied/Zumsteeg-_Emilie/6_Lieder/6_Lieder--3_Religion--lc61.mxl", 0.7).title
        'Zumsteeg, Emilie: 6 Lieder, 3 Religion'
        """
        folders = self.name.split("/")
        source = _in_prose(folders[1]) if len(folders) > 2 else ""
        work = _in_prose(re.sub(r"--[a-z]{2}\d+$", "", folders[-1].rsplit(".", 1)[0]))
        is_named = work.casefold().startswith(source.split("-")[0].casefold())
        return work if is_named else f"{source[:1].upper()}{source[1:]}: {work}"


@dataclass(frozen=True, slots=True, eq=False)
class WorkIndex:
    """Profiles of W works.

    Attributes:
        names: of the works.
        classes: (W,) class of each.
        profiles: (W, 256) numbers from -127 to 127; each row divided by its largest one.
    """

    names: tuple[str, ...]
    classes: NDArray[np.int64]
    profiles: NDArray[np.int8]

    def nearest(
        self, lines: Sequence[Line], vocabulary: Vocabulary, classes: Sequence[int], n: int = 3
    ) -> list[NearWork]:
        """The works of some classes that are most like some lines, the most similar first."""
        candidates = np.flatnonzero(np.isin(self.classes, classes))
        rows = self.profiles[candidates].astype(np.float64)
        wanted = profile(lines, vocabulary)
        norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(wanted)
        cosines = rows @ wanted / np.where(norms > 0, norms, 1.0)
        best = np.argsort(-cosines, kind="stable")[:n].tolist()
        return [NearWork(self.names[candidates[i]], float(cosines[i])) for i in best]


def _in_prose(name: str) -> str:
    return name.replace("--", ", ").replace("-_", ", ").replace("_", " ")


def make_index(
    works: Sequence[tuple[str, int, Sequence[Line]]], vocabulary: Vocabulary
) -> WorkIndex:
    """The index of works, given the name, the class and the lines of each."""
    rows = np.array([_rounded(profile(lines, vocabulary)) for _, _, lines in works])
    names = tuple(name for name, _, _ in works)
    return WorkIndex(names, np.array([number for _, number, _ in works]), rows)


def profile(lines: Sequence[Line], vocabulary: Vocabulary) -> Floats:
    """(256,) the profile of some lines."""
    total = np.zeros(len(vocabulary.codes))
    for line in lines:
        index, values = vocabulary.vector(ngrams_of(line))
        total[index] += values
    index = np.flatnonzero(total)
    return np.asarray(total[index] @ _signs(vocabulary.codes[index]), np.float64)


def _signs(codes: NDArray[np.int64]) -> Floats:
    """(M, 256) of -1 and 1: those of an n-gram follow from its code alone."""
    seeds = np.arange(N_DIMENSIONS // 64, dtype=np.uint64)
    mixed = codes.astype(np.uint64)[:, None] * np.uint64(4) + seeds
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    bits = np.unpackbits(mixed.view(np.uint8), axis=1)
    return np.where(bits, 1.0, -1.0)


def _rounded(values: Floats) -> NDArray[np.int8]:
    largest = np.abs(values).max()
    return np.rint(values / (largest or 1.0) * _SCALE).astype(np.int8)
