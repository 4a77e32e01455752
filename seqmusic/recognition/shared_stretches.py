"""Stretches of a line that several works have in common, in whatever key and note values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqmusic.corpus.similarity.digests import Digests
from seqmusic.corpus.similarity.pairs import MAX_HOLDERS, digest_table, shared_pairs
from seqmusic.recognition.lines import Integers, Line, steps

N_STRETCH_STEPS = 16
_MIN_DISTINCT = 5  # steps; a scale in equal notes identifies no work


@dataclass(frozen=True, slots=True)
class SharedStretches:
    """How many stretches works have in common.

    Attributes:
        counts: for pairs (a, b) of works, a < b, that have some in common.
        n_stretches: of each work.
    """

    counts: dict[tuple[int, int], int]
    n_stretches: tuple[int, ...]


def shared_stretches(works: Sequence[Sequence[Line]]) -> SharedStretches:
    """The stretches of 17 notes that works share, given the lines of each work.

    A stretch counts only if five of its sixteen steps differ.

    >>> from seqmusic.formats.theme import parse_theme
    >>> from seqmusic.recognition.lines import line_of
    >>> notes = "C4 D4 F4 E4 A4 G4:1/8 C5 B4:1/4 "
    >>> a, b = (line_of(parse_theme(text).voices[0]) for text in (3 * notes, "G4 " + 3 * notes))
    >>> shared_stretches([[a], [b]]).counts
    {(0, 1): 8}
    """
    digests = [_digests(lines) for lines in works]
    table = digest_table(digests)
    _, inverse, n_holders = np.unique(table.digest, return_inverse=True, return_counts=True)
    rare = table.rows(n_holders[inverse] <= MAX_HOLDERS)  # what more works hold is a formula
    pairs = shared_pairs(lambda: [rare], len(rare.work), len(works))
    columns = (pairs.earlier.tolist(), pairs.later.tolist(), pairs.n_shared.tolist())
    counts = {(earlier, later): n for earlier, later, n in zip(*columns, strict=True)}
    return SharedStretches(counts, tuple(map(len, digests)))


def _digests(lines: Sequence[Line]) -> Digests:
    """The different stretches of a work, as numbers of 62 bits."""
    found = [_line_digests(steps(line)) for line in lines if len(line) > N_STRETCH_STEPS]
    return np.unique(np.concatenate(found)).astype(np.uint64) if found else np.zeros(0, np.uint64)


def _line_digests(symbols: Integers) -> Integers:
    stretches = np.lib.stride_tricks.sliding_window_view(symbols, N_STRETCH_STEPS)
    n_distinct = (np.diff(np.sort(stretches, axis=1), axis=1) > 0).sum(axis=1) + 1
    factors = np.random.default_rng(0).integers(1, 1 << 62, N_STRETCH_STEPS)
    products = (stretches[n_distinct >= _MIN_DISTINCT] + 1) * factors
    return np.asarray(products.sum(axis=1)) & ((1 << 62) - 1)
