"""Key finding beside that of music21, on fifty chorales."""

from __future__ import annotations

from dataclasses import replace

import pytest
from music21 import note as m21note
from music21 import stream as m21stream
from music21.analysis.discrete import KrumhanslKessler

from seqmusic.corpus.dataset import Dataset
from seqmusic.score import TICKS_PER_QUARTER, Key, Note, Score, melody
from seqmusic.tonality import infer_key, key_correlations, tonic_pitch_class, with_tonal_key

N_SCORES = 50


@pytest.fixture(scope="module")
def fifty_scores(chorales: Dataset) -> list[Score]:
    """Every seventh chorale."""
    return [work.score for work in chorales.kept_works[::7]][:N_SCORES]


def music21_correlations(
    score: Score, *, last_bass_note_longer: float = 0
) -> dict[tuple[int, str], float]:
    """music21's correlations by tonic and mode, with the last bass note longer by some quarters."""
    notes = m21stream.Stream()
    last = score.voices[-1].notes[-1]
    for voice in score.voices:
        for note in voice.notes:
            extra = last_bass_note_longer if note is last else 0
            quarters = note.duration_ticks / TICKS_PER_QUARTER + extra
            notes.insert(note.onset_ticks / TICKS_PER_QUARTER, _note(note.pitch, quarters))
    analysis = KrumhanslKessler()
    first = analysis.getSolution(notes)
    keys = [first, *first.alternateInterpretations]
    return {(key.tonic.pitchClass, key.mode): key.correlationCoefficient for key in keys}


def _note(pitch: int, quarters: float) -> m21note.Note:
    return m21note.Note(pitch, quarterLength=quarters)


def test_correlations_equal_those_of_music21_with_a_longer_last_bass_note(
    fifty_scores: list[Score],
) -> None:
    """The only difference: the end of a piece says more about its key than one note."""
    assert len(fifty_scores) == N_SCORES
    for score in fifty_scores:
        theirs = music21_correlations(score, last_bass_note_longer=4)
        ours = {_tonic_and_mode(key): value for key, value in key_correlations(score).items()}
        assert ours == pytest.approx(theirs, abs=1e-3), score.title  # music21 rounds


def test_the_key_mostly_equals_that_of_music21_and_is_more_often_the_written_one(
    fifty_scores: list[Score],
) -> None:
    """At writing: 45 times the same; the written key 38 times here, 35 times there."""
    same = ours_right = theirs_right = 0
    for score in fifty_scores:
        theirs = music21_correlations(score)
        ours = _tonic_and_mode(infer_key(score))
        best = max(theirs, key=lambda key: theirs[key])
        written = score.key and _tonic_and_mode(score.key)
        same += ours == best
        ours_right += ours == written
        theirs_right += best == written
    assert same >= 43
    assert ours_right >= max(36, theirs_right)


def _tonic_and_mode(key: Key) -> tuple[int, str]:
    return tonic_pitch_class(key), key.mode


def test_a_last_major_chord_leaves_a_minor_key_minor() -> None:
    tune = melody([Note(24 * i, 24, pitch) for i, pitch in enumerate((67, 70, 69, 70, 72, 74, 67))])
    (bass,) = melody([Note(0, 144, 55), Note(144, 24, 43)]).voices
    (third,) = melody([Note(144, 24, 71)]).voices
    dorian = replace(tune, voices=(*tune.voices, third, bass), key=Key(-1, "minor"))
    assert with_tonal_key(dorian).key == Key(-2, "minor")
    assert with_tonal_key(replace(dorian, key=Key(-2, "minor"))).key == Key(-2, "minor")
    assert with_tonal_key(replace(dorian, key=None)).key == Key(-2, "minor")
