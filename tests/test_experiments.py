"""Trials and the folders they are kept in, nested parts, fitted laws, and each experiment from end to end with tiny models."""

import csv
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.errors import CheckpointError, CorpusError, FormatError
from seqmusic.experiments.comparison import comparison_study
from seqmusic.experiments.data_curve import data_curve_study, extrapolate, nested_subset
from seqmusic.experiments.laws import PowerLaw, fit_parabola, fit_power_law
from seqmusic.experiments.scaling import interpolate_at_budget, scaling_study
from seqmusic.experiments.study import open_study, pieces_of_split, run_trials
from seqmusic.experiments.trial import train_trial
from seqmusic.metrics.likelihood import score_pieces
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.data import draw_batch, training_data
from seqmusic.runs.pretrained import VOCABULARY, make_grammar_masks
from seqmusic.score import Score
from seqmusic.training.settings import TrainingSettings

TINY = Configuration(
    model=ModelSettings(width=16, layers=1, heads=2, dropout=0.0),
    training=TrainingSettings(steps=4, batch_size=2, evaluate_every=2, given_share=0.0),
)


@pytest.fixture(scope="module")
def small_dataset(chorales: Dataset) -> Dataset:
    """Short works, so that a batch is quick."""
    parts = {
        split: sorted(chorales.works_in(split), key=lambda work: work.score.n_notes)
        for split in ("train", "valid", "test")
    }
    return Dataset((*parts["train"][:8], *parts["valid"][:2], *parts["test"][:2]))


def ignore_message(text: str) -> None:
    pass


def test_what_is_finished_is_not_done_again(tmp_path: Path) -> None:
    done: list[str] = []

    def trial(name: str, *, is_stopped: bool = False) -> dict[str, str]:
        if is_stopped:
            raise KeyboardInterrupt
        done.append(name)
        return {"name": name}

    open_study(tmp_path / "s", {"steps": 4})
    told: list[str] = []
    trials = {
        "a": lambda: trial("a"),
        "b": lambda: trial("b", is_stopped=True),
        "c": lambda: trial("c"),
    }
    with pytest.raises(KeyboardInterrupt):
        run_trials(tmp_path / "s", trials, told.append)
    assert done == ["a"]
    assert told == [
        f"stopped; 1 of 3 trials are kept in {tmp_path / 's'}, and the same command goes on with the others"
    ]
    open_study(tmp_path / "s", {"steps": 4})
    rows = run_trials(tmp_path / "s", trials | {"b": lambda: trial("b")}, told.append)
    assert done == ["a", "b", "c"]
    assert list(rows) == ["a", "b", "c"]


def test_another_study_is_refused_field_by_field(tmp_path: Path) -> None:
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
    for text, words in (("{", "is damaged"), ("[1]", "must hold an object of JSON, got list")):
        (tmp_path / "s" / "trials" / "a.json").write_text(text)
        with pytest.raises(CheckpointError, match=words):
            run_trials(tmp_path / "s", {"a": dict}, ignore_message)


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=20), st.integers(0, 5))
def test_parts_are_nested_and_take_whole_families(families: list[int], seed: int) -> None:
    works = [Work(f"w{i}", Score(()), "train", family) for i, family in enumerate(families)]
    parts = [nested_subset(works, n, seed) for n in range(1, len(works) + 1)]
    assert {work.name for work in parts[-1]} == {work.name for work in works}
    for n, (smaller, larger) in enumerate(itertools.pairwise(parts), start=1):
        assert len(smaller) == n
        assert smaller == larger[:n]
    torn = [
        family
        for family in set(families) - {-1}
        for part in parts
        if 0 < sum(work.family == family for work in part) < families.count(family)
        and part[-1].family != family
    ]
    assert torn == []


@given(st.floats(0.0, 1.0), st.floats(0.1, 3.0), st.floats(0.1, 1.5))
def test_the_fit_finds_a_known_law(limit: float, scale: float, exponent: float) -> None:
    law, sizes = PowerLaw(limit, scale, exponent), [17, 34, 68, 136, 273]
    found = fit_power_law(sizes, [law.at(n) for n in sizes])
    assert found.exponent == pytest.approx(exponent, rel=0.03)
    for n in (*sizes, 546):
        assert found.at(n) == pytest.approx(law.at(n), abs=0.002 * scale)


def test_the_extrapolation_of_a_known_law() -> None:
    law = PowerLaw(0.4, 1.0, 0.5)
    found = extrapolate([(n, [law.at(n) - 0.001, law.at(n) + 0.001]) for n in (16, 64, 256)])
    assert found.gain == pytest.approx(1 / 16 - 1 / 512**0.5, abs=2e-4)
    assert found.interval[0] < found.gain < found.interval[1]


def test_loss_that_does_not_fall_is_a_constant() -> None:
    found = fit_power_law([1, 2, 4], [0.5, 0.6, 0.7])
    assert found.scale == 0
    assert found.at(8) == pytest.approx(0.6)


@given(st.floats(np.log(20), np.log(2000)), st.floats(0.01, 1.0))
def test_the_parabola_finds_a_known_minimum(log_best: float, bend: float) -> None:
    sizes = [16, 64, 256, 1024, 4096]
    found = fit_parabola(sizes, [0.4 + bend * (np.log(size) - log_best) ** 2 for size in sizes])
    assert found.best == pytest.approx(np.exp(log_best), rel=1e-6)
    assert found.lowest == pytest.approx(0.4, abs=1e-9)
    assert found.at(100) == pytest.approx(0.4 + bend * (np.log(100) - log_best) ** 2)


@pytest.mark.parametrize(
    ("loss", "best"), [([0.9, 0.6, 0.5], 400), ([0.5, 0.6, 0.8], 100), ([0.5, 0.6, 0.52], 100)]
)
def test_where_no_minimum_lies_inside_the_best_measured_size_is_named(
    loss: list[float], best: float
) -> None:
    found = fit_parabola([100, 200, 400], loss)
    assert (found.best, found.bend) == (best, 0.0)


def test_laws_want_three_sizes() -> None:
    for fit in (fit_power_law, fit_parabola):
        with pytest.raises(ValueError, match="needs three different sizes"):
            fit([10, 20, 20], [0.5, 0.4, 0.4])


def test_a_budget_between_evaluations_is_read_on_a_logarithmic_scale() -> None:
    curve = [(10, 100, 1.0, 0.9), (40, 400, 4.0, 0.5)]
    assert interpolate_at_budget(curve, 2.0) == pytest.approx((0.7, 250.0))
    assert interpolate_at_budget(curve, 0.5) == (0.9, 100.0)


def test_a_learning_curve_from_end_to_end_and_again(small_dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "works"
    found = data_curve_study(TINY, small_dataset, out, n_seeds=1, show=ignore_message)
    assert {f"learning_curve.{kind}" for kind in ("csv", "json", "svg", "png")} <= {
        p.name for p in out.iterdir()
    }
    with (out / "learning_curve.csv").open(encoding="utf-8") as file:
        assert [int(row["works"]) for row in csv.DictReader(file)] == [1, 2, 4, 8]
    before = {path: path.stat().st_mtime_ns for path in (out / "trials").iterdir()}
    assert data_curve_study(TINY, small_dataset, out, n_seeds=1, show=ignore_message) == found
    assert {path: path.stat().st_mtime_ns for path in (out / "trials").iterdir()} == before
    other = replace(TINY, training=replace(TINY.training, steps=5))
    with pytest.raises(CheckpointError, match=r"\[training\] steps was 4, now 5"):
        data_curve_study(other, small_dataset, out, n_seeds=1, show=ignore_message)


def test_fewer_works_than_a_batch_are_drawn_all(small_dataset: Dataset) -> None:
    data, settings = (
        training_data(small_dataset.works_in("train")[:2]),
        replace(TINY.training, batch_size=3),
    )
    assert [len(draw_batch(data, settings, step)) for step in range(6)] == [2] * 6


def test_a_trial_leaves_the_weights_of_its_best_evaluation(small_dataset: Dataset) -> None:
    data, pieces = (
        training_data(small_dataset.works_in("train")),
        pieces_of_split(small_dataset, "valid"),
    )
    wild = replace(
        TINY.training,
        steps=6,
        evaluate_every=1,
        learning_rate=0.5,
        schedule="constant",
        averaging=0.0,
    )
    torch.manual_seed(0)
    model = Transformer(TINY.model, VOCABULARY)
    done = train_trial(model, wild, lambda step: draw_batch(data, wild, step), pieces)
    assert done.best.nats_per_cell < done.curve[-1].nats_per_cell
    masks = make_grammar_masks(torch.device("cpu"))
    now = score_pieces(
        model, pieces.traces, masks, cells=pieces.cells, notes=pieces.notes
    ).nats_per_cell
    assert now == pytest.approx(done.best.nats_per_cell)
    shown = [
        sum(len(trace.events) - 1 for trace in draw_batch(data, wild, step)) for step in range(6)
    ]
    assert [point.positions for point in done.curve] == np.cumsum(shown).tolist()


def test_too_small_corpora_are_refused_before_anything_is_trained(
    small_dataset: Dataset, tmp_path: Path
) -> None:
    works = small_dataset.works_in("train")
    with pytest.raises(CorpusError, match="has no works to validate"):
        data_curve_study(TINY, Dataset(tuple(works)), tmp_path / "s")
    with pytest.raises(CorpusError, match="needs 3 works to train on or more, the corpus has 2"):
        data_curve_study(TINY, Dataset((*works[:2], *small_dataset.works_in("valid"))), tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_scaling_from_end_to_end(small_dataset: Dataset, tmp_path: Path) -> None:
    told: list[str] = []
    found = scaling_study(
        TINY, small_dataset, tmp_path / "s", widths=(8, 16, 24), cpu_seconds=0.05, show=told.append
    )
    assert len(found) == 4
    result = json.loads((tmp_path / "s" / "scaling.json").read_text())
    assert len(result["table"]) == 12
    assert result["answer"] in told
    with pytest.raises(ValueError, match="a width must be a multiple of 4 x heads"):
        scaling_study(TINY, small_dataset, tmp_path / "t", widths=(8, 16, 20), cpu_seconds=1.0)
    with pytest.raises(ValueError, match="widths must be three or more"):
        scaling_study(TINY, small_dataset, tmp_path / "t", widths=(8, 16), cpu_seconds=1.0)
    assert not (tmp_path / "t").exists()


def test_the_families_are_compared(small_dataset: Dataset, tmp_path: Path) -> None:
    rows = comparison_study(small_dataset, tmp_path / "c", cpu_seconds=0.05, show=ignore_message)
    assert [row["model"] for row in rows] == [
        "5-gram",
        "decision tree",
        "random trees",
        "LSTM",
        "transformer",
    ]
    assert all(
        0 < row["interval"][0] <= row["nats_per_cell"] <= row["interval"][1] < 6 for row in rows
    )
    with pytest.raises(CheckpointError, match="split was valid, now test"):
        comparison_study(
            small_dataset, tmp_path / "c", split="test", cpu_seconds=0.05, show=ignore_message
        )
