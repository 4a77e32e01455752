"""Tune families: works whose highest voices sing the same tune, wholly or in part, in whatever key.

Two works are of one family when their tunes begin alike, when a stretch of one tune stands in the other (note by note, or on the
beats only, so that passing notes and ties do not hide it), or when they share many chords; and so is whoever is of one family with
one of them. A split that keeps families whole cannot be won by remembering tunes.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np

from seqmusic.corpus.duplicates import chords_on_quarters, similar_pairs
from seqmusic.score import Score

INCIPIT_STEPS = 7
STRETCH_NOTES = 12
STRETCH_BEATS = 16
LEAK_NOTES = 16
_MIN_SHARED_CHORDS = 0.25


def tune_families(scores: Sequence[Score]) -> list[int]:
    """The number of each score's family, counted from 0 in order of first appearance."""
    parents = list(range(len(scores)))
    first_with: dict[Hashable, int] = {}
    for position, score in enumerate(scores):
        for mark in _marks(score):
            _join(parents, position, first_with.setdefault(mark, position))
    for position, earlier in similar_pairs(scores, _MIN_SHARED_CHORDS):
        _join(parents, position, earlier)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(_root(parents, position), len(numbers)) for position in range(len(scores))]


def shared_tune_share(held_out: Iterable[Score], training: Iterable[Score], n_notes: int = LEAK_NOTES) -> float:
    """The share of held-out scores with `n_notes` notes in a row that a training tune holds too: the leak of a split, 0..1."""
    known = {stretch for score in training for stretch in stretches(score, n_notes)}
    leaks = [any(stretch in known for stretch in stretches(score, n_notes)) for score in held_out]
    return sum(leaks) / len(leaks) if leaks else 0.0


def stretches(score: Score, n_notes: int = STRETCH_NOTES) -> Iterator[bytes]:
    """Every `n_notes` notes in a row of the highest voice, as their intervals and durations: the same in every key."""
    notes = score.voices[0].notes if score.voices else ()
    pitches = np.array([note.pitch for note in notes], np.int32)
    durations = np.array([note.duration_ticks for note in notes], np.int32)
    steps = np.diff(pitches)
    for start in range(len(notes) - n_notes + 1):
        yield steps[start : start + n_notes - 1].tobytes() + durations[start : start + n_notes].tobytes()


def incipit(score: Score, n_steps: int = INCIPIT_STEPS) -> tuple[int, ...]:
    """The first steps of the highest voice in semitones, repeated notes left out; shorter where the voice is.

    >>> from seqmusic.score import Note, melody
    >>> incipit(melody([Note(0, 24, 60), Note(24, 24, 60), Note(48, 24, 67), Note(72, 24, 65)]))
    (7, -2)
    """
    notes = score.voices[0].notes if score.voices else ()
    pitches = [note.pitch for note in notes]
    steps = [after - before for before, after in itertools.pairwise(pitches) if after != before]
    return tuple(steps[:n_steps])


def _marks(score: Score) -> Iterator[Hashable]:
    yield from stretches(score)
    yield from _stretches_on_beats(score)
    if len(start := incipit(score)) == INCIPIT_STEPS:
        yield start


def _stretches_on_beats(score: Score) -> Iterator[tuple[str, bytes]]:
    """What sounds on 16 beats in a row, as intervals from the first; not where one note fills half of them."""
    tune = chords_on_quarters(score)[:1].ravel()
    for start in range(len(tune) - STRETCH_BEATS + 1):
        beats = tune[start : start + STRETCH_BEATS]
        if (beats != beats[0]).sum() > STRETCH_BEATS // 2:
            yield "beats", (beats - beats[0]).tobytes()


def _root(parents: list[int], position: int) -> int:
    while parents[position] != position:
        parents[position] = parents[parents[position]]
        position = parents[position]
    return position


def _join(parents: list[int], a: int, b: int) -> None:
    a, b = _root(parents, a), _root(parents, b)
    parents[max(a, b)] = min(a, b)
