"""Several processes train as one does, and end together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from trainings import NO_DROPOUT, patch_small_dataset, train

from seqmusic.errors import CheckpointError, ConfigurationError, DeviceError
from seqmusic.runs import train as run
from seqmusic.training.distributed import ProcessGroup

STATE = Path("resume") / "state.safetensors"


def launch(name: str, out: Path) -> subprocess.CompletedProcess[str]:
    """What torchrun says of two processes."""
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
    ]
    command = [*launcher, str(Path(__file__).with_name("trainings.py")), name, str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run three times: alone, together, and sharded."""
    out = tmp_path_factory.mktemp("runs")
    load = run.load_training_corpus
    patch_small_dataset()
    train(out / "alone", NO_DROPOUT)
    run.load_training_corpus = load
    result = launch("several", out)
    assert result.returncode == 0, result.stderr
    return out


@pytest.mark.parametrize("how", ["together", "sharded"])
def test_several_processes_do_what_one_does(how: str, runs: Path) -> None:
    for file in ("model.safetensors", STATE):
        alone, several = load_file(runs / "alone" / file), load_file(runs / how / file)
        assert alone.keys() == several.keys()
        for name in alone:
            torch.testing.assert_close(several[name], alone[name], rtol=1e-3, atol=1e-5, msg=name)
    rows = [
        [line.split(",") for line in (runs / own / "metrics.csv").read_text().splitlines()[1:]]
        for own in ("alone", how)
    ]
    for mine, other in zip(*rows, strict=True):
        assert [float(value) for value in mine[2:]] == pytest.approx(
            [float(value) for value in other[2:]], rel=1e-5
        )


def test_a_run_of_several_goes_on_alone(runs: Path) -> None:
    load = run.load_training_corpus
    patch_small_dataset()
    train(runs / "sharded", NO_DROPOUT)
    run.load_training_corpus = load


def test_when_one_dies_the_others_end_with_a_clear_line(tmp_path: Path) -> None:
    result = launch("dying", tmp_path)
    assert result.returncode != 0
    said = [line for line in result.stderr.splitlines() if line.startswith("seqmusic: ")]
    assert said == [
        "seqmusic: another process of this training has ended, or cannot be reached; go on with --resume"
    ]
    assert (tmp_path / "run" / STATE).is_file()


def test_more_processes_than_pieces_are_refused() -> None:
    words = r"a batch of 5 pieces is too small for 6 processes of 1 parts each; start at most 5 processes, or raise batch_size"
    with pytest.raises(ConfigurationError, match=words):
        run._check_batch_size(NO_DROPOUT.training, 99, ProcessGroup(0, 6))
    with pytest.raises(
        ConfigurationError, match="a batch of 3 pieces is too small for 4 processes"
    ):
        run._check_batch_size(NO_DROPOUT.training, 3, ProcessGroup(0, 4))


def test_shares_are_alike_and_leave_nothing_out() -> None:
    shares = [ProcessGroup(rank, 3).rank_slice(range(11)) for rank in range(3)]
    assert sorted(item for rank_slice in shares for item in rank_slice) == list(range(11))
    assert {len(rank_slice) for rank_slice in shares} == {3, 4}


def test_one_process_has_nobody_to_share_with(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="one process has nobody to share the weights with"):
        train(tmp_path / "run", NO_DROPOUT, shard=True)


def test_a_refusal_is_said_once() -> None:
    def refuse() -> None:
        raise CheckpointError("no")

    with pytest.raises(CheckpointError, match="no"):
        ProcessGroup().check_on_first(refuse)
