"""Runs with the works that they are evaluated on: labels of training works, and refusals."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from assessments import DATA, small_corpus, subject_of

from seqmusic.cli import main
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.training_corpus import training_corpus_of
from seqmusic.errors import CorpusError
from seqmusic.evaluation import subject as subjects
from seqmusic.evaluation.subject import load_subject
from seqmusic.model.transformer import ModelSettings
from seqmusic.runs import train as run
from seqmusic.runs.configuration import Configuration
from seqmusic.training.settings import TrainingSettings

TINY = Configuration(
    model=ModelSettings(width=16, layers=1, heads=2, dropout=0.0, context_length=512),
    training=TrainingSettings(steps=4, batch_size=2, evaluate_every=2),
)


@pytest.fixture(scope="module")
def dataset(chorales: Dataset) -> Dataset:
    return small_corpus(chorales)


@pytest.fixture(scope="module")
def trained_run(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load_training_corpus", lambda corpus: training_corpus_of(dataset))
        run.train_run(TINY, out, device="cpu", resume=False)
    return out


def test_training_works_are_labeled(trained_run: Path, dataset: Dataset) -> None:
    held_out, training = (subject_of(trained_run, split, dataset) for split in ("test", "train"))
    assert (held_out.label, held_out.trained_on) == ("", frozenset())
    assert training.label == "All 5 works were trained on"


def test_some_training_works_are_labeled_in_any_key(trained_run: Path, dataset: Dataset) -> None:
    moved = [
        replace(work, score=work.score.transposed(1), split="test")
        for work in dataset.works_in("train")[:2]
    ]
    names = {work.name for work in moved}
    rest = [work for work in dataset.works if work.name not in names]
    subject = subject_of(trained_run, "test", Dataset((*rest, *moved)))
    assert subject.label == "2 of these 5 works were trained on"
    assert subject.trained_on == names


def test_an_unfinished_run_is_labeled(trained_run: Path, dataset: Dataset, tmp_path: Path) -> None:
    shutil.copytree(trained_run, tmp_path / "half")
    (tmp_path / "half" / "card.md").unlink()
    (tmp_path / "half" / "fingerprints.npy").unlink()
    assert subject_of(tmp_path / "half", "test", dataset).label == (
        "It is not known which of these works the model was trained on; "
        "this run is not finished: its best model so far is evaluated"
    )


def test_a_run_is_evaluated_on_the_split_that_it_was_trained_with(
    trained_run: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Dataset(tuple(replace(work, split="train") for work in dataset.works))
    monkeypatch.setattr(subjects, "load_corpus", lambda: elsewhere)
    names = [work.name for work in load_subject(trained_run, "test").works]
    assert names == [work.name for work in dataset.works_in("test")]
    monkeypatch.setattr(subjects, "load_corpus", lambda: Dataset(dataset.works[1:]))
    message = r"not trained on the chorales \(its works.csv has 'bwv.*name its corpus with --data"
    with pytest.raises(CorpusError, match=message):
        load_subject(trained_run, "test")


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def line(*arguments: str) -> str:
        assert main(["evaluate", *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        return err

    return line


def test_an_unknown_split_or_run_is_refused_in_one_line(
    refusal: Callable[..., str], trained_run: Path, tmp_path: Path
) -> None:
    assert 'Choose from: "train", "valid", "test".' in refusal(str(trained_run), "--split", "dev")
    assert "no trained model there" in refusal(str(tmp_path / "nothing"))


def test_an_unfit_corpus_is_refused_in_one_line(
    refusal: Callable[..., str],
    trained_run: Path,
    dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_test = Dataset(tuple(work for work in dataset.works if work.split != "test"))
    monkeypatch.setattr(subjects, "load_corpus", lambda data: without_test)
    error = refusal(str(trained_run), "--data", str(DATA))
    assert "works: the corpus has no test works (<Dataset 7 works" in error
    first, *others = dataset.works
    crowd = replace(first, score=replace(first.score, voices=first.score.voices * 2))
    monkeypatch.setattr(subjects, "load_corpus", lambda data: Dataset((crowd, *others)))
    error = refusal(str(trained_run), "--data", str(DATA))
    assert f"tiny: knows up to 4 voices, and '{crowd.name}' has 8; choose another model" in error


def test_a_report_that_cannot_be_written_is_refused_before_the_evaluation(
    refusal: Callable[..., str],
    trained_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    error = refusal(str(trained_run), "--report", str(tmp_path / "full"))
    assert "exists and is not empty" in error
    monkeypatch.setitem(sys.modules, "verovio", None)
    error = refusal(str(trained_run), "--report", str(tmp_path / "new"))
    assert "pip install 'seqmusic[score]'" in error
    assert not (tmp_path / "new").exists()
