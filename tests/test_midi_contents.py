"""One pass finds what miditoolkit finds in a file, and the settings in force at its first note."""

import io
import itertools
import struct
from pathlib import Path

import miditoolkit
import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_midi_files import (
    A_NOTE,
    END,
    TWO_NOTES,
    chunk,
    header,
    meta,
    meter_message,
    midi_file,
    note_messages,
    one_track,
)
from test_midi_fuzz import EDITS, SEEDS, apply_edits

from seqmusic.errors import FormatError
from seqmusic.formats.midi.chunks import MidiSource
from seqmusic.formats.midi.contents import MAX_PARTS, read_contents
from seqmusic.formats.midi.reading import read_midi_bytes
from seqmusic.formats.midi.track import MAX_MIDI_NOTES
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.formats.time_grid import PlayedNote
from seqmusic.score import Key, TimeSignature
from seqmusic.tonality import key_name, parse_key

FIXTURES = sorted((Path(__file__).parent / "fixtures" / "midi" / "jazz-soft").glob("*.mid"))


def written_by_mido(division, tracks, meta_messages=()):
    """A MIDI file of (channel, notes) tracks after one of meta messages at absolute times."""
    written = [note_messages(*notes, channel=channel) for channel, notes in tracks]
    return midi_file(meta_messages, *written, division=division)


def rewritten(contents):
    """The contents as a file that holds nothing else."""
    signatures = [
        meter_message(signature.numerator, signature.denominator, time)
        for time, signature in contents.meter
    ]
    key, tempo = [], []
    if contents.key:
        tonic, mode = key_name(contents.key).split()
        key = [mido.MetaMessage("key_signature", key=tonic + "m" * (mode == "minor"))]
    if contents.microseconds_per_quarter:
        tempo = [mido.MetaMessage("set_tempo", tempo=contents.microseconds_per_quarter)]
    tracks = [(index % 9, part.notes) for index, part in enumerate(contents.parts)]
    return written_by_mido(contents.units_per_quarter, tracks, [*signatures, *key, *tempo])


def check_miditoolkit_agrees(contents, data):
    """Miditoolkit finds the contents in the bytes of a file without drums and other settings."""
    midi = miditoolkit.MidiFile(file=io.BytesIO(data))
    assert midi.ticks_per_beat == contents.units_per_quarter
    assert [
        sorted(PlayedNote(note.start, note.end, note.pitch) for note in track.notes)
        for track in midi.instruments
    ] == [part.notes for part in contents.parts]
    assert [
        (change.time, TimeSignature(change.numerator, change.denominator))
        for change in midi.time_signature_changes
    ] == contents.meter
    keys = [parse_key(change.key_name) for change in midi.key_signature_changes]
    assert keys == ([contents.key] if contents.key else [])
    tempo = mido.tempo2bpm(contents.microseconds_per_quarter or 500_000)
    assert midi.tempo_changes[0].tempo == tempo


def check_rewritten_file(data):
    """Read the contents of any bytes again from a clean file; False where they are refused."""
    try:
        contents = read_contents(MidiSource("x.mid", data))
    except FormatError:
        return False
    clean = rewritten(contents)
    check_miditoolkit_agrees(contents, clean)
    source = MidiSource("clean.mid", clean)
    again = read_contents(source)
    assert not source.repairs
    assert not source.losses
    assert [part.notes for part in again.parts] == [part.notes for part in contents.parts]
    assert (again.meter, again.key) == (contents.meter, contents.key)
    assert again.microseconds_per_quarter == contents.microseconds_per_quarter
    return True


def check_chorale(score):
    data = midi_bytes(score)
    check_miditoolkit_agrees(read_contents(MidiSource("chorale.mid", data)), data)


def test_miditoolkit_finds_the_same_in_chorales(chorales):
    for work in chorales.kept_works[::20]:
        check_chorale(work.score)


@pytest.mark.slow
def test_miditoolkit_finds_the_same_in_all_chorales(chorales):
    for work in chorales.kept_works:
        check_chorale(work.score)


def without_unison_overlaps(tracks):
    """(channel, notes) tracks without the notes that sound while their pitch sounds already."""
    for channel, notes in tracks:
        kept = []
        for note in sorted(notes):
            if not any(other.pitch == note.pitch and note.start < other.end for other in kept):
                kept.append(note)
        if kept:
            yield channel, kept


NOTES = st.lists(
    st.builds(
        lambda start, length, pitch: PlayedNote(start, start + length, pitch),
        st.integers(0, 5000),
        st.integers(1, 700),
        st.integers(58, 62),
    ),
    max_size=12,
)


@given(
    st.lists(st.tuples(st.integers(0, 8), NOTES), max_size=4)
    .map(without_unison_overlaps)
    .map(list),
    st.integers(1, 32767),
)
def test_miditoolkit_finds_the_same_in_files_of_mido(tracks, division):
    data = written_by_mido(division, tracks)
    contents = read_contents(MidiSource("x.mid", data))
    check_miditoolkit_agrees(contents, data)
    assert [part.notes for part in contents.parts] == [notes for _, notes in tracks]


def test_contents_of_files_made_to_test_players_come_back_from_a_clean_file():
    assert sum(check_rewritten_file(path.read_bytes()) for path in FIXTURES) > 20


@settings(max_examples=200)
@given(st.sampled_from(SEEDS), st.lists(EDITS, max_size=6))
def test_contents_of_damaged_files_come_back_from_a_clean_file(seed, edits):
    check_rewritten_file(apply_edits(seed, edits))


MESSAGES = st.tuples(
    st.integers(0, 300),
    st.sampled_from([0x80, 0x90, 0x90, 0xC0, 0xE0]),
    st.integers(0, 3),
    st.integers(0, 5),
    st.integers(0, 2),
)
META_EVENTS = st.sampled_from(
    [
        b"",
        meta(0x51, 9, 0, 0),
        meta(0x58, 6, 3, 24, 8),
        meta(0x59, 0xF9, 1),
        meta(0x59, 7, 0),
        meta(0x03, 233),
    ]
)


def encoded_message(delta, kind, channel, pitch, velocity):
    data = (0x80 | delta >> 7, delta & 127, kind | channel, pitch, velocity * 60)
    return struct.pack("BBBBB", *data)[: 4 if kind == 0xC0 else 5]


@given(
    st.lists(st.tuples(META_EVENTS, st.lists(MESSAGES, max_size=30)), min_size=1, max_size=4),
    st.integers(1, 32767),
)
def test_contents_of_any_notes_come_back_from_a_clean_file(tracks, division):
    written = b"".join(
        chunk(first + b"".join(encoded_message(*message) for message in messages) + END)
        for first, messages in tracks
    )
    check_rewritten_file(header(len(tracks), division) + written)


def test_times_are_not_bounded_by_32_bits():
    # The last note starts 1,999,900 ticks after the others, in the finest division.
    late = header(division=32767) + chunk(TWO_NOTES + b"\x8a\x95\xfd\x9f\x54" + A_NOTE[1:] + END)
    (part,) = read_contents(MidiSource("late.mid", late)).parts
    assert part.notes[-1].end > 2**31
    assert read_midi_bytes(late, "late.mid").score.end_ticks == 1_999_902


def test_tempo_and_key_are_those_at_the_first_note_in_any_track():
    first = chunk(b"\x60\xff\x51\3\7\xa1\x20" + END)  # a quarter note after the start: 120 a minute
    second = chunk(meta(0x51, 9, 0, 0) + meta(0x59, 0xFE, 1) + b"\x60" + TWO_NOTES[1:] + END)
    for tracks in itertools.permutations((first, second)):
        report = read_midi_bytes(header(2) + b"".join(tracks), "theme.mid")
        assert (report.score.tempo_bpm, report.score.key, report.losses) == (
            120.0,
            Key(-2, "minor"),
            (),
        )


def test_time_signatures_are_kept_from_all_tracks_and_ordered():
    three, two = b"\x60\xff\x58\4\3\2\x18\x08", b"\x30\xff\x58\4\2\2\x18\x08"
    report = read_midi_bytes(
        header(2) + chunk(TWO_NOTES + three + END) + chunk(b"\x81\x40" + two[1:] + END), "theme.mid"
    )
    expected = ((0, TimeSignature(4, 4)), (48, TimeSignature(2, 4)), (72, TimeSignature(3, 4)))
    assert report.score.time_signatures == expected


def test_more_notes_than_are_read_are_refused():
    with pytest.raises(
        FormatError,
        match=rf"byte [0-9,]+: expected at most {MAX_MIDI_NOTES:,} notes, found more; cut the file",
    ):
        read_midi_bytes(
            one_track(b"\0\x90" + b"\x3c\x40\x60\x3c\0\0" * MAX_MIDI_NOTES + b"\x3c\x40" + END),
            "theme.mid",
        )


def test_more_settings_than_are_read_are_refused():
    tempos = b"\1\xff\x51\3\7\xa1\x20" * 50_001
    with pytest.raises(
        FormatError,
        match="expected at most 100,000 tempos, time signatures and keys, found more; remove some",
    ):
        read_midi_bytes(header(2) + chunk(tempos + A_NOTE + END) * 2, "theme.mid")


def test_more_tracks_than_are_read_are_refused():
    data = header(MAX_PARTS + 1) + chunk(A_NOTE + END) * (MAX_PARTS + 1)
    with pytest.raises(FormatError, match=f"expected at most {MAX_PARTS} tracks with notes"):
        read_midi_bytes(data, "theme.mid")
