"""The comparison of families of models, from end to end."""

from pathlib import Path

import pytest

from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CheckpointError
from seqmusic.experiments.comparison import comparison_study


def test_five_families_are_compared(small_dataset: Dataset, tmp_path: Path) -> None:
    rows = comparison_study(small_dataset, tmp_path / "c", cpu_seconds=0.05)
    names = ["5-gram", "decision tree", "random trees", "LSTM", "transformer"]
    assert [row["model"] for row in rows] == names
    for row in rows:
        low, high = row["interval"]
        assert 0 < low <= row["nats_per_cell"] <= high < 6
    with pytest.raises(CheckpointError, match="split was valid, now test"):
        comparison_study(small_dataset, tmp_path / "c", split="test", cpu_seconds=0.05)
