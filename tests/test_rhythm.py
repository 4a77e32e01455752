"""Performances to a click regain the divisions of their beats; those without a beat are refused."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_midi_files import midi_file, note_messages

from seqmusic.errors import FormatError
from seqmusic.formats import read_with_report
from seqmusic.formats.midi.reading import read_midi_bytes
from seqmusic.formats.rhythm import beat_quantizer, is_performance, step_quantizer


def read_performance(notes):
    return read_midi_bytes(midi_file(note_messages(*notes)), "played.mid")


def human_performance(n_notes, error, drift=0.0):
    """Quarters and eighths at 480 units a quarter, each off by a normal error.

    With drift the beat grows or shrinks at random.
    """
    rng, now, pace, notes = random.Random(5), 100.0, 1.0, []
    for _ in range(n_notes):
        length = rng.choice([240, 240, 480]) * pace
        start = max(0, round(rng.gauss(now, error)))
        notes.append((start, start + round(length * 0.8), 60))
        now, pace = now + length, pace * (1 + rng.gauss(0, drift))
    return [(a[0], min(a[1], b[0]), a[2]) for a, b in itertools.pairwise(notes)]


@pytest.mark.parametrize("error", [5, 15, 30])  # 30 units are 31 milliseconds at 120 a minute
def test_a_performance_to_a_click_is_read_with_its_error(error):
    report = read_performance(human_performance(400, error))
    assert report.score.n_notes == 399
    assert report.losses[0].startswith("a performance: notes moved to the halves, thirds, quarters")
    assert report.losses[1].startswith("starts of notes moved to the grid of 24 ticks a quarter: ")


@pytest.mark.parametrize("n_notes", [100, 1000])
def test_a_performance_without_a_beat_is_refused_or_read_with_the_grid_given(n_notes, tmp_path):
    path = tmp_path / "played.mid"
    path.write_bytes(midi_file(note_messages(*human_performance(n_notes, 20, drift=0.05))))
    with pytest.raises(
        FormatError,
        match=r"^played\.mid: a performance without a beat: .* \(strength 0\.[01].*\); quantize it",
    ):
        read_with_report(path)
    report = read_with_report(path, grid_ticks=6)
    assert all(note.onset_ticks % 6 == 0 for note in report.score.voices[0].notes)
    assert report.losses


FIGURES = [(24,), (12, 12), (6, 6, 12), (8, 8, 8), (18, 6), (6, 6, 6, 6), (48,), (36, 12)]


@pytest.mark.parametrize(("error", "expected"), [(5, 0.98), (10, 0.95), (15, 0.9)])
def test_triplets_and_dotted_notes_of_a_performance_come_back(error, expected):
    rng, now, played, written = random.Random(2), 0, [], set()
    while len(played) < 400:
        for ticks in rng.choice(FIGURES):
            start = max(0, round(20 * now + rng.gauss(0, error)))
            played.append((start, 20 * now + 18 * ticks, 60))
            written.add((now, now + ticks))
            now += ticks
    notes = read_performance(played).score.voices[0].notes
    line = [(note.onset_ticks, note.end_ticks) for note in notes]
    assert len(set(line) & written) / len(written) > expected - 0.05
    assert (
        len({onset for onset, _ in line} & {onset for onset, _ in written}) / len(written)
        > expected
    )


def test_the_onsets_in_a_beat_alone_decide_its_division():
    quantizer = beat_quantizer([0.3, 7.6, 16.2, 24, 41.8, 48.2, 50.7, 54.1, 60, 71.9])
    assert [quantizer(ticks) for ticks in (7.6, 16.2, 41.8, 50.7, 54.1, 71.9)] == [
        8,
        16,
        42,
        51,
        54,
        72,
    ]


@given(st.lists(st.floats(0, 400), max_size=40), st.floats(0, 500))
def test_a_quantized_time_is_near_and_quantizing_it_again_changes_nothing(onsets, ticks):
    for quantizer in (beat_quantizer(onsets), step_quantizer(6)):
        assert abs(quantizer(ticks) - ticks) <= 12
        assert quantizer(quantizer(ticks)) == quantizer(ticks)


def test_notation_is_no_performance_however_odd_its_division():
    assert not is_performance([])
    assert not is_performance([24 * i / 7 for i in range(100)] + [24 * i / 5 for i in range(100)])
    assert is_performance([12 * i + random.Random(i).gauss(0, 1) for i in range(100)])
