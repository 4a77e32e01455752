"""The training of a judge, on music whose difference is known."""

import numpy as np
import pytest
import torch

from seqmusic.experiments.judge_training import (
    FramedPiece,
    JudgeNetwork,
    JudgeSettings,
    draw_windows,
    judge_auc,
    train_judge,
)
from seqmusic.generation.search.frames import COLUMN_SIZES, COLUMN_STARTS
from seqmusic.setting_checks import SettingError


def pieces(bass: int, n: int, n_frames: int = 60, seed: int = 0) -> list[FramedPiece]:
    """Pieces whose bass is the tonic in half of the frames, or seldom."""
    rng = np.random.default_rng([bass, seed])
    sizes = np.array(COLUMN_SIZES)
    found = []
    for _ in range(n):
        frames = rng.integers(0, sizes, (n_frames, len(sizes)))
        frames[rng.random(n_frames) < 0.5, 3] = bass
        found.append(FramedPiece(frames + COLUMN_STARTS, 7))
    return found


def test_a_judge_learns_what_differs() -> None:
    settings = JudgeSettings(hidden=8, steps=60, batch_frames=256, learning_rate=0.02)
    judge = train_judge(pieces(1, 30), pieces(8, 30), settings)
    assert judge_auc(judge, pieces(1, 10, seed=1), pieces(8, 10, seed=1)) > 0.9
    again = train_judge(pieces(1, 30), pieces(8, 30), settings)
    assert (judge.window == again.window).all()


def test_the_judge_on_arrays_is_the_network() -> None:
    torch.manual_seed(3)
    network = JudgeNetwork(JudgeSettings(hidden=5)).eval()
    torch.nn.init.normal_(network.output.weight)
    (piece,) = pieces(1, 1)
    with torch.inference_mode():
        expected = network(torch.from_numpy(piece.frames[None]))[0].numpy()
    np.testing.assert_allclose(
        network.judge().log_odds(piece.frames[None])[0, 4:], expected, rtol=1e-4, atol=1e-5
    )


def test_windows_begin_four_frames_before_what_counts() -> None:
    short = FramedPiece(np.arange(12)[:, None], 7)
    drawn = draw_windows([short], 4, 50, np.random.default_rng(0))
    assert drawn.shape == (50, 8, 1)
    assert set(drawn[:, 0, 0].tolist()) == {3, 4}


def test_music_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="needs music of 16 eighths"):
        draw_windows(pieces(1, 2, n_frames=12), 16, 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match="windows of 32 eighths"):
        judge_auc(JudgeNetwork(JudgeSettings(hidden=2)).judge(), pieces(1, 1, 20), pieces(1, 1, 20))


@pytest.mark.parametrize("values", [{"hidden": 0}, {"dropout": 1.0}, {"batch_frames": 16}])
def test_settings_out_of_range_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        JudgeSettings(**values)
