"""The LSTM behind the contract: cached steps equal the whole, causality, and a training that learns."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from seqmusic.model.recurrent import Recurrent, RecurrentCache, RecurrentSettings
from seqmusic.runs import pretrained as checkpoints
from seqmusic.score import Note, melody
from seqmusic.tokens.tokenizer import encode, trace
from seqmusic.tokens.vocabulary import N_DURATIONS, N_SOUNDS
from seqmusic.training.loop import new_training_state, train
from seqmusic.training.settings import TrainingSettings

SETTINGS = RecurrentSettings(width=23, layers=3, dropout=0.0)


@pytest.fixture
def model() -> Recurrent:
    torch.manual_seed(5)
    return Recurrent(SETTINGS, checkpoints.VOCABULARY).eval()


def random_inputs(n_rows: int, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chance = np.random.default_rng(11)
    events = np.stack(
        [
            chance.integers(0, N_SOUNDS, (n_rows, length)),
            chance.integers(0, N_DURATIONS, (n_rows, length)),
        ],
        axis=-1,
    )
    context = np.stack(
        [
            chance.integers(0, size, (n_rows, length))
            for size in checkpoints.VOCABULARY.context_sizes
        ],
        axis=-1,
    )
    ticks = np.sort(chance.integers(0, 500, (n_rows, length + 1)))
    return torch.from_numpy(events), torch.from_numpy(context), torch.from_numpy(ticks)


@torch.inference_mode()
def test_steps_with_a_cache_equal_the_whole(model: Recurrent) -> None:
    events, context, ticks = random_inputs(2, 11)
    whole = model(events, context, ticks)
    assert whole.shape == (2, 11, 23)
    cache = RecurrentCache(SETTINGS, 2, torch.device("cpu"))
    parts = [model(events[:, :5], context[:, :5], ticks[:, :6], cache)]
    parts += [
        model(events[:, t : t + 1], context[:, t : t + 1], ticks[:, t : t + 2], cache)
        for t in range(5, 11)
    ]
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5)
    assert cache.length == 11


@torch.inference_mode()
def test_the_past_does_not_hear_the_future(model: Recurrent) -> None:
    events, context, ticks = random_inputs(2, 11)
    before = model(events, context, ticks)
    events[:, 7:], context[:, 7:] = 1, 0
    after = model(events, context, ticks)
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.allclose(before[:, 7:], after[:, 7:])


@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_is_for_training_alone(layers: int) -> None:
    model = Recurrent(
        RecurrentSettings(width=23, layers=layers, dropout=0.5), checkpoints.VOCABULARY
    )
    assert not torch.equal(model.train()(*random_inputs(2, 7)), model(*random_inputs(2, 7)))
    assert torch.equal(model.eval()(*random_inputs(2, 7)), model(*random_inputs(2, 7)))


def test_it_learns_a_tune_by_heart() -> None:
    tune = trace(encode(melody([Note(12 * i, 12, 60 + i * i % 7) for i in range(17)])))
    settings = TrainingSettings(steps=60, learning_rate=0.01, evaluate_every=60, averaging=0.0)
    torch.manual_seed(3)
    state = new_training_state(
        Recurrent(RecurrentSettings(width=32, layers=1, dropout=0.0), checkpoints.VOCABULARY),
        settings,
    )  # type: ignore[arg-type]
    reports = train(
        state,
        settings,
        lambda step: [tune],
        lambda model: {"x": 0.0},
        checkpoints.make_grammar_masks(torch.device("cpu")),
    )
    losses = [report.loss for report in itertools.islice(reports, 60)]
    assert losses[0] > 5
    assert losses[-1] < 0.2
