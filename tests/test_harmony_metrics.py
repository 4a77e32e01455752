"""Chords on the beat and dominant-tonic motion: cases that a musician works out by hand."""

import pytest
from hypothesis import given
from small_scores import chorale_like, score

from seqmusic.corpus.dataset import Dataset
from seqmusic.metrics.harmony import (
    beat_chords,
    beat_steps,
    dominant_tonic_motion,
    find_chord,
    root_position_triads,
)
from seqmusic.metrics.rates import Rate, pooled_rate
from seqmusic.score import Note, Score, Voice


@pytest.mark.parametrize(
    ("pitches", "kind", "root", "is_root_position"),
    [
        ((72, 67, 64, 48), "major", 0, True),
        ((72, 67, 60, 52), "major", 0, False),  # C major, its third in the bass
        ((69, 64, 60, 57), "minor", 9, True),
        ((74, 65, 62, 59), "diminished", 11, True),
        ((74, 65, 59, 55), "dominant seventh", 7, True),
        ((67, 62, 59, 53), "dominant seventh", 7, False),  # the seventh in the bass
        ((77, 71, 67, 55), "dominant seventh without fifth", 7, True),
        ((72, 69, 65, 62), "minor seventh", 2, True),
        ((72, 67, 60, 48), "", 0, False),  # a fifth without third has no name
        ((72, 69, 67, 60), "", 0, False),
    ],
)
def test_chords_have_a_root_in_any_inversion(
    pitches: tuple[int, ...], kind: str, root: int, is_root_position: bool
) -> None:
    chord = find_chord(pitches)
    assert chord is not None
    assert (chord.kind, chord.root, chord.is_root_position) == (kind, root, is_root_position)


def test_authentic_motion_needs_a_dominant_and_the_bass_on_both_roots() -> None:
    dominant, tonic = (71, 67, 62, 55), (72, 67, 64, 48)
    for first, second, expected in (
        (dominant, tonic, 1),  # V-I
        ((71, 65, 62, 55), tonic, 1),  # V7-I
        (dominant, (72, 67, 63, 48), 1),  # V-i
        ((70, 67, 62, 55), tonic, 0),  # minor v
        ((71, 67, 62, 59), tonic, 0),  # V6: B in the bass
        (dominant, (72, 67, 64, 52), 0),  # I6
        (tonic, dominant, 0),  # I-V
        (dominant, (72, 69, 64, 57), 0),  # deceptive
    ):
        lines = zip(first, second, strict=True)
        assert dominant_tonic_motion(score(*lines)) == Rate(expected, 1), (first, second)


def test_beats_follow_the_pickup() -> None:
    """After an eighth of pickup the quarters begin with the second eighth."""
    voices = tuple(
        Voice(str(pitch), (Note(0, 12, other), Note(12, 24, pitch)))
        for pitch, other in ((64, 65), (55, 53), (48, 50))
    )
    piece = Score(voices, pickup_ticks=12)
    assert list(beat_steps(piece)) == [2]
    assert root_position_triads(piece) == Rate(1, 1)


def test_beats_with_a_rest_are_no_opportunity() -> None:
    piece = score((64, None, 64), (55, 55, 55), (48, 48, 48))
    assert [chord is None for chord in beat_chords(piece)] == [False, True, False]
    assert dominant_tonic_motion(piece) == Rate(0, 0)
    assert root_position_triads(score((64,), (48,))) == Rate(0, 0)  # two voices


@given(chorale_like())
def test_harmony_is_the_same_in_every_key(piece: Score) -> None:
    for measure in (root_position_triads, dominant_tonic_motion):
        found = measure(piece)
        assert measure(piece.transposed(5)) == found
        assert 0 <= found.hits <= found.opportunities


def test_held_out_bach_has_the_known_shares(chorales: Dataset) -> None:
    """A major or minor triad in root position on half of the beats, V-I on one in eleven."""
    works = [work.score for work in (*chorales.works_in("valid"), *chorales.works_in("test"))]
    triads = pooled_rate("", "", list(map(root_position_triads, works)), 100)
    motion = pooled_rate("", "", list(map(dominant_tonic_motion, works)), 100)
    assert 50 < triads.value < 55
    assert motion.value == pytest.approx(8.9, abs=0.3)
