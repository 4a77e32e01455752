"""The music of other chorale generators, from the files that they publish."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqmusic.errors import CorruptFileError
from seqmusic.formats.number_arrays import Numbers, read_number_arrays
from seqmusic.pitch_grid import REST_CELL, notes_from_cells
from seqmusic.score import SATB, Score, Voice

PEER_KEY = "pitches"
MAX_STEPS = 4096
_HIGHEST_PITCH = 127


def read_peer(path: Path) -> list[Score]:
    """The pieces of a file like ``js-fakes-16thSeparated.npz``, without meter and key.

    Under ``pitches`` it has an array of each piece: (step, 4) MIDI numbers on the sixteenth grid,
    soprano first, -1 for a rest. Equal neighbors become one note.

    Raises:
        FormatError: there is no such file, it is too large, or it has no array ``pitches``.
        CorruptFileError: it is no ``.npz`` file, or not four voices on a grid.
    """
    arrays = read_number_arrays(path, PEER_KEY)
    if not arrays:
        raise CorruptFileError(f"{path}: {PEER_KEY!r} must be a list of pieces, got 0")
    return [_score(path, number, array) for number, array in enumerate(arrays)]


def _score(path: Path, number: int, array: Numbers) -> Score:
    piece = f"{path}: {PEER_KEY!r}, piece {number}"
    if array.ndim != 2 or array.shape[1] != len(SATB) or not 0 < len(array) <= MAX_STEPS:
        raise CorruptFileError(
            f"{piece}: must be four voices on a grid, (step, 4) with 1..{MAX_STEPS} steps, "
            f"got {array.shape}"
        )
    is_pitch = (array >= REST_CELL) & (array <= _HIGHEST_PITCH) & (array == np.round(array))
    if not is_pitch.all():
        step, voice = np.argwhere(~is_pitch)[0].tolist()
        raise CorruptFileError(
            f"{piece}, step {step}: {SATB[voice].lower()} must be a MIDI number in "
            f"0..{_HIGHEST_PITCH} or {REST_CELL}, got {array[step, voice]}"
        )
    lines = zip(SATB, array.astype(np.int64).T.tolist(), strict=True)
    return Score(tuple(Voice(name, tuple(notes_from_cells(line))) for name, line in lines), ())
