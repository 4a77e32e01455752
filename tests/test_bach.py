"""The benchmark against held-out Bach: its tasks, a peer's file, the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

from seqmusic.benchmarks.bach import FLOOR, benchmark_bach
from seqmusic.benchmarks.held_out_tasks import (
    CONTINUATION,
    FREE,
    HARMONIZATION,
    TASKS,
    Pair,
    compose_pairs,
    four_part_chorales,
)
from seqmusic.benchmarks.peer import read_peer
from seqmusic.cli import main
from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CorruptFileError
from seqmusic.generation.request import Request
from seqmusic.metrics.phrases import phrase_ends
from seqmusic.metrics.style import STYLE_METRICS
from seqmusic.progress import progress_bar
from seqmusic.runs.pretrained import load_array_model, model_folder
from seqmusic.score import SATB


@pytest.fixture(scope="module")
def pairs(chorales: Dataset) -> dict[str, list[Pair]]:
    """Three works for each task."""
    model, works = load_array_model(model_folder(None)), four_part_chorales(chorales, ("valid",))
    with progress_bar(None, "composing", "piece") as bar:
        return {task: compose_pairs(model, task, works[:3], Request(seed=2), bar) for task in TASKS}


def test_each_task_composes_as_much_as_bach_wrote(pairs: dict[str, list[Pair]]) -> None:
    for task, found in pairs.items():
        assert len(found) == 3, task
        for pair in found:
            assert pair.composed.end_ticks == pair.written.end_ticks
            assert pair.composed.voices != pair.written.voices
            assert tuple(voice.name for voice in pair.composed.voices) == SATB


def test_a_harmonization_has_the_soprano_with_its_fermatas(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs[HARMONIZATION]:
        assert pair.composed.voices[0] == pair.written.voices[0]
        assert len(phrase_ends(pair.composed)) > 1
    for task in (CONTINUATION, FREE):
        for pair in pairs[task]:
            assert phrase_ends(pair.written)
            assert phrase_ends(pair.composed)


def test_a_continuation_is_measured_without_its_opening(pairs: dict[str, list[Pair]]) -> None:
    for short, whole in zip(pairs[CONTINUATION], pairs[FREE], strict=True):
        n_bars = len([bar for bar in whole.written.bars() if bar.number])
        assert len(short.written.bars()) == n_bars - 2


@pytest.fixture
def quick_forest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few trees: what they say does not matter here."""
    monkeypatch.setattr("seqmusic.metrics.two_sample.judges.N_TREES", 5)


def write_peer(path: Path, *pieces: np.ndarray) -> Path:
    found = np.empty(len(pieces), object)
    found[:] = pieces
    np.savez(path, pitches=found)
    return path


def test_a_peer_is_four_voices_on_a_sixteenth_grid(tmp_path: Path) -> None:
    steps = np.array([[72.0, 67, 64, 48], [72, 67, 64, 48], [74, -1, 65, 50]])
    (piece,) = read_peer(write_peer(tmp_path / "peer.npz", steps))
    soprano, alto, _, bass = piece.voices
    assert [(n.onset_ticks, n.duration_ticks, n.pitch) for n in soprano.notes] == [
        (0, 12, 72),
        (12, 6, 74),
    ]
    assert [note.pitch for note in alto.notes] == [67]
    assert bass.notes[-1].pitch == 50


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (np.zeros((3, 5)), r"piece 1: must be four voices on a grid.* got \(3, 5\)"),
        (np.zeros(4), r"piece 1: must be four voices on a grid.* got \(4,\)"),
        (np.zeros((0, 4)), r"piece 1: must be four voices on a grid"),
        (np.zeros((5000, 4)), r"with 1\.\.4096 steps"),
        (np.full((2, 4), 128), r"piece 1, step 0: soprano must be a MIDI number"),
        (np.array([[60, 60, 60, 60], [60, 60, np.nan, 60]]), r"step 1: tenor must be a MIDI"),
        (np.full((1, 4), 60.5), r"got 60\.5"),
    ],
)
def test_other_files_of_peers_are_refused(tmp_path: Path, piece: np.ndarray, message: str) -> None:
    path = write_peer(tmp_path / "peer.npz", np.full((8, 4), 60), piece, np.full((7, 4), 60))
    with pytest.raises(CorruptFileError, match=message):
        read_peer(path)


def test_the_command_measures_each_task_beside_bach_and_a_peer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], quick_forest: None
) -> None:
    rng = np.random.default_rng(1)
    low = np.array([65, 60, 55, 45])
    pieces = [np.repeat(low + rng.integers(0, 12, (32, 4)), 4, axis=0) for _ in range(6)]
    peer = write_peer(tmp_path / "peer.npz", *pieces)
    request = ["--split", "valid", "--works", "5", "--temperature", "0.5", "--seed", "3"]
    assert main(["benchmark", "bach", *request, "--against", str(peer), "--json"]) == 0
    *text, last = capsys.readouterr().out.splitlines()
    figures = json.loads(last)
    settings = [f"{task}, {setting}" for task in TASKS for setting in ("default", "as requested")]
    assert list(figures) == [FLOOR, "peer.npz", *settings]
    for name, found in figures.items():
        assert (found["works"], found["tunes"]) == (5, 5), name
        assert set(found["judges"]) == {"linear", "trees"}
        assert all(0 <= one["auc"] <= 1 for one in found["judges"].values())
        assert len(found["signs"]) == 10
        assert list(found["measures"]) == [metric.name for metric in STYLE_METRICS]
    assert figures["peer.npz"]["judges"]["linear"]["auc"] > 0.9
    assert any(line.startswith("  - ") and ": Bach " in line for line in text)
    measured = figures["continuation, default"]["measures"]["endings on the tonic"]["here"]
    assert measured["value"] == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--works", "4"], "needs works of 5 tunes or more, got 4 in 4 works"),
        (["--against", "missing.npz"], "missing.npz: cannot be read: No such file"),
        (["--model", "nowhere"], "nowhere"),
        (["--temperature", "-1"], "temperature must be 0"),
        (["--split", "train"], "train"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", "bach", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_model_that_knows_the_works_is_pointed_out(
    caplog: pytest.LogCaptureFixture, quick_forest: None
) -> None:
    """The benchmark's models were trained on another split, which has many of these chorales."""
    with caplog.at_level("WARNING", logger="seqmusic"):
        found = benchmark_bach(Path("jsb"), split="valid", works=5)
    assert len(found) == 1 + len(TASKS)
    assert "jsb: was trained on" in caplog.text
