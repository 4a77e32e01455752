"""Played times on the grid: at the nearest tick, and the ends of short and long notes corrected."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.formats.rhythm import step_quantizer
from seqmusic.formats.time_grid import (
    BEAT_DIVISIONS,
    PlayedNote,
    Shifts,
    beat_strength,
    first_overlap,
    quantize,
    without_legato,
)
from seqmusic.score import Note


def spans(notes):
    return [(note.onset_ticks, note.end_ticks) for note in notes]


@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.integers(1, 2000), st.integers(0, 127)), max_size=30
    ),
    st.sampled_from([1, 4, 6]),
)
def test_a_note_starts_at_the_nearest_step_and_those_left_out_are_counted(played, step):
    shifts = Shifts()
    notes = quantize(
        [PlayedNote(start, start + length, pitch) for start, length, pitch in played],
        20.0,
        shifts,
        step_quantizer(step),
    )
    assert len(notes) + shifts.n_too_short == len(played)
    assert all(note.onset_ticks % step == 0 and note.duration_ticks % step == 0 for note in notes)
    assert all(error <= step / 2 for error in shifts.onsets)
    if not shifts.n_too_short:
        assert sorted(note.onset_ticks for note in notes) == sorted(
            step * round(start / 20 / step) for start, *_ in played
        )


def test_notes_played_short_last_until_the_next_and_legato_is_cut():
    # 480 units to a quarter: 95 hundredths of a quarter, of triplet eighths, of a half; 20 and 25
    # units into the next; a last one
    notes = [
        (0, 456),
        (480, 632),
        (640, 792),
        (800, 956),
        (960, 1872),
        (1920, 2420),
        (2400, 2905),
        (2880, 3336),
    ]
    shifts = Shifts()
    moved = without_legato(
        quantize([PlayedNote(start, end, 60) for start, end in notes], 20.0, shifts), shifts
    )
    assert spans(moved) == [
        (0, 24),
        (24, 32),
        (32, 40),
        (40, 48),
        (48, 96),
        (96, 120),
        (120, 144),
        (144, 168),
    ]
    # moved ends: 1.2, 0.4, 0.4, 0.2, 2.4, 1.25 and 1.2 ticks, and the legato that ends on the
    # grid, 1 tick
    assert shifts.onsets == []
    assert sorted(round(error, 6) for error in shifts.ends) == [
        0.2,
        0.4,
        0.4,
        1,
        1.2,
        1.2,
        1.25,
        2.4,
    ]


def test_a_chord_tone_that_is_held_over_others_keeps_its_end():
    # a held C4 of 470 units under eighths of 230: all are a little short
    played = [
        PlayedNote(0, 470, 60),
        PlayedNote(0, 230, 72),
        PlayedNote(240, 470, 74),
        PlayedNote(480, 950, 72),
    ]
    notes = quantize(played, 20.0, Shifts())
    assert [(*span, note.pitch) for span, note in zip(spans(notes), notes, strict=True)] == [
        (0, 24, 60), (0, 12, 72), (12, 24, 74), (24, 48, 72)
    ]  # fmt: skip


def test_three_against_two_in_one_part_is_not_taken_for_legato():
    # a dotted eighth ends at tick 18, a triplet starts at 16
    notes = quantize([PlayedNote(0, 360, 60), PlayedNote(320, 480, 72)], 20.0, Shifts())
    assert spans(notes) == [(0, 18), (16, 24)]


def test_first_overlap_is_the_first_pair_that_sounds_at_once():
    notes = [Note(0, 24, 60), Note(24, 30, 62), Note(48, 24, 64), Note(48, 24, 65)]
    assert first_overlap(notes) == (notes[1], notes[2])
    assert first_overlap(notes[:2]) is None


@given(
    st.sampled_from(BEAT_DIVISIONS),
    st.lists(st.integers(0, 400), min_size=2, unique=True),
    st.floats(-1, 1),
)
def test_onsets_that_all_keep_to_a_beat_have_full_strength_however_late(n_parts, positions, late):
    assert beat_strength([position / n_parts + late for position in positions]) == pytest.approx(
        1, abs=1e-6
    )


def test_onsets_at_random_have_no_beat():
    rng = random.Random(3)
    for n_onsets in (200, 1000):
        assert beat_strength([rng.uniform(0, n_onsets) for _ in range(n_onsets)]) < 0.25
