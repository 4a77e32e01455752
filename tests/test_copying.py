"""The study of copying, from end to end with a tiny model."""

import logging
import math
from dataclasses import replace
from pathlib import Path

import pytest
from small_runs import TINY

from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CheckpointError
from seqmusic.experiments.copying import copying_study
from seqmusic.report.copying_curve import COPYING_CSV, read_copying

LIMITED = replace(TINY, training=replace(TINY.training, given_share=0.5, minutes=3.0, patience=1))


def test_both_trainings_are_measured_at_every_evaluation(
    small_dataset: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seqmusic")
    folder = tmp_path / "s"
    rows = copying_study(LIMITED, small_dataset, folder, n_samples=4)
    assert [(row.training, row.step) for row in rows] == [
        ("as configured", 2),
        ("as configured", 4),
        ("unrestrained", 2),
        ("unrestrained", 4),
    ]
    assert rows[0].epochs == 2 * 2 / 8  # batches of two works out of eight
    assert all(row.works == rows[0].works > 0 for row in rows)
    for row in rows:
        for median, low, high in (
            (row.held_out, row.held_out_low, row.held_out_high),
            (row.known, row.known_low, row.known_high),
        ):
            assert math.isnan(median) or low <= median <= high
    assert any("unrestrained" in message for message in caplog.messages)
    for name in (COPYING_CSV, "loss.svg", "loss.png", "copying.svg", "copying.png", "study.json"):
        assert (folder / name).is_file(), name
    again = copying_study(LIMITED, small_dataset, folder, n_samples=4)
    assert repr(again) == repr(rows) == repr(read_copying(folder / COPYING_CSV))
    with pytest.raises(CheckpointError, match="samples was 4, now 8"):
        copying_study(LIMITED, small_dataset, folder, n_samples=8)


def test_studies_without_continuations_are_refused(small_dataset: Dataset, tmp_path: Path) -> None:
    nothing_given = replace(LIMITED, training=replace(LIMITED.training, given_share=0.0))
    with pytest.raises(ValueError, match="given_share must not be 0"):
        copying_study(nothing_given, small_dataset, tmp_path / "s")
    with pytest.raises(ValueError, match="n_samples must be 1 or more, got 0"):
        copying_study(LIMITED, small_dataset, tmp_path / "s", n_samples=0)
