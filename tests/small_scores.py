"""Scores of a few notes, written by hand or drawn at random."""

import itertools

from hypothesis import strategies as st

from seqmusic.score import SATB, Key, Note, Score, Voice


def quarters(*pitches: int | None) -> tuple[Note, ...]:
    """One note a quarter; None is a rest."""
    return tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches) if pitch is not None)


def score(*lines: tuple[int | None, ...], key: Key | None = None) -> Score:
    """A score of lines of quarters."""
    voices = [Voice(f"Voice {i}", quarters(*line)) for i, line in enumerate(lines, start=1)]
    return Score(tuple(voices), key=key)


@st.composite
def chorale_like(draw: st.DrawFn) -> Score:
    """Four voices of a few pitches in sixteenths, so that parallels, crossings and rests abound."""
    n_steps = draw(st.integers(1, 12))
    degrees = st.sampled_from([None, 0, 0, 3, 5, 7, 12])
    voices = []
    for name, lowest in zip(SATB, (64, 60, 57, 48), strict=True):
        line = draw(st.lists(degrees, min_size=n_steps, max_size=n_steps))
        notes = []
        for degree, cells in itertools.groupby(enumerate(line), key=lambda cell: cell[1]):
            steps = [step for step, _ in cells]
            if degree is not None:
                notes.append(Note(6 * steps[0], 6 * len(steps), lowest + degree))
        voices.append(Voice(name, tuple(notes)))
    return Score(tuple(voices))
