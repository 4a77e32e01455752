"""Where a likelihood is spent: in the steps in which several voices move, and in the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.metrics.likelihood import EventScores
from seqmusic.pitch_grid import pitch_grid
from seqmusic.score import TICKS_PER_SIXTEENTH, Score
from seqmusic.training.batches import TokenSequence


@dataclass(frozen=True, slots=True)
class MovingStepNats:
    """Nats in the steps in which two or more voices move, and in all steps.

    Attributes:
        steps: sixteenth steps.
        moving_steps: those in which two or more voices change to another pitch or a rest; in the
            first step of a piece every voice does.
        nats: of all events.
        moving_nats: of the events that begin in a moving step.
    """

    steps: int
    moving_steps: int
    nats: float
    moving_nats: float

    @property
    def share_of_nats(self) -> float:
        """Share of the nats that fall in moving steps."""
        return self.moving_nats / self.nats

    @property
    def share_of_steps(self) -> float:
        """Share of the steps that are moving ones."""
        return self.moving_steps / self.steps


def moving_step_nats(
    pieces: Sequence[EventScores], traces: Sequence[TokenSequence], scores: Sequence[Score]
) -> MovingStepNats:
    """The nats of the steps in which two or more voices move, and of all steps.

    An event belongs to the step it begins in: the header to the first, the end to the last. A
    duration is charged where its note begins, so a step in which nothing begins costs nothing
    here, unlike on a grid of cells.
    """
    steps = moving_steps = 0
    nats = moving_nats = 0.0
    for piece, trace, score in zip(pieces, traces, scores, strict=True):
        is_moving = moving_cells(score).sum(axis=0) >= 2  # (step,)
        step = np.minimum(trace.ticks[piece.rows] // TICKS_PER_SIXTEENTH, len(is_moving) - 1)
        steps += len(is_moving)
        moving_steps += int(is_moving.sum())
        nats += float(piece.nats.sum())
        moving_nats += float(piece.nats[is_moving[step]].sum())
    return MovingStepNats(steps, moving_steps, nats, moving_nats)


def moving_cells(score: Score) -> NDArray[np.bool_]:
    """(voice, step) whether the voice changes to another pitch or a rest; True in the first step.

    >>> from seqmusic.score import Note, melody
    >>> moving_cells(melody([Note(0, 12, 60), Note(12, 6, 60), Note(18, 6, 62)])).tolist()
    [[True, False, False, True]]
    """
    grid = pitch_grid(score)
    moves = np.ones(grid.shape, bool)
    moves[:, 1:] = grid[:, 1:] != grid[:, :-1]
    return moves
