"""A run is neither overwritten nor resumed with other settings or works."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from trainings import TINY, corpus_replaced_by, small_dataset, train

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.errors import CheckpointError
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.folder import read_metrics
from seqmusic.runs.folder_lock import locked
from seqmusic.runs.train import train_run

ONE_STEP = replace(TINY, training=replace(TINY.training, steps=1, evaluate_every=1))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished run on the small data set."""
    out = tmp_path_factory.mktemp("runs") / "run"
    with corpus_replaced_by(small_dataset()):
        train(out, ONE_STEP)
        yield out


def test_a_folder_holds_one_run(run: Path) -> None:
    with pytest.raises(CheckpointError, match="holds a run already"):
        train_run(ONE_STEP, run, device="cpu")


def test_two_processes_cannot_write_to_one_folder(tmp_path: Path) -> None:
    process = rf"another training .* \(process {os.getpid()}\)"
    with locked(tmp_path / "run"), pytest.raises(CheckpointError, match=process):
        train(tmp_path / "run")
    with locked(tmp_path / "run"):  # the lock was released
        pass


def test_files_and_folders_of_other_things_are_refused(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").touch()
    with pytest.raises(CheckpointError, match=r"something else already, such as 'letters\.txt'"):
        train(tmp_path)
    with pytest.raises(CheckpointError, match="is a file; --out names a folder"):
        train(tmp_path / "letters.txt")


def test_every_changed_setting_is_named(run: Path) -> None:
    other = Configuration(
        replace(ONE_STEP.model, width=32),
        replace(ONE_STEP.training, seed=7, optimizer="sgd", steps=2),
    )
    with pytest.raises(CheckpointError) as caught:
        train(run, other)
    for change in (
        "[model] width was 16, now 32",
        "[training] seed was 0, now 7",
        "[training] optimizer was adamw, now sgd",
    ):
        assert change in str(caught.value)
    assert "steps" not in str(caught.value)  # a resumed run may be longer


def with_last_note_raised(work: Work) -> Work:
    """The work with the last note of its highest voice a semitone higher."""
    highest, *others = work.score.voices
    *notes, last = highest.notes
    raised = replace(highest, notes=(*notes, replace(last, pitch=last.pitch + 1)))
    return replace(work, score=replace(work.score, voices=(raised, *others)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda first, rest: rest, "{name} is gone"),
        (lambda first, rest: [replace(first, name="x"), *rest], "x is new; {name} is gone"),
        (lambda first, rest: [replace(first, split="test"), *rest], "{name} was train, now test"),
        (
            lambda first, rest: [with_last_note_raised(first), *rest],
            "notes of the training works have changed",
        ),
    ],
)
def test_changed_works_are_named(
    change: Callable[[Work, list[Work]], list[Work]], message: str, run: Path
) -> None:
    first, *rest = small_dataset().works
    changed = Dataset(tuple(change(first, rest)))
    match = message.format(name=first.name)
    with corpus_replaced_by(changed), pytest.raises(CheckpointError, match=match):
        train(run, ONE_STEP)


def test_damaged_metrics_are_refused(tmp_path: Path) -> None:
    assert read_metrics(tmp_path, 9) == []
    (tmp_path / "metrics.csv").write_text("step,loss\n2,0.5\n4,0.25\n6,x\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"metrics\.csv: is no table of evaluations"):
        read_metrics(tmp_path, 4)
    (tmp_path / "metrics.csv").write_text("step,loss\n2,0.5\n4,0.25\n6,0.2\n", encoding="utf-8")
    assert read_metrics(tmp_path, 4) == [{"step": 2, "loss": 0.5}, {"step": 4, "loss": 0.25}]
