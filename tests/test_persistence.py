"""Persistence: rates counted by hand, and probabilities that sum to one."""

from __future__ import annotations

import itertools
import math

import pytest

from seqmusic.baselines.persistence import persistence_nats
from seqmusic.pitch_grid import count_cells
from seqmusic.score import Note, Score, Voice, melody


def test_cells_include_rests_and_incomplete_steps() -> None:
    score = Score((Voice("Soprano", (Note(6, 7, 60),)), Voice("Alto", ())))
    assert count_cells(score) == 3 * 2
    assert count_cells(Score(())) == 0


def test_persistence_by_hand() -> None:
    held_out = melody([Note(0, 6, 60), Note(6, 6, 62), Note(12, 6, 62)])
    first = 1 / 129
    change = 1 / 2 * first / (1 - first)
    hold = 1 / 2
    assert persistence_nats([], [held_out]) == pytest.approx([-math.log(first * change * hold)])
    training = [melody([Note(0, 12, 60)])]
    first = 3 / 131  # two cells and the one added
    change = 1 / 3 * (1 / 131) / (1 - first)  # one hold was counted at this step
    assert persistence_nats(training, [held_out]) == pytest.approx(
        [-math.log(first * change * hold)]
    )


def total_probability(training: list[Score], scores: list[Score]) -> float:
    return sum(math.exp(-nats) for nats in persistence_nats(training, scores))


def test_all_pieces_of_two_cells_have_probability_one() -> None:
    training = [melody([Note(0, 6, 60), Note(6, 12, 64)])]
    pairs = itertools.product(range(128), repeat=2)
    notes = [melody([Note(0, 6, a), Note(6, 6, b)]) for a, b in pairs]
    rest_first = [melody([Note(6, 6, b)]) for b in range(128)]
    # A second voice makes a piece long enough whose first voice ends in a rest.
    alto = Voice("Alto", (Note(0, 12, 60),))
    alto_probability = 1 / 129 * 1 / 2  # not counted in training: uniform
    rest_last = [
        Score((soprano, alto))
        for soprano in (
            Voice("Soprano", ()),
            *(Voice("Soprano", (Note(0, 6, a),)) for a in range(128)),
        )
    ]
    total = total_probability(training, [*notes, *rest_first])
    total += total_probability(training, rest_last) / alto_probability
    assert total == pytest.approx(1)
