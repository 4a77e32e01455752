"""The study of model sizes: budgets between evaluations, and a study from end to end."""

import json
import logging
from pathlib import Path

import pytest
from small_runs import TINY

from seqmusic.corpus.dataset import Dataset
from seqmusic.experiments.scaling import interpolate_at_budget, scaling_study


def test_a_budget_between_evaluations_is_interpolated_in_log_time() -> None:
    curve = [(10, 100, 1.0, 0.9), (40, 400, 4.0, 0.5)]
    assert interpolate_at_budget(curve, 2.0) == pytest.approx((0.7, 250.0))
    assert interpolate_at_budget(curve, 0.5) == (0.9, 100.0)


def test_all_widths_are_trained_for_every_budget(
    small_dataset: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seqmusic")
    parabolas = scaling_study(
        TINY, small_dataset, tmp_path / "s", widths=(8, 16, 24), cpu_seconds=0.05
    )
    assert len(parabolas) == 4
    result = json.loads((tmp_path / "s" / "scaling.json").read_text())
    assert len(result["table"]) == 4 * 3
    assert result["answer"] in caplog.messages


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ((8, 16, 20), "a width must be a multiple of 4 x heads"),
        ((8, 16), "widths must be three or more"),
    ],
)
def test_unsuitable_widths_are_refused(
    widths: tuple[int, ...], message: str, small_dataset: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        scaling_study(TINY, small_dataset, tmp_path / "s", widths=widths, cpu_seconds=1.0)
    assert not (tmp_path / "s").exists()
