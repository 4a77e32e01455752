"""What scores are made of, as counts, and how far two of them are apart.

The distance is that of Jensen and Shannon: the square root of the divergence of their name, with logarithms of base 2. It is 0 for
equal shares and 1 where nothing is shared, asks for no order among the things counted, and is a metric. Two halves of one corpus
are apart too; below that floor a distance says nothing.

Source: D. M. Endres and J. E. Schindelin, A New Metric for Probability Distributions, 2003.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

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


class Distance(NamedTuple):
    """How far scores are from others in one respect.

    Attributes:
        name: of the respect, a key of DISTRIBUTIONS.
        distance: between the two, 0..1.
        floor: between halves of the others, 0..1.
    """

    name: str
    distance: float
    floor: float


def degrees(score: Score, mode: str) -> Counter[int]:
    """Notes by their pitch class, in semitones above the tonic, 0..11; none where the piece is not in that mode.

    The key is the one that the score names, or, where it names none with a mode, the one that fits its notes best.

    Args:
        score: a piece.
        mode: "major" or "minor".

    >>> from seqmusic.score import Key, Note, melody
    >>> degrees(melody([Note(0, 24, 67), Note(24, 24, 62), Note(48, 24, 79)], key=Key(1, "major")), "major")
    Counter({0: 2, 7: 1})
    """
    key = known_or_inferred_key(score)
    if key is None or key.mode != mode:
        return Counter()
    return Counter(
        (note.pitch - tonic_pitch_class(key)) % 12 for voice in score.voices for note in voice.notes
    )


def melodic_intervals(score: Score) -> Counter[int]:
    """Semitones from each note to the next one of its voice, where no rest stands between; 0 for a note struck again.

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
    """Names of the chords on each quarter in which every voice sounds: of CHORDS, "two pitches", "one pitch", or "other".

    >>> from seqmusic.score import Note, Voice
    >>> chords(Score(tuple(Voice(str(pitch), (Note(0, 48, pitch),)) for pitch in (72, 67, 64))))
    Counter({'major': 2})
    """
    columns = chords_on_quarters(score).T.tolist()
    return Counter(
        chord_name(frozenset(pitch % 12 for pitch in column))
        for column in columns
        if min(column) != REST_CELL
    )


def chord_name(pitch_classes: frozenset[int]) -> str:
    """What a chord is called, whatever its inversion and doublings.

    >>> chord_name(frozenset({7, 11, 2, 5})), chord_name(frozenset({0, 7})), chord_name(frozenset({0, 1, 2}))
    ('dominant seventh', 'two pitches', 'other')
    """
    if len(pitch_classes) <= 2:
        return "two pitches" if len(pitch_classes) == 2 else "one pitch"
    above = (
        tuple(sorted((other - root) % 12 for other in pitch_classes)) for root in pitch_classes
    )
    return next((CHORDS[form] for form in above if form in CHORDS), "other")


def spacings(score: Score) -> Counter[tuple[int, int]]:
    """Sixteenth steps by the upper of two neighboring voices, 0 = the highest, and the semitones down to the lower one.

    >>> from seqmusic.score import Note, Voice
    >>> spacings(Score((Voice("Alto", (Note(0, 12, 64),)), Voice("Tenor", (Note(0, 12, 55),)))))
    Counter({(0, 9): 2})
    """
    grid = pitch_grid(score)
    counts: Counter[tuple[int, int]] = Counter()
    for upper, (high, low) in enumerate(itertools.pairwise(grid)):
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
    >>> round(jensen_shannon({"x": 1}, {"x": 1, "y": 1}) ** 2, 4)  # 1/2 log2 4/3 + 1/4 log2 2/3 + 1/4 log2 2
    0.3113
    """
    counts = _count_matrix([a, b])
    return _distance(counts[0], counts[1])


def split_half_distance(counts: Sequence[Mapping[Any, int]], *, seed: int = 0) -> float:
    """The mean distance between two halves of a corpus, cut at random 50 times.

    Args:
        counts: the counts of each piece; of an odd number one is left out of each cut.
        seed: another seed, other halves.

    >>> split_half_distance([Counter("aab"), Counter("aab")])
    0.0
    """
    if len(counts) < 2:
        raise ValueError(f"halves need two pieces or more, got {len(counts)}")
    table, half = _count_matrix(counts), len(counts) // 2
    chance = np.random.default_rng(seed)
    orders = [chance.permutation(len(counts)) for _ in range(N_SPLITS)]
    halves = [
        (table[order[:half]].sum(axis=0), table[order[half : 2 * half]].sum(axis=0))
        for order in orders
    ]
    return float(np.mean([_distance(*pair) for pair in halves]))


def distance_interval(
    counts: Sequence[Mapping[Any, int]], others: Mapping[Any, int], *, seed: int = 0
) -> tuple[float, float, float]:
    """The distance of pieces to other counts, and from where to where it lies in 95 percent of drawings of whole pieces.

    Pieces drawn again are farther away than the pieces themselves, by chance alone; the interval is moved back by so much.

    >>> value, low, high = distance_interval([Counter("aab"), Counter("aab")], Counter("ab"))  # all pieces are alike
    >>> round(value, 4), round(low - value, 4), round(high - value, 4)
    (0.1439, 0.0, 0.0)

    Args:
        counts: the counts of each piece.
        others: those of what they are compared with, all together.
        seed: another seed, other drawings.
    """
    table = _count_matrix([others, *counts])
    theirs, own = table[0], table[1:]
    value = _distance(own.sum(axis=0), theirs)
    drawn = (
        np.random.default_rng(seed).multinomial(
            len(own), np.full(len(own), 1 / len(own)), size=N_DISTANCE_RESAMPLES
        )
        @ own
    )
    found = np.array([_distance(sums, theirs) for sums in drawn if sums.any()])
    if not len(found):
        return value, value, value
    low, high = value - found.mean() + np.quantile(found, [0.025, 0.975])
    return value, max(0.0, float(low)), float(high)


def distances(scores: Sequence[Score], others: Sequence[Score]) -> list[Distance]:
    """How far the scores are from the others in each of DISTRIBUTIONS, with the floor that the others set."""
    found = []
    for name, count in DISTRIBUTIONS.items():
        own, theirs = [count(score) for score in scores], [count(score) for score in others]
        distance = jensen_shannon(pooled_counts(own), pooled_counts(theirs))
        found.append(Distance(name, distance, split_half_distance(theirs)))
    return found


def pooled_counts(counts: Sequence[Counter[Any]]) -> Counter[Any]:
    """The counts of all pieces together."""
    together: Counter[Any] = Counter()
    for own in counts:
        together.update(own)
    return together


def _count_matrix(counts: Sequence[Mapping[Any, int]]) -> NDArray[np.float64]:
    """(piece, kind) counts, each kind a column."""
    columns: dict[Hashable, int] = {}
    for own in counts:
        for kind in own:
            columns.setdefault(kind, len(columns))
    table = np.zeros((len(counts), len(columns)))
    for row, own in zip(table, counts, strict=True):
        row[[columns[kind] for kind in own]] = list(own.values())
    return table


def _distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if not a.sum() or not b.sum():
        return float("nan")
    p, q = a / a.sum(), b / b.sum()
    middle = (p + q) / 2
    divergence = sum(
        float((own[own > 0] * np.log2(own[own > 0] / middle[own > 0])).sum()) / 2 for own in (p, q)
    )
    return float(np.sqrt(max(0.0, divergence)))
