"""Several processes train as one does, and end together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from trainings import (
    NO_DROPOUT,
    STATE_FILE,
    corpus_replaced_by,
    metrics_rows,
    small_dataset,
    train,
)

from seqmusic.errors import CheckpointError, DeviceError
from seqmusic.training.distributed import ProcessGroup


def launch(name: str, out: Path) -> subprocess.CompletedProcess[str]:
    """The result of two processes that run a training of `trainings`."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    script = str(Path(__file__).with_name("trainings.py"))
    command = [*torchrun, "--nproc-per-node", "2", script, name, str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run in one process, in two, and in two that share the weights."""
    out = tmp_path_factory.mktemp("runs")
    with corpus_replaced_by(small_dataset()):
        train(out / "alone", NO_DROPOUT)
    result = launch("several", out)
    assert result.returncode == 0, result.stderr
    return out


@pytest.mark.parametrize("name", ["together", "sharded"])
def test_several_processes_train_as_one_does(name: str, runs: Path) -> None:
    for file in ("model.safetensors", STATE_FILE):
        alone, several = load_file(runs / "alone" / file), load_file(runs / name / file)
        assert alone.keys() == several.keys()
        for key in alone:
            torch.testing.assert_close(several[key], alone[key], rtol=1e-3, atol=1e-5, msg=key)
    rows = zip(metrics_rows(runs / "alone")[1:], metrics_rows(runs / name)[1:], strict=True)
    for expected, found in rows:
        assert list(map(float, found)) == pytest.approx(list(map(float, expected)), rel=1e-5)


def test_one_process_resumes_a_run_of_several(runs: Path) -> None:
    with corpus_replaced_by(small_dataset()):
        train(runs / "sharded", NO_DROPOUT)


def test_if_one_process_dies_the_others_end_with_one_line(tmp_path: Path) -> None:
    result = launch("dying", tmp_path)
    assert result.returncode != 0
    errors = [line for line in result.stderr.splitlines() if line.startswith("seqmusic: ")]
    assert errors == [
        "seqmusic: another process of this training has ended, or cannot be reached; "
        "go on with --resume"
    ]
    assert (tmp_path / "run" / STATE_FILE).is_file()


def test_slices_are_of_similar_size_and_leave_nothing_out() -> None:
    slices = [ProcessGroup(rank, 3).rank_slice(range(11)) for rank in range(3)]
    assert sorted(item for part in slices for item in part) == list(range(11))
    assert {len(part) for part in slices} == {3, 4}


def test_a_single_process_cannot_shard(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="one process has nobody to share the weights with"):
        train(tmp_path / "run", NO_DROPOUT, shard=True)


def test_the_first_process_raises_what_its_check_raises() -> None:
    def check() -> None:
        raise CheckpointError("no")

    with pytest.raises(CheckpointError, match="no"):
        ProcessGroup().check_on_first(check)
