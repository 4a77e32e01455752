"""The benchmarks jsb and rivals, on a small file of the benchmark's format."""

import json
from pathlib import Path

import numpy as np
import pytest

from seqmusic.baselines.ngram import NGram
from seqmusic.benchmarks.jsb import benchmark_jsb
from seqmusic.cli import main
from seqmusic.corpus.loading import benchmark_dataset
from seqmusic.errors import CorpusError
from seqmusic.evaluation.held_out import encode_pieces
from seqmusic.model.transformer import ModelSettings
from seqmusic.runs import train as run
from seqmusic.runs.configuration import Configuration
from seqmusic.training.settings import TrainingSettings


def random_walk_voices(seed: int, n_beats: int = 24) -> list[list[int]]:
    """Four voices in random steps, with a new pitch every beat or half beat."""
    rng = np.random.default_rng(seed)
    lines = []
    for start in (72, 65, 60, 50):
        moves = rng.integers(-2, 3, 2 * n_beats) * (np.arange(2 * n_beats) % 2 == 0)
        lines.append(np.repeat(np.clip(start + np.cumsum(moves), start - 6, start + 6), 2))
    return np.stack(lines, axis=1).tolist()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def table_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "small.json"
    splits = {"train": range(6), "valid": range(10, 13), "test": range(20, 23)}
    path.write_text(
        json.dumps(
            {name: [random_walk_voices(seed) for seed in seeds] for name, seeds in splits.items()}
        )
    )
    return path


@pytest.fixture(scope="module")
def model(table_path: Path) -> Path:
    out = table_path.parent / "model"
    tiny = Configuration(
        model=ModelSettings(width=16, layers=1, heads=2, dropout=0.1, input_dropout=0.1),
        training=TrainingSettings(steps=4, batch_size=2, evaluate_every=2),
    )
    run.train_run(tiny, out, corpus=table_path, device="cpu")
    return out


def test_the_last_line_of_jsb_is_the_figures_as_json(
    table_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", "jsb", "--data", str(table_path), "--model", str(model)]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    report = json.loads(lines[-1])
    for split in ("valid", "test"):
        figures = report[split]
        low, high = figures["interval"]
        assert low <= figures["nats_per_cell"] <= high
        assert figures["pieces"] == 3
        assert figures["cells"] == 3 * 24 * 4 * 4
        assert figures["nats_per_cell"] == pytest.approx(
            figures["sound_nats_per_cell"] + figures["duration_nats_per_cell"]
        )
        assert set(figures["rivals"]) == {"persistence", "5-gram"}
        assert figures["known_pieces"] == 0
        assert 0 < figures["alone"]["model"]["sound_accuracy"] < 1


def test_training_pieces_are_refused_or_counted(
    table_path: Path, model: Path, tmp_path: Path
) -> None:
    splits = json.loads(table_path.read_text())
    moved = [[pitch - 2 for pitch in step] for step in splits["train"][0]]
    shuffled = {
        "train": [random_walk_voices(99)],
        "valid": [*splits["valid"][:2], moved],
        "test": splits["test"],
    }
    other = tmp_path / "other.json"
    other.write_text(json.dumps(shuffled))
    with pytest.raises(CorpusError, match=r"trained on 1 of the 3 valid pieces \(first: 2\)"):
        benchmark_jsb(other, [model])
    report = benchmark_jsb(other, [model], allow_overlap=True)
    assert report["valid"]["known_pieces"] == 1  # type: ignore[index]


def test_two_models_are_averaged(table_path: Path, model: Path) -> None:
    alone = benchmark_jsb(table_path, [model])
    twice = benchmark_jsb(table_path, [model, model])
    both, one = (report["test"]["nats_per_cell"] for report in (twice, alone))
    assert both == pytest.approx(one)


def test_event_probabilities_are_those_of_the_distributions(table_path: Path) -> None:
    pieces = encode_pieces([work.score for work in benchmark_dataset(table_path).works_in("valid")])
    trace = pieces.traces[0]
    ngram = NGram(pieces.traces[1:])
    sounds, _ = ngram.distributions(trace)
    probabilities = ngram.event_probabilities(trace)
    assert probabilities[:, 0] == pytest.approx(
        sounds[np.arange(len(sounds)), trace.events[1:][trace.is_scored[:-1], 0]]
    )


def test_an_adaptive_ngram_learns_from_the_piece(table_path: Path) -> None:
    (trace, *_) = encode_pieces(
        [work.score for work in benchmark_dataset(table_path).works_in("valid")]
    ).traces
    fixed = NGram([]).event_probabilities(trace)
    adaptive = NGram([]).adaptive_event_probabilities(trace)
    assert adaptive[0] == pytest.approx(fixed[0])
    assert np.log(adaptive).sum() > np.log(fixed).sum()


def test_trained_baselines_are_compared_in_one_unit(
    table_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", "rivals", "--data", str(table_path), "--cpu-seconds", "0.5"]) == 0
    report = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert set(report) == {
        "voice-order transformer",
        "voice-order LSTM",
        "sixteenth-grid transformer",
    }
    for figures in report.values():
        assert figures["cpu_seconds"] >= 0.5
        assert 0.3 < figures["nats_per_cell"] < 5
        assert figures["curve"][-1][0] == figures["batches"]
