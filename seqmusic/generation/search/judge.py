"""A judge: how much likelier each frame of some music is to be Bach's than a model's.

A small network looks at windows of five frames, which is two and a half beats, and adds up log-odds
over a piece. It is trained on training works against what the model composed for their beginnings
and sopranos, so it knows what gives this model away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.array_types import Ints
from seqmusic.generation.search.frames import (
    N_FRAME_VALUES,
    Grid,
    Layout,
    grid_frames,
    layout_of,
    score_frames,
)
from seqmusic.model.decoding.packed_model import Floats, Weights
from seqmusic.score import Score

WINDOW_FRAMES = 5


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """The weights of a judge with H hidden units.

    Attributes:
        embedding: (V, H) one row for each value of each column of a frame.
        bias: (H,) of a frame.
        window: (H, 5 H + 1) from the frames of a window, the bias last.
        output: (H + 1,) from a window to its log-odds, the bias last.
    """

    embedding: Floats
    bias: Floats
    window: Floats
    output: Floats

    def log_odds(self, frames: Ints) -> Floats:
        """(N, F) log-odds of each frame with the four before it; 0 for the first four frames.

        Args:
            frames: (N, F, C) from `frames.grid_frames`.
        """
        n_pieces, n_frames, _ = frames.shape
        odds = np.zeros((n_pieces, n_frames), np.float32)
        if n_frames < WINDOW_FRAMES:
            return odds
        hidden = np.maximum(self.embedding[frames].sum(axis=2) + self.bias, 0)
        n_windows = n_frames - WINDOW_FRAMES + 1
        windows = np.concatenate(
            [hidden[:, first : first + n_windows] for first in range(WINDOW_FRAMES)], axis=2
        )
        inner = np.maximum(windows @ self.window[:, :-1].T + self.window[:, -1], 0)
        odds[:, WINDOW_FRAMES - 1 :] = inner @ self.output[:-1] + self.output[-1]
        return odds

    def grid_log_odds(self, grid: Grid, layout: Layout, first_tick: int) -> Floats:
        """(N, F) the same of (N, 4, S) pitches, whose first step is at `first_tick`."""
        return self.log_odds(grid_frames(grid, layout, first_tick))

    def mean_log_odds(self, score: Score) -> float:
        """Mean log-odds of the frames of a score; 0 if it has no key or is not in four voices."""
        layout = layout_of(score)
        if layout is None or not score.n_notes:
            return 0.0
        odds = self.log_odds(score_frames(score, layout)[None])
        return float(odds.mean()) if odds.size else 0.0

    def arrays(self) -> dict[str, Floats]:
        """The weights by name, the inverse of `judge_from_arrays`."""
        return {name: getattr(self, name) for name in ("embedding", "bias", "window", "output")}


def joined(one: Judge, other: Judge) -> Judge:
    """The judge whose log-odds are the sum of those of two judges."""
    n, m = len(one.bias), len(other.bias)
    window = np.zeros((n + m, WINDOW_FRAMES * (n + m) + 1), np.float32)
    columns = np.arange(WINDOW_FRAMES * (n + m)).reshape(WINDOW_FRAMES, n + m)
    window[:n, columns[:, :n].ravel()] = one.window[:, :-1]
    window[n:, columns[:, n:].ravel()] = other.window[:, :-1]
    window[:, -1] = np.concatenate([one.window[:, -1], other.window[:, -1]])
    output = [*one.output[:-1], *other.output[:-1], one.output[-1] + other.output[-1]]
    return Judge(
        np.concatenate([one.embedding, other.embedding], axis=1),
        np.concatenate([one.bias, other.bias]),
        window,
        np.array(output, np.float32),
    )


def judge_from_arrays(arrays: Weights) -> Judge:
    """The judge of these weights.

    Raises:
        ValueError: they are not those of a judge.
    """
    names = ("embedding", "bias", "window", "output")
    if set(arrays) != set(names):
        raise ValueError(f"a judge has the weights {', '.join(names)}, got {', '.join(arrays)}")
    embedding, bias, window, output = (arrays[name].astype(np.float32) for name in names)
    width = len(bias)
    shapes = ((N_FRAME_VALUES, width), (width, WINDOW_FRAMES * width + 1), (width + 1,))
    if (embedding.shape, window.shape, output.shape) != shapes:
        raise ValueError(
            f"the weights of a judge have the shapes {shapes}, "
            f"got {(embedding.shape, window.shape, output.shape)}"
        )
    return Judge(embedding, bias, window, output)
