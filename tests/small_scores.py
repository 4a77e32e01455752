"""Scores of a few notes, written shortly or drawn at random."""

import itertools

from hypothesis import strategies as st

from seqmusic.score import SATB, Key, Note, Score, Voice


def quarters(*pitches: int | None) -> tuple[Note, ...]:
    """One note a quarter; None is a rest."""
    return tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches) if pitch is not None)


def score(*lines: tuple[int | None, ...], key: Key | None = None) -> Score:
    return Score(
        tuple(Voice(f"Voice {i}", quarters(*line)) for i, line in enumerate(lines, start=1)),
        key=key,
    )


@st.composite
def chorale_like(draw: st.DrawFn) -> Score:
    """Four voices of a few pitches on the sixteenth grid, so that parallels, crossings and rests abound."""
    n_steps = draw(st.integers(1, 12))
    lines = []
    for lowest in (64, 60, 57, 48):
        line = draw(
            st.lists(st.sampled_from([None, 0, 0, 3, 5, 7, 12]), min_size=n_steps, max_size=n_steps)
        )
        runs = itertools.groupby(enumerate(line), key=lambda cell: cell[1])
        spans = [(degree, [step for step, _ in cells]) for degree, cells in runs]
        lines.append(
            tuple(
                Note(6 * steps[0], 6 * len(steps), lowest + degree)
                for degree, steps in spans
                if degree is not None
            )
        )
    return Score(tuple(Voice(name, line) for name, line in zip(SATB, lines, strict=True)))
