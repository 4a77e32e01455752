"""Bar grids and written values, apart from any library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.formats.measures import (
    PrintedMeasure,
    beams,
    meter_from_measures,
    printed_bars,
    printed_events_by_bar,
    shown_accidentals,
    written_values,
)
from seqmusic.score import Bar, Key, Note, Score, TimeSignature, Voice
from seqmusic.tonality import Spelling, spell

COMMON, WALTZ = TimeSignature(4, 4), TimeSignature(3, 4)


def printed_measures(
    *lengths: int, first_number: int = 1, changes: dict[int, TimeSignature] | None = None
) -> list[PrintedMeasure]:
    """Measures of these lengths, in 4/4, with time signatures written at the start of those in `changes`."""
    written = {0: COMMON} | (changes or {})
    onsets = [sum(lengths[:index]) for index in range(len(lengths))]
    return [
        PrintedMeasure(onset, length, index + first_number, written.get(index))
        for index, (onset, length) in enumerate(zip(onsets, lengths, strict=True))
    ]


@given(st.integers(1, 2000))
def test_written_values_add_up(duration):
    assert sum(value.duration_ticks for value in written_values(duration)) == duration


@pytest.mark.parametrize(
    ("ticks", "written"),
    [
        (24, [(4, 0, False)]),
        (36, [(4, 1, False)]),
        (3, [(32, 0, False)]),
        (8, [(8, 0, True)]),
        (16, [(4, 0, True)]),
        (60, [(2, 0, False), (8, 0, False)]),
        (84, [(2, 1, False), (8, 0, False)]),
        (1, [(64, 0, True)]),
    ],
)
def test_written_values_by_hand(ticks, written):
    assert [
        (value.denominator, value.dots, value.is_triplet) for value in written_values(ticks)
    ] == written


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


def test_incomplete_bar_is_cut_by_the_time_signature_again():
    assert meter_from_measures(printed_measures(96, 48, 96, 96)) == (
        0,
        ((0, COMMON), (144, COMMON)),
    )


def test_overlong_measure_ends_where_it_ends():
    """Five beats are a bar and a bar cut to one beat, although the three beats after them would fill it."""
    assert meter_from_measures(printed_measures(96, 120, 72, 96)) == (
        0,
        ((0, COMMON), (216, COMMON), (288, COMMON)),
    )


def test_change_inside_a_bar_and_its_own_pickup():
    """BWV 41.6: three beats of 4/4, then 3/4 that begins with an upbeat."""
    meter = meter_from_measures(printed_measures(96, 72, 24, 72, 72, changes={2: WALTZ}))
    assert meter == (0, ((0, COMMON), (168, WALTZ), (192, WALTZ)))


def test_time_signature_said_again_at_a_bar_line_is_dropped():
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


def test_note_over_a_bar_line_is_tied_and_gaps_are_rests():
    score = Score((Voice("Soprano", (Note(72, 48, 60), Note(144, 24, 62))),))
    bars = [
        [
            (
                p.onset_ticks,
                p.value.duration_ticks,
                p.note and p.note.pitch,
                p.tied_from_previous,
                p.tied_to_next,
            )
            for p in pieces
        ]
        for pieces in printed_events_by_bar(score.voices[0], printed_bars(score))
    ]
    assert bars == [
        [(0, 72, None, False, False), (72, 24, 60, False, True)],
        [(96, 24, 60, True, False), (120, 24, None, False, False), (144, 24, 62, False, False)],
    ]


def test_pieces_of_a_syncopation_reach_the_beat_first():
    bar = Bar(1, 0, 96, COMMON)
    values = [
        piece.value.duration_ticks
        for piece in printed_events_by_bar(Voice("Soprano", (Note(12, 60, 60),)), [bar])[0]
    ]
    assert values == [12, 12, 48, 24]  # a rest, the note in two pieces, a rest


def test_accidentals_hold_for_the_measure_and_the_octave():
    """In G major: F# none, F natural shown, again not, F# shown, F natural an octave higher shown, tied F natural not."""
    key = Key(1, "major")
    f_sharp, f, f_high = spell(66, key), Spelling("F", 0, 4), Spelling("F", 0, 5)
    written = [
        (f_sharp, False),
        (f, False),
        (f, False),
        (f_sharp, False),
        (f_high, False),
        (f, True),
    ]
    assert shown_accidentals(written, sharps=1) == [False, True, False, True, True, False]


def test_flats_of_the_signature_need_no_sign():
    b_flat, e_flat, a_flat = Spelling("B", -1, 4), Spelling("E", -1, 4), Spelling("A", -1, 4)
    assert shown_accidentals([(b_flat, False), (e_flat, False), (a_flat, False)], sharps=-2) == [
        False,
        False,
        True,
    ]


def beams_of(durations: list[int], signature: TimeSignature) -> list[list[str]]:
    onsets = [sum(durations[:index]) for index in range(len(durations))]
    voice = Voice(
        "Soprano",
        tuple(
            Note(onset, ticks, 60 + i)
            for i, (onset, ticks) in enumerate(zip(onsets, durations, strict=True))
        ),
    )
    bar = Bar(1, 0, signature.bar_ticks, signature)
    return beams(printed_events_by_bar(voice, [bar])[0], bar)


def test_beams_within_a_beat():
    assert beams_of([12, 12, 12, 6, 6, 24, 18, 6], COMMON) == [
        ["start"],
        ["stop"],
        ["start"],
        ["continue", "start"],
        ["stop", "stop"],
        [],
        ["start"],
        ["stop", "partial-left"],
    ]


def test_beams_of_three_eighths_in_compound_time():
    assert beams_of([12, 12, 12, 6, 18, 12], TimeSignature(6, 8)) == [
        ["start"],
        ["continue"],
        ["stop"],
        ["start", "partial-right"],
        ["continue"],
        ["stop"],
    ]


def test_beams_of_a_pickup_follow_the_beats_of_the_bar_it_ends():
    """Three eighths before bar 1: the first is the second half of a beat."""
    pickup = Bar(0, 0, 36, COMMON)
    voice = Voice("Soprano", (Note(0, 12, 60), Note(12, 12, 62), Note(24, 12, 64)))
    assert beams(printed_events_by_bar(voice, [pickup])[0], pickup) == [[], ["start"], ["stop"]]
