"""A taste fitted to answers: it finds what was preferred, and says how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from seqmusic.alignment.measures import MEASURES, measure_values
from seqmusic.alignment.taste import Taste, fit_bradley_terry, fit_taste
from seqmusic.formats.theme import parse_theme

MANY = parse_theme("C5:1/8 D5 C5 D5 C5 D5 C5 D5")
FEW = parse_theme("C5 D5 C5 D5")


def test_the_fit_finds_the_weights_that_answers_were_drawn_with() -> None:
    rng = np.random.default_rng(0)
    differences, weights = rng.normal(size=(20000, 3)), np.array([1.0, -0.5, 0.0])
    is_wrong = rng.uniform(size=20000) > 1 / (1 + np.exp(-differences @ weights))
    differences[is_wrong] *= -1
    fitted, errors = fit_bradley_terry(differences)
    assert np.all(np.abs(fitted - weights) < 4 * errors)
    assert np.all(errors < 0.03)


def test_without_answers_every_weight_is_that_of_the_prior() -> None:
    weights, errors = fit_bradley_terry(np.zeros((0, 2)), precision=4.0)
    assert weights.tolist() == [0.0, 0.0]
    assert errors.tolist() == [0.5, 0.5]


def test_who_prefers_many_notes_scores_them_higher_and_reads_so() -> None:
    taste = fit_taste([MANY] * 12, [FEW] * 12)
    assert taste.score(MANY) > taste.score(FEW)
    assert any("more notes in a quarter" in sentence for sentence in taste.sentences())


def test_a_measure_that_says_nothing_changes_no_score() -> None:
    values = measure_values([MANY])  # one voice has no triads
    number = [measure.name for measure in MEASURES].index("root-position triads")
    assert np.isnan(values[0, number])
    taste = fit_taste([MANY], [FEW])
    assert taste.standardized(values)[0, number] == 0


def test_a_measure_counts_by_what_its_weight_exceeds_its_error() -> None:
    none = np.zeros(len(MEASURES))
    one, two = np.eye(len(MEASURES))[:2]
    taste = Taste(none, none + 1, 0.8 * one - 0.5 * two, none + 0.5)
    assert taste.scores(np.stack([one, two])).tolist() == pytest.approx([0.3, 0.0])
