"""Likelihoods: true ones, that sum to one over all music there is; figures worked out by hand; where the nats are spent."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch

from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.metrics.likelihood import (
    EventScores,
    Likelihood,
    score_events,
    score_pieces,
    total_likelihood,
)
from seqmusic.metrics.moving_steps import moving_cells, moving_step_nats
from seqmusic.model.recurrent import Recurrent, RecurrentSettings
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs import pretrained as checkpoints
from seqmusic.score import Note, Score, Voice, melody
from seqmusic.tokens import rules
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import Event, encode, encode_prompt, trace
from seqmusic.tokens.vocabulary import PITCH, REST
from seqmusic.training.batches import make_batch, nll

CPU = torch.device("cpu")
MASKS = checkpoints.make_grammar_masks(CPU)
MELODIES = [melody([Note(12 * i, 12, 60 + i * 5 % 7) for i in range(n)]) for n in (3, 17, 7, 5)]


@pytest.fixture(params=["transformer", "recurrent"])
def model(request: pytest.FixtureRequest) -> Transformer | Recurrent:
    torch.manual_seed(7)
    if request.param == "transformer":
        settings = ModelSettings(width=24, layers=3, heads=2, dropout=0.5, context_length=64)
        made: Transformer | Recurrent = Transformer(settings, checkpoints.VOCABULARY)
    else:
        made = Recurrent(RecurrentSettings(width=13, layers=2, dropout=0.5), checkpoints.VOCABULARY)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


def allowed_events(state: GrammarState) -> Iterator[Event]:
    """Every event that the grammar allows next."""
    for sound in np.flatnonzero(rules.sound_masks(4)[state.sound_rule]).tolist():
        for duration in np.flatnonzero(rules.duration_masks()[state.duration_rule(sound)]).tolist():
            yield sound, duration


def score_all(
    model: Transformer | Recurrent, sequences: Sequence[list[Event]], batch_size: int = 512
) -> list[EventScores]:
    return score_events(model, [trace(events) for events in sequences], MASKS, batch_size)


HOLES = encode_prompt(
    Score(
        (Voice("Soprano", (Note(0, 2, 60), Note(5, 1, 62))), Voice("Bass", (Note(0, 3, 48),))), ()
    ),
    [[(2, 5)], [(3, 6)]],
)
OPEN = encode(Score((Voice("Soprano", (Note(0, 24, 60),)), Voice("Alto", (Note(0, 24, 55),)))))
PREFIXES = {
    "pickup": OPEN[:4],
    "key": OPEN[:5],
    "first of two ends": HOLES,
    "the other voice": [*HOLES, (PITCH + 62, 2)],
    "a last tick": [*HOLES, (PITCH + 62, 2), (REST, 1)],
    "after a hole": [*HOLES, (PITCH + 62, 2), (REST, 1), (PITCH + 64, 1)],
    "the end": [*HOLES, (PITCH + 62, 2), (REST, 1), (PITCH + 64, 1), (PITCH, 2)],
}


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES.keys())
def test_all_that_may_follow_a_prefix_has_probability_one(
    model: Transformer | Recurrent, prefix: list[Event]
) -> None:
    """The sequence with each allowed event after it is scored as a whole: together they are as likely as the prefix."""
    state = GrammarState(4)
    for sound, duration in prefix[1:]:
        state.push(sound, duration)
    before, *after = score_all(
        model, [prefix, *([*prefix, event] for event in allowed_events(state))]
    )
    assert all(len(piece.nats) == len(before.nats) + 1 for piece in after)
    assert sum(math.exp(before.nats.sum() - piece.nats.sum()) for piece in after) == pytest.approx(
        1, abs=1e-5
    )


def test_the_scores_of_events_are_the_loss_of_training(model: Transformer | Recurrent) -> None:
    traces = [trace(encode(score)) for score in MELODIES]
    for own, piece in zip(traces, score_events(model, traces, MASKS, batch_size=3), strict=True):
        with torch.inference_mode():
            sound, duration = nll(model.eval(), make_batch([own], CPU), MASKS)  # type: ignore[arg-type]
        assert np.array_equal(piece.rows, np.flatnonzero(own.is_scored))
        assert piece.sound_nats == pytest.approx(sound[0].numpy()[piece.rows], abs=1e-4)
        assert piece.duration_nats == pytest.approx(duration[0].numpy()[piece.rows], abs=1e-4)
        for ranks, choices in (
            (piece.sound_ranks, piece.sound_choices),
            (piece.duration_ranks, piece.duration_choices),
        ):
            assert (ranks < choices).all()
            assert (ranks[choices == 1] == 0).all()
            assert 1 in choices


def test_neither_order_nor_batches_matter_and_dropout_is_off(
    model: Transformer | Recurrent,
) -> None:
    traces = [trace(encode(score)) for score in MELODIES]
    model.train()
    one = score_pieces(model, traces, MASKS, cells=[1, 2, 3, 5], notes=[3, 17, 7, 5], batch_size=1)
    other = score_pieces(
        model.train(), traces[::-1], MASKS, cells=[5, 3, 2, 1], notes=[5, 7, 17, 3], batch_size=3
    )
    assert other.nats[::-1] == pytest.approx(one.nats, rel=1e-5)
    assert (other.sound_accuracy, other.duration_accuracy) == (
        one.sound_accuracy,
        one.duration_accuracy,
    )


def test_accuracy_counts_first_choices_where_there_is_a_choice() -> None:
    piece = EventScores(
        rows=np.arange(4),
        sound_nats=np.ones(4),
        duration_nats=np.ones(4),
        sound_ranks=np.array([0, 0, 3, 0]),
        duration_ranks=np.array([0, 1, 0, 2]),
        sound_choices=np.array([1, 7, 7, 2]),
        duration_choices=np.array([1, 9, 9, 9]),
    )
    whole = total_likelihood([piece, piece], cells=[8, 4], notes=[2, 2])
    assert whole.sound_accuracy == pytest.approx(2 / 3)
    assert whole.duration_accuracy == pytest.approx(1 / 3)
    certain = dataclasses.replace(piece, duration_choices=np.ones(4, int))
    assert math.isnan(total_likelihood([certain], [8], [2]).duration_accuracy)
    assert "duration_accuracy" not in total_likelihood([certain], [8], [2]).metrics()


def test_the_figures_of_two_pieces_by_hand() -> None:
    """Micro: 9 nats over 12 cells; macro: the mean of 6/4 and 3/8; 9 nats over 5 notes."""
    both = Likelihood((4.0, 1.0), (2.0, 2.0), (4, 8), (2, 3), 0.5, 0.5)
    assert both.nats == (6.0, 3.0)
    figures = both.metrics()
    assert figures["nats_per_cell"] == pytest.approx(9 / 12)
    assert figures["macro_nats_per_cell"] == pytest.approx((6 / 4 + 3 / 8) / 2)
    assert figures["nats_per_note"] == pytest.approx(9 / 5)
    assert figures["sound_nats_per_cell"] == pytest.approx(5 / 12)
    assert figures["duration_nats_per_cell"] == pytest.approx(4 / 12)
    assert (figures["pieces"], figures["cells"]) == (2, 12)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    """Of 200 sets of 60 pieces around a known mean, 95 percent of the intervals should hold it; 88 to 99 pass."""
    chance = np.random.default_rng(3)
    n_holding = 0
    for _ in range(200):
        n_cells = chance.integers(400, 1600, 60)
        low, high = bootstrap_interval(n_cells * chance.normal(0.4, 0.1, 60), n_cells)
        n_holding += low <= 0.4 <= high
    assert 176 <= n_holding <= 198
    assert bootstrap_interval([1.0, 9.0], [4, 4], seed=1) == bootstrap_interval(
        [1.0, 9.0], [4, 4], seed=1
    )
    assert bootstrap_interval([1.0, 9.0], [4, 4]) == (0.25, 2.25)


def test_pieces_without_their_cells_are_refused() -> None:
    with pytest.raises(
        ValueError, match="cells and notes are told of each piece, got 0 pieces, 1 and 0"
    ):
        total_likelihood([], [1], [])
    with pytest.raises(ValueError, match="one piece or more, got none"):
        total_likelihood([], [], [])


def test_nats_belong_to_the_step_of_their_onset() -> None:
    """Four steps; both voices move in the first and in the third, where one falls silent; a note struck again does not move."""
    upper = Voice("Soprano", (Note(0, 6, 60), Note(6, 6, 60), Note(12, 12, 62)))
    lower = Voice("Bass", (Note(0, 12, 48), Note(18, 6, 48)))
    score = Score((upper, lower), ())
    assert moving_cells(score).tolist() == [[True, False, True, False], [True, False, True, True]]
    own = trace(encode(score))
    rows = np.flatnonzero(own.is_scored)
    n = len(rows)
    nats = 2.0 ** np.arange(n)
    zeros = np.zeros(n, int)
    moves = moving_step_nats(
        [EventScores(rows, nats, np.zeros(n), zeros, zeros, zeros, zeros)], [own], [score]
    )
    assert (moves.steps, moves.moving_steps, moves.nats) == (4, 2, 2.0**n - 1)
    # meter, pickup, key, 60, 48 | 60 | 62, rest | 48 | end: the sixth, ninth and tenth stand in other steps
    assert n == 10
    assert moves.moving_nats == 2**10 - 1 - 2**5 - 2**8 - 2**9
    assert moves.other_nats_per_step == (2**5 + 2**8 + 2**9) / 2
