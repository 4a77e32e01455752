"""MIDI files of other programs are read as they are meant, and played time is put on the grid."""

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_midi_files import meter_message, midi_file, note_messages

from seqmusic.errors import FormatError
from seqmusic.formats import read_with_report, write_score
from seqmusic.formats.midi.reading import read_midi_bytes
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.score import Key, Note, Score, TimeSignature, Voice, melody


def read_bytes(data):
    return read_midi_bytes(data, "theme.mid").score


def test_a_file_of_another_program():
    times = [(1, 4, 0), (4, 4, 96), (4, 4, 96 + 4 * 96), (3, 4, 96 + 8 * 96)]
    settings = [meter_message(*change) for change in times]
    settings += [
        mido.MetaMessage("set_tempo", tempo=600_000),
        mido.MetaMessage("key_signature", key="F#m"),
    ]
    low, high = (
        note_messages((0, 96, 48), (96, 192, 50), channel=3),
        note_messages((0, 32, 72), (32, 64, 74), (64, 96, 76), (96, 480, 77), channel=4),
    )
    drums = note_messages((0, 96, 35), (0, 96, 38), channel=9)
    score = read_bytes(midi_file(settings, drums, low, high, division=96))
    assert score == Score(
        (
            Voice("Soprano", (Note(0, 8, 72), Note(8, 8, 74), Note(16, 8, 76), Note(24, 96, 77))),
            Voice("Bass", (Note(0, 24, 48), Note(24, 24, 50))),
        ),
        ((0, TimeSignature(4, 4)), (24 + 192, TimeSignature(3, 4))),
        24,
        Key(3, "minor"),
        100.0,
    )


def test_tracks_named_soprano_to_bass_are_voices_in_that_order():
    data = midi_file(
        note_messages((0, 480, 50), name="BASS"),
        note_messages((0, 480, 40), name="soprano "),
        note_messages((0, 480, 70), name="Tenor"),
    )
    assert [voice.name for voice in read_bytes(data).voices] == [
        "soprano ",
        "Tenor",
        "BASS",
    ]


def test_without_settings_the_meter_is_four_four_and_key_and_tempo_are_unknown():
    score = read_bytes(midi_file(note_messages((0, 480, 60)), kind=0))
    assert (score.time_signatures, score.tempo_bpm, score.key) == (
        ((0, TimeSignature(4, 4)),),
        None,
        None,
    )


def test_a_track_of_several_channels_is_several_voices():
    data = midi_file(
        [*note_messages((0, 480, 60), channel=0), *note_messages((0, 480, 67), channel=1)], kind=0
    )
    assert [voice.notes[0].pitch for voice in read_bytes(data).voices] == [67, 60]


@pytest.mark.parametrize("name", ["Ténor", "第二"])
def test_names_of_tracks_are_utf8_or_else_latin1(name):
    track = note_messages((0, 480, 60))
    utf8 = midi_file(
        [mido.MetaMessage("track_name", name=name.encode().decode("latin-1"), time=0), *track]
    )
    assert read_bytes(utf8).voices[0].name == name
    assert (
        read_bytes(midi_file(note_messages((0, 480, 60), name="Ténor"))).voices[0].name == "Ténor"
    )


def test_a_repeated_time_signature_counts_only_where_it_cuts_a_bar():
    # 480 units to a quarter: bar lines every 1920; the change at 4800 is in the middle of bar 3
    changes = [meter_message(4, 4, time) for time in (0, 1920, 4800, 6720)]
    data = midi_file(changes, note_messages((0, 9600, 60)))
    four = TimeSignature(4, 4)
    assert read_bytes(data).time_signatures == ((0, four), (240, four))


def spans_of_first_voice(report):
    return [(note.onset_ticks, note.end_ticks) for note in report.score.voices[0].notes]


def read_notes(*notes, division=480):
    return read_midi_bytes(midi_file(note_messages(*notes), division=division), "theme.mid")


@given(
    st.sampled_from([24, 48, 96, 120, 192, 240, 384, 480, 960, 1024, 15360]),
    st.lists(
        st.tuples(st.sampled_from([3, 4, 6, 8, 9, 12, 16, 18, 24, 36, 48]), st.integers(0, 127)),
        min_size=1,
        max_size=40,
    ),
)
def test_times_on_the_grid_are_exact_in_any_division(division, values):
    notes, now, expected = [], 0, []
    for ticks, pitch in values:
        notes.append((round(now * division / 24), round((now + ticks) * division / 24), pitch))
        expected.append((now, now + ticks))
        now += ticks
    report = read_notes(*notes, division=division)
    assert spans_of_first_voice(report) == expected
    assert (report.repairs, report.losses) == ((), ())


def moves(edges, share, mean, greatest):
    by = f"by {mean:.2f} ticks on average, {greatest:.2f} at most"
    return f"{edges} of notes moved to the grid of 24 ticks a quarter: {share}, {by}"


@pytest.mark.parametrize(
    ("notes", "expected", "losses"),
    [
        (
            ((0, 480, 60), (487, 960, 64)),
            [(0, 24), (24, 48)],
            (moves("starts", "1 of 2", 0.35, 0.35),),
        ),
        (  # quintuplets of a quarter: 4.8, 9.6, 14.4 and 19.2 ticks
            tuple((96 * i, 96 * (i + 1), 60 + i) for i in range(5)),
            [(0, 5), (5, 10), (10, 14), (14, 19), (19, 24)],
            (moves("starts", "4 of 5", 0.3, 0.4), moves("ends", "4 of 5", 0.3, 0.4)),
        ),
        (
            ((0, 390, 60), (960, 1440, 64)),
            [(0, 20), (48, 72)],
            (moves("ends", "1 of 2", 0.5, 0.5),),
        ),
        (
            ((480, 481, 60),),
            [(24, 25)],
            (moves("ends", "1 of 1", 0.95, 0.95),),
        ),
        (
            ((472, 479, 59), (480, 960, 60)),  # a grace note
            [(24, 48)],
            ("notes too short for the grid left out: 1",),
        ),
    ],
)
def test_times_off_the_grid_are_moved_to_the_nearest_tick_and_reported(notes, expected, losses):
    report = read_notes(*notes)
    assert spans_of_first_voice(report) == expected
    assert report.losses == losses
    assert report.status == "read"


@pytest.mark.parametrize(
    ("first", "pickup", "shift"),
    [(3, 24, 72), (3.5, 12, 84), (2, 48, 48), (1, 0, 0), (4, 0, 0), (0, 0, 0)],
)
def test_notes_at_the_end_of_a_silent_first_bar_are_the_pickup(first, pickup, shift):
    start = round(480 * first)
    report = read_notes((start, 480 * 4 + start % 480, 60), (2400, 4800, 62))
    assert report.score.pickup_ticks == pickup
    assert [note.onset_ticks for note in report.score.voices[0].notes] == [
        round(24 * first) - shift,
        120 - shift,
    ]
    assert report.losses == (
        (f"silence of {shift} ticks before the pickup left out",) if shift else ()
    )
    again = read_midi_bytes(midi_bytes(report.score), "again.mid")
    assert (again.score, again.losses) == (report.score, ())


def test_silence_that_this_package_wrote_is_kept():
    score = melody([Note(72, 24, 60), Note(96, 24, 62)])
    assert read_midi_bytes(midi_bytes(score), "ours.mid").score == score


def test_a_grid_is_for_played_files_and_positive(tmp_path):
    path = write_score(melody([Note(0, 24, 60)]), tmp_path / "theme.musicxml")
    with pytest.raises(FormatError, match="are put on a grid"):
        read_with_report(path, grid_ticks=6)
    with pytest.raises(ValueError, match="grid_ticks must be 1 or more, got 0"):
        read_midi_bytes(midi_file(note_messages((0, 480, 60))), "theme.mid", 0)


def test_a_coarser_grid_does_not_move_the_notes_on_it(tmp_path):
    score = Score((Voice("Soprano", (Note(0, 24, 67), Note(24, 12, 67), Note(48, 6, 65))),))
    path = write_score(score, tmp_path / "theme.mid")
    assert read_with_report(path, grid_ticks=6).score == score
