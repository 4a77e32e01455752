"""The classifier two-sample test: laws, cases worked out by hand, and synthetic kinds of music."""

import itertools
from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from seqmusic.formats.theme import parse_theme
from seqmusic.metrics.two_sample.judges import LINEAR, TREES, judge, strongest_signs
from seqmusic.metrics.two_sample.pattern_names import chord_name, pattern_name
from seqmusic.metrics.two_sample.patterns import (
    CHORD,
    INTERVAL,
    INTERVALS,
    PROGRESSION,
    RHYTHM,
    TWO_VOICES,
    Pattern,
    count_patterns,
    pattern_shares,
)
from seqmusic.metrics.two_sample.separation import (
    N_FOLDS,
    Separation,
    auc_with_interval,
    deal_folds,
    separate,
)
from seqmusic.metrics.two_sample.statistics import window_statistics
from seqmusic.metrics.two_sample.windows import Windows, cut_windows
from seqmusic.pitch_grid import pitch_grid

COMPASS = ((60, 79), (55, 74), (48, 67), (36, 60))


def random_windows(n: int, first_group: int, seed: int, *, step_bias: float) -> Windows:
    """Walks of four voices in eighths; a step is a semitone with probability `step_bias`."""
    rng = np.random.default_rng(seed)
    sizes = np.where(rng.random((n, 4, 32)) < step_bias, 1, 4) * rng.choice([-1, 1], (n, 4, 32))
    low, high = (np.array(ends)[None, :, None] for ends in zip(*COMPASS, strict=True))
    pitches = low + (np.cumsum(sizes, axis=2) + 8) % (high - low)
    return Windows(np.repeat(pitches, 2, axis=2).astype(np.int16), np.arange(n) + first_group)


def test_the_same_source_cannot_be_separated() -> None:
    first, second = (random_windows(60, 60 * i, i, step_bias=0.5) for i in range(2))
    for name, found in judge(first, second).items():
        assert found.low < 0.5 < found.high, name
        assert abs(found.auc - 0.5) < 0.15, name


def test_plainly_different_music_is_separated_by_both_judges() -> None:
    first, second = (random_windows(30, 30 * i, i, step_bias=0.2 + 0.6 * i) for i in range(2))
    separations = judge(first, second)
    assert list(separations) == [LINEAR, TREES]
    assert all(found.auc > 0.95 and found.low > 0.9 for found in separations.values())


def test_what_gives_music_away_is_named_with_both_shares() -> None:
    first, second = (random_windows(30, 30 * i, i, step_bias=0.2 + 0.6 * i) for i in range(2))
    signs = strongest_signs(first, second, n=4)
    assert len(signs) == 4
    assert [abs(sign.strength) for sign in signs] == sorted(
        (abs(sign.strength) for sign in signs), reverse=True
    )
    everything = {sign.name: sign for sign in strongest_signs(first, second, n=10_000)}
    semitone = everything["soprano up a minor second"]
    assert semitone.unit == "of the soprano's moves"
    assert semitone.share < 0.15 < 0.35 < semitone.other_share
    assert semitone.strength > 0


def test_judgments_do_not_depend_on_the_order_of_the_windows() -> None:
    first, second = (random_windows(20, 20 * i, i, step_bias=0.4 + 0.2 * i) for i in range(2))
    order = np.random.default_rng(0).permutation(20)
    shuffled = Windows(first.pitches[order], first.groups[order])
    assert judge(first, second)[LINEAR] == pytest.approx(judge(shuffled, second)[LINEAR])


def test_too_few_groups_are_refused() -> None:
    first, second = (random_windows(n, 20 * n, n, step_bias=0.5) for n in (7, 4))
    with pytest.raises(
        ValueError, match="windows of 5 groups of works or more of each kind, got 4"
    ):
        judge(first, second)


def test_no_classifier_sees_a_group_that_it_scores() -> None:
    """Features that name their group: a classifier that looks them up finds none."""
    groups = np.array([*range(12)] * 2)
    labels, features = np.repeat([0, 1], 12), groups[:, None].astype(float)
    seen = []

    def scorer(training: np.ndarray, _: np.ndarray, test: np.ndarray) -> np.ndarray:
        seen.append(set(test[:, 0]) & set(training[:, 0]))
        return np.zeros(len(test))

    assert separate(features, labels, groups, scorer) == Separation(0.5, 0.5, 0.5)
    assert seen == [set()] * N_FOLDS


def test_folds_hold_both_kinds_in_equal_parts() -> None:
    labels, groups = np.repeat([0, 1], 20), np.arange(40)
    folds = deal_folds(labels, groups, seed=3)
    for fold, label in itertools.product(range(N_FOLDS), range(2)):
        assert ((folds == fold) & (labels == label)).sum() == 4


def test_auc_agrees_with_scikit_learn_in_one_fold() -> None:
    rng = np.random.default_rng(5)
    labels, scores = rng.integers(2, size=70), np.round(rng.random(70), 1)  # with ties
    found = auc_with_interval(scores, labels, rng.integers(11, size=70), np.zeros(70, np.int64))
    assert found.auc == pytest.approx(roc_auc_score(labels, scores))
    assert found.low < found.auc < found.high


def test_scores_of_different_folds_are_not_compared() -> None:
    """The second classifier scores all windows higher; within each fold the order is right."""
    scores, labels = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 1, 0, 1])
    folds = np.array([0, 0, 1, 1])
    assert auc_with_interval(scores, labels, np.arange(4), folds).auc == 1


def test_windows_begin_on_the_first_beat_and_drop_the_rest() -> None:
    line = "C5:1/8 D5:1/4 | " + "C5:1/1 | " * 7 + "C5"
    piece = parse_theme(" ; ".join([line] * 4)[:-1] + "5")
    found = cut_windows([piece, piece], [3, 8])
    n_steps = pitch_grid(piece).shape[1]
    first = -(-(piece.pickup_ticks % 24) // 6)
    assert found.pitches.shape == (2 * ((n_steps - first) // 64), 4, 64)
    assert set(found.groups.tolist()) == {3, 8}
    np.testing.assert_array_equal(found.pitches[0, 0], pitch_grid(piece)[0, first : first + 64])
    assert cut_windows([], []).pitches.shape == (0, 4, 64)


def window(*lines: list[int]) -> np.ndarray:
    """Lines in quarters, held to the end of the window."""
    full = [[*line, *[line[-1]] * (16 - len(line))] for line in lines]
    return np.repeat(np.array(full, np.int16), 4, axis=1)


def test_patterns_of_a_cadence_by_hand() -> None:
    """V7-I in C on the first two beats, then held: F-B closes to E-C, the bass rises a fourth."""
    counts = count_patterns(window([74, 72], [71, 72], [65, 64], [55, 60]))
    dominant, tonic = (0, 4, 7, 10), (0, 4)
    assert counts[Pattern(CHORD, -1, dominant)] == 1
    assert counts[Pattern(CHORD, -1, tonic)] == 15
    assert counts[Pattern(PROGRESSION, -1, (dominant, 5, tonic))] == 1
    assert counts[Pattern(INTERVAL, 0, (-2,))] == counts[Pattern(INTERVAL, 3, (5,))] == 1
    assert counts[Pattern(RHYTHM, 0, (0,))] == 1
    assert counts[Pattern(RHYTHM, 0, ())] == 14  # the first beat has no beat before
    assert counts[Pattern(TWO_VOICES, -1, (6, 8, False))] == 1
    assert not any(pattern.family == INTERVALS for pattern in counts)


def test_rests_have_neither_chords_nor_intervals() -> None:
    counts = count_patterns(window([74, -1, 72], [71], [65], [55]))
    assert counts[Pattern(CHORD, -1, (0, 4, 7, 10))] == 1
    assert not any(pattern.family == INTERVAL and pattern.voice == 0 for pattern in counts)


def test_shares_are_those_of_a_group_in_each_window() -> None:
    counts = [count_patterns(window([74, 72, 74], [71], [65], [55]))] * 3
    patterns, shares = pattern_shares(counts)
    sums: Counter[tuple[str, int]] = Counter()
    for pattern, share in zip(patterns, shares[0], strict=True):
        sums[pattern.group] += share
    assert all(total == pytest.approx(1) for total in sums.values())
    assert pattern_shares(counts[:2])[0] == []  # too rare to be learned


@pytest.mark.parametrize(
    ("above_bass", "name"),
    [
        ((0, 4, 7), "major triad in root position"),
        ((0, 5, 9), "major triad in second inversion"),
        ((0, 3, 6, 8), "dominant seventh in first inversion"),
        ((0, 3, 5, 9), "dominant seventh in second inversion"),
        ((0, 2, 6, 9), "dominant seventh in third inversion"),
        ((0, 3, 6, 9), "diminished seventh chord"),
        ((0, 4), "major without fifth in root position"),
        ((0,), "octaves alone"),
        ((0, 1, 2), "chord of 1 and 2 semitones above the bass"),
    ],
)
def test_chords_have_the_names_of_the_textbook(above_bass: tuple[int, ...], name: str) -> None:
    assert chord_name(above_bass) == name


def test_every_pattern_has_a_name() -> None:
    rng = np.random.default_rng(2)
    pitches = rng.integers(40, 80, size=(4, 64)).astype(np.int16)
    names = [pattern_name(pattern) for pattern in count_patterns(pitches)]
    assert all(names)
    assert len(set(names)) == len(names)


def test_statistics_have_the_same_names_for_all_windows() -> None:
    silent = np.full((4, 64), -1, np.int16)
    moving = window([74, 72, 74, 76], [71, 67], [65, 64], [55, 48])
    assert list(window_statistics(silent)) == list(window_statistics(moving))
    found = window_statistics(moving)
    assert found["Soprano: compass"] == 4
    assert found["Alto to Tenor: mean distance"] == pytest.approx((6 + 15 * 3) / 16)
    assert found["steps with 4 moving"] == pytest.approx(1 / 64)
    assert found["repeated beats"] == pytest.approx(12 / 16)
