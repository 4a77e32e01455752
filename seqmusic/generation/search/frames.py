"""Music in four voices as frames, one an eighth: what a judge sees of it.

A frame says which chord sounds, relative to its lowest pitch and to the tonic, how each voice came
there in its last two moves, how far apart the voices are, and where in the bar and before the end
it stands. Repeated notes are read as held.

Letters in shapes: N pieces, S sixteenth steps, F frames, C columns of a frame.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Ints, Mask
from seqmusic.pitch_grid import REST_CELL, pitch_grid
from seqmusic.score import SATB, TICKS_PER_QUARTER, TICKS_PER_SIXTEENTH, TICKS_PER_WHOLE, Score
from seqmusic.tonality import tonic_pitch_class

FRAME_TICKS = 12
_STEPS_PER_FRAME = FRAME_TICKS // TICKS_PER_SIXTEENTH
_MAX_INTERVAL = 12  # semitones; larger ones count as this
_MAX_DISTANCE = 22  # columns of the distance between neighbors, from two semitones of crossing on
_CROSSING = 2
_LOWEST = (55, 50, 43, 33)  # pitch below which each voice is simply low
_MAX_POSITION, _MAX_BEATS_TO_END, _MAX_HEIGHT = 8, 5, 11
_N_MOVES = 2 + 2 * _MAX_INTERVAL
# Values of the columns: four chord members, five of each voice, three distances, four heights,
# position in the bar, beats to the end, mode.
COLUMN_SIZES = (
    *(13,) * 4,
    *(_N_MOVES, _N_MOVES, 2, 2) * 4,
    *(_MAX_DISTANCE + 2,) * 3,
    *(_MAX_HEIGHT + 2,) * 4,
    *(_MAX_POSITION + 1, _MAX_BEATS_TO_END + 1, 2),
)
COLUMN_STARTS = np.cumsum((0, *COLUMN_SIZES[:-1]))
N_FRAME_VALUES = sum(COLUMN_SIZES)
Grid = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Key, meter and length of a piece.

    Attributes:
        tonic: pitch class.
        is_minor: whether the key is a minor one.
        bar_ticks: length of a bar.
        pickup_ticks: length of the pickup.
        end_ticks: where the piece ends.
    """

    tonic: int
    is_minor: bool
    bar_ticks: int
    pickup_ticks: int
    end_ticks: int

    @property
    def first_tick(self) -> int:
        """Where the first frame begins: on the first beat, rounded up to the sixteenth grid."""
        return -(-(self.pickup_ticks % TICKS_PER_QUARTER) // TICKS_PER_SIXTEENTH) * (
            TICKS_PER_SIXTEENTH
        )


def layout_of(score: Score) -> Layout | None:
    """Key, meter and length of a score; None if it has no key, or is not in four voices."""
    if score.key is None or tuple(voice.name for voice in score.voices) != SATB:
        return None
    meters = score.time_signatures
    return Layout(
        tonic=tonic_pitch_class(score.key),
        is_minor=score.key.mode == "minor",
        bar_ticks=meters[0][1].bar_ticks if meters else TICKS_PER_WHOLE,
        pickup_ticks=score.pickup_ticks,
        end_ticks=score.end_ticks,
    )


def score_frames(score: Score, layout: Layout) -> Ints:
    """(F, C) frames of a score in four voices, rows of a table of `N_FRAME_VALUES`."""
    grid = pitch_grid(score, first_tick=layout.first_tick)
    frames: Ints = grid_frames(grid[None], layout, layout.first_tick)[0]
    return frames


def grid_frames(grid: Grid, layout: Layout, first_tick: int) -> Ints:
    """(N, F, C) frames of (N, 4, S) pitches, -1 for a rest, whose first step is at `first_tick`.

    A step too many at the end is dropped.
    """
    n_pieces, _, n_steps = grid.shape
    n_frames = n_steps // _STEPS_PER_FRAME
    pitches: Ints = grid[:, :, : n_frames * _STEPS_PER_FRAME].astype(np.int64)
    ticks = first_tick + FRAME_TICKS * np.arange(n_frames)
    columns = [*_chords(pitches, layout.tonic), *_moves(pitches), *_spacing(pitches)]
    position = (ticks - layout.pickup_ticks) % layout.bar_ticks // FRAME_TICKS
    to_end = (layout.end_ticks - ticks - 1) // TICKS_PER_QUARTER
    columns += [
        np.broadcast_to(column, (n_pieces, n_frames))
        for column in (
            np.minimum(position, _MAX_POSITION),
            np.clip(to_end, 0, _MAX_BEATS_TO_END),
            np.full(n_frames, int(layout.is_minor)),
        )
    ]
    frames: Ints = np.stack(columns, axis=-1) + COLUMN_STARTS
    return frames


def _chords(grid: Ints, tonic: int) -> list[Ints]:
    """Upper voices as pitch classes above the bass, and the bass as one above the tonic."""
    *upper, bass = (grid[:, voice, ::_STEPS_PER_FRAME] for voice in range(4))
    columns = [np.where(_sound(line, bass), 1 + (line - bass) % 12, 0) for line in upper]
    return [*columns, np.where(_sound(bass), 1 + (bass - tonic) % 12, 0)]


def _moves(grid: Ints) -> list[Ints]:
    """Of each voice its last two moves, and whether it changes on either half of the frame."""
    last, earlier = _earlier_pitches(grid)
    before = np.concatenate([np.full_like(grid[:, :, :1], REST_CELL), grid[:, :, :-1]], axis=2)
    changes = (grid != before).astype(np.int64)
    columns = []
    for voice in range(grid.shape[1]):
        now, once, twice = (a[:, voice, ::_STEPS_PER_FRAME] for a in (grid, last, earlier))
        columns += [_interval(once, now), _interval(twice, once)]
        columns += [changes[:, voice, part::_STEPS_PER_FRAME] for part in range(_STEPS_PER_FRAME)]
    return columns


def _spacing(grid: Ints) -> list[Ints]:
    """Distances of neighboring voices, and how high each voice is in its compass."""
    lines = [grid[:, voice, ::_STEPS_PER_FRAME] for voice in range(4)]
    columns = [
        np.where(_sound(a, b), 1 + np.clip(a - b + _CROSSING, 0, _MAX_DISTANCE), 0)
        for a, b in itertools.pairwise(lines)
    ]
    return columns + [
        np.where(_sound(line), 1 + np.clip((line - low) // 2, 0, _MAX_HEIGHT), 0)
        for line, low in zip(lines, _LOWEST, strict=True)
    ]


def _earlier_pitches(grid: Ints) -> tuple[Ints, Ints]:
    """(N, 4, S) the pitch of each voice before its last change, and the one before that.

    >>> [pitches.tolist() for pitches in _earlier_pitches(np.array([[[60, 62, 62, 64]]]))]
    [[[[-1, 60, 60, 62]]], [[[-1, -1, -1, 60]]]]
    """
    last, earlier = np.full_like(grid, REST_CELL), np.full_like(grid, REST_CELL)
    for step in range(1, grid.shape[2]):
        before = grid[:, :, step - 1]
        moves = grid[:, :, step] != before
        last[:, :, step] = np.where(moves, before, last[:, :, step - 1])
        earlier[:, :, step] = np.where(moves, last[:, :, step - 1], earlier[:, :, step - 1])
    return last, earlier


def _interval(start: Ints, end: Ints) -> Ints:
    """Semitones as values of a column; 0 where one of the two is a rest."""
    semitones = np.clip(end - start, -_MAX_INTERVAL, _MAX_INTERVAL)
    return np.where(_sound(start, end), 1 + _MAX_INTERVAL + semitones, 0)


def _sound(*pitches: Ints) -> Mask:
    """Where all of some pitches are none of them rests."""
    found: Mask = np.logical_and.reduce([line != REST_CELL for line in pitches])
    return found
