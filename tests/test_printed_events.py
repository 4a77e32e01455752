"""Notes and rests cut at bar lines, accidentals and beams, worked out by hand."""

from __future__ import annotations

from seqmusic.formats.measures import printed_bars
from seqmusic.formats.printed_events import beams, printed_events_by_bar, shown_accidentals
from seqmusic.score import Bar, Key, Note, Score, TimeSignature, Voice
from seqmusic.tonality import Spelling, spell

COMMON = TimeSignature(4, 4)


def test_note_over_a_bar_line_is_tied_and_gaps_are_rests():
    voice = Voice("Soprano", (Note(72, 48, 60), Note(144, 24, 62)))
    bars = [
        [(e.onset_ticks, e.value.duration_ticks, e.note and e.note.pitch, e[3:]) for e in events]
        for events in printed_events_by_bar(voice, printed_bars(Score((voice,))))
    ]
    assert bars == [
        [(0, 72, None, (False, False)), (72, 24, 60, (False, True))],
        [
            (96, 24, 60, (True, False)),
            (120, 24, None, (False, False)),
            (144, 24, 62, (False, False)),
        ],
    ]


def test_parts_of_a_syncopation_reach_the_beat_first():
    bar = Bar(1, 0, 96, COMMON)
    (events,) = printed_events_by_bar(Voice("Soprano", (Note(12, 60, 60),)), [bar])
    values = [event.value.duration_ticks for event in events]
    assert values == [12, 12, 48, 24]  # a rest, the note in two parts, a rest


def test_accidentals_hold_for_the_measure_and_the_octave():
    """In G major, F natural needs one, but not again; so do F# after it, and F an octave higher."""
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
    pairs = enumerate(zip(onsets, durations, strict=True))
    voice = Voice("Soprano", tuple(Note(onset, ticks, 60 + i) for i, (onset, ticks) in pairs))
    bar = Bar(1, 0, signature.bar_ticks, signature)
    return beams(printed_events_by_bar(voice, [bar])[0], bar)


def test_beams_within_a_beat():
    eighths = [["start"], ["stop"]]
    with_sixteenths = [["start"], ["continue", "start"], ["stop", "stop"]]
    dotted = [["start"], ["stop", "partial-left"]]
    found = beams_of([12, 12, 12, 6, 6, 24, 18, 6], COMMON)
    assert found == [*eighths, *with_sixteenths, [], *dotted]


def test_beams_of_three_eighths_in_compound_time():
    eighths = [["start"], ["continue"], ["stop"]]
    dotted = [["start", "partial-right"], ["continue"], ["stop"]]
    assert beams_of([12, 12, 12, 6, 18, 12], TimeSignature(6, 8)) == [*eighths, *dotted]


def test_beams_of_three_sixteenths_in_compound_time():
    three = [["start"] * 2, ["continue"] * 2, ["stop"] * 2]
    assert beams_of([6] * 6, TimeSignature(6, 16)) == three * 2


def test_beams_of_a_pickup_follow_the_beats_of_the_bar_it_ends():
    """Three eighths before bar 1: the first is the second half of a beat."""
    pickup = Bar(0, 0, 36, COMMON)
    voice = Voice("Soprano", (Note(0, 12, 60), Note(12, 12, 62), Note(24, 12, 64)))
    assert beams(printed_events_by_bar(voice, [pickup])[0], pickup) == [[], ["start"], ["stop"]]
