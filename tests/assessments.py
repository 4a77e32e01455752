"""A small corpus, a small score and scores of events to assess predictions with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation import subject as subjects
from seqmusic.evaluation.subject import Subject, load_subject
from seqmusic.metrics.likelihood import EventScores
from seqmusic.score import Note, Score, TimeSignature, Voice

DATA = Path("works")  # from where `load_corpus` loads what a test gives it
# A pickup of a quarter, then three bars of 3/4: quarters and eighths over dotted halves.
_SOPRANO = ((0, 24), (24, 24), (48, 12), (60, 12), (72, 24), (96, 72), (168, 72))
_BASS = ((0, 24), (24, 72), (96, 72), (168, 72))


def _voice(name: str, line: tuple[tuple[int, int], ...], pitch: int) -> Voice:
    notes = (Note(*ticks, pitch + index % 3) for index, ticks in enumerate(line))
    return Voice(name, tuple(notes))


DUET = Score(
    (_voice("Soprano", _SOPRANO, 70), _voice("Bass", _BASS, 50)),
    ((0, TimeSignature(3, 4)),),
    pickup_ticks=24,
)


def scores_with_nats(rows: np.ndarray, nats: np.ndarray) -> EventScores:  # type: ignore[type-arg]
    """Events whose sounds cost `nats` and whose durations cost nothing."""
    zeros, nines = np.zeros(len(rows), int), np.full(len(rows), 9)
    return EventScores(rows, nats, np.zeros(len(rows)), zeros, zeros, nines, nines)


def small_corpus(chorales: Dataset) -> Dataset:
    """Five training works, two validation works and three test works."""
    sizes = {"train": 5, "valid": 2, "test": 3}
    return Dataset(tuple(w for split, n in sizes.items() for w in chorales.works_in(split)[:n]))


def subject_of(run: Path, split: str, dataset: Dataset) -> Subject:
    """A run with a split of the dataset."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subjects, "load_corpus", lambda data: dataset)
        return load_subject(run, split, DATA)
