"""The LSTM rival: causality, dropout, and a training that learns."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from seqmusic.model.recurrent import Recurrent, RecurrentSettings
from seqmusic.runs.pretrained import VOCABULARY, make_grammar_masks
from seqmusic.score import Note, melody
from seqmusic.tokens.tokenizer import encode, trace
from seqmusic.tokens.vocabulary import N_DURATIONS, N_SOUNDS
from seqmusic.training.loop import new_training_state, train
from seqmusic.training.settings import TrainingSettings

SETTINGS = RecurrentSettings(width=23, layers=3, dropout=0.0)


@pytest.fixture
def model() -> Recurrent:
    torch.manual_seed(5)
    return Recurrent(SETTINGS, VOCABULARY).eval()


def random_inputs(n_rows: int, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng, shape, sizes = np.random.default_rng(11), (n_rows, length), VOCABULARY.context_sizes
    events = np.stack([rng.integers(0, n, shape) for n in (N_SOUNDS, N_DURATIONS)], axis=-1)
    context = np.stack([rng.integers(0, n, shape) for n in sizes], axis=-1)
    ticks = np.sort(rng.integers(0, 500, (n_rows, length + 1)))
    return torch.from_numpy(events), torch.from_numpy(context), torch.from_numpy(ticks)


@torch.inference_mode()
def test_hidden_states_do_not_depend_on_the_future(model: Recurrent) -> None:
    events, context, ticks = random_inputs(2, 11)
    before = model(events, context, ticks)
    events[:, 7:], context[:, 7:] = 1, 0
    after = model(events, context, ticks)
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.allclose(before[:, 7:], after[:, 7:])


@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_acts_in_training_only(layers: int) -> None:
    model = Recurrent(RecurrentSettings(width=23, layers=layers, dropout=0.5), VOCABULARY)
    assert not torch.equal(model.train()(*random_inputs(2, 7)), model(*random_inputs(2, 7)))
    assert torch.equal(model.eval()(*random_inputs(2, 7)), model(*random_inputs(2, 7)))


def test_training_learns_a_tune_by_heart() -> None:
    tune = trace(encode(melody([Note(12 * i, 12, 60 + i * i % 7) for i in range(17)])))
    settings = TrainingSettings(steps=60, learning_rate=0.01, evaluate_every=60, averaging=0.0)
    torch.manual_seed(3)
    state = new_training_state(
        Recurrent(RecurrentSettings(width=32, layers=1, dropout=0.0), VOCABULARY),
        settings,
    )  # type: ignore[arg-type]
    reports = train(
        state,
        settings,
        lambda step: [tune],
        lambda model: {"x": 0.0},
        make_grammar_masks(torch.device("cpu")),
    )
    losses = [report.loss for report in itertools.islice(reports, 60)]
    assert losses[0] > 5
    assert losses[-1] < 0.2
