"""People whose taste is known: how they answer, and how a shift towards it is measured."""

from __future__ import annotations

import numpy as np
import pytest

from seqmusic.alignment.comparing import ComparedModel, load_compared_model
from seqmusic.alignment.preferences import consistency, decisive
from seqmusic.alignment.simulated_people import (
    SimulatedPerson,
    model_shift,
    ranking_shift,
    simulate_answers,
)
from seqmusic.alignment.taste import fit_taste
from seqmusic.formats.theme import parse_theme

FEW = parse_theme("C5 D5 C5 D5")
SOME = parse_theme("C5:1/8 D5 C5:1/4 D5 C5")
MANY = parse_theme("C5:1/8 D5 C5 D5 C5 D5 C5 D5")
PERSON = SimulatedPerson("notes in a quarter", error_rate=0.2)


def test_a_share_of_the_answers_is_wrong() -> None:
    rng = np.random.default_rng(0)
    choices = [PERSON.choice(MANY, FEW, rng) for _ in range(2000)]
    assert choices.count("B") / 2000 == pytest.approx(0.2, abs=0.03)
    assert PERSON.choice(MANY, MANY, rng) == "equal"


def test_who_prefers_less_answers_the_other_way() -> None:
    person = SimulatedPerson("notes in a quarter", sign=-1, error_rate=0.0)
    assert person.choice(MANY, FEW, np.random.default_rng(0)) == "B"


def test_ranking_by_the_right_taste_shifts_towards_it_and_by_the_wrong_one_away() -> None:
    groups = [[FEW, SOME, MANY]] * 3
    taste, opposite = fit_taste([MANY] * 9, [FEW] * 9), fit_taste([FEW] * 9, [MANY] * 9)
    # 1, 1.25 and 2 notes a quarter: the best lies 7/12 above the mean of 17/12
    spread = float(np.std([1, 1.25, 2]))
    assert ranking_shift(PERSON, taste, groups)[0] == pytest.approx(7 / 12 / spread)
    assert ranking_shift(PERSON, opposite, groups)[0] < 0


def test_a_model_shifts_by_the_difference_of_its_means() -> None:
    shift, error = model_shift(PERSON, [FEW, MANY], [MANY, MANY])
    assert shift == pytest.approx(1.0)  # from a mean of 1.5 with deviation 0.5 to 2
    assert error == pytest.approx(1 / np.sqrt(2))


def test_simulated_answers_are_decisive_and_of_different_pairs() -> None:
    compared = load_compared_model()
    few = ComparedModel(compared.model, compared.checksum, dict([*compared.heads.items()][:2]))
    answers = simulate_answers(PERSON, few, 3)
    assert len(decisive(answers)) == 3
    assert len({answer.pair for answer in answers}) == len(answers)
    assert consistency(answers) == (0, 0)
