"""An alignment from end to end: its folder, a stop in between, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from small_runs import shortest_works

from seqmusic.alignment import align as align_module
from seqmusic.alignment import rounds
from seqmusic.alignment.align import PreferenceFiles, align
from seqmusic.alignment.comparing import model_checksum
from seqmusic.alignment.preferences import Answer, write_preferences
from seqmusic.alignment.results import results_text
from seqmusic.alignment.settings import AlignmentSettings
from seqmusic.cli import main
from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CheckpointError, PreferenceError
from seqmusic.evaluation.subject import Subject, load_subject
from seqmusic.runs.pretrained import load_model

SMALL = AlignmentSettings(rounds=1, passages=3, candidates=4, steps=2, pairs=2, works=1)
RULES = PreferenceFiles(names=("rules",))


@pytest.fixture
def few_works(chorales: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alignments see few short works, and judges of few trees."""
    few = shortest_works(chorales, train=8, valid=6, test=0)

    def load(run: Path | None, split: str, data: Path | None = None) -> Subject:
        return replace(load_subject(run, split), dataset=few)

    monkeypatch.setattr(align_module, "load_subject", load)
    monkeypatch.setattr("seqmusic.metrics.two_sample.judges.N_TREES", 5)


def test_a_stopped_alignment_goes_on_and_ends_with_the_same_weights(
    few_works: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = align(None, RULES, tmp_path / "whole", SMALL)
    with monkeypatch.context() as stopped:

        def stop(*arguments: object) -> None:
            raise KeyboardInterrupt

        stopped.setattr(rounds, "_assess_trial", stop)
        with pytest.raises(KeyboardInterrupt):
            align(None, RULES, tmp_path / "broken", SMALL)
    with monkeypatch.context() as counted:
        trained: list[str] = []
        train = rounds._train_trial

        def count(task: rounds.AlignmentTask, objective: str, number: int) -> dict[str, object]:
            trained.append(objective)
            return train(task, objective, number)

        counted.setattr(rounds, "_train_trial", count)
        resumed = align(None, RULES, tmp_path / "broken", SMALL)
    assert trained == ["DPO"]  # the baseline was trained before the stop
    assert [one.figures for one in resumed.rounds] == [one.figures for one in whole.rounds]
    weights, again = (
        load_model(tmp_path / name / "trials" / "dpo-1").state_dict()
        for name in ("whole", "broken")
    )
    assert all(weights[name].equal(again[name]) for name in weights)
    assert "DPO, round 1" in results_text(whole)
    assert (tmp_path / "whole" / "report" / "report.html").is_file()
    with pytest.raises(CheckpointError, match="steps was 2, now 3"):
        align(None, RULES, tmp_path / "whole", replace(SMALL, steps=3))


def test_the_folder_is_that_of_a_run_if_the_guards_hold_and_of_none_if_not(
    few_works: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqmusic.alignment.guards.MIN_CHOSEN_CHANGE", 1e9)
    assert align(None, RULES, tmp_path / "out", SMALL).n_kept == 0
    assert not (tmp_path / "out" / "model.safetensors").exists()
    monkeypatch.setattr(align_module, "check_guards", lambda *figures, chosen_change: [])
    results = align(None, RULES, tmp_path / "out", SMALL)
    assert results.n_kept == 1
    kept = load_model(tmp_path / "out").state_dict()
    aligned = load_model(tmp_path / "out" / "trials" / "dpo-1").state_dict()
    assert all(kept[name].equal(aligned[name]) for name in kept)
    assert load_subject(tmp_path / "out", "valid").trained_on == frozenset()


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([Answer("Anna", "c0ffee12", "bwv1.6", 1, 2, "A", 1.0)], "another model"),
        ([Answer("Anna", "HERE", "bwv1.6", 1, 2, "A", 1.0)], "1 answers .* 100 are needed"),
    ],
)
def test_preferences_that_teach_nothing_are_refused_before_anything_is_written(
    answers: list[Answer], message: str, few_works: None, tmp_path: Path
) -> None:
    here = [replace(a, model=a.model.replace("HERE", model_checksum(None))) for a in answers]
    write_preferences(tmp_path / "a.csv", here)
    files = PreferenceFiles(names=(str(tmp_path / "a.csv"),))
    with pytest.raises(PreferenceError, match=message):
        align(None, files, tmp_path / "out", SMALL)
    assert not (tmp_path / "out").exists()


def test_the_command_refuses_a_file_of_another_kind_in_one_line(
    few_works: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("onset,pitch\n0,60\n", encoding="utf-8")
    command = ["align", "chorales", "--preferences", str(tmp_path / "a.csv")]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    assert "is no file of preferences" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
