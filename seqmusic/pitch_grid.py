"""A score as a table of pitches, voice by voice and step by step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import TICKS_PER_SIXTEENTH, Score

REST_CELL = -1


def count_steps(score: Score, step_ticks: int = TICKS_PER_SIXTEENTH) -> int:
    """Steps of the grid that a score begins, the last one perhaps not full.

    >>> from seqmusic.score import Note, melody
    >>> count_steps(melody([Note(0, 13, 60)]))
    3
    """
    return -(-score.end_ticks // step_ticks)


def count_cells(score: Score) -> int:
    """Sixteenth steps times voices: nats per cell compare across all ways of writing music down.

    >>> from seqmusic.score import Note, melody
    >>> count_cells(melody([Note(0, 24, 60), Note(24, 3, 62)]))
    5
    """
    return count_steps(score) * len(score.voices)


def pitch_grid(score: Score, step_ticks: int = TICKS_PER_SIXTEENTH) -> NDArray[np.int16]:
    """(voice, step) pitch that sounds when the step begins, -1 for a rest.

    >>> from seqmusic.score import Note, melody
    >>> pitch_grid(melody([Note(0, 12, 60), Note(18, 6, 62)])).tolist()
    [[60, 60, -1, 62]]
    """
    grid = np.full((len(score.voices), count_steps(score, step_ticks)), REST_CELL, np.int16)
    for row, voice in zip(grid, score.voices, strict=True):
        for note in voice.notes:
            first, end = -(-note.onset_ticks // step_ticks), -(-note.end_ticks // step_ticks)
            row[first:end] = note.pitch
    return grid
