"""Windows of four-part music: 64 sixteenth steps of a piece, as pitches.

Tables of pitches do not tell repeated notes from held ones, nor do windows: so music from scores
and music from tables compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Ints
from seqmusic.metrics.harmony import beat_steps
from seqmusic.pitch_grid import pitch_grid
from seqmusic.score import SATB, Score

WINDOW_STEPS = 64
Pitches = NDArray[np.int16]
"""(voice, step) of one window: MIDI numbers, soprano first, -1 for a rest; it begins on a beat."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of several works.

    Attributes:
        pitches: (N, voice, step).
        groups: (N,) the number of the group that each is from: the works that share a tune, since
            whoever has seen one setting of a tune recognizes the others.
    """

    pitches: NDArray[np.int16]
    groups: Ints

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def n_groups(self) -> int:
        """How many groups have a window."""
        return len(np.unique(self.groups))


def cut_windows(scores: Sequence[Score], groups: Sequence[int]) -> Windows:
    """The windows of scores in four voices, one after the other from the first beat on.

    What is left at the end of a score is too short for a window and is dropped.

    Args:
        scores: in four voices.
        groups: the number of the group of each.

    >>> from seqmusic.formats.theme import parse_theme
    >>> found = cut_windows([parse_theme("C5:9/1 ; G4:9/1 ; E4:9/1 ; C4:9/1")], [7])
    >>> found.pitches.shape, found.groups.tolist()
    ((2, 4, 64), [7, 7])
    """
    pitches, numbers = [np.zeros((0, len(SATB), WINDOW_STEPS), np.int16)], []
    for score, group in zip(scores, groups, strict=True):
        grid = pitch_grid(score)[:, beat_steps(score).start :]
        n_windows = grid.shape[1] // WINDOW_STEPS
        parts = grid[:, : n_windows * WINDOW_STEPS].reshape(len(SATB), n_windows, WINDOW_STEPS)
        pitches.append(parts.transpose(1, 0, 2))
        numbers += [group] * n_windows
    return Windows(np.concatenate(pitches), np.array(numbers, np.int64))


def changed_cells(pitches: Pitches) -> NDArray[np.bool_]:
    """(voice, step) whether a voice changes to another pitch or a rest; False in the first step.

    >>> changed_cells(np.array([[60, 60, 62, -1]], np.int16)).tolist()
    [[False, False, True, True]]
    """
    changes = np.zeros(pitches.shape, bool)
    changes[:, 1:] = pitches[:, 1:] != pitches[:, :-1]
    return changes
