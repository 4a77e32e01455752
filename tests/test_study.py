"""Folders of trials: finished trials are kept, and other studies are refused."""

import logging
from pathlib import Path

import pytest
from small_runs import TINY

from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CheckpointError, CorpusError, FormatError
from seqmusic.experiments.data_curve import data_curve_study
from seqmusic.experiments.study import open_study, run_trials


def test_finished_trials_are_not_run_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seqmusic")
    finished: list[str] = []

    def trial(name: str) -> dict[str, str]:
        finished.append(name)
        return {"name": name}

    def interrupted() -> dict[str, str]:
        raise KeyboardInterrupt

    folder = tmp_path / "s"
    open_study(folder, {"steps": 4})
    trials = {"a": lambda: trial("a"), "b": lambda: trial("b"), "c": lambda: trial("c")}
    with pytest.raises(KeyboardInterrupt):
        run_trials(folder, trials | {"b": interrupted})
    assert finished == ["a"]
    assert caplog.messages == [
        f"stopped; 1 of 3 trials are kept in {folder}, and the same command goes on with the others"
    ]
    open_study(folder, {"steps": 4})
    rows = run_trials(folder, trials)
    assert finished == ["a", "b", "c"]
    assert list(rows) == ["a", "b", "c"]


def test_a_study_with_other_settings_is_refused_field_by_field(tmp_path: Path) -> None:
    open_study(tmp_path / "s", {"steps": 4, "rate": 0.1, "only then": 1})
    with pytest.raises(
        CheckpointError,
        match=r"\(steps was 4, now 5; only then was 1, now None; new was None, now x\)",
    ):
        open_study(tmp_path / "s", {"steps": 5, "rate": 0.1, "new": "x"})


def test_other_folders_and_damaged_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "letter.txt").write_text("dear")
    for folder in (tmp_path / "x", tmp_path / "x" / "letter.txt"):
        with pytest.raises(FormatError, match="holds something that is no study"):
            open_study(folder, {})
    open_study(tmp_path / "s", {})
    (tmp_path / "s" / "trials").mkdir()
    for text, message in (("{", "is damaged"), ("[1]", "must hold an object of JSON, got list")):
        (tmp_path / "s" / "trials" / "a.json").write_text(text)
        with pytest.raises(CheckpointError, match=message):
            run_trials(tmp_path / "s", {"a": dict})


def test_too_small_corpora_are_refused_before_training(
    small_dataset: Dataset, tmp_path: Path
) -> None:
    works = small_dataset.works_in("train")
    with pytest.raises(CorpusError, match="has no works to validate"):
        data_curve_study(TINY, Dataset(tuple(works)), tmp_path / "s")
    two_works = Dataset((*works[:2], *small_dataset.works_in("valid")))
    with pytest.raises(CorpusError, match="needs 3 works to train on or more, the corpus has 2"):
        data_curve_study(TINY, two_works, tmp_path / "s")
    assert not (tmp_path / "s").exists()
