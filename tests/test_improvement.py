"""A run is improved: what helps on validation is kept, what does not is not, and the run itself stays as it is."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.training_corpus import training_corpus_of
from seqmusic.errors import CheckpointError, FormatError
from seqmusic.evaluation.held_out import encode_pieces
from seqmusic.experiments.improvement import (
    CALIBRATED_TEMPERATURES,
    UNCHANGED,
    compare_candidates,
    improve,
    mean_weights,
)
from seqmusic.metrics.calibration import predict_choices, temperature_scaled
from seqmusic.metrics.likelihood import score_pieces
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs import train as run
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES, VOCABULARY, load_model, make_grammar_masks
from seqmusic.training.settings import TrainingSettings

TINY = Configuration(
    model=ModelSettings(width=16, layers=1, heads=2, dropout=0.1),
    training=TrainingSettings(steps=6, batch_size=2, evaluate_every=3),
)


@pytest.fixture(scope="module")
def small_dataset(chorales: Dataset) -> Dataset:
    parts = {
        split: sorted(chorales.works_in(split), key=lambda work: work.score.n_notes)
        for split in ("train", "valid", "test")
    }
    return Dataset((*parts["train"][:6], *parts["valid"][:4], *parts["test"][:2]))


@pytest.fixture(scope="module")
def trained_run(small_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load_training_corpus", lambda corpus: training_corpus_of(small_dataset))
        run.train_run(TINY, out, device="cpu", show=lambda text: None)
    return out


def test_a_run_is_improved_and_left_as_it_is(
    small_dataset: Dataset, trained_run: Path, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in trained_run.iterdir() if path.is_file()}
    out, told = tmp_path / "better", []
    steps = improve(trained_run, small_dataset, out, minutes=0.02, show=told.append)
    assert {
        path.name: path.read_bytes() for path in trained_run.iterdir() if path.is_file()
    } == before
    assert [steps[0].name, steps[-1].name] == [UNCHANGED, CALIBRATED_TEMPERATURES]
    assert any(step.is_kept for step in steps[1:])  # after six batches anything helps
    pieces = encode_pieces([work.score for work in small_dataset.works_in("valid")])
    made, masks = load_model(out), make_grammar_masks(torch.device("cpu"))
    nats = score_pieces(
        made, pieces.traces, masks, cells=pieces.cells, notes=pieces.notes
    ).nats_per_cell
    kept = [step for step in steps if step.is_kept][-1]
    assert nats == pytest.approx(
        kept.nats_per_cell, abs=2e-3 if kept.name == CALIBRATED_TEMPERATURES else 1e-6
    )
    found = json.loads((out / "improvements.json").read_text())
    assert found["test"]["before"]["nats_per_cell"] - found["test"]["after"][
        "nats_per_cell"
    ] == pytest.approx(found["test"]["worth"]["nats_per_cell"])
    assert {
        "config.toml",
        "works.csv",
        "fingerprints.npy",
        "card.md",
        "improvements.csv",
        "improvements.svg",
    } <= {path.name for path in out.iterdir()}
    stamps = {path: path.stat().st_mtime_ns for path in (out / "trials").rglob("*")}
    assert improve(trained_run, small_dataset, out, minutes=0.02, show=told.append) == steps
    assert {path: path.stat().st_mtime_ns for path in (out / "trials").rglob("*")} == stamps


def test_what_is_better_by_chance_is_not_kept() -> None:
    cells, nats = [10] * 8, [5.0, 4.0, 6.0, 5.0, 4.0, 6.0, 5.0, 4.0]
    everywhere, once, worse = (
        [0.9 * own for own in nats],
        [0.5, *nats[1:]],
        [1.1 * own for own in nats],
    )
    steps = compare_candidates(
        [("run", nats), ("once", once), ("everywhere", everywhere), ("worse", worse)], cells
    )
    assert [step.is_kept for step in steps] == [True, False, True, False]
    assert steps[1].gain > steps[2].gain > 0 > steps[3].gain
    assert steps[3].gain == pytest.approx(
        -0.2 * sum(nats) / 80
    )  # against what was kept, not against the run


def test_temperatures_in_the_output_layer_are_temperatures(small_dataset: Dataset) -> None:
    torch.manual_seed(0)
    model, masks = Transformer(TINY.model, VOCABULARY), make_grammar_masks(torch.device("cpu"))
    for parameter in model.heads.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    traces = encode_pieces([work.score for work in small_dataset.works_in("test")]).traces
    for plain, changed, temperature in zip(
        predict_choices(model, traces, masks),
        predict_choices(temperature_scaled(model, 1.3, 0.7), traces, masks),
        (1.3, 0.7),
        strict=True,
    ):
        assert changed.nll == pytest.approx(plain.at_temperature(temperature).nll, abs=1e-6)
        assert changed.nll != pytest.approx(plain.nll, abs=1e-3)
    assert DEFAULT_MAX_VOICES == 4


def test_the_mean_of_weights() -> None:
    models = [Transformer(TINY.model, VOCABULARY) for _ in range(3)]
    mean = mean_weights(models)
    for name, tensor in mean.state_dict().items():
        assert torch.allclose(tensor, sum(own.state_dict()[name] for own in models) / 3, atol=1e-6)


def test_refusals(small_dataset: Dataset, trained_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="minutes must be above 0"):
        improve(trained_run, small_dataset, tmp_path / "x", minutes=0.0)
    with pytest.raises(CheckpointError, match="no trained model there"):
        improve(tmp_path / "nowhere", small_dataset, tmp_path / "x")
    moved = Dataset(tuple(replace(work, split="train") for work in small_dataset.works))
    with pytest.raises(CheckpointError, match="the corpus has changed since"):
        improve(trained_run, moved, tmp_path / "x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("a")
    with pytest.raises(FormatError, match="is no study"):
        improve(trained_run, small_dataset, tmp_path / "full")
    assert not (tmp_path / "x").exists()
