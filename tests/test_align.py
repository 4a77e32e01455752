"""An alignment from end to end: its folder, a stop in between, and what it refuses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from small_runs import shortest_works

from seqmusic.alignment import align as align_module
from seqmusic.alignment import rounds
from seqmusic.alignment.align import PreferenceFiles, align
from seqmusic.alignment.comparing import model_checksum
from seqmusic.alignment.preferences import Answer, write_preferences
from seqmusic.alignment.results import AlignmentResults, results_text
from seqmusic.alignment.settings import CAREFUL, AlignmentSettings
from seqmusic.cli import main
from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CheckpointError, PreferenceError
from seqmusic.evaluation.subject import Subject, load_subject
from seqmusic.runs.pretrained import load_model
from seqmusic.runs.weights import WEIGHTS_FILE

SMALL = AlignmentSettings(rounds=1, passages=3, candidates=4, steps=2, pairs=2, works=1)
RULES = PreferenceFiles(names=("rules",))
Finished = tuple[Path, AlignmentResults]


@pytest.fixture(scope="module", autouse=True)
def few_works(chorales: Dataset) -> Iterator[Subject]:
    """Alignments see few short works, and judges of few trees."""
    few = shortest_works(chorales, train=8, valid=6, test=0)
    subject = replace(load_subject(None, "valid"), dataset=few)

    def load(run: Path | None, split: str, data: Path | None = None) -> Subject:
        return subject

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(align_module, "load_subject", load)
        patch.setattr("seqmusic.metrics.two_sample.judges.N_TREES", 5)
        yield subject


@pytest.fixture(scope="module")
def finished(few_works: Subject, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """An alignment by rules, whose folder is to be copied and not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "out"
    return folder, align(None, RULES, folder, SMALL)


@pytest.fixture
def no_page(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later alignments draw no page, which takes most of their time."""
    monkeypatch.setattr(
        "seqmusic.report.alignment_page.write_alignment_page", lambda out, results: out
    )


def copy_of(finished: Finished, tmp_path: Path) -> Path:
    """The folder of a finished alignment, to change."""
    return Path(shutil.copytree(finished[0], tmp_path / "out"))


def test_a_stopped_alignment_goes_on_and_ends_with_the_same_weights(
    finished: Finished, no_page: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, trained = copy_of(finished, tmp_path), []
    shutil.rmtree(out / "trials" / "dpo-1")
    for stopped in ("training", "assessment"):
        (out / "trials" / f"dpo-1-{stopped}.json").unlink()
    train = rounds._train_trial

    def count(task: rounds.AlignmentTask, objective: str, number: int) -> dict[str, object]:
        trained.append(objective)
        return train(task, objective, number)

    monkeypatch.setattr(rounds, "_train_trial", count)
    resumed = align(None, RULES, out, SMALL)
    assert trained == ["DPO"]  # the baseline was trained before the stop
    assert [one.figures for one in resumed.rounds] == [one.figures for one in finished[1].rounds]
    weights, again = (
        load_model(folder / "trials" / "dpo-1").state_dict() for folder in (finished[0], out)
    )
    assert all(weights[name].equal(again[name]) for name in weights)


def test_a_finished_alignment_has_a_page_and_refuses_other_settings(
    finished: Finished,
) -> None:
    folder, results = finished
    assert "DPO, round 1" in results_text(results)
    assert (folder / "report" / "report.html").is_file()
    with pytest.raises(CheckpointError, match="steps was 2, now 3"):
        align(None, RULES, folder, replace(SMALL, steps=3))


def test_the_folder_is_that_of_a_run_if_the_guards_hold_and_of_none_if_not(
    finished: Finished, no_page: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = copy_of(finished, tmp_path)
    (out / WEIGHTS_FILE).unlink(missing_ok=True)
    monkeypatch.setattr("seqmusic.alignment.guards.MIN_CHOSEN_CHANGE", 1e9)
    assert align(None, RULES, out, SMALL).n_kept == 0
    assert not (out / WEIGHTS_FILE).exists()
    monkeypatch.setattr(align_module, "check_guards", lambda *figures, chosen_change: [])
    results = align(None, RULES, out, SMALL)
    assert results.n_kept == 1
    kept = load_model(out)
    aligned = load_model(out / "trials" / "dpo-1").state_dict()
    assert all(weight.equal(aligned[name]) for name, weight in kept.state_dict().items())
    assert kept.judge is not None
    assert load_subject(out, "valid").trained_on == frozenset()


def test_a_careful_alignment_by_a_judge_needs_a_model_with_one(
    few_works: Subject,
    finished: Finished,
    no_page: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (align_module, rounds):
        monkeypatch.setattr(module, "assess_model", lambda *arguments: finished[1].base)
    files = PreferenceFiles(names=("judge",))
    results = align(None, files, tmp_path / "out", replace(SMALL, objective=CAREFUL))
    assert [one.name for one in results.rounds] == ["best of n, round 1", "DPOP, round 1"]
    monkeypatch.setattr(few_works.model, "judge", None)
    with pytest.raises(PreferenceError, match=r"needs a model with a judge, and .* has none"):
        align(None, files, tmp_path / "none", SMALL)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([Answer("Anna", "c0ffee12", "bwv1.6", 1, 2, "A", 1.0)], "another model"),
        ([Answer("Anna", "HERE", "bwv1.6", 1, 2, "A", 1.0)], "1 answers .* 100 are needed"),
    ],
)
def test_preferences_that_teach_nothing_are_refused_before_anything_is_written(
    answers: list[Answer], message: str, tmp_path: Path
) -> None:
    here = [replace(a, model=a.model.replace("HERE", model_checksum(None))) for a in answers]
    write_preferences(tmp_path / "a.csv", here)
    files = PreferenceFiles(names=(str(tmp_path / "a.csv"),))
    with pytest.raises(PreferenceError, match=message):
        align(None, files, tmp_path / "out", SMALL)
    assert not (tmp_path / "out").exists()


def test_the_command_refuses_a_file_of_another_kind_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("onset,pitch\n0,60\n", encoding="utf-8")
    command = ["align", "chorales", "--preferences", str(tmp_path / "a.csv")]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    assert "is no file of preferences" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
