"""Stretches of a line that several works have in common, in whatever key and note values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqmusic.recognition.lines import Integers, Line, steps

N_STRETCH_STEPS = 16
_MIN_DISTINCT = 5  # steps; a scale in equal notes is no one's own
_MAX_WORKS = 48  # that share a stretch; what more have is a formula


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
    n_stretches = tuple(len(of_work) for of_work in digests)
    all_digests = np.concatenate(digests) if digests else np.zeros(0, np.int64)
    owners = np.repeat(np.arange(len(works)), n_stretches)
    order = np.argsort(all_digests, kind="stable")
    all_digests, owners = all_digests[order], owners[order]
    starts = np.flatnonzero(np.diff(all_digests, prepend=-1, append=-1))
    counts: Counter[tuple[int, int]] = Counter()
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        if 2 <= end - start <= _MAX_WORKS:
            sharing = owners[start:end].tolist()
            counts.update((a, b) for i, a in enumerate(sharing) for b in sharing[i + 1 :])
    return SharedStretches(dict(counts), n_stretches)


def _digests(lines: Sequence[Line]) -> Integers:
    """The different stretches of a work, as numbers of 62 bits."""
    found = [_line_digests(steps(line)) for line in lines if len(line) > N_STRETCH_STEPS]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)


def _line_digests(symbols: Integers) -> Integers:
    stretches = np.lib.stride_tricks.sliding_window_view(symbols, N_STRETCH_STEPS)
    n_distinct = (np.diff(np.sort(stretches, axis=1), axis=1) > 0).sum(axis=1) + 1
    factors = np.random.default_rng(0).integers(1, 1 << 62, N_STRETCH_STEPS)
    products = (stretches[n_distinct >= _MIN_DISTINCT] + 1) * factors
    return np.asarray(products.sum(axis=1)) & ((1 << 62) - 1)
