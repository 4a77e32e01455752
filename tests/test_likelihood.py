"""Likelihoods: they sum to one over all continuations, and figures by hand."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch

from seqmusic.metrics.likelihood import (
    EventScores,
    Likelihood,
    score_events,
    score_pieces,
    total_likelihood,
)
from seqmusic.model.recurrent import Recurrent, RecurrentSettings
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY, make_grammar_masks
from seqmusic.score import Note, Score, Voice, melody
from seqmusic.tokens import rules
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import Event, encode, encode_prompt, trace
from seqmusic.tokens.vocabulary import PITCH, REST
from seqmusic.training.batches import make_batch, nll

CPU = torch.device("cpu")
MASKS = make_grammar_masks(CPU)
MELODIES = [melody([Note(12 * i, 12, 60 + i * 5 % 7) for i in range(n)]) for n in (3, 17, 7, 5)]


@pytest.fixture(params=["transformer", "recurrent"])
def model(request: pytest.FixtureRequest) -> Transformer | Recurrent:
    torch.manual_seed(7)
    if request.param == "transformer":
        settings = ModelSettings(width=24, layers=3, heads=2, dropout=0.5, context_length=64)
        built: Transformer | Recurrent = Transformer(settings, VOCABULARY)
    else:
        built = Recurrent(RecurrentSettings(width=13, layers=2, dropout=0.5), VOCABULARY)
    for parameter in built.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return built


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
def test_all_continuations_of_a_prefix_have_probability_one(
    model: Transformer | Recurrent, prefix: list[Event]
) -> None:
    """The sequences with one more event are together as likely as the prefix."""
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


def test_event_scores_agree_with_the_training_loss(model: Transformer | Recurrent) -> None:
    traces = [trace(encode(score)) for score in MELODIES]
    for sequence, piece in zip(
        traces, score_events(model, traces, MASKS, batch_size=3), strict=True
    ):
        with torch.inference_mode():
            batch = make_batch([sequence], CPU)  # type: ignore[arg-type]
            sound, duration = nll(model.eval(), batch, MASKS)
        assert np.array_equal(piece.rows, np.flatnonzero(sequence.is_scored))
        assert piece.sound_nats == pytest.approx(sound[0].numpy()[piece.rows], abs=1e-4)
        assert piece.duration_nats == pytest.approx(duration[0].numpy()[piece.rows], abs=1e-4)
        for ranks, choices in (
            (piece.sound_ranks, piece.sound_choices),
            (piece.duration_ranks, piece.duration_choices),
        ):
            assert (ranks < choices).all()
            assert (ranks[choices == 1] == 0).all()
            assert 1 in choices


def test_likelihoods_depend_on_neither_order_nor_batch_size_nor_dropout(
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


def test_accuracy_leaves_out_events_without_a_choice() -> None:
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


def test_metrics_of_two_pieces_by_hand() -> None:
    """Micro: 9 nats over 12 cells; macro: the mean of 6/4 and 3/8; 9 nats over 5 notes."""
    both = Likelihood((4.0, 1.0), (2.0, 2.0), (4, 8), (2, 3), 0.5, 0.5)
    assert both.nats == (6.0, 3.0)
    metrics = both.metrics()
    assert metrics["nats_per_cell"] == pytest.approx(9 / 12)
    assert metrics["macro_nats_per_cell"] == pytest.approx((6 / 4 + 3 / 8) / 2)
    assert metrics["nats_per_note"] == pytest.approx(9 / 5)
    assert metrics["sound_nats_per_cell"] == pytest.approx(5 / 12)
    assert metrics["duration_nats_per_cell"] == pytest.approx(4 / 12)
    assert (metrics["pieces"], metrics["cells"]) == (2, 12)


def test_cells_and_notes_must_match_the_pieces() -> None:
    with pytest.raises(ValueError, match="one number a piece, got 0 pieces, 1 cells and 0 notes"):
        total_likelihood([], [1], [])
    with pytest.raises(ValueError, match="one piece or more, got none"):
        total_likelihood([], [], [])
