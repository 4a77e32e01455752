"""A judge that tells works from what a model composed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqmusic.alignment.judge import train_judge, whole_beats
from seqmusic.corpus.dataset import Dataset
from seqmusic.formats.theme import parse_theme
from seqmusic.score import Score, Voice


def in_fifths(score: Score) -> Score:
    """The soprano of a score in all four voices, an octave or a fifth apart."""
    soprano = score.voices[0].notes
    shifts = dict(zip(("Soprano", "Alto", "Tenor", "Bass"), (0, -5, -12, -24), strict=True))
    voices = tuple(
        Voice(name, tuple(replace(note, pitch=note.pitch + shift) for note in soprano))
        for name, shift in shifts.items()
    )
    return Score(voices, score.time_signatures, score.pickup_ticks, score.key)


def test_unseen_works_score_higher_than_parallel_fifths(small_dataset: Dataset) -> None:
    works = [work.score for work in small_dataset.works_in("train")]
    score = train_judge(works, [in_fifths(work) for work in works])
    for work in small_dataset.works_in("valid"):
        assert score(work.score) > 0 > score(in_fifths(work.score))


def test_a_passage_is_scored_from_its_first_beat_on_and_in_whole_beats() -> None:
    score = parse_theme("C4:1/16 D4:1/4 E4:5/16")
    assert whole_beats(score).shape == (1, 8)
    assert np.array_equal(whole_beats(score)[0, :4], [60, 62, 62, 62])
