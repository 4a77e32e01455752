"""The bar grid of a score and the bar lines of a page."""

from __future__ import annotations

import pytest

from seqmusic.formats.measures import PrintedMeasure, meter_from_measures, printed_bars
from seqmusic.score import Note, Score, TimeSignature, Voice

COMMON, WALTZ = TimeSignature(4, 4), TimeSignature(3, 4)


def printed_measures(
    *lengths: int, first_number: int = 1, changes: dict[int, TimeSignature] | None = None
) -> list[PrintedMeasure]:
    """Measures of these lengths, in 4/4, with the time signatures of `changes` at their starts."""
    written = {0: COMMON} | (changes or {})
    onsets = [sum(lengths[:index]) for index in range(len(lengths))]
    return [
        PrintedMeasure(onset, length, index + first_number, written.get(index))
        for index, (onset, length) in enumerate(zip(onsets, lengths, strict=True))
    ]


def test_first_short_measure_is_the_pickup():
    assert meter_from_measures(printed_measures(24, 96, 96, 72, first_number=0)) == (
        24,
        ((0, COMMON),),
    )
    assert meter_from_measures(printed_measures(24, 96, 96, 72, first_number=1)) == (
        24,
        ((0, COMMON),),
    )


def test_single_short_measure_is_a_pickup_only_when_numbered_so():
    assert meter_from_measures(printed_measures(24, first_number=0)) == (24, ((0, COMMON),))
    assert meter_from_measures(printed_measures(24, first_number=1)) == (0, ((0, COMMON),))


def test_measures_around_a_repeat_are_one_bar():
    assert meter_from_measures(printed_measures(24, 96, 72, 24, 96, first_number=0)) == (
        24,
        ((0, COMMON),),
    )


def test_repeated_time_signature_cuts_an_incomplete_bar_short():
    assert meter_from_measures(printed_measures(96, 48, 96, 96)) == (
        0,
        ((0, COMMON), (144, COMMON)),
    )


def test_overlong_measure_ends_where_it_ends():
    """Five beats are a bar and a bar cut to one beat; the three beats after them do not fill it."""
    assert meter_from_measures(printed_measures(96, 120, 72, 96)) == (
        0,
        ((0, COMMON), (216, COMMON), (288, COMMON)),
    )


def test_change_inside_a_bar_with_a_pickup_of_the_new_meter():
    """BWV 41.6: three beats of 4/4, then 3/4 that begins with an upbeat."""
    meter = meter_from_measures(printed_measures(96, 72, 24, 72, 72, changes={2: WALTZ}))
    assert meter == (0, ((0, COMMON), (168, WALTZ), (192, WALTZ)))


def test_time_signature_repeated_at_a_bar_line_is_dropped():
    assert meter_from_measures(printed_measures(96, 96, 96, changes={1: COMMON})) == (
        0,
        ((0, COMMON),),
    )


def test_time_signature_that_comes_late_is_refused():
    measures = [PrintedMeasure(0, 96, 1, None), PrintedMeasure(96, 96, 2, COMMON)]
    with pytest.raises(ValueError, match="first measure has no time signature"):
        meter_from_measures(measures)


def test_last_bar_ends_with_the_music_but_a_pickup_stays_whole():
    score = Score((Voice("Soprano", (Note(0, 120, 60),)),))
    assert [(bar.number, bar.duration_ticks) for bar in printed_bars(score)] == [(1, 96), (2, 24)]
    pickup = Score((Voice("Soprano", (Note(0, 6, 60),)),), pickup_ticks=24)
    assert [(bar.number, bar.duration_ticks) for bar in printed_bars(pickup)] == [(0, 24)]
