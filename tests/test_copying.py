"""Copying over a training: from end to end with a tiny model, as a table, and as pictures."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CheckpointError, FormatError
from seqmusic.experiments.copying import copying_study
from seqmusic.model.transformer import ModelSettings
from seqmusic.report.copying_curve import (
    COPYING_CSV,
    CopyingPoint,
    copying_charts,
    copying_table,
    read_copying,
    write_copying,
)
from seqmusic.runs.configuration import Configuration
from seqmusic.training.settings import TrainingSettings

TINY = Configuration(
    model=ModelSettings(width=16, layers=1, heads=2, dropout=0.1),
    training=TrainingSettings(
        steps=4, batch_size=2, evaluate_every=2, given_share=0.5, minutes=3.0, patience=1
    ),
)
ROW = CopyingPoint("as configured", 100, 1.5, 0.4, 0.5, 9.0, 8.0, 10.0, 12.0, 11.0, 14.0, 10.0)


@pytest.fixture(scope="module")
def small_dataset(chorales: Dataset) -> Dataset:
    parts = {
        split: sorted(chorales.works_in(split), key=lambda work: work.score.n_notes)
        for split in ("train", "valid")
    }
    return Dataset((*parts["train"][:8], *parts["valid"][:3]))


def test_a_study_measures_both_trainings_at_every_evaluation(
    small_dataset: Dataset, tmp_path: Path
) -> None:
    told: list[str] = []
    rows = copying_study(TINY, small_dataset, tmp_path / "s", n_samples=4, show=told.append)
    assert [(row.training, row.step) for row in rows] == [
        *(("as configured", 2), ("as configured", 4)),
        *(("unrestrained", 2), ("unrestrained", 4)),
    ]
    assert rows[0].epochs == 0.5
    assert all(row.works == rows[0].works > 0 for row in rows)
    for row in rows:
        for middle, low, high in (
            (row.held_out, row.held_out_low, row.held_out_high),
            (row.known, row.known_low, row.known_high),
        ):
            assert math.isnan(middle) or low <= middle <= high
    assert "unrestrained" in told[0]
    for name in (COPYING_CSV, "loss.svg", "loss.png", "copying.svg", "copying.png", "study.json"):
        assert (tmp_path / "s" / name).is_file(), name
    again = copying_study(TINY, small_dataset, tmp_path / "s", n_samples=4, show=told.append)
    assert repr(again) == repr(rows) == repr(read_copying(tmp_path / "s" / COPYING_CSV))
    with pytest.raises(CheckpointError, match="samples was 4, now 8"):
        copying_study(TINY, small_dataset, tmp_path / "s", n_samples=8)


def test_what_cannot_be_measured_is_refused(small_dataset: Dataset, tmp_path: Path) -> None:
    nothing_given = replace(TINY, training=replace(TINY.training, given_share=0.0))
    with pytest.raises(ValueError, match="given_share must not be 0"):
        copying_study(nothing_given, small_dataset, tmp_path / "s")
    with pytest.raises(ValueError, match="n_samples must be 1 or more, got 0"):
        copying_study(TINY, small_dataset, tmp_path / "s", n_samples=0)


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [ROW, ROW._replace(training="unrestrained", step=200, held_out=float("inf"))]
    assert read_copying(write_copying(tmp_path / COPYING_CSV, rows)) == rows
    assert copying_table(rows).records()[0]["held_out"] == 9.0


@pytest.mark.parametrize("text", ["", "training,step\nx,1\n", "training;step\n", "\x00"])
def test_other_tables_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / COPYING_CSV).write_text(text)
    with pytest.raises(FormatError, match="is no table of seqmusic experiment copying"):
        read_copying(tmp_path / COPYING_CSV)


def test_a_row_that_lacks_something_is_refused(tmp_path: Path) -> None:
    write_copying(tmp_path / COPYING_CSV, [ROW])
    names, values = (tmp_path / COPYING_CSV).read_text().splitlines()
    for damaged in (values.rsplit(",", 1)[0], values.replace("100", "many")):
        (tmp_path / COPYING_CSV).write_text(f"{names}\n{damaged}\n")
        with pytest.raises(FormatError, match=r"copying\.csv: is no table"):
            read_copying(tmp_path / COPYING_CSV)
    assert names == ",".join(CopyingPoint._fields)


def test_pictures_name_both_trainings() -> None:
    rows = [ROW, ROW._replace(step=200), ROW._replace(training="unrestrained")]
    loss, copied = copying_charts(rows)
    labels = [
        [text.get_text() for text in chart.figure.legends[0].get_texts()]
        for chart in (loss, copied)
    ]
    assert labels[0] == [
        f"{part}, {name}"
        for name in ("as configured", "unrestrained")
        for part in ("validation", "training")
    ]
    assert labels[1][:2] == ["held-out, as configured", "training, as configured"]
