"""A run from end to end, on a few works with a tiny model."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seqmusic.cli.composing_speed import composing_speed
from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.corpus.training_corpus import training_corpus_of
from seqmusic.errors import CheckpointError, DeviceError, FormatError, RequestError
from seqmusic.formats import read_score
from seqmusic.formats.theme import parse_theme
from seqmusic.generation import output as composition
from seqmusic.generation.composing import continuation
from seqmusic.generation.request import Request
from seqmusic.generation.sampling import Sampling, sample_ids
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs import pretrained as checkpoints
from seqmusic.runs import train as run
from seqmusic.runs.checkpoint import load_training_state, save_training_state
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.data import training_data
from seqmusic.runs.folder import read_metrics
from seqmusic.runs.pretrained import load_model
from seqmusic.score import Note, Score, Voice
from seqmusic.training.device import choose_device
from seqmusic.training.loop import new_training_state, train
from seqmusic.training.settings import TrainingSettings

TINY = Configuration(
    model=ModelSettings(width=16, layers=1, heads=2, dropout=0.1, context_length=512),
    training=TrainingSettings(steps=4, batch_size=2, evaluate_every=2),
)


@pytest.fixture(scope="module")
def small_dataset(chorales: Dataset) -> Dataset:
    works = [*chorales.works_in("train")[:5], *chorales.works_in("valid")[:2], *chorales.works_in("test")[:1]]
    return Dataset(tuple(works))


@pytest.fixture(scope="module")
def trained_run(small_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load_training_corpus", lambda corpus: training_corpus_of(small_dataset))
        run.train_run(TINY, out, device="cpu", resume=False)
    return out


def test_a_run_leaves_a_whole_folder(trained_run: Path) -> None:
    assert {
        "config.toml",
        "works.csv",
        "metrics.csv",
        "model.safetensors",
        "tokenizer.json",
        "card.md",
        "resume",
    } <= {path.name for path in trained_run.iterdir()}
    assert (trained_run / "metrics.csv").read_text().count("\n") == 3


def test_a_run_is_not_written_over(trained_run: Path) -> None:
    with pytest.raises(CheckpointError, match="holds a run already"):
        run.train_run(TINY, trained_run, device="cpu", resume=False)
    other = replace(TINY, model=replace(TINY.model, width=32))
    with pytest.raises(CheckpointError, match=r"\[model\] width was 16, now 32"):
        run.train_run(other, trained_run, device="cpu", resume=True)


def test_a_resumed_run_ends_with_the_same_weights(small_dataset: Dataset, tmp_path: Path) -> None:
    data = training_data(small_dataset.works_in("train"))
    masks = checkpoints.make_grammar_masks(torch.device("cpu"))

    def state() -> object:
        torch.manual_seed(0)
        return new_training_state(Transformer(TINY.model, checkpoints.VOCABULARY), TINY.training)

    def go(own, settings):  # type: ignore[no-untyped-def]
        for _ in train(
            own,
            settings,
            lambda step: run.draw_batch(data, TINY.training, step),
            lambda model: {"x": 0.0},
            masks,
        ):
            if own.step == settings.steps:
                break
        return own

    whole = go(state(), TINY.training)
    half = state()
    for report in train(
        half,
        TINY.training,
        lambda step: run.draw_batch(data, TINY.training, step),
        lambda model: {"x": 0.0},
        masks,
    ):
        if report.step == 2:
            break
    save_training_state(half, tmp_path)
    resumed = state()
    load_training_state(resumed, tmp_path)
    resumed = go(resumed, TINY.training)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    for name, tensor in whole.averaged.state_dict().items():
        assert torch.equal(tensor, resumed.averaged.state_dict()[name]), name


def test_a_continuation_keeps_its_head_and_ends_with_the_bar(trained_run: Path) -> None:
    head = parse_theme("E4:1/4 | F4 G4 A4 B4 | C5:1/2")
    model = checkpoints.load_model(trained_run)
    for voices, n_voices in (("melody", 1), ("satb", 4)):
        for candidate in continuation(model, head, Request(n=2), bars=3, voices=voices):
            score = candidate.score
            assert len(score.voices) == n_voices
            assert score.voices[0].notes[: len(head.voices[0].notes)] == head.voices[0].notes
            assert score.end_ticks <= 24 + 3 * 96
            assert score.pickup_ticks == 24


def test_candidates_do_not_depend_on_their_number(trained_run: Path) -> None:
    head, model = parse_theme("C4 D4"), checkpoints.load_model(trained_run)
    three = {
        c.score for c in continuation(model, head, Request(n=3, seed=3), bars=2, voices="melody")
    }
    one = continuation(model, head, Request(n=1, seed=3), bars=2, voices="melody")
    assert one[0].score in three
    assert (
        continuation(model, head, Request(n=1, seed=4), bars=2, voices="melody")[0].score
        != one[0].score
    )


def test_a_result_can_be_made_again(trained_run: Path, tmp_path: Path) -> None:
    request, task = (
        Request(n=2, seed=9, temperature=0.9),
        composition.Task(name="continue", bars=2, voices=("satb",)),
    )
    made = composition.compose_run(
        task, parse_theme("G4 A4 B4"), trained_run, request, tmp_path / "a"
    )
    for name in ("1.mid", "1.musicxml"):
        again = composition.replay_run(tmp_path / "a" / name, tmp_path / name)
        assert [row["log_probability_per_note"] for row in again] == [
            row["log_probability_per_note"] for row in made
        ]
        assert read_score(tmp_path / name / "2.mid") == read_score(tmp_path / "a" / "2.mid")
    with pytest.raises(FormatError, match="is there already"):
        composition.compose_run(task, parse_theme("G4"), trained_run, request, tmp_path / "a")


@pytest.mark.parametrize(
    ("head", "settings", "words"),
    [
        (
            "C4 D4 E4 F4 | G4:1",
            {"bars": 2},
            "the head has 2 bars, and so fills the 2 asked for in all; ask for more",
        ),
        ("C4; C3; C2", {}, "has 3 voices, and a melody has one"),
    ],
)
def test_requests_that_cannot_be_met(
    trained_run: Path, head: str, settings: dict[str, int], words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        continuation(
            checkpoints.load_model(trained_run), parse_theme(head), **settings, voices="melody"
        )


@pytest.mark.parametrize(
    ("field", "value"),
    [("temperature", -0.1), ("top_p", 0.0), ("min_p", 2.0), ("n", 0), ("seed", -1)],
)
def test_bad_requests(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{field} must be"):
        Request(**{field: value})


@pytest.mark.parametrize(("field", "value"), [("bars", -1), ("bars", 65), ("voices", "x")])
def test_bad_continuations(trained_run: Path, field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{field} must be"):
        continuation(checkpoints.load_model(trained_run), parse_theme("C4"), **{field: value})


def test_damaged_models_are_refused(trained_run: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no trained model there"):
        checkpoints.load_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(
        (trained_run / "model.safetensors").read_bytes()[:999]
    )
    with pytest.raises(CheckpointError, match="not a whole model"):
        checkpoints.load_model(tmp_path)


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        choose_device("gpu")


def test_draws_follow_the_probabilities() -> None:
    rows = np.tile(np.log([0.1, 0.6, 0.3]), (1000, 1))
    places = (np.arange(1000) + 0.5) / 1000
    counts = np.bincount(sample_ids(rows, Sampling(), places), minlength=3)
    assert counts.tolist() == [100, 600, 300]
    assert set(sample_ids(rows, Sampling(min_p=0.4), places)) == {1, 2}
    assert set(sample_ids(rows, Sampling(top_p=0.5), places)) == {1}
    cold = np.bincount(sample_ids(rows, Sampling(temperature=0.5), places), minlength=3)
    assert cold.tolist() == pytest.approx([1000 * p**2 / 0.46 for p in (0.1, 0.6, 0.3)], abs=1.5)


def test_the_card_and_metrics_agree(trained_run: Path) -> None:
    rows = read_metrics(trained_run, 99)
    best = min(row["nats_per_cell"] for row in rows)
    assert f"{best:.4f}" in (trained_run / "card.md").read_text()
    assert json.loads(
        (trained_run / "tokenizer.json").read_text()
    ) == checkpoints.vocabulary_to_dict(checkpoints.VOCABULARY)


def test_the_speed_is_told_in_words(trained_run: Path) -> None:
    assert re.fullmatch(
        r"[\d,]+ notes/s, [\d,]+ times real time .*",
        composing_speed(checkpoints.load_model(trained_run)),
    )


def test_a_run_is_not_resumed_on_another_corpus(
    small_dataset: Dataset, trained_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Dataset(tuple(work for work in small_dataset.works if work.split != "test"))
    monkeypatch.setattr(run, "load_training_corpus", lambda corpus: training_corpus_of(other))
    with pytest.raises(CheckpointError, match="corpus has changed since"):
        run.train_run(TINY, trained_run, device="cpu", resume=True)


def test_a_run_may_begin_with_trained_weights(
    small_dataset: Dataset, trained_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        run, "load_training_corpus", lambda *_, **__: training_corpus_of(small_dataset)
    )
    said: list[str] = []
    one = replace(
        TINY,
        training=replace(
            TINY.training, steps=1, evaluate_every=1, learning_rate=1e-9, averaging=0.0
        ),
    )
    run.train_run(one, tmp_path / "tuned", start=trained_run, device="cpu", show=said.append)
    before, after = load_model(trained_run), load_model(tmp_path / "tuned")
    for name, weights in before.state_dict().items():
        assert torch.allclose(weights, after.state_dict()[name], atol=1e-6), name
    assert any(line.startswith("begins with the weights of") for line in said)


def test_a_model_of_fewer_voices_is_no_beginning(
    trained_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = Score(tuple(Voice(f"Voice {i}", (Note(0, 24, 72 - i),)) for i in range(5)))
    dataset = Dataset(tuple(Work(split, score, split) for split in ("train", "valid")))
    monkeypatch.setattr(run, "load_training_corpus", lambda *_, **__: training_corpus_of(dataset))
    with pytest.raises(CheckpointError, match="knows 4 voices, and the corpus has up to 5"):
        run.train_run(TINY, tmp_path / "tuned", start=trained_run, device="cpu")
