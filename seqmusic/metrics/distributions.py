"""What scores are made of, as counts, and how far two such distributions are apart.

The distance is that of Jensen and Shannon: the square root of their divergence, with logarithms of
base 2. It is 0 for equal shares and 1 where nothing is shared, needs no order among the things
counted, and is a metric. Two halves of one corpus are apart too: distances below that floor mean
nothing.

Source: D. M. Endres and J. E. Schindelin, A New Metric for Probability Distributions, 2003.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.corpus.similarity.digests import chords_on_quarters
from seqmusic.corpus.works_table import known_or_inferred_key
from seqmusic.pitch_grid import REST_CELL, pitch_grid
from seqmusic.score import Score
from seqmusic.tonality import tonic_pitch_class

CHORDS: Mapping[tuple[int, ...], str] = {
    (0, 4, 7): "major",
    (0, 3, 7): "minor",
    (0, 3, 6): "diminished",
    (0, 4, 8): "augmented",
    (0, 4, 7, 10): "dominant seventh",
    (0, 3, 7, 10): "minor seventh",
    (0, 4, 7, 11): "major seventh",
    (0, 3, 6, 10): "half-diminished seventh",
    (0, 3, 6, 9): "diminished seventh",
}
"""Names of chords by their pitch classes, counted from the root."""
N_SPLITS = 50
N_DISTANCE_RESAMPLES = 500


def degrees(score: Score, mode: str) -> Counter[int]:
    """Notes by their pitch class in semitones above the tonic, 0..11; none in the other mode.

    Args:
        score: in the key that it names, or the one that fits its notes best if it names no mode.
        mode: "major" or "minor".

    >>> from seqmusic.score import Key, Note, melody
    >>> notes = [Note(0, 24, 67), Note(24, 24, 62), Note(48, 24, 79)]
    >>> degrees(melody(notes, key=Key(1, "major")), "major")
    Counter({0: 2, 7: 1})
    """
    key = known_or_inferred_key(score)
    if key is None or key.mode != mode:
        return Counter()
    tonic = tonic_pitch_class(key)
    return Counter((note.pitch - tonic) % 12 for voice in score.voices for note in voice.notes)


def melodic_intervals(score: Score) -> Counter[int]:
    """Semitones from each note to the next one of its voice where no rest stands between.

    >>> from seqmusic.score import Note, melody
    >>> melodic_intervals(melody([Note(0, 24, 60), Note(24, 24, 60), Note(48, 24, 57)]))
    Counter({0: 1, -3: 1})
    """
    pairs = itertools.chain.from_iterable(itertools.pairwise(voice.notes) for voice in score.voices)
    return Counter(
        after.pitch - before.pitch
        for before, after in pairs
        if before.end_ticks == after.onset_ticks
    )


def durations(score: Score) -> Counter[int]:
    """Notes by their duration in ticks.

    >>> from seqmusic.score import Note, melody
    >>> durations(melody([Note(0, 24, 60), Note(24, 24, 62), Note(48, 96, 60)]))
    Counter({24: 2, 96: 1})
    """
    return Counter(note.duration_ticks for voice in score.voices for note in voice.notes)


def chords(score: Score) -> Counter[str]:
    """Names, as in `chord_name`, of the chords on each quarter in which every voice sounds.

    >>> from seqmusic.score import Note, Voice
    >>> voices = (Voice(str(pitch), (Note(0, 48, pitch),)) for pitch in (72, 67, 64))
    >>> chords(Score(tuple(voices)))
    Counter({'major': 2})
    """
    columns = chords_on_quarters(score).T.tolist()
    return Counter(
        chord_name(frozenset(pitch % 12 for pitch in column))
        for column in columns
        if min(column) != REST_CELL
    )


def chord_name(pitch_classes: frozenset[int]) -> str:
    """The name of a chord in any inversion: of CHORDS, "two pitches", "one pitch" or "other".

    >>> chord_name(frozenset({7, 11, 2, 5})), chord_name(frozenset({0, 7}))
    ('dominant seventh', 'two pitches')
    >>> chord_name(frozenset({0, 1, 2}))
    'other'
    """
    if len(pitch_classes) <= 2:
        return "two pitches" if len(pitch_classes) == 2 else "one pitch"
    from_roots = (
        tuple(sorted((other - root) % 12 for other in pitch_classes)) for root in pitch_classes
    )
    return next((CHORDS[form] for form in from_roots if form in CHORDS), "other")


def spacings(score: Score) -> Counter[tuple[int, int]]:
    """Sixteenth steps by neighboring voices and the semitones between them.

    Returns:
        By the position of the upper voice, 0 = the highest, and the semitones down to the lower.

    >>> from seqmusic.score import Note, Voice
    >>> spacings(Score((Voice("Alto", (Note(0, 12, 64),)), Voice("Tenor", (Note(0, 12, 55),)))))
    Counter({(0, 9): 2})
    """
    counts: Counter[tuple[int, int]] = Counter()
    for upper, (high, low) in enumerate(itertools.pairwise(pitch_grid(score))):
        sizes = (high - low)[(high != REST_CELL) & (low != REST_CELL)]
        counts.update((upper, size) for size in sizes.tolist())
    return counts


DISTRIBUTIONS: Mapping[str, Callable[[Score], Counter[Any]]] = {
    "pitch class in major": partial(degrees, mode="major"),
    "pitch class in minor": partial(degrees, mode="minor"),
    "melodic interval": melodic_intervals,
    "duration": durations,
    "chord on the beat": chords,
    "voice spacing": spacings,
}


def jensen_shannon(a: Mapping[Any, int], b: Mapping[Any, int]) -> float:
    """The distance between two counts, 0..1; nan where one of them is empty.

    >>> jensen_shannon({"x": 1}, {"x": 7}), jensen_shannon({"x": 2}, {"y": 1})
    (0.0, 1.0)

    1/2 log2 4/3 + 1/4 log2 2/3 + 1/4 log2 2:

    >>> round(jensen_shannon({"x": 1}, {"x": 1, "y": 1}) ** 2, 4)
    0.3113
    """
    counts = _count_matrix([a, b])
    return _distance(counts[0], counts[1])


def split_half_distance(counts: Sequence[Mapping[Any, int]], *, seed: int = 0) -> float:
    """The mean distance between two halves of a corpus over 50 random splits.

    Args:
        counts: the counts of each piece; of an odd number each split leaves one out.
        seed: of the splits.

    Raises:
        ValueError: there are fewer than two pieces.

    >>> split_half_distance([Counter("aab"), Counter("aab")])
    0.0
    """
    if len(counts) < 2:
        raise ValueError(f"halves need two pieces or more, got {len(counts)}")
    table, half = _count_matrix(counts), len(counts) // 2
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(counts)) for _ in range(N_SPLITS)]
    distances = [
        _distance(table[order[:half]].sum(axis=0), table[order[half : 2 * half]].sum(axis=0))
        for order in orders
    ]
    return float(np.mean(distances))


def distance_interval(
    counts: Sequence[Mapping[Any, int]], reference: Mapping[Any, int], *, seed: int = 0
) -> tuple[float, float, float]:
    """The distance of pieces to a reference, and its 95 percent bootstrap interval over pieces.

    Resampling adds noise, so resampled pieces are farther away than the pieces themselves; the
    interval is moved back by that bias.

    >>> pieces = [Counter("aab"), Counter("aab")]  # pieces that are all alike
    >>> value, low, high = distance_interval(pieces, Counter("ab"))
    >>> round(value, 4), round(low - value, 4), round(high - value, 4)
    (0.1439, 0.0, 0.0)

    Args:
        counts: the counts of each piece.
        reference: the counts of the reference pieces, all together.
        seed: of the resamples.
    """
    table = _count_matrix([reference, *counts])
    reference_counts, pieces = table[0], table[1:]
    value = _distance(pieces.sum(axis=0), reference_counts)
    n, rng = len(pieces), np.random.default_rng(seed)
    resamples = rng.multinomial(n, np.full(n, 1 / n), size=N_DISTANCE_RESAMPLES) @ pieces
    distances = [_distance(sums, reference_counts) for sums in resamples if sums.any()]
    if not distances:
        return value, value, value
    low, high = value - np.mean(distances) + np.quantile(distances, [0.025, 0.975])
    return value, max(0.0, float(low)), float(high)


def pooled_counts(counts: Sequence[Counter[Any]]) -> Counter[Any]:
    """The counts of all pieces together."""
    pooled: Counter[Any] = Counter()
    for piece in counts:
        pooled.update(piece)
    return pooled


def _count_matrix(counts: Sequence[Mapping[Any, int]]) -> NDArray[np.float64]:
    """(piece, kind) counts, each kind a column."""
    columns: dict[Hashable, int] = {}
    for piece in counts:
        for kind in piece:
            columns.setdefault(kind, len(columns))
    table = np.zeros((len(counts), len(columns)))
    for row, piece in zip(table, counts, strict=True):
        row[[columns[kind] for kind in piece]] = list(piece.values())
    return table


def _distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if not a.sum() or not b.sum():
        return math.nan
    p, q = a / a.sum(), b / b.sum()
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return math.sqrt(max(0.0, divergence))


def _relative_entropy(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Bits, the terms with p = 0 counting 0."""
    is_present = p > 0
    return float((p[is_present] * np.log2(p[is_present] / q[is_present])).sum())
