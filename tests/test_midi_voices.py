"""Chords and piano staves become voices, and that is reported; tracks that are lines stay."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_midi_files import midi_file, note_messages

from seqmusic.errors import FormatError
from seqmusic.formats.midi.contents import MAX_PARTS
from seqmusic.formats.midi.reading import read_midi_bytes
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.score import SATB, Note


def file_of_tracks(*tracks):
    """A MIDI file of (name, channel, (onset, duration, pitch) notes in quarter notes) tracks."""
    return midi_file(
        *(
            note_messages(
                *((round(480 * a), round(480 * (a + n)), pitch) for a, n, pitch in notes),
                name=name,
                channel=channel,
            )
            for name, channel, notes in tracks
        )
    )


def lines_of(report):
    return [(voice.name, [note.pitch for note in voice.notes]) for voice in report.score.voices]


def chord(start, length, *pitches):
    return [(start, length, pitch) for pitch in pitches]


def test_chords_of_a_track_are_voices_named_like_it():
    piano = [*chord(0, 1, 60, 67, 64), *chord(1, 1, 69, 60, 65), *chord(2, 2, 59, 67)]
    report = read_midi_bytes(file_of_tracks(("Piano", 0, piano)), "hymn.mid")
    assert lines_of(report) == [
        ("Piano 1", [67, 69, 67]),
        ("Piano 2", [64, 65]),
        ("Piano 3", [60, 60, 59]),
    ]
    assert (report.status, report.repairs) == ("read", ())
    assert report.losses == ("chords of track 'Piano' taken apart into 3 voices",)


def test_four_voices_of_an_unnamed_track_are_soprano_to_bass():
    report = read_midi_bytes(
        file_of_tracks(("", 0, [*chord(0, 1, 48, 60, 64, 72), *chord(1, 1, 50, 59, 65, 74)])),
        "hymn.mid",
    )
    assert lines_of(report) == list(
        zip(SATB, [[72, 74], [64, 65], [60, 59], [48, 50]], strict=True)
    )
    assert report.losses == ("chords of track 1 taken apart into 4 voices",)


def test_voices_of_two_staves_stand_from_high_to_low_and_lines_keep_their_names():
    right, left = (
        [*chord(0, 1, 72, 76), *chord(1, 1, 74, 77)],
        [*chord(0, 1, 48, 55), *chord(1, 1, 43, 55)],
    )
    report = read_midi_bytes(
        file_of_tracks(("Piano", 0, left), ("Piano", 0, right), ("Flute", 1, [(0, 2, 90)])),
        "trio.mid",
    )
    expected = [
        ("Flute", [90]),
        ("Piano 1", [76, 77]),
        ("Piano 2", [72, 74]),
        ("Piano 3", [55, 55]),
        ("Piano 4", [48, 43]),
    ]
    assert lines_of(report) == expected
    assert report.losses == ("chords of track 'Piano' taken apart into 2 voices",)


def test_a_number_that_another_track_has_is_skipped():
    lines = [
        ("Violin", 0, [(0, 1, 80)]),
        ("Violin", 1, [(0, 1, 70)]),
        ("Violin 1", 2, [(0, 1, 60)]),
    ]
    assert [name for name, _ in lines_of(read_midi_bytes(file_of_tracks(*lines), "trio.mid"))] == [
        "Violin 2",
        "Violin 3",
        "Violin 1",
    ]


def test_legato_of_a_line_makes_no_second_voice_and_a_held_note_does():
    line = [(0, 1 + 1 / 12, 60), (1, 1, 62)]
    assert lines_of(read_midi_bytes(file_of_tracks(("Flute", 0, line)), "x.mid")) == [
        ("Flute", [60, 62])
    ]
    held = [(0, 1.5, 60), (1, 1, 62)]
    assert lines_of(read_midi_bytes(file_of_tracks(("Flute", 0, held)), "x.mid")) == [
        ("Flute 1", [62]),
        ("Flute 2", [60]),
    ]


def test_more_than_sixteen_notes_at_once_or_more_voices_than_are_read_are_refused():
    with pytest.raises(
        FormatError,
        match=r"^x.mid: track 'Organ': 17 notes sound at once, expected at most 16; give",
    ):
        read_midi_bytes(file_of_tracks(("Organ", 0, chord(0, 1, *range(60, 77)))), "x.mid")
    tracks = [("", i % 9, chord(0, 1, *range(60, 76))) for i in range(9)]
    with pytest.raises(
        FormatError,
        match=f"^x.mid: expected at most {MAX_PARTS} voices, found 144; leave some tracks out",
    ):
        read_midi_bytes(file_of_tracks(*tracks), "x.mid")


NOTES = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 4), st.integers(55, 64)), min_size=1, max_size=25
)


@given(NOTES)
def test_separated_voices_hold_all_notes_and_survive_writing(notes):
    durations = {(start, pitch): length for start, length, pitch in sorted(notes)}
    distinct = [(0, 1, 40)]
    for (start, pitch), length in durations.items():
        later = [onset - start for onset, other in durations if other == pitch and onset > start]
        distinct.append((start, min(length, *later, 9), pitch))
    report = read_midi_bytes(file_of_tracks(("Piano", 0, distinct)), "x.mid")
    found = Counter(note for voice in report.score.voices for note in voice.notes)
    expected = [Note(24 * start, 24 * length, pitch) for start, length, pitch in distinct]
    assert found == Counter(expected)
    again = read_midi_bytes(midi_bytes(report.score), "x.mid")
    assert (again.score, again.losses) == (report.score, ())
