"""The simplest baseline: a voice holds or changes its pitch at a rate per sixteenth of the beat."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqmusic.pitch_grid import pitch_grid
from seqmusic.score import Score

_N_CELL_VALUES = 129  # pitches and the rest, which is -1 and so the last index
_STEPS_PER_BEAT = 4


def persistence_nats(training: Sequence[Score], held_out: Sequence[Score]) -> list[float]:
    """Total negative log-likelihood of each held-out piece, in nats, cell by cell.

    A cell of the sixteenth grid is the pitch (or rest) that sounds when the step begins. A repeated
    note counts as held and shorter notes may be missed, so the figure flatters this baseline. Both
    rates are counted with one added to each value.

    Args:
        training: pieces to count; voices are distinguished by their position in the score.
        held_out: pieces to predict, with any number of voices.
    """
    n_voices = max((len(score.voices) for score in (*training, *held_out)), default=0)
    hold = np.ones((n_voices, _STEPS_PER_BEAT, 2))
    unigram = np.ones((n_voices, _N_CELL_VALUES))
    for grid in map(pitch_grid, training):
        for voice, line in enumerate(grid):
            np.add.at(unigram[voice], line, 1)
            np.add.at(hold[voice], (_beat_steps(line)[1:], (line[1:] == line[:-1]).astype(int)), 1)
    hold /= hold.sum(axis=-1, keepdims=True)
    unigram /= unigram.sum(axis=-1, keepdims=True)
    return [math.fsum(map(_line_nats, pitch_grid(score), hold, unigram)) for score in held_out]


def _line_nats(
    line: NDArray[np.int16], hold: NDArray[np.float64], unigram: NDArray[np.float64]
) -> float:
    """Nats of one voice: `hold` is (step of the beat, [changes, holds]), `unigram` (value,)."""
    if not len(line):
        return 0.0
    before, after = line[:-1], line[1:]
    rates = hold[_beat_steps(line)[1:]]
    changed = rates[:, 0] * unigram[after] / (1 - unigram[before])
    chosen = np.where(after == before, rates[:, 1], changed)
    return float(-math.log(unigram[line[0]]) - np.log(chosen).sum())


def _beat_steps(line: NDArray[np.int16]) -> NDArray[np.int64]:
    return np.arange(len(line)) % _STEPS_PER_BEAT
