"""Chorales on the sixteenth grid, the usual representation: one position per cell, as a baseline.

Cells are in order of steps, within a step from soprano to bass. A cell is the pitch that sounds
when its step begins, or a rest; a repeated note counts as held. Cells become sequences for
`model.grid_transformer`: sounds are cell values, and every duration is 0 and certain. The context
of a cell is its voice, its step in the bar and in the beat, and the last four cells. The number of
steps is given and costs nothing, which flatters this baseline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seqmusic.errors import UnencodableError
from seqmusic.model.grid_transformer import grid_vocabulary
from seqmusic.pitch_grid import REST_CELL, pitch_grid
from seqmusic.score import TICKS_PER_SIXTEENTH, Score
from seqmusic.tokens.augmentation import legal_shifts
from seqmusic.tokens.tokenizer import Trace
from seqmusic.training.batches import GrammarMasks
from seqmusic.training.epochs import BatchOrder
from seqmusic.training.settings import TrainingSettings

LOWEST_PITCH, HIGHEST_PITCH = 36, 81  # the compass of the chorales, transpositions included
MAX_GRID_VOICES = 4
STEPS_PER_BEAT, STEPS_PER_BAR = 4, 16
_REST_ID = HIGHEST_PITCH - LOWEST_PITCH + 1
_START = _REST_ID + 1
_N_IDS = _START + 1
_N_PAST_CELLS = 4  # the last one is the event itself, the others are in the context
GRID_VOCABULARY = grid_vocabulary(
    _N_IDS, (MAX_GRID_VOICES, STEPS_PER_BAR, STEPS_PER_BEAT, *(_N_IDS,) * (_N_PAST_CELLS - 1))
)


@dataclass(frozen=True, slots=True)
class GridData:
    """Pieces to draw batches from: their (voice, step) cells, and their legal transpositions."""

    grids: Sequence[NDArray[np.int16]]
    shifts: Sequence[Sequence[int]]


def grid_trace(grid: NDArray[np.int16]) -> Trace:
    """The cells of a piece as a sequence of GRID_VOCABULARY: a start, then step by step.

    Args:
        grid: (voice, step) cells, with 1..4 voices.

    Raises:
        UnencodableError: a pitch is outside 36..81, or the number of voices outside 1..4.
    """
    _check_grid(grid)
    n_voices, n_steps = grid.shape
    n_cells = n_voices * n_steps
    ids = np.where(grid == REST_CELL, _REST_ID, grid - LOWEST_PITCH).T.ravel()
    padded = np.r_[np.full(_N_PAST_CELLS, _START), ids]  # cell i is at _N_PAST_CELLS + i
    step, voice = np.divmod(np.arange(n_cells + 1), n_voices)  # of the cell that follows event t
    lags = range(2, _N_PAST_CELLS + 1)
    past = [padded[_N_PAST_CELLS - lag :][: n_cells + 1] for lag in lags]
    context = np.column_stack([voice, step % STEPS_PER_BAR, step % STEPS_PER_BEAT, *past])
    events = np.column_stack([padded[_N_PAST_CELLS - 1 :], np.zeros(n_cells + 1)])
    return Trace(
        events=events.astype(np.int16),
        context=context.astype(np.int16),
        rules=np.zeros((n_cells + 1, 2), np.int16),
        is_scored=np.arange(n_cells + 1) < n_cells,
        ticks=(step * TICKS_PER_SIXTEENTH).astype(np.int32),
    )


def grid_masks(device: torch.device) -> GrammarMasks:
    """Any cell value may follow any other, with the one duration."""
    sounds = torch.ones((1, _N_IDS), dtype=torch.bool, device=device)
    sounds[0, _START] = False
    return GrammarMasks(sounds, torch.ones((1, 1), dtype=torch.bool, device=device))


def grid_data(scores: Sequence[Score]) -> GridData:
    """The scores as cells, each with its legal transpositions.

    Raises:
        UnencodableError: a score is not on the sixteenth grid.
    """
    return GridData(
        [_exact_grid(score) for score in scores], [legal_shifts(score) for score in scores]
    )


def grid_traces(scores: Sequence[Score]) -> list[Trace]:
    """The scores as sequences of cells: every cell sees all cells before it.

    Raises:
        UnencodableError: a score is not on the sixteenth grid, a pitch is outside 36..81, or the
            number of voices outside 1..4.
    """
    return [grid_trace(_exact_grid(score)) for score in scores]


def draw_grid_batch(data: GridData, settings: TrainingSettings, step: int) -> list[Trace]:
    """Transposed whole pieces of similar length for batch `step`, in a new order each epoch."""
    lengths = np.array([grid.size for grid in data.grids])
    pieces, rng = BatchOrder(lengths, settings).draw(step)
    return [
        grid_trace(_transposed(data.grids[piece], int(rng.choice(data.shifts[piece]))))
        for piece in pieces
    ]


def _transposed(grid: NDArray[np.int16], semitones: int) -> NDArray[np.int16]:
    return np.where(grid == REST_CELL, REST_CELL, grid + semitones).astype(np.int16)


def _check_grid(grid: NDArray[np.int16]) -> None:
    if not 1 <= len(grid) <= MAX_GRID_VOICES:
        raise UnencodableError(f"the grid has 1..{MAX_GRID_VOICES} voices, got {len(grid)}")
    outside = (grid != REST_CELL) & ((grid < LOWEST_PITCH) | (grid > HIGHEST_PITCH))
    if outside.any():
        voice, step = np.argwhere(outside)[0].tolist()
        raise UnencodableError(
            f"the grid has pitches {LOWEST_PITCH}..{HIGHEST_PITCH}, "
            f"got {grid[voice, step]} (voice {voice}, step {step})"
        )


def _exact_grid(score: Score) -> NDArray[np.int16]:
    for voice in score.voices:
        for index, note in enumerate(voice.notes):
            if note.onset_ticks % TICKS_PER_SIXTEENTH or note.duration_ticks % TICKS_PER_SIXTEENTH:
                raise UnencodableError(
                    f"the grid has sixteenths only, got a note from tick {note.onset_ticks} "
                    f"to {note.end_ticks} ({score.title!r}, voice {voice.name!r}, note {index})"
                )
    return pitch_grid(score)
