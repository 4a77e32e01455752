"""Played time on the grid: exact where it can be, else the nearest tick with the error told; without a beat it is refused."""

import io
import itertools
import random

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.errors import FormatError
from seqmusic.formats import read_with_report, write_score
from seqmusic.formats.midi.reading import read_midi_bytes
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.formats.rhythm import beat_quantizer, is_performance, step_quantizer
from seqmusic.formats.time_grid import (
    BEAT_DIVISIONS,
    PlayedNote,
    Shifts,
    beat_strength,
    first_overlap,
    quantize,
    without_legato,
)
from seqmusic.score import Note, Score, Voice, melody


def midi_bytes_of(notes, division=480):
    """A MIDI file of one track of (start, end, pitch) notes."""
    messages = [mido.Message("note_off", time=end, note=pitch) for _, end, pitch in notes]
    messages += [mido.Message("note_on", time=start, note=pitch) for start, _, pitch in notes]
    messages.sort(key=lambda message: message.time)
    midi = mido.MidiFile(ticks_per_beat=division)
    midi.tracks.append(
        mido.MidiTrack(
            b.copy(time=b.time - a.time)
            for a, b in zip([mido.Message("stop"), *messages], messages, strict=False)
        )
    )
    buffer = io.BytesIO()
    midi.save(file=buffer)
    return buffer.getvalue()


def spans(notes):
    return [(note.onset_ticks, note.end_ticks) for note in notes]


def spans_of_first_voice(reading):
    return spans(reading.score.voices[0].notes)


@given(
    st.sampled_from([24, 48, 96, 120, 192, 240, 384, 480, 960, 1024, 15360]),
    st.lists(
        st.tuples(st.sampled_from([3, 4, 6, 8, 9, 12, 16, 18, 24, 36, 48]), st.integers(0, 127)),
        min_size=1,
        max_size=40,
    ),
)
def test_what_is_on_the_grid_comes_out_exact_in_any_division(division, values):
    notes, now, wanted = [], 0, []
    for ticks, pitch in values:
        notes.append((round(now * division / 24), round((now + ticks) * division / 24), pitch))
        wanted.append((now, now + ticks))
        now += ticks
    reading = read_midi_bytes(midi_bytes_of(notes, division), "theme.mid")
    assert spans_of_first_voice(reading) == wanted
    assert (reading.repairs, reading.losses) == ((), ())


@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.integers(1, 2000), st.integers(0, 127)), max_size=30
    ),
    st.sampled_from([1, 4, 6]),
)
def test_a_note_starts_at_the_nearest_place_and_none_is_lost_untold(played, step):
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


def test_notes_cut_short_for_playing_last_until_the_next_and_legato_is_cut():
    # 480 units to a quarter: 95 hundredths of a quarter, of triplet eighths, of a half; 20 and 25 units into the next; a last one
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
    placed = without_legato(
        quantize([PlayedNote(start, end, 60) for start, end in notes], 20.0, shifts), shifts
    )
    assert spans(placed) == [
        (0, 24),
        (24, 32),
        (32, 40),
        (40, 48),
        (48, 96),
        (96, 120),
        (120, 144),
        (144, 168),
    ]
    # moved ends: 1.2, 0.4, 0.4, 0.2, 2.4, 1.25 and 1.2 ticks, and the legato that ends on the grid, 1 tick
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


@pytest.mark.parametrize(
    ("notes", "wanted", "losses"),
    [
        (
            ((0, 480, 60), (487, 960, 64)),
            [(0, 24), (24, 48)],
            (
                "starts of notes moved to the grid of 24 ticks a quarter: 1 of 2, by 0.35 ticks on average, 0.35 at most",
            ),
        ),
        (  # quintuplets of a quarter: 4.8, 9.6, 14.4 and 19.2 ticks
            tuple((96 * i, 96 * (i + 1), 60 + i) for i in range(5)),
            [(0, 5), (5, 10), (10, 14), (14, 19), (19, 24)],
            (
                "starts of notes moved to the grid of 24 ticks a quarter: 4 of 5, by 0.30 ticks on average, 0.40 at most",
                "ends of notes moved to the grid of 24 ticks a quarter: 4 of 5, by 0.30 ticks on average, 0.40 at most",
            ),
        ),
        (
            ((0, 390, 60), (960, 1440, 64)),
            [(0, 20), (48, 72)],
            (
                "ends of notes moved to the grid of 24 ticks a quarter: 1 of 2, by 0.50 ticks on average, 0.50 at most",
            ),
        ),
        (
            ((480, 481, 60),),
            [(24, 25)],
            (
                "ends of notes moved to the grid of 24 ticks a quarter: 1 of 1, by 0.95 ticks on average, 0.95 at most",
            ),
        ),
        (
            ((472, 479, 59), (480, 960, 60)),  # a grace note
            [(24, 48)],
            ("notes too short for the grid left out: 1",),
        ),
    ],
)
def test_what_is_off_the_grid_is_moved_to_the_nearest_tick_and_told(notes, wanted, losses):
    reading = read_midi_bytes(midi_bytes_of(notes), "theme.mid")
    assert spans_of_first_voice(reading) == wanted
    assert reading.losses == losses
    assert reading.status == "read"


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


def test_two_at_once_names_the_first_pair():
    notes = [Note(0, 24, 60), Note(24, 30, 62), Note(48, 24, 64), Note(48, 24, 65)]
    assert first_overlap(notes) == (notes[1], notes[2])
    assert first_overlap(notes[:2]) is None


def human_performance(n_notes, error, drift=0.0):
    """Quarters and eighths at 480 units a quarter, each off by a normal error; with a beat that grows or shrinks at random."""
    dice, now, pace, notes = random.Random(5), 100.0, 1.0, []
    for _ in range(n_notes):
        length = dice.choice([240, 240, 480]) * pace
        start = max(0, round(dice.gauss(now, error)))
        notes.append((start, start + round(length * 0.8), 60))
        now, pace = now + length, pace * (1 + dice.gauss(0, drift))
    return [(a[0], min(a[1], b[0]), a[2]) for a, b in itertools.pairwise(notes)]


@pytest.mark.parametrize("error", [5, 15, 30])  # 30 units are 31 milliseconds at 120 a minute
def test_a_performance_to_a_click_is_read_with_its_error(error):
    reading = read_midi_bytes(midi_bytes_of(human_performance(400, error)), "played.mid")
    assert reading.score.n_notes == 399
    assert reading.losses[0].startswith(
        "a performance: notes moved to the halves, thirds, quarters"
    )
    assert reading.losses[1].startswith("starts of notes moved to the grid of 24 ticks a quarter: ")


@pytest.mark.parametrize("n_notes", [100, 1000])
def test_a_performance_without_a_beat_is_refused_or_read_with_the_grid_given(n_notes, tmp_path):
    path = tmp_path / "played.mid"
    path.write_bytes(midi_bytes_of(human_performance(n_notes, 20, drift=0.05)))
    with pytest.raises(
        FormatError,
        match=r"^played\.mid: a performance without a beat: .* \(strength 0\.[01].*\); quantize it",
    ):
        read_with_report(path)
    reading = read_with_report(path, grid_ticks=6)
    assert all(note.onset_ticks % 6 == 0 for note in reading.score.voices[0].notes)
    assert reading.losses


FIGURES = [(24,), (12, 12), (6, 6, 12), (8, 8, 8), (18, 6), (6, 6, 6, 6), (48,), (36, 12)]


@pytest.mark.parametrize(("error", "expected"), [(5, 0.98), (10, 0.95), (15, 0.9)])
def test_triplets_and_dotted_notes_of_a_performance_come_back(error, expected):
    dice, now, played, wanted = random.Random(2), 0, [], set()
    while len(played) < 400:
        for ticks in dice.choice(FIGURES):
            start = max(0, round(20 * now + dice.gauss(0, error)))
            played.append((start, 20 * now + 18 * ticks, 60))
            wanted.add((now, now + ticks))
            now += ticks
    line = spans_of_first_voice(read_midi_bytes(midi_bytes_of(played), "played.mid"))
    assert len(set(line) & wanted) / len(wanted) > expected - 0.05
    assert (
        len({onset for onset, _ in line} & {onset for onset, _ in wanted}) / len(wanted) > expected
    )


def test_onsets_decide_the_division_of_each_beat_alone():
    place = beat_quantizer([0.3, 7.6, 16.2, 24, 41.8, 48.2, 50.7, 54.1, 60, 71.9])
    assert [place(ticks) for ticks in (7.6, 16.2, 41.8, 50.7, 54.1, 71.9)] == [
        8,
        16,
        42,
        51,
        54,
        72,
    ]


@given(st.lists(st.floats(0, 400), max_size=40), st.floats(0, 500))
def test_a_place_is_near_and_stays_itself(onsets, ticks):
    for place in (beat_quantizer(onsets), step_quantizer(6)):
        assert abs(place(ticks) - ticks) <= 12
        assert place(place(ticks)) == place(ticks)


def test_notation_is_no_performance_however_odd_its_division():
    assert not is_performance([])
    assert not is_performance([24 * i / 7 for i in range(100)] + [24 * i / 5 for i in range(100)])
    assert is_performance([12 * i + random.Random(i).gauss(0, 1) for i in range(100)])


@pytest.mark.parametrize(
    ("first", "pickup", "shift"),
    [(3, 24, 72), (3.5, 12, 84), (2, 48, 48), (1, 0, 0), (4, 0, 0), (0, 0, 0)],
)
def test_what_sounds_at_the_end_of_a_silent_first_bar_is_the_pickup(first, pickup, shift):
    start = round(480 * first)
    reading = read_midi_bytes(
        midi_bytes_of([(start, 480 * 4 + start % 480, 60), (2400, 4800, 62)]), "hymn.mid"
    )
    assert reading.score.pickup_ticks == pickup
    assert [note.onset_ticks for note in reading.score.voices[0].notes] == [
        round(24 * first) - shift,
        120 - shift,
    ]
    assert reading.losses == (
        (f"silence of {shift} ticks before the pickup left out",) if shift else ()
    )
    again = read_midi_bytes(midi_bytes(reading.score), "again.mid")
    assert (again.score, again.losses) == (reading.score, ())


def test_our_own_silence_is_kept():
    score = melody([Note(72, 24, 60), Note(96, 24, 62)])
    assert read_midi_bytes(midi_bytes(score), "ours.mid").score == score


def test_a_grid_is_for_played_files_and_positive(tmp_path):
    path = write_score(melody([Note(0, 24, 60)]), tmp_path / "theme.musicxml")
    with pytest.raises(FormatError, match="are put on a grid"):
        read_with_report(path, grid_ticks=6)
    with pytest.raises(ValueError, match="grid_ticks must be 1 or more, got 0"):
        read_midi_bytes(midi_bytes_of([(0, 480, 60)]), "theme.mid", 0)


def test_a_coarser_grid_leaves_what_is_on_it_as_it_is(tmp_path):
    score = Score((Voice("Soprano", (Note(0, 24, 67), Note(24, 12, 67), Note(48, 6, 65))),))
    path = write_score(score, tmp_path / "theme.mid")
    assert read_with_report(path, grid_ticks=6).score == score


@given(
    st.sampled_from(BEAT_DIVISIONS),
    st.lists(st.integers(0, 400), min_size=2, unique=True),
    st.floats(-1, 1),
)
def test_onsets_on_one_place_of_a_beat_are_as_strong_as_can_be_however_late(parts, places, late):
    assert beat_strength([place / parts + late for place in places]) == pytest.approx(1, abs=1e-6)


def test_onsets_at_random_have_no_beat():
    dice = random.Random(3)
    for n_onsets in (200, 1000):
        assert beat_strength([dice.uniform(0, n_onsets) for _ in range(n_onsets)]) < 0.25
