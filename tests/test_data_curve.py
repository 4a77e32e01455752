"""The learning curve over data: nested subsets, the extrapolation, and a study from end to end."""

import csv
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_runs import TINY

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.errors import CheckpointError
from seqmusic.experiments.data_curve import data_curve_study, extrapolate, nested_subset
from seqmusic.experiments.laws import PowerLaw
from seqmusic.score import Score


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=20), st.integers(0, 5))
def test_subsets_are_nested_and_take_whole_families(families: list[int], seed: int) -> None:
    works = [Work(f"w{i}", Score(()), "train", family) for i, family in enumerate(families)]
    subsets = [nested_subset(works, n, seed) for n in range(1, len(works) + 1)]
    assert {work.name for work in subsets[-1]} == {work.name for work in works}
    for n, (smaller, larger) in enumerate(itertools.pairwise(subsets), start=1):
        assert len(smaller) == n
        assert smaller == larger[:n]
    for subset in subsets:
        for family in {work.family for work in subset} - {-1, subset[-1].family}:
            n_works = sum(work.family == family for work in subset)
            assert n_works == families.count(family), "only the last family may be incomplete"


def test_a_power_law_is_extrapolated() -> None:
    law = PowerLaw(0.4, 1.0, 0.5)
    found = extrapolate([(n, [law.at(n) - 0.001, law.at(n) + 0.001]) for n in (16, 64, 256)])
    assert found.gain == pytest.approx(1 / 16 - 1 / 512**0.5, abs=2e-4)
    assert found.interval[0] < found.gain < found.interval[1]


def test_a_repeated_study_trains_nothing(small_dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "works"
    found = data_curve_study(TINY, small_dataset, out, n_seeds=1)
    names = {path.name for path in out.iterdir()}
    assert {f"learning_curve.{suffix}" for suffix in ("csv", "json", "svg", "png")} <= names
    with (out / "learning_curve.csv").open(encoding="utf-8") as file:
        assert [int(row["works"]) for row in csv.DictReader(file)] == [1, 2, 4, 8]
    before = {path: path.stat().st_mtime_ns for path in (out / "trials").iterdir()}
    assert data_curve_study(TINY, small_dataset, out, n_seeds=1) == found
    assert {path: path.stat().st_mtime_ns for path in (out / "trials").iterdir()} == before
    other = replace(TINY, training=replace(TINY.training, steps=5))
    with pytest.raises(CheckpointError, match=r"\[training\] steps was 4, now 5"):
        data_curve_study(other, small_dataset, out, n_seeds=1)
