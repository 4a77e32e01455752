"""The training of a judge: a small network that tells training works from a model's compositions.

The loss is the logistic one over windows of four to sixteen beats: a window's log-odds are the sum
of those of its frames, so that sums over any passage mean something.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmusic.array_types import Floats, Ints
from seqmusic.generation.search.frames import N_FRAME_VALUES
from seqmusic.generation.search.judge import WINDOW_FRAMES, Judge
from seqmusic.progress import track
from seqmusic.setting_checks import check_at_least, check_below_one, check_positive, check_types

_WINDOW_LENGTHS = (4, 8, 16, 32)  # frames, of which one is drawn for each batch
AUC_FRAMES = 32  # of a window that the accuracy of a judge is measured on


@dataclass(frozen=True, slots=True, eq=False)
class FramedPiece:
    """A piece for a judge to learn from.

    Attributes:
        frames: (F, C) of the whole piece.
        first: the first frame that counts; those before it were given.
    """

    frames: Ints
    first: int


@dataclass(frozen=True, kw_only=True)
class JudgeSettings:
    """How a judge is trained.

    Raises:
        SettingError: a value is of another type, or outside its range.
    """

    hidden: int = 48  # units of each of two layers, 1 or more
    steps: int = 3000  # batches, 1 or more
    batch_frames: int = 512  # of each kind in a batch, 32 or more
    learning_rate: float = 0.003  # at the start, more than 0; it falls to 0 as a cosine
    weight_decay: float = 0.05  # 0 or more
    dropout: float = 0.4  # of hidden units, 0 or more and below 1
    input_dropout: float = 0.2  # of the columns of a frame, same range
    seed: int = 0

    def __post_init__(self) -> None:
        check_types(self)
        check_at_least(self, 1, "hidden", "steps")
        check_at_least(self, max(_WINDOW_LENGTHS), "batch_frames")
        check_positive(self, "learning_rate")
        check_at_least(self, 0, "weight_decay", "seed")
        check_below_one(self, "dropout", "input_dropout")


class JudgeNetwork(nn.Module):
    """The network of a `Judge`, to be trained."""

    def __init__(self, settings: JudgeSettings) -> None:
        super().__init__()
        self.settings, width = settings, settings.hidden
        self.embedding = nn.Embedding(N_FRAME_VALUES, width)
        self.bias = nn.Parameter(torch.zeros(width))
        self.window = nn.Linear(WINDOW_FRAMES * width, width)
        self.output = nn.Linear(width, 1)
        nn.init.normal_(self.embedding.weight, std=0.1)
        nn.init.zeros_(self.output.weight)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, F - 4) log-odds of (B, F, C) frames, the first four of which are context."""
        values, weights = frames.flatten(0, 1), None  # (B F, C)
        if self.training and self.settings.input_dropout:
            is_kept = torch.rand(values.shape) >= self.settings.input_dropout
            weights = is_kept / (1 - self.settings.input_dropout)
        summed = F.embedding_bag(
            values, self.embedding.weight, None, mode="sum", per_sample_weights=weights
        )
        hidden = self._drop(torch.relu(summed.view(*frames.shape[:2], -1) + self.bias))
        windows = hidden.unfold(1, WINDOW_FRAMES, 1).transpose(2, 3).flatten(2)
        inner = self._drop(torch.relu(self.window(windows)))
        odds: Tensor = self.output(inner)[..., 0]
        return odds

    def judge(self) -> Judge:
        """The same judge on arrays."""
        arrays = {name: tensor.detach().numpy() for name, tensor in self.state_dict().items()}
        window = np.column_stack([arrays["window.weight"], arrays["window.bias"]])
        output = np.append(arrays["output.weight"][0], arrays["output.bias"])
        return Judge(arrays["embedding.weight"], arrays["bias"], window, output)

    def _drop(self, hidden: Tensor) -> Tensor:
        return F.dropout(hidden, self.settings.dropout, self.training)


def train_judge(
    bach: Sequence[FramedPiece], composed: Sequence[FramedPiece], settings: JudgeSettings
) -> Judge:
    """A judge of how much likelier music is to be of the first kind than of the second.

    Raises:
        ValueError: a kind has no piece of a whole window.
    """
    torch.manual_seed(settings.seed)
    network, rng = JudgeNetwork(settings), np.random.default_rng(settings.seed)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.steps)
    for _ in track(range(settings.steps), "training the judge", "batch", settings.steps):
        n_frames = int(rng.choice(_WINDOW_LENGTHS))
        n_windows = settings.batch_frames // n_frames
        windows = [draw_windows(kind, n_frames, n_windows, rng) for kind in (bach, composed)]
        labels = torch.tensor([1.0, 0.0]).repeat_interleave(n_windows)
        odds = network(torch.from_numpy(np.concatenate(windows))).sum(1)
        loss = F.binary_cross_entropy_with_logits(odds, labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return network.eval().judge()


def draw_windows(
    pieces: Sequence[FramedPiece], n_frames: int, n: int, rng: np.random.Generator
) -> Ints:
    """(n, n_frames + 4, C) windows of frames that count, each with the four frames before it.

    Pieces are drawn alike, whatever their length.

    Raises:
        ValueError: no piece is so long.
    """
    size = n_frames + WINDOW_FRAMES - 1
    starts = [max(0, piece.first - WINDOW_FRAMES + 1) for piece in pieces]
    bounds = [
        (piece.frames, start, len(piece.frames) - size)
        for piece, start in zip(pieces, starts, strict=True)
        if start <= len(piece.frames) - size
    ]
    if not bounds:
        raise ValueError(f"a judge needs music of {n_frames} eighths or more in a row")
    drawn = [bounds[number] for number in rng.integers(len(bounds), size=n).tolist()]
    first = [int(rng.integers(start, stop + 1)) for _, start, stop in drawn]
    return np.stack(
        [frames[at : at + size] for (frames, _, _), at in zip(drawn, first, strict=True)]
    )


def judge_auc(judge: Judge, bach: Sequence[FramedPiece], composed: Sequence[FramedPiece]) -> float:
    """The probability that a judge gives Bach's window the higher log-odds, of two of 16 beats.

    Raises:
        ValueError: a kind has no whole window.
    """
    ours, theirs = (np.array(list(_window_odds(judge, kind))) for kind in (composed, bach))
    if not len(ours) or not len(theirs):
        raise ValueError(
            f"a judge is measured on windows of {AUC_FRAMES} eighths, and there is none"
        )
    wins: Floats = (np.sign(theirs[:, None] - ours[None]) + 1) / 2
    return float(wins.mean())


def _window_odds(judge: Judge, pieces: Sequence[FramedPiece]) -> Iterator[float]:
    """Log-odds of windows, one after the other, of the frames that count."""
    for piece in pieces:
        odds = judge.log_odds(piece.frames[None])[0, piece.first :]
        for start in range(0, len(odds) - AUC_FRAMES + 1, AUC_FRAMES):
            yield float(odds[start : start + AUC_FRAMES].sum())
