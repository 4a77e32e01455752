"""A run that is killed, stopped or out of disk space loses nothing and resumes bit by bit."""

from __future__ import annotations

import json
import logging
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
from trainings import (
    STATE_FILE,
    TINY,
    corpus_replaced_by,
    metrics_rows,
    signal_at_step,
    small_dataset,
    train,
)

from seqmusic.errors import CheckpointError, FormatError
from seqmusic.model.transformer import Transformer
from seqmusic.runs.checkpoint import load_training_state
from seqmusic.runs.pretrained import VOCABULARY, load_model
from seqmusic.runs.train import train_run
from seqmusic.training.loop import new_training_state


@pytest.fixture(autouse=True, scope="module")
def small_corpus() -> Iterator[None]:
    with corpus_replaced_by(small_dataset()):
        yield


@pytest.fixture(scope="module")
def uninterrupted_run(small_corpus: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of nine batches without a break."""
    out = tmp_path_factory.mktemp("whole") / "run"
    train(out)
    return out


def interrupted_run(out: Path) -> Path:
    """The same run, stopped after four batches."""
    with signal_at_step(signal.SIGTERM, 4), pytest.raises(KeyboardInterrupt):
        train(out)
    return out


def assert_same_runs(one: Path, other: Path) -> None:
    """The runs have the same weights, state and figures, bit for bit."""
    for file in (STATE_FILE, "model.safetensors"):
        tensors, others = load_file(one / file), load_file(other / file)
        assert tensors.keys() == others.keys()
        assert [name for name in tensors if not torch.equal(tensors[name], others[name])] == []
    assert metrics_rows(one) == metrics_rows(other)


@pytest.mark.parametrize("n_kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_killed_run_ends_as_one_never_killed(n_kills: int, tmp_path: Path) -> None:
    script = str(Path(__file__).with_name("trainings.py"))
    command = [sys.executable, script, "kill", str(tmp_path), str(n_kills)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    assert_same_runs(tmp_path / "whole", tmp_path / "broken")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_is_saved_between_two_batches(
    number: signal.Signals,
    uninterrupted_run: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "seqmusic")
    with signal_at_step(number, 3), pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run")
    assert caplog.messages[-1].startswith(
        "stopped after 3 batches and saved; go on with: seqmusic train "
    )
    train(tmp_path / "run")
    assert_same_runs(uninterrupted_run, tmp_path / "run")


def test_a_kill_between_two_writes_is_repaired(uninterrupted_run: Path, tmp_path: Path) -> None:
    """The metrics are written first, then the state, then the best weights."""
    out = interrupted_run(tmp_path / "run")
    later_metrics = (uninterrupted_run / "metrics.csv").read_bytes()
    (out / "metrics.csv").write_bytes(later_metrics)
    (out / "model.safetensors").unlink()
    train(out)
    assert_same_runs(uninterrupted_run, out)


def test_a_folder_without_a_configuration_holds_no_run(
    uninterrupted_run: Path, tmp_path: Path
) -> None:
    """The configuration is the last file that a run writes before its first batch."""
    out = interrupted_run(tmp_path / "run")
    (out / "config.toml").unlink()
    with pytest.raises(CheckpointError, match="nothing to resume there; leave --resume out"):
        train_run(TINY, out, resume=True)
    train(out)
    assert_same_runs(uninterrupted_run, out)


def test_a_folder_without_a_state_cannot_be_restored(tmp_path: Path) -> None:
    state = new_training_state(Transformer(TINY.model, VOCABULARY), TINY.training)
    with pytest.raises(CheckpointError, match="nothing to resume there; leave --resume out"):
        load_training_state(state, tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with less space than a run takes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
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


def test_a_read_only_folder_is_refused(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(FormatError, match="cannot be written: Read-only file system"):
        train(small_disk / "run")


def test_a_file_above_the_size_limit_loses_nothing(uninterrupted_run: Path, tmp_path: Path) -> None:
    out = interrupted_run(tmp_path / "run")
    before = (out / STATE_FILE).read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(FormatError, match="cannot be written: File too large"):
            train(out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (out / STATE_FILE).read_bytes() == before
    train(out)
    assert_same_runs(uninterrupted_run, out)


def damage(path: Path, kind: str) -> None:
    """Cut the file in half, change a bit of it, or pretend that a later version wrote it."""
    data = bytearray(path.read_bytes())
    if kind == "cut":
        del data[len(data) // 2 :]
    elif kind == "changed":
        data[len(data) // 2] ^= 1
    else:
        (size,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + size])
        header["__metadata__"]["version"] = "2"
        text = json.dumps(header).encode()
        data = bytearray(struct.pack("<Q", len(text))) + text + data[8 + size :]
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("cut", "\\("),
        ("changed", "not those that were written"),
        ("later", "made by a later seqmusic"),
    ],
)
def test_damaged_files_are_refused(kind: str, reason: str, tmp_path: Path) -> None:
    out = interrupted_run(tmp_path / "run")
    damage(out / STATE_FILE, kind)
    with pytest.raises(CheckpointError, match=rf"state.safetensors: .*{reason}"):
        train(out)
    load_model(out)  # the best weights are in another file
    damage(out / "model.safetensors", kind)
    with pytest.raises(CheckpointError, match=rf"model.safetensors: .*{reason}"):
        load_model(out)


def test_a_model_that_is_missing_or_of_another_size_is_refused(
    uninterrupted_run: Path, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="no trained model there"):
        load_model(tmp_path)
    wide = replace(TINY.model, width=32)
    state = new_training_state(Transformer(wide, VOCABULARY), TINY.training)
    with pytest.raises(CheckpointError, match="cannot be resumed"):
        load_training_state(state, uninterrupted_run)
