"""The judge on arrays, and its weights in a file."""

from pathlib import Path

import numpy as np
import pytest

from seqmusic.errors import CheckpointError
from seqmusic.generation.search.frames import COLUMN_SIZES, COLUMN_STARTS, N_FRAME_VALUES
from seqmusic.generation.search.judge import Judge, joined, judge_from_arrays
from seqmusic.runs.judge_weights import JUDGE_FILE, read_judge_weights, write_judge_weights


def random_judge(width: int, seed: int = 0) -> Judge:
    rng = np.random.default_rng(seed)
    shapes = ((N_FRAME_VALUES, width), (width,), (width, 5 * width + 1), (width + 1,))
    return Judge(*(rng.normal(size=shape).astype(np.float32) for shape in shapes))


def random_frames(n_pieces: int, n_frames: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    sizes = np.array(COLUMN_SIZES)
    return rng.integers(0, sizes, (n_pieces, n_frames, len(sizes))) + COLUMN_STARTS


def test_log_odds_are_those_of_each_window_by_itself() -> None:
    judge, frames = random_judge(3), random_frames(2, 7)
    odds = judge.log_odds(frames)
    assert (odds[:, :4] == 0).all()
    for piece in range(2):
        for last in range(4, 7):
            hidden = [
                np.maximum(judge.embedding[frame].sum(axis=0) + judge.bias, 0)
                for frame in frames[piece, last - 4 : last + 1]
            ]
            inner = np.maximum(judge.window @ np.append(np.concatenate(hidden), 1), 0)
            assert odds[piece, last] == pytest.approx(judge.output @ np.append(inner, 1), rel=1e-4)


def test_too_few_frames_have_no_odds() -> None:
    assert random_judge(2).log_odds(random_frames(3, 4)).tolist() == [[0] * 4] * 3


def test_joined_judges_add_up() -> None:
    one, other, frames = random_judge(3, 1), random_judge(2, 2), random_frames(2, 11)
    together = joined(one, other).log_odds(frames)
    np.testing.assert_allclose(
        together, one.log_odds(frames) + other.log_odds(frames), rtol=1e-4, atol=1e-4
    )


def test_weights_go_through_a_file_in_half_precision(tmp_path: Path) -> None:
    judge = random_judge(5)
    write_judge_weights(judge.arrays(), tmp_path, {"round": 1})
    weights = read_judge_weights(tmp_path)
    assert weights is not None
    read = judge_from_arrays(weights)
    np.testing.assert_allclose(read.window, judge.window, rtol=1e-3, atol=1e-6)
    assert read.embedding.dtype == np.float32


def test_a_folder_without_a_judge_has_none(tmp_path: Path) -> None:
    assert read_judge_weights(tmp_path) is None


def test_damaged_files_and_other_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / JUDGE_FILE).write_bytes(b"no arrays")
    with pytest.raises(CheckpointError, match="not a whole judge of this version"):
        read_judge_weights(tmp_path)
    arrays = random_judge(2).arrays()
    with pytest.raises(ValueError, match="a judge has the weights"):
        judge_from_arrays({"embedding": arrays["embedding"]})
    with pytest.raises(ValueError, match="have the shapes"):
        judge_from_arrays(arrays | {"output": arrays["bias"]})
