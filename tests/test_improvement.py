"""An improvement keeps what helps on the validation works, and leaves the run unchanged."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_runs import TINY

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.training_corpus import training_corpus_of
from seqmusic.errors import CheckpointError, FormatError
from seqmusic.evaluation.held_out import encode_pieces, grammar_masks_for, score_held_out
from seqmusic.experiments.improvement import (
    CALIBRATED_TEMPERATURES,
    compare_candidates,
    improve,
)
from seqmusic.experiments.improvement_trials import UNCHANGED, mean_weights
from seqmusic.metrics.calibration import predict_choices, temperature_scaled
from seqmusic.model.transformer import Transformer
from seqmusic.runs import train as run
from seqmusic.runs.pretrained import VOCABULARY, load_model


@pytest.fixture(scope="module")
def trained_run(small_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tiny"
    corpus = training_corpus_of(small_dataset)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load_training_corpus", lambda path: corpus)
        run.train_run(TINY, out, device="cpu")
    return out


def test_the_best_model_becomes_a_run_and_the_first_run_is_unchanged(
    small_dataset: Dataset, trained_run: Path, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in trained_run.iterdir() if path.is_file()}
    out = tmp_path / "better"
    attempts = improve(trained_run, small_dataset, out, minutes=0.005)
    after = {path.name: path.read_bytes() for path in trained_run.iterdir() if path.is_file()}
    assert after == before
    assert [attempts[0].name, attempts[-1].name] == [UNCHANGED, CALIBRATED_TEMPERATURES]
    assert any(attempt.is_kept for attempt in attempts[1:])  # after four batches anything helps
    pieces = encode_pieces([work.score for work in small_dataset.works_in("valid")])
    kept = [attempt for attempt in attempts if attempt.is_kept][-1]
    # The attempt scores each half of the works at the temperatures of the other half.
    tolerance = 2e-3 if kept.name == CALIBRATED_TEMPERATURES else 1e-6
    nats = score_held_out(load_model(out), pieces).nats_per_cell
    assert nats == pytest.approx(kept.nats_per_cell, abs=tolerance)
    test = json.loads((out / "improvements.json").read_text())["test"]
    saved = test["before"]["nats_per_cell"] - test["after"]["nats_per_cell"]
    assert saved == pytest.approx(test["worth"]["nats_per_cell"])
    run_files = {"config.toml", "works.csv", "fingerprints.npy", "card.md"}
    assert run_files | {"improvements.csv", "improvements.svg"} <= {p.name for p in out.iterdir()}
    times = {path: path.stat().st_mtime_ns for path in (out / "trials").rglob("*")}
    assert improve(trained_run, small_dataset, out, minutes=0.005) == attempts
    assert {path: path.stat().st_mtime_ns for path in (out / "trials").rglob("*")} == times


def test_a_gain_on_one_piece_alone_is_not_kept() -> None:
    cells, nats = [10] * 8, [5.0, 4.0, 6.0, 5.0, 4.0, 6.0, 5.0, 4.0]
    candidates = [
        ("run", nats),
        ("on one piece", [0.5, *nats[1:]]),
        ("on all pieces", [0.9 * n for n in nats]),
        ("worse", [1.1 * n for n in nats]),
    ]
    attempts = compare_candidates(candidates, cells)
    assert [attempt.is_kept for attempt in attempts] == [True, False, True, False]
    assert attempts[1].gain > attempts[2].gain > 0 > attempts[3].gain
    # Against the kept candidate at 0.9, not against the run.
    assert attempts[3].gain == pytest.approx(-0.2 * sum(nats) / 80)


def test_scaled_output_layers_predict_at_the_temperature(small_dataset: Dataset) -> None:
    torch.manual_seed(0)
    model = Transformer(TINY.model, VOCABULARY)
    for parameter in model.heads.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    masks = grammar_masks_for(model)
    traces = encode_pieces([work.score for work in small_dataset.works_in("test")]).traces
    for plain, scaled, temperature in zip(
        predict_choices(model, traces, masks),
        predict_choices(temperature_scaled(model, 1.3, 0.7), traces, masks),
        (1.3, 0.7),
        strict=True,
    ):
        assert scaled.nll == pytest.approx(plain.at_temperature(temperature).nll, abs=1e-6)
        assert scaled.nll != pytest.approx(plain.nll, abs=1e-3)


def test_weights_are_averaged_one_by_one() -> None:
    models = [Transformer(TINY.model, VOCABULARY) for _ in range(3)]
    mean = mean_weights(models)
    for name, weight in mean.state_dict().items():
        total = sum(model.state_dict()[name] for model in models)
        assert torch.allclose(weight, total / 3, atol=1e-6)


def test_unsuitable_requests_are_refused(
    small_dataset: Dataset, trained_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "x"
    with pytest.raises(ValueError, match="minutes must be above 0"):
        improve(trained_run, small_dataset, out, minutes=0.0)
    with pytest.raises(CheckpointError, match="no trained model there"):
        improve(tmp_path / "nowhere", small_dataset, out)
    moved = Dataset(tuple(replace(work, split="train") for work in small_dataset.works))
    with pytest.raises(CheckpointError, match="the corpus has changed since"):
        improve(trained_run, moved, out)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("a")
    with pytest.raises(FormatError, match="is no study"):
        improve(trained_run, small_dataset, tmp_path / "full")
    assert not out.exists()
