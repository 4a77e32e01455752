"""A score as a table of pitches, voice by voice and step by step."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import TICKS_PER_SIXTEENTH, Note, Score

REST_CELL = -1


def count_steps(score: Score, step_ticks: int = TICKS_PER_SIXTEENTH, first_tick: int = 0) -> int:
    """Steps of the grid from `first_tick` on that a score begins, the last one perhaps not full.

    >>> from seqmusic.score import Note, melody
    >>> count_steps(melody([Note(0, 13, 60)]))
    3
    """
    return max(0, -(-(score.end_ticks - first_tick) // step_ticks))


def count_cells(score: Score) -> int:
    """Sixteenth steps times voices: nats per cell compare across all ways of writing music down.

    >>> from seqmusic.score import Note, melody
    >>> count_cells(melody([Note(0, 24, 60), Note(24, 3, 62)]))
    5
    """
    return count_steps(score) * len(score.voices)


def pitch_grid(
    score: Score, step_ticks: int = TICKS_PER_SIXTEENTH, first_tick: int = 0
) -> NDArray[np.int16]:
    """(voice, step) pitch that sounds when the step begins, -1 for a rest.

    The steps begin at `first_tick`, such as 12 for the beats after a pickup of an eighth.

    >>> from seqmusic.score import Note, melody
    >>> pitch_grid(melody([Note(0, 12, 60), Note(18, 6, 62)])).tolist()
    [[60, 60, -1, 62]]
    """
    n_steps = count_steps(score, step_ticks, first_tick)
    grid = np.full((len(score.voices), n_steps), REST_CELL, np.int16)
    for row, voice in zip(grid, score.voices, strict=True):
        for note in voice.notes:
            first = -(-(note.onset_ticks - first_tick) // step_ticks)
            end = -(-(note.end_ticks - first_tick) // step_ticks)
            row[max(0, first) : max(0, end)] = note.pitch
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
