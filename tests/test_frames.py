"""Frames: what a judge sees of music."""

from dataclasses import replace

import numpy as np

from seqmusic.formats.theme import parse_theme
from seqmusic.generation.search.frames import (
    COLUMN_SIZES,
    COLUMN_STARTS,
    grid_frames,
    layout_of,
    score_frames,
)
from seqmusic.pitch_grid import pitch_grid
from seqmusic.score import SATB, Key, Score, Voice

HEIGHTS = slice(23, 27)


def chorale(text: str, **fields: object) -> Score:
    score = parse_theme(text, key=Key(0, "major"))
    voices = (Voice(name, voice.notes) for name, voice in zip(SATB, score.voices, strict=True))
    return replace(score, voices=tuple(voices), **fields)


# V7-I in C major: each eighth is a frame.
CADENCE = chorale("D5:1/4 C5:1/4 ; B4:1/8 A4:1/16 B4:1/16 C5:1/4 ; F4:1/4 E4:1/4 ; G3:1/4 C3:1/4")


def values(score: Score) -> np.ndarray:
    layout = layout_of(score)
    assert layout is not None
    return score_frames(score, layout) - COLUMN_STARTS


def test_frames_of_a_cadence() -> None:
    frames = values(CADENCE)
    assert frames.shape == (4, len(COLUMN_SIZES))
    # One more than: soprano, alto and tenor above the bass, and the bass above the tonic.
    assert frames[0, :4].tolist() == [8, 5, 11, 8]
    assert frames[2, :4].tolist() == [1, 1, 5, 1]
    # The alto's B has nothing before it; its A moves down a tone and on again within the frame.
    assert frames[0, 8:12].tolist() == [0, 0, 1, 0]
    assert frames[1, 8:12].tolist() == [13 - 2, 0, 1, 1]
    assert frames[2, 8:12].tolist() == [13 + 1, 13 + 2, 1, 0]
    # Position in the bar in eighths, beats left after this one, major.
    assert frames[:, -3:].tolist() == [[0, 1, 0], [1, 1, 0], [2, 0, 0], [3, 0, 0]]


def test_frames_are_the_same_in_every_key_but_for_the_height() -> None:
    moved = replace(CADENCE.transposed(3), key=Key(-3, "major"))
    same, other = (np.delete(values(score), HEIGHTS, axis=1) for score in (CADENCE, moved))
    assert (same == other).all()
    assert (values(CADENCE) != values(moved)).any()


def test_frames_begin_on_the_first_beat() -> None:
    late = chorale(
        "A4:1/8 D5:1/4 C5:1/4 ; E4:1/8 B4:1/8 A4:1/16 B4:1/16 C5:1/4 ; "
        "C4:1/8 F4:1/4 E4:1/4 ; A3:1/8 G3:1/4 C3:1/4",
        pickup_ticks=12,
    )
    assert (values(late) == values(CADENCE)).all()


def test_each_value_has_its_row() -> None:
    rng = np.random.default_rng(1)
    layout = layout_of(CADENCE)
    assert layout is not None
    grid = rng.integers(-1, 128, (3, 4, 66))
    frames = grid_frames(grid, layout, 0) - COLUMN_STARTS
    assert frames.shape == (3, 33, len(COLUMN_SIZES))
    assert (frames >= 0).all()
    assert (frames < np.array(COLUMN_SIZES)).all()


def test_frames_do_not_depend_on_what_follows() -> None:
    layout = layout_of(CADENCE)
    assert layout is not None
    grid = pitch_grid(CADENCE)[None]
    other = grid.copy()
    other[:, :, 8:] = 60
    one, two = (grid_frames(pitches, layout, 0) for pitches in (grid, other))
    assert (one[:, :4] == two[:, :4]).all()


def test_only_four_voices_in_a_key_have_a_layout() -> None:
    assert layout_of(replace(CADENCE, key=None)) is None
    assert layout_of(replace(CADENCE, voices=CADENCE.voices[:3])) is None
