"""A score as a table of pitches, voice by voice and step by step."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import TICKS_PER_SIXTEENTH, Note, Score

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


def notes_from_cells(
    pitches: Iterable[int], step_ticks: int = TICKS_PER_SIXTEENTH
) -> Iterator[Note]:
    """One note for each run of equal pitches in one voice of a grid, -1 for a rest.

    >>> [(n.onset_ticks, n.duration_ticks, n.pitch) for n in notes_from_cells([60, 60, -1, 62])]
    [(0, 12, 60), (18, 6, 62)]
    """
    onset = 0
    for pitch, run in itertools.groupby(pitches):
        duration = step_ticks * sum(1 for _ in run)
        if pitch != REST_CELL:
            yield Note(onset, duration, pitch)
        onset += duration
