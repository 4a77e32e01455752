"""Resolution and preparation: cases worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from small_scores import chorale_like, score

from seqmusic.metrics.rates import Rate
from seqmusic.metrics.resolution import (
    following_pitches,
    prepared_dissonances,
    resolved_leading_tones,
    resolved_sevenths,
    resolved_tritones,
    tritone_resolutions,
)
from seqmusic.pitch_grid import pitch_grid
from seqmusic.score import Score

MEASURES = (
    *(resolved_leading_tones, resolved_sevenths, resolved_tritones),
    *(tritone_resolutions, prepared_dissonances),
)
D, B, F, G = 74, 71, 65, 55  # V7 in C, from the soprano down


def after_dominant_seventh(*pitches: int) -> Score:
    """V7 of C, and what follows it in four voices."""
    return score(*zip((D, B, F, G), pitches, strict=True))


def test_a_dominant_seventh_resolves_as_the_textbook_says() -> None:
    """B rises to C, F falls to E, and the diminished fifth between them closes to a third."""
    piece = after_dominant_seventh(72, 72, 64, 48)
    assert resolved_leading_tones(piece) == Rate(1, 1)
    assert resolved_sevenths(piece) == Rate(1, 1)
    assert resolved_tritones(piece) == Rate(1, 1)
    assert tritone_resolutions(piece) == Rate(1, 6)  # of the six pairs, which all move


def test_a_leading_tone_in_the_middle_may_fall_to_the_fifth_but_does_not_rise() -> None:
    piece = after_dominant_seventh(72, 67, 64, 48)
    assert resolved_leading_tones(piece) == Rate(0, 1)
    assert resolved_sevenths(piece) == Rate(1, 1)
    assert resolved_tritones(piece) == Rate(0, 1)


def test_a_seventh_that_rises_or_leaps_is_not_resolved() -> None:
    for tenor in (67, 60):
        assert resolved_sevenths(after_dominant_seventh(72, 72, tenor, 48)) == Rate(0, 1)


def test_a_seventh_held_over_two_beats_is_one_opportunity() -> None:
    piece = score((74, 74, 72), (71, 71, 72), (65, 65, 64), (55, 55, 48))
    assert resolved_sevenths(piece) == Rate(1, 1)
    assert resolved_leading_tones(piece) == Rate(1, 1)
    assert resolved_tritones(piece) == Rate(1, 1)


def test_the_third_of_a_triad_leads_only_where_the_tonic_follows() -> None:
    to_tonic = score((67, 67), (62, 64), (71, 72), (55, 48))
    to_submediant = score((67, 69), (62, 60), (71, 76), (55, 53))
    assert resolved_leading_tones(to_tonic) == Rate(1, 1)
    assert resolved_leading_tones(to_submediant) == Rate(0, 0)


def test_the_last_note_of_a_voice_is_no_opportunity() -> None:
    assert resolved_sevenths(score((D,), (B,), (F,), (G,))) == Rate(0, 0)
    rests = score((D, None), (B, None), (F, None), (G, 48))
    assert resolved_tritones(rests) == resolved_leading_tones(rests) == Rate(0, 0)


def test_an_augmented_fourth_opens() -> None:
    """F below B: the voices part by a step each, to E and C."""
    assert resolved_tritones(score((71, 72), (65, 64))) == Rate(1, 1)
    assert tritone_resolutions(score((71, 72), (65, 64))) == Rate(1, 1)
    for upper, lower in ((72, 67), (69, 64), (76, 64)):  # both up, both down, a leap
        assert resolved_tritones(score((71, upper), (65, lower))) == Rate(0, 1)
        assert tritone_resolutions(score((71, upper), (65, lower))) == Rate(0, 1)


def test_suspensions_are_prepared_and_struck_seconds_are_not() -> None:
    suspended = score((72, 72, 71), (67, 62, 62))  # C over D: the C was there before
    struck = score((72, 72, 71), (67, 67, 69))
    assert prepared_dissonances(suspended) == Rate(1, 1)
    assert prepared_dissonances(struck) == Rate(0, 1)
    assert prepared_dissonances(score((72, 72), (62, 62))) == Rate(0, 0)  # it does not begin there


def test_following_pitches_skip_repeated_notes() -> None:
    grid = pitch_grid(score((60, 60, 62, None, 64)))[:, ::4]
    np.testing.assert_array_equal(following_pitches(grid), [[62, 62, -1, 64, -1]])


@pytest.mark.parametrize("measure", MEASURES)
@given(piece=chorale_like())
def test_dissonance_is_the_same_in_every_key(measure: object, piece: Score) -> None:
    assert callable(measure)
    found = measure(piece)
    assert measure(piece.transposed(-7)) == found
    assert 0 <= found.hits <= found.opportunities
    assert measure(Score(())) == Rate(0, 0)
