"""Distributions: chords as music21 names them, and a distance that is a metric."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21 import chord
from small_scores import quarters

from seqmusic.corpus.dataset import Dataset
from seqmusic.metrics.distributions import (
    CHORDS,
    DISTRIBUTIONS,
    chord_name,
    chords,
    degrees,
    distance_interval,
    jensen_shannon,
    pooled_counts,
    split_half_distance,
)
from seqmusic.score import SATB, Key, Note, Score, Voice


def test_chords_are_named_as_music21_names_them() -> None:
    triples = ({0, *others} for others in itertools.combinations(range(1, 12), 2))
    fours = (
        {0, third, fifth, other}
        for third in (3, 4)
        for fifth in (6, 7, 8)
        for other in (1, 2, 5, 9, 10, 11)
    )
    for classes in itertools.chain(triples, fours):
        name = chord_name(frozenset(classes))
        oracle = chord.Chord(sorted(classes)).commonName
        is_named = any(
            f"{known} {kind}" in oracle for known in CHORDS.values() for kind in ("triad", "chord")
        )
        if name == "other":
            assert not is_named or "incomplete" in oracle, (classes, oracle)
        else:
            assert name in oracle, (classes, oracle)
        assert chord_name(frozenset((pitch_class + 7) % 12 for pitch_class in classes)) == name


def test_chords_are_counted_on_quarters_where_all_voices_sound() -> None:
    upper, lower = (Note(0, 12, 71), Note(12, 24, 72), Note(36, 24, 72)), (Note(0, 36, 60),)
    upbeat = Score((Voice("Alto", upper), Voice("Bass", lower)))
    assert chords(upbeat) == Counter({"two pitches": 1, "one pitch": 1})
    assert chords(Score(upbeat.voices, pickup_ticks=12)) == Counter({"one pitch": 1})


counts = st.dictionaries(st.integers(0, 5), st.integers(1, 50), min_size=1)


@given(counts, counts, counts)
def test_the_distance_is_a_metric(a: dict[int, int], b: dict[int, int], c: dict[int, int]) -> None:
    near = jensen_shannon(a, b)
    assert 0 <= near <= 1
    assert near == pytest.approx(jensen_shannon(b, a))
    assert jensen_shannon(a, {kind: 3 * n for kind, n in a.items()}) == pytest.approx(0, abs=1e-7)
    assert near <= jensen_shannon(a, c) + jensen_shannon(c, b) + 1e-9
    assert math.isnan(jensen_shannon(a, {}))


def test_halves_of_a_larger_corpus_are_closer() -> None:
    rng = np.random.default_rng(3)
    pieces = [Counter(rng.integers(0, 4, 40).tolist()) for _ in range(64)]
    assert 0 < split_half_distance(pieces[:16]) < 0.1
    assert split_half_distance(pieces) < split_half_distance(pieces[:16])
    assert split_half_distance([Counter("a"), Counter("b")]) == 1
    with pytest.raises(ValueError, match="two pieces or more, got 1"):
        split_half_distance(pieces[:1])


def test_degrees_are_the_same_in_every_key(chorales: Dataset) -> None:
    for work in chorales.works_in("test")[:10]:
        for mode in ("major", "minor"):
            assert degrees(work.score.transposed(2), mode) == degrees(work.score, mode)


def test_chorales_are_nearer_to_chorales_than_noise_is(chorales: Dataset) -> None:
    train, test = (
        [work.score for work in chorales.works_in(split)][:77] for split in ("train", "test")
    )
    rng = np.random.default_rng(5)
    noise = [
        Score(
            tuple(Voice(name, quarters(*rng.integers(55, 75, 40).tolist())) for name in SATB),
            key=Key(0, mode),
        )
        for mode in ("major", "minor") * 10
    ]
    for count in DISTRIBUTIONS.values():
        of_train, of_test, of_noise = (list(map(count, part)) for part in (train, test, noise))
        reference = pooled_counts(of_train)
        distance, noise_distance = (
            jensen_shannon(pooled_counts(counts), reference) for counts in (of_test, of_noise)
        )
        assert distance < 4 * split_half_distance(of_train)
        assert noise_distance > 2 * distance


def test_the_interval_of_a_distance_narrows_with_more_pieces(chorales: Dataset) -> None:
    counts, training = (
        [DISTRIBUTIONS["duration"](work.score) for work in chorales.works_in(split)]
        for split in ("test", "train")
    )
    reference = pooled_counts(training)
    of_ten, of_all = (distance_interval(c, reference) for c in (counts[:10], counts))
    assert of_all[0] == pytest.approx(jensen_shannon(pooled_counts(counts), reference))
    assert of_ten[1] <= of_ten[0] <= of_ten[2]
    assert of_all[2] - of_all[1] < of_ten[2] - of_ten[1]
    nothing = distance_interval([Counter()], reference)
    assert all(math.isnan(value) for value in nothing)
