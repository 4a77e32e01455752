"""The simplest rival: every voice keeps its note until, at a rate known for each place in the beat, it takes another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqmusic.pitch_grid import count_steps
from seqmusic.score import TICKS_PER_SIXTEENTH, Score

_REST = 128
_N_CELL_VALUES = _REST + 1
_STEPS_PER_BEAT = 4


def persistence_nats(training: Sequence[Score], held_out: Sequence[Score]) -> list[float]:
    """Total negative log-likelihood of each held-out piece, in nats, cell by cell on the sixteenth grid.

    A cell is the pitch (or rest) that sounds when the step begins; a note struck again counts as held, and what is shorter than
    a step may go unseen, so the figure is kind to this rival. Both rates are counted with one added to each value.

    Args:
        training: pieces to count; voices are told apart by their place in the score.
        held_out: pieces to predict, with any number of voices.
    """
    n_voices = max((len(score.voices) for score in (*training, *held_out)), default=0)
    hold = np.ones((n_voices, _STEPS_PER_BEAT, 2))
    unigram = np.ones((n_voices, _N_CELL_VALUES))
    for grid in map(_grid, training):
        for voice, line in enumerate(grid):
            np.add.at(unigram[voice], line, 1)
            np.add.at(hold[voice], (_beat_steps(line)[1:], (line[1:] == line[:-1]).astype(int)), 1)
    hold /= hold.sum(axis=-1, keepdims=True)
    unigram /= unigram.sum(axis=-1, keepdims=True)
    return [
        math.fsum(
            _line_nats(line, hold[voice], unigram[voice]) for voice, line in enumerate(_grid(score))
        )
        for score in held_out
    ]


def _line_nats(
    line: NDArray[np.int64], hold: NDArray[np.float64], unigram: NDArray[np.float64]
) -> float:
    """Nats of one voice: `hold` is (step of the beat, [changes, holds]), `unigram` (value,)."""
    if not len(line):
        return 0.0
    before, after = line[:-1], line[1:]
    rates = hold[_beat_steps(line)[1:]]
    changed = rates[:, 0] * unigram[after] / (1 - unigram[before])
    chosen = np.where(after == before, rates[:, 1], changed)
    return float(-math.log(unigram[line[0]]) - np.log(chosen).sum())


def _grid(score: Score) -> NDArray[np.int64]:
    """(voice, step) pitch that sounds when the step begins."""
    grid = np.full((len(score.voices), count_steps(score)), _REST)
    for line, voice in zip(grid, score.voices, strict=True):
        for note in voice.notes:
            line[
                -(-note.onset_ticks // TICKS_PER_SIXTEENTH) : -(
                    -note.end_ticks // TICKS_PER_SIXTEENTH
                )
            ] = note.pitch
    return grid


def _beat_steps(line: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.arange(len(line)) % _STEPS_PER_BEAT
