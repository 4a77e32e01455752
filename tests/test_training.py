"""A run may be killed, stopped, starved of room or of its files: it loses nothing, and says what is wrong in one line."""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from trainings import NO_DROPOUT, TINY, signal_at_step, small_dataset, train

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.training_corpus import training_corpus_of
from seqmusic.errors import CheckpointError, ConfigurationError, FormatError
from seqmusic.runs import train as run
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.folder_lock import locked
from seqmusic.runs.pretrained import load_model
from seqmusic.score import Score

STATE = Path("resume") / "state.safetensors"


@pytest.fixture(autouse=True)
def patched_dataset(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    works = small_dataset()
    monkeypatch.setattr(run, "load_training_corpus", lambda corpus: training_corpus_of(works))
    return works


@pytest.fixture(scope="module")
def uninterrupted_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of nine batches without a break."""
    out = tmp_path_factory.mktemp("whole") / "run"
    works = small_dataset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load_training_corpus", lambda corpus: training_corpus_of(works))
        train(out)
    return out


def interrupted_run(out: Path) -> Path:
    """The same run, stopped after four batches."""
    with signal_at_step(signal.SIGTERM, 4), pytest.raises(KeyboardInterrupt):
        train(out)
    return out


def assert_same_runs(one: Path, other: Path) -> None:
    """The runs ended with the same weights, state and figures, bit for bit."""
    for file in (STATE, "model.safetensors"):
        tensors = load_file(one / file), load_file(other / file)
        assert tensors[0].keys() == tensors[1].keys()
        assert [
            name for name in tensors[0] if not torch.equal(tensors[0][name], tensors[1][name])
        ] == []
    assert metrics_rows(one) == metrics_rows(other)


def metrics_rows(out: Path) -> list[list[str]]:
    """The table of evaluations without the seconds."""
    rows = [
        line.split(",") for line in (out / "metrics.csv").read_text(encoding="utf-8").splitlines()
    ]
    return [row[:1] + row[2:] for row in rows]


def train_with_kills(out: Path, n_kills: int) -> None:
    command = [
        sys.executable,
        str(Path(__file__).with_name("trainings.py")),
        "kill",
        str(out),
        str(n_kills),
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)


def test_a_killed_run_ends_as_one_never_killed(tmp_path: Path) -> None:
    train_with_kills(tmp_path, 2)
    assert_same_runs(tmp_path / "whole", tmp_path / "broken")


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_as_one_never_killed(tmp_path: Path) -> None:
    train_with_kills(tmp_path, 20)
    assert_same_runs(tmp_path / "whole", tmp_path / "broken")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_is_saved_between_two_batches(
    number: signal.Signals, uninterrupted_run: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    with signal_at_step(number, 3), pytest.raises(KeyboardInterrupt):
        run.train_run(TINY, tmp_path / "run", device="cpu", show=said.append)
    assert said[-1].startswith("stopped after 3 batches and saved; go on with: seqmusic train ")
    train(tmp_path / "run")
    assert_same_runs(uninterrupted_run, tmp_path / "run")


def test_what_a_kill_leaves_between_two_writes_is_mended(
    uninterrupted_run: Path, tmp_path: Path
) -> None:
    """The metrics are written first, then the state, then the best weights."""
    out = interrupted_run(tmp_path / "run")
    (out / "metrics.csv").write_bytes(
        (uninterrupted_run / "metrics.csv").read_bytes()
    )  # it tells of batches that the state does not know
    (out / "model.safetensors").unlink()  # and the last batch was the best
    train(out)
    assert_same_runs(uninterrupted_run, out)


def test_a_run_begins_with_its_configuration_written_last(
    uninterrupted_run: Path, tmp_path: Path
) -> None:
    out = interrupted_run(tmp_path / "run")
    (out / "config.toml").unlink()
    with pytest.raises(CheckpointError, match="nothing to resume there; leave --resume out"):
        run.train_run(TINY, out, resume=True)
    train(out)
    assert_same_runs(uninterrupted_run, out)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for less than a run."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    ).returncode:
        pytest.skip("only root can mount a disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_loses_nothing(small_disk: Path, uninterrupted_run: Path) -> None:
    (small_disk / "filling").write_bytes(bytes(1_400_000))
    with pytest.raises(FormatError, match="cannot be written: No space left on device"):
        train(small_disk / "run")
    (small_disk / "filling").unlink()
    subprocess.run(["mount", "-o", "remount,size=99m", str(small_disk)], check=True)
    train(small_disk / "run")
    assert_same_runs(uninterrupted_run, small_disk / "run")


def test_a_folder_that_cannot_be_written(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(FormatError, match="cannot be written: Read-only file system"):
        train(small_disk / "run")


def test_a_file_that_grows_too_large_loses_nothing(uninterrupted_run: Path, tmp_path: Path) -> None:
    interrupted_run(tmp_path / "run")
    before, limits = (
        (tmp_path / "run" / STATE).read_bytes(),
        resource.getrlimit(resource.RLIMIT_FSIZE),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(FormatError, match="cannot be written: File too large"):
            train(tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "run" / STATE).read_bytes() == before
    train(tmp_path / "run")
    assert_same_runs(uninterrupted_run, tmp_path / "run")


def test_one_run_a_folder(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "run"),
        pytest.raises(CheckpointError, match=rf"another training .* \(process {os.getpid()}\)"),
    ):
        train(tmp_path / "run")
    with locked(tmp_path / "run"):  # the lock of a run that ended, however it ended, is nobody's
        pass
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letters.txt").touch()
    with pytest.raises(
        CheckpointError, match=r"holds something else already, such as 'letters\.txt'"
    ):
        train(tmp_path / "other")


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "cut":
        del data[len(data) // 2 :]
    elif how == "changed":
        data[len(data) // 2] ^= 1
    else:
        (size,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + size])
        header["__metadata__"]["version"] = "2"
        text = json.dumps(header).encode()
        data = bytearray(struct.pack("<Q", len(text))) + text + data[8 + size :]
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("cut", "\\("),
        ("changed", "not those that were written"),
        ("later", "made by a later seqmusic"),
    ],
)
def test_damaged_checkpoints_are_refused(
    how: str, words: str, uninterrupted_run: Path, tmp_path: Path
) -> None:
    out = interrupted_run(tmp_path / "run")
    damage(out / STATE, how)
    with pytest.raises(CheckpointError, match=rf"state.safetensors: .*{words}"):
        train(out)
    load_model(out)  # what was best is untouched
    damage(out / "model.safetensors", how)
    with pytest.raises(CheckpointError, match=rf"model.safetensors: .*{words}"):
        load_model(out)


def test_every_changed_setting_is_named(uninterrupted_run: Path) -> None:
    other = Configuration(
        replace(TINY.model, width=32), replace(TINY.training, seed=7, optimizer="sgd")
    )
    with pytest.raises(CheckpointError) as caught:
        train(uninterrupted_run, other)
    for words in (
        "[model] width was 16, now 32",
        "[training] seed was 0, now 7",
        "[training] optimizer was adamw, now sgd",
    ):
        assert words in str(caught.value)


def test_changed_works_are_named(
    uninterrupted_run: Path, patched_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = patched_dataset.works_in("train")[0]
    rest = [work for work in patched_dataset.works if work is not first]
    for works, words in (
        (rest, f"{first.name} is gone"),
        ([replace(first, name="other"), *rest], "other is new; .* is gone"),
        ([replace(first, split="test"), *rest], f"{first.name} was {first.split}, now test"),
        (
            [
                replace(work, score=with_last_note_raised(work.score))
                for work in patched_dataset.works
            ],
            "notes of the training works have changed",
        ),
    ):
        monkeypatch.setattr(
            run,
            "load_training_corpus",
            lambda corpus, own=tuple(works): training_corpus_of(Dataset(own)),
        )
        with pytest.raises(CheckpointError, match=words):
            train(uninterrupted_run)


def with_last_note_raised(score: Score) -> Score:
    """The last note of the highest voice a semitone higher."""
    first, *others = score.voices
    last = replace(first.notes[-1], pitch=first.notes[-1].pitch + 1)
    return replace(score, voices=(replace(first, notes=(*first.notes[:-1], last)), *others))


def test_a_batch_in_parts_is_the_same_batch(tmp_path: Path) -> None:
    train(tmp_path / "whole", NO_DROPOUT)
    train(
        tmp_path / "parts", replace(NO_DROPOUT, training=replace(NO_DROPOUT.training, accumulate=3))
    )
    one, other = load_file(tmp_path / "whole" / STATE), load_file(tmp_path / "parts" / STATE)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-5, msg=name)
    with pytest.raises(
        ConfigurationError, match="a batch of 5 pieces is too small for 1 processes of 6 parts"
    ):
        train(
            tmp_path / "more",
            replace(NO_DROPOUT, training=replace(NO_DROPOUT.training, accumulate=6)),
        )


def test_half_precision_learns_nearly_the_same(tmp_path: Path) -> None:
    train(tmp_path / "full", NO_DROPOUT)
    train(
        tmp_path / "half",
        replace(NO_DROPOUT, training=replace(NO_DROPOUT.training, precision="bfloat16")),
    )
    full, half = (float(metrics_rows(tmp_path / name)[-1][2]) for name in ("full", "half"))
    assert full != half
    assert full == pytest.approx(half, rel=0.01)
