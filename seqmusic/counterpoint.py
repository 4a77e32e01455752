"""Parallel motion between two voices: the one definition that masks, checks and measures share.

Source: J. J. Fux, Gradus ad Parnassum, 1725: perfect consonances are reached by contrary or oblique
motion only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

PERFECT_INTERVALS = (0, 7)
"""Semitones of unisons, octaves and fifths, without their octaves."""


def perfect_parallels(
    start: ArrayLike,
    end: ArrayLike,
    other_start: ArrayLike,
    other_end: ArrayLike,
    intervals: tuple[int, ...] = PERFECT_INTERVALS,
) -> NDArray[np.bool_]:
    """Whether two voices move in the same direction from one perfect interval to its like.

    Args:
        start: MIDI numbers of one voice before, of any shape that broadcasts with the others.
        end: MIDI numbers of that voice after.
        other_start: MIDI numbers of the other voice before.
        other_end: MIDI numbers of the other voice after.
        intervals: the perfect intervals to look for, among `PERFECT_INTERVALS`.

    Returns:
        The broadcast shape; True for parallel fifths, octaves and unisons, also octaves apart.

    >>> perfect_parallels(60, [62, 60, 58], 67, 69).tolist()
    [True, False, False]
    >>> perfect_parallels(60, [62, 60, 58], 67, 69, intervals=(0,)).tolist()
    [False, False, False]
    """
    a, b, c, d = (
        np.asarray(pitch, dtype=np.int64) for pitch in (start, end, other_start, other_end)
    )
    before, after = np.abs(a - c) % 12, np.abs(b - d) % 12
    moves: NDArray[Any] = (b != a) & (np.sign(b - a) == np.sign(d - c))
    return np.asarray(moves & (before == after) & np.isin(before, intervals))
