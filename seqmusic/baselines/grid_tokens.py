"""The representation that everyone else uses, as a rival: one position a cell of the sixteenth grid, soprano to bass, step by step.

A cell is the pitch that sounds when its step begins, or a rest; a note struck again counts as held. Cells become sequences for
`model.grid`: sounds are cell values, every duration is 0 and certain, and beside each cell stands what a cell can know: its voice,
its step in the bar and in the beat, and the last four cells. The number of steps is given and costs nothing, which is kind to this
rival.
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

LOWEST_PITCH, HIGHEST_PITCH = 36, 81  # what the chorales sing, after transposition too
MAX_GRID_VOICES = 4
STEPS_PER_BEAT, STEPS_PER_BAR = 4, 16
_REST_ID = HIGHEST_PITCH - LOWEST_PITCH + 1
_START = _REST_ID + 1
_N_IDS = _START + 1
_N_PAST_CELLS = 4  # the last one is the event itself, the others stand in the context
GRID_VOCABULARY = grid_vocabulary(
    _N_IDS, (MAX_GRID_VOICES, STEPS_PER_BAR, STEPS_PER_BEAT, *(_N_IDS,) * (_N_PAST_CELLS - 1))
)


@dataclass(frozen=True, slots=True)
class GridData:
    """Pieces ready to be drawn: their cells, (voice, step) each, and the semitones by which each may be moved."""

    grids: Sequence[NDArray[np.int16]]
    shifts: Sequence[Sequence[int]]


def grid_trace(grid: NDArray[np.int16]) -> Trace:
    """The cells of a piece as a sequence of GRID_VOCABULARY: a start, then voice by voice and step by step.

    Raises:
        UnencodableError: a pitch outside LOWEST..HIGHEST, or more than four voices.
    """
    n_voices, n_steps = grid.shape
    if not 1 <= n_voices <= MAX_GRID_VOICES:
        raise UnencodableError(f"the grid has 1..{MAX_GRID_VOICES} voices, got {n_voices}")
    outside = (grid != REST_CELL) & ((grid < LOWEST_PITCH) | (grid > HIGHEST_PITCH))
    if outside.any():
        first = tuple(np.argwhere(outside)[0].tolist())
        raise UnencodableError(
            f"the grid has pitches {LOWEST_PITCH}..{HIGHEST_PITCH}, got {grid[first]} (voice {first[0]}, step {first[1]})"
        )
    ids = np.where(grid == REST_CELL, _REST_ID, grid - LOWEST_PITCH).T.ravel()
    n_cells = n_voices * n_steps
    padded = np.r_[np.full(_N_PAST_CELLS, _START), ids]  # cell i stands at _LAST_CELLS + i
    step, voice = np.divmod(np.arange(n_cells + 1), n_voices)  # of the cell that follows event t
    last = np.stack(
        [padded[_N_PAST_CELLS - lag :][: n_cells + 1] for lag in range(2, _N_PAST_CELLS + 1)],
        axis=1,
    )
    context = np.column_stack([voice, step % STEPS_PER_BAR, step % STEPS_PER_BEAT, last]).astype(
        np.int16
    )
    return Trace(
        events=np.column_stack([padded[_N_PAST_CELLS - 1 :], np.zeros(n_cells + 1)]).astype(
            np.int16
        ),
        context=context,
        rules=np.zeros((n_cells + 1, 2), np.int16),
        is_scored=np.arange(n_cells + 1) < n_cells,
        ticks=(step * TICKS_PER_SIXTEENTH).astype(np.int32),
    )


def grid_masks(device: torch.device) -> GrammarMasks:
    """Every cell value may follow, whatever came before; the one duration too."""
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
    """The scores as sequences of cells, ready to be scored as whole pieces: every cell sees all cells before it.

    Raises:
        UnencodableError: a score is not on the sixteenth grid, has a pitch outside LOWEST..HIGHEST, or more than four voices.
    """
    return [grid_trace(_exact_grid(score)) for score in scores]


def draw_grid_batch(data: GridData, settings: TrainingSettings, step: int) -> list[Trace]:
    """Whole pieces for batch `step`: alike in length, in a new order each epoch, each moved within its compass."""
    lengths = np.array([grid.size for grid in data.grids])
    pieces, rng = BatchOrder(lengths, settings).draw(step)
    return [
        grid_trace(_transposed(data.grids[piece], int(rng.choice(data.shifts[piece]))))
        for piece in pieces
    ]


def _transposed(grid: NDArray[np.int16], semitones: int) -> NDArray[np.int16]:
    return np.where(grid == REST_CELL, REST_CELL, grid + semitones).astype(np.int16)


def _exact_grid(score: Score) -> NDArray[np.int16]:
    for voice in score.voices:
        for index, note in enumerate(voice.notes):
            if note.onset_ticks % TICKS_PER_SIXTEENTH or note.duration_ticks % TICKS_PER_SIXTEENTH:
                raise UnencodableError(
                    f"the grid has sixteenths only, got a note from tick {note.onset_ticks} to {note.end_ticks} "
                    f"({score.title!r}, voice {voice.name!r}, note {index})"
                )
    return pitch_grid(score)
