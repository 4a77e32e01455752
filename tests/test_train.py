"""A training run leaves a complete folder, and may begin with trained weights."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from trainings import (
    NO_DROPOUT,
    STATE_FILE,
    TINY,
    corpus_replaced_by,
    metrics_rows,
    small_dataset,
    train,
)

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.errors import CheckpointError, ConfigurationError
from seqmusic.runs.configuration import Configuration, read_configuration
from seqmusic.runs.folder import read_metrics
from seqmusic.runs.pretrained import load_model, make_vocabulary, vocabulary_to_dict
from seqmusic.runs.train import train_run
from seqmusic.score import Note, Score, Voice


@pytest.fixture(autouse=True, scope="module")
def small_corpus() -> Iterator[None]:
    with corpus_replaced_by(small_dataset()):
        yield


@pytest.fixture(scope="module")
def run(small_corpus: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tiny"
    train(out)
    return out


def with_training(configuration: Configuration, **changes: object) -> Configuration:
    return replace(configuration, training=replace(configuration.training, **changes))


def test_a_run_leaves_a_complete_folder(run: Path) -> None:
    names = {path.name for path in run.iterdir()}
    assert {"config.toml", "works.csv", "metrics.csv", "card.md"} < names
    assert {"model.safetensors", "tokenizer.json", "fingerprints.npy", "resume"} < names
    assert read_configuration(run / "config.toml") == TINY
    assert [int(row[0]) for row in metrics_rows(run)[1:]] == [2, 4, 6, 8, 9]
    tokens = json.loads((run / "tokenizer.json").read_text(encoding="utf-8"))
    assert tokens == vocabulary_to_dict(make_vocabulary(marks_phrases=True))


def test_the_card_gives_the_best_evaluation(run: Path) -> None:
    best = min(row["nats_per_cell"] for row in read_metrics(run, 99))
    card = (run / "card.md").read_text(encoding="utf-8")
    assert f"- best on validation: {best:.4f} nats per cell\n" in card
    assert "- works: 6 train, 3 valid, 1 test (works.csv)" in card


def test_a_run_may_begin_with_trained_weights(
    run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seqmusic")
    configuration = with_training(
        TINY, steps=1, evaluate_every=1, learning_rate=1e-9, averaging=0.0
    )
    wide = replace(configuration, model=replace(TINY.model, width=32, dropout=0.5))
    train_run(wide, tmp_path / "tuned", start=run, device="cpu")
    before, after = load_model(run), load_model(tmp_path / "tuned")
    assert after.settings == replace(TINY.model, dropout=0.5)  # sizes are those of the weights
    for name, weights in before.state_dict().items():
        assert torch.allclose(weights, after.state_dict()[name], atol=1e-6), name
    assert f"begins with the weights of {run}" in caplog.messages


def test_trained_weights_for_fewer_voices_are_refused(run: Path, tmp_path: Path) -> None:
    score = Score(tuple(Voice(f"Voice {i}", (Note(0, 24, 72 - i),)) for i in range(5)))
    dataset = Dataset(tuple(Work(split, score, split) for split in ("train", "valid")))
    refused = pytest.raises(CheckpointError, match="knows 4 voices, and the corpus has up to 5")
    with corpus_replaced_by(dataset), refused:
        train_run(with_training(TINY, batch_size=1), tmp_path / "tuned", start=run, device="cpu")


def test_microbatches_give_the_gradients_of_the_batch(tmp_path: Path) -> None:
    train(tmp_path / "whole", NO_DROPOUT)
    train(tmp_path / "parts", with_training(NO_DROPOUT, accumulate=3))
    whole, parts = (
        load_file(tmp_path / "whole" / STATE_FILE),
        load_file(tmp_path / "parts" / STATE_FILE),
    )
    for name in whole:
        torch.testing.assert_close(whole[name], parts[name], rtol=1e-3, atol=1e-5, msg=name)
    message = "a batch of 5 pieces is too small for 1 processes of 6 parts"
    with pytest.raises(ConfigurationError, match=message):
        train(tmp_path / "more", with_training(NO_DROPOUT, accumulate=6))


def test_half_precision_learns_nearly_the_same(tmp_path: Path) -> None:
    train(tmp_path / "full", NO_DROPOUT)
    train(tmp_path / "half", with_training(NO_DROPOUT, precision="bfloat16"))
    full, half = (float(metrics_rows(tmp_path / name)[-1][2]) for name in ("full", "half"))
    assert full != half
    assert full == pytest.approx(half, rel=0.01)
