"""Broken MIDI: each defect is mended as stated and told, or refused with its place; nothing takes long or much memory."""

import itertools
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats import read_with_report
from seqmusic.formats.midi.notes import MAX_MIDI_NOTES
from seqmusic.formats.midi.reading import read_midi_bytes
from seqmusic.formats.midi.repair import MAX_PARTS
from seqmusic.score import Key, TimeSignature

END = b"\0\xff\x2f\0"
A_NOTE = b"\0\x90\x3c\x40\x60\x80\x3c\x40"  # C4, a quarter note of 96 units
TWO = ((0, 24, 60), (24, 24, 62))
TWO_NOTES = A_NOTE + b"\0\x90\x3e\x40\x60\x80\x3e\x40"


def chunk(content, name=b"MTrk", length=None):
    return name + struct.pack(">L", len(content) if length is None else length) + content


def header(n_tracks=1, division=96, kind=1, length=6):
    return b"MThd" + struct.pack(">LHHh", length, kind, n_tracks, division)


def meta(kind, *content):
    return bytes([0, 0xFF, kind, len(content), *content])


def one_track(events):
    return header() + chunk(events)


def notes_of(reading):
    return [
        tuple((n.onset_ticks, n.duration_ticks, n.pitch) for n in voice.notes)
        for voice in reading.score.voices
    ]


VALID_FILE = one_track(TWO_NOTES + END)


@pytest.mark.parametrize(
    ("data", "notes", "repairs"),
    [
        (VALID_FILE, [TWO], ()),
        # chunks
        (VALID_FILE + b"*", [TWO], ("stray bytes after the last track skipped: 1 (at byte 42)",)),
        (VALID_FILE[:-1], [TWO], ("a track cut off by the end of the file: 1 (at byte 18)",)),
        (
            b"\0" * 128 + VALID_FILE,
            [TWO],
            ("bytes before the header skipped: 128 (first at byte 0)",),
        ),
        (header() + chunk(b"xyz", b"Junk") + chunk(TWO_NOTES + END), [TWO], ()),
        (
            header(2) + chunk(A_NOTE + END) + b"\0\0\0\0\0" + chunk(A_NOTE + END),
            [((0, 24, 60),), ((0, 24, 60),)],
            ("stray bytes between tracks skipped: 5 (first at byte 34)",),
        ),
        (
            header(2) + chunk(A_NOTE + END, length=900) + chunk(A_NOTE + END),
            [((0, 24, 60),), ((0, 24, 60),)],
            ("wrong length of a track: 1 (at byte 18)",),
        ),
        (
            header(2) + chunk(A_NOTE + END, length=3) + chunk(A_NOTE + END),
            [((0, 24, 60),), ((0, 24, 60),)],
            ("wrong length of a track: 1 (at byte 18)",),
        ),
        (
            header(7) + chunk(TWO_NOTES + END),
            [TWO],
            ("the header counts 7 tracks and 1 follow (at byte 10)",),
        ),
        (
            header(1) + chunk(A_NOTE + END) * 2,
            [((0, 24, 60),), ((0, 24, 60),)],
            ("the header counts 1 tracks and 2 follow (at byte 10)",),
        ),
        (
            header(kind=9) + chunk(TWO_NOTES + END),
            [TWO],
            ("format 9 does not exist, read as format 1 (at byte 8)",),
        ),
        (
            header(length=5) + chunk(TWO_NOTES + END),
            [TWO],
            ("wrong length of the header (at byte 4)",),
        ),
        (header(length=8) + b"\0\0" + chunk(TWO_NOTES + END), [TWO], ()),
        (b"RIFF\x32\0\0\0RMIDdata\x2a\0\0\0" + VALID_FILE, [TWO], ()),
        (b"RIFF\x32\0\0\0RMIDdata\x2a\0\0\0" + VALID_FILE + b"LIST\4\0\0\0info", [TWO], ()),
        # events
        (one_track(A_NOTE), [((0, 24, 60),)], ("a track without its end event: 1 (at byte 30)",)),
        (
            one_track(TWO_NOTES + b"\0\x90\x40"),
            [TWO],
            ("a track that ends inside an event: 1 (at byte 41)",),
        ),
        (
            one_track(TWO_NOTES + b"\0\xff"),
            [TWO],
            ("a track that ends inside an event: 1 (at byte 40)",),
        ),
        (
            one_track(TWO_NOTES + b"\0"),
            [TWO],
            ("a track that ends inside an event: 1 (at byte 39)",),
        ),
        (
            one_track(TWO_NOTES + END + b"abc"),
            [TWO],
            ("bytes after the end of a track skipped: 3 (first at byte 42)",),
        ),
        (
            one_track(b"\0\x90\xc8\x40\x60\x80\xc8\x40" + END),
            [((0, 24, 127),)],
            ("data bytes above 127 taken as 127: 2 (first at byte 24)",),
        ),
        (
            one_track(b"\0\x90\x3c\xff\x60\x3c\0" + END),
            [((0, 24, 60),)],
            ("data bytes above 127 taken as 127: 1 (at byte 24)",),
        ),
        (
            one_track(b"\0\x3c\x40" + TWO_NOTES[1:] + END),
            [TWO],
            ("bytes that belong to no event skipped: 2 (first at byte 23)",),
        ),
        (
            one_track(b"\0\xf4" + TWO_NOTES + END),
            [TWO],
            ("messages that a file cannot hold skipped: 1 (at byte 23)",),
        ),
        (
            one_track(b"\0\xf2\x7f\x7f" + TWO_NOTES + END),
            [TWO],
            ("messages that a file cannot hold skipped: 1 (at byte 23)",),
        ),
        (
            one_track(b"\0\x90\x3c\x40\0\xf0\x01\xf7\x60\x3c\0" + END),
            [((0, 24, 60),)],
            ("running status carried over a meta event or SysEx: 1 (at byte 31)",),
        ),
        (
            one_track(b"\0\x90\x3c\x40\0\xff\x01\x01a\x60\x3c\0" + END),
            [((0, 24, 60),)],
            ("running status carried over a meta event or SysEx: 1 (at byte 32)",),
        ),
        (
            one_track(meta(0x59, 8, 0) + TWO_NOTES + END),
            [TWO],
            ("keys of more than 7 sharps or flats, or without mode left out: 1 (at byte 23)",),
        ),
        (
            one_track(meta(0x51, 0, 0, 0) + TWO_NOTES + END),
            [TWO],
            ("tempos without a length or below 3.6 left out: 1 (at byte 23)",),
        ),
        (
            one_track(
                meta(0x51, 255, 255, 255) + TWO_NOTES + END
            ),  # 3.58 a minute, which cannot be written again
            [TWO],
            ("tempos without a length or below 3.6 left out: 1 (at byte 23)",),
        ),
        (
            one_track(meta(0x51, 7) + TWO_NOTES + END),
            [TWO],
            ("tempos without a length or below 3.6 left out: 1 (at byte 23)",),
        ),
        (
            one_track(
                meta(0x58, 0, 2, 24, 8) + meta(0x58, 4, 9, 24, 8) + meta(0x58, 4) + TWO_NOTES + END
            ),
            [TWO],
            ("time signatures other than 1..64 over 1..32 left out: 3 (first at byte 23)",),
        ),
        (
            one_track(
                meta(0x54, 255, 0, 0, 0, 0)
                + meta(0x20)
                + meta(0x00, 1)
                + meta(0x7E, 9)
                + TWO_NOTES
                + END
            ),
            [TWO],
            (),
        ),
        (header(2, kind=2) + chunk(END) + chunk(TWO_NOTES + END), [TWO], ()),
        (
            one_track(TWO_NOTES + b"\xff\xff\xff\x7f\x90\x3c\x40" + A_NOTE + END),
            [TWO],
            ("tracks cut where they wait for longer than any score lasts: 1 (at byte 42)",),
        ),
        (one_track(TWO_NOTES + b"\xff\xff\xff\x7f\xff\x2f\0"), [TWO], ()),
        # notes
        (
            one_track(b"\0\x90\x3c\x40\x60\x3e\x40\x60\x3e\0" + END),
            [TWO],
            ("notes without an end, ended where the next one starts or the track ends: 1",),
        ),
        (
            one_track(b"\0\x90\x3c\x40\x60\xff\x2f\0"),
            [((0, 24, 60),)],
            ("notes without an end, ended where the next one starts or the track ends: 1",),
        ),
        (
            one_track(b"\0\x90\x3c\x40\xff\xff\xff\x7f\xff\x2f\0"),
            [((0, 2_000_000, 60),)],
            ("notes without an end, ended where the next one starts or the track ends: 1",),
        ),
        (
            one_track(b"\0\x90\x43\x40\0\x43\0" + TWO_NOTES + END),
            [TWO],
            ("notes of no length left out: 1",),
        ),
        (
            # C4 struck at 0 and 48, let go at 96 and 144
            one_track(b"\0\x90\x3c\x40\x30\x3c\x40\x30\x3c\0\x30\x3c\0" + END),
            [((0, 12, 60), (12, 24, 60))],
            ("notes struck again while they sound, ended there: 1",),
        ),
        (
            one_track(b"\0\x90\x3c\x40\0\x3c\x40\x60\x3c\0\0\x3c\0" + END),
            [((0, 24, 60),)],
            ("notes struck twice at once taken as one: 1",),
        ),
        (one_track(b"\0\x80\x3c\x40" + TWO_NOTES + b"\0\x80\x3e\x40" + END), [TWO], ()),
        (one_track(b"\0\x90\x3c\x40\x60\xb0\x7b\0" + END), [((0, 24, 60),)], ()),
    ],
)
def test_each_defect_is_mended_and_told(data, notes, repairs):
    reading = read_midi_bytes(data, "theme.mid")
    assert notes_of(reading) == notes
    assert reading.repairs == repairs
    assert reading.losses == ()
    assert reading.status == ("repaired" if repairs else "read")


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"", CorruptFileError, "byte 0: expected MThd, .* found an empty file; give a MIDI file"),
        (b"<html>", CorruptFileError, "byte 0: expected MThd, .* found text such as a web page"),
        (b"PK\3\4....", CorruptFileError, "found a ZIP archive; give a MIDI file, unpacked"),
        (b"MThd\0\0\0\6\0", CorruptFileError, "byte 9: the file ends too early, in its header"),
        (
            header(division=0) + chunk(TWO_NOTES),
            CorruptFileError,
            "byte 12: a quarter note has 0 ticks, expected 1 or more",
        ),
        (
            header(division=-6360) + chunk(TWO_NOTES),
            FormatError,
            "byte 12: time is counted in SMPTE frames; .* export it as such",
        ),
        (
            header(2, kind=2) + chunk(TWO_NOTES + END) * 2,
            FormatError,
            r"byte 50: a second piece .* \(format 2\), .*; save each",
        ),
        (header(), CorruptFileError, r"byte 14: expected a track \(MTrk\), found none"),
        (
            one_track(b"\xff\xff\xff\x7f\x90\x3c\x40" + END),
            CorruptFileError,
            "no note can be read .tracks cut where they wait",
        ),
        (
            one_track(b"\xff" * 50),
            CorruptFileError,
            r"byte 22: no note can be read \(a track that ends inside an event",
        ),
        (header() + b"MTrk" * 20, CorruptFileError, "no note can be read"),
        (b"MThd" + bytes(5 << 20), FormatError, "larger than 4 MiB"),
    ],
)
def test_what_cannot_be_mended_is_refused_with_its_place(data, error, message):
    with pytest.raises(error, match=rf"^theme.mid: .*{message}") as refusal:
        read_midi_bytes(data, "theme.mid")
    assert "\n" not in str(refusal.value)


def test_a_second_file_after_the_first_is_left_out():
    reading = read_midi_bytes(VALID_FILE + VALID_FILE, "theme.mid")
    assert (notes_of(reading), reading.repairs) == ([TWO], ())
    assert reading.losses == (
        "a second file follows in the same file, and is left out (at byte 42)",
    )


def test_drums_bends_and_later_tempos_and_keys_are_left_out_and_told():
    bend, drum = b"\0\xe0\0\x50\0\xe0\0\x40", b"\0\x99\x24\x40\x60\x89\x24\x40"
    changes = (
        meta(0x51, 7, 0xA1, 0x20)
        + meta(0x59, 1, 0)
        + TWO_NOTES
        + meta(0x51, 8, 0, 0)
        + meta(0x59, 2, 0)
    )
    reading = read_midi_bytes(one_track(bend + drum + changes + END), "theme.mid")
    assert (reading.score.tempo_bpm, reading.score.key) == (120.0, Key(1, "major"))
    assert reading.status == "read"
    assert reading.losses == (
        "pitch bends left out: 1",
        "notes of the drums (channel 10) left out: 1",
        "changes of tempo left out: 1",
        "changes of key left out: 1",
    )


def test_tempo_and_key_are_those_at_the_first_note_in_whichever_track_they_stand():
    first = chunk(b"\x60\xff\x51\3\7\xa1\x20" + END)  # a quarter note after the start: 120 a minute
    second = chunk(meta(0x51, 9, 0, 0) + meta(0x59, 0xFE, 1) + b"\x60" + TWO_NOTES[1:] + END)
    for tracks in itertools.permutations((first, second)):
        reading = read_midi_bytes(header(2) + b"".join(tracks), "theme.mid")
        assert (reading.score.tempo_bpm, reading.score.key, reading.losses) == (
            120.0,
            Key(-2, "minor"),
            (),
        )


def test_time_signatures_are_kept_from_all_tracks_and_ordered():
    three, two = b"\x60\xff\x58\4\3\2\x18\x08", b"\x30\xff\x58\4\2\2\x18\x08"
    reading = read_midi_bytes(
        header(2) + chunk(TWO_NOTES + three + END) + chunk(b"\x81\x40" + two[1:] + END), "theme.mid"
    )
    expected = ((0, TimeSignature(4, 4)), (48, TimeSignature(2, 4)), (72, TimeSignature(3, 4)))
    assert reading.score.time_signatures == expected


def test_a_voice_that_changes_its_sound_stays_one_voice():
    reading = read_midi_bytes(one_track(A_NOTE + b"\0\xc0\x28" + A_NOTE + END), "theme.mid")
    assert notes_of(reading) == [((0, 24, 60), (24, 24, 60))]


def test_channels_of_one_track_are_voices_not_called_like_the_track():
    name = meta(0x03, *b"Hymn") + meta(0x03, *b"Verse 1")
    both = b"\0\x90\x3c\x40\0\x91\x30\x40\x60\x80\x3c\0\0\x81\x30\0"
    assert [
        voice.name
        for voice in read_midi_bytes(one_track(name + both + END), "theme.mid").score.voices
    ] == ["Soprano", "Bass"]
    assert [
        voice.name
        for voice in read_midi_bytes(one_track(name + TWO_NOTES + END), "theme.mid").score.voices
    ] == ["Hymn"]


FOLDER = Path(__file__).parent / "fixtures" / "midi" / "jazz-soft"
EXPECTED_REPORTS = {
    "2-tracks-type-0": "repaired: several tracks in a file for one",
    "2-tracks-type-2": "refused: a second piece in the same file",
    "control-00-20-bank-select": "read; notes of the drums",
    "control-41-portamento": "read; chords of track 'Control 0x41 Portamento Test' taken apart into 4 voices",
    "corrupt-file-extra-byte": "repaired: stray bytes after the last track skipped: 1",
    "corrupt-file-missing-byte": "repaired: a track cut off by the end of the file",
    "empty-file": "refused: expected MThd",
    "illegal-message-all": "repaired: messages that a file cannot hold skipped: 13",
    "illegal-message-f2-xx-xx": "repaired: messages that a file cannot hold skipped: 1",
    "illegal-message-f5": "repaired: messages that a file cannot hold skipped: 1",
    "karaoke-kar": "read; chords of track 1 taken apart into 4 voices",
    "not-a-midi-file": "refused: expected MThd",
    "running-status-metaevent": "repaired: running status carried over",
    "running-status-sysex": "repaired: running status carried over",
    "sysex-gs-40-1x-15-drum-part-change": "read; notes of the drums",
}
SCALE = [tuple((24 * i, 24, pitch) for i, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72)))]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.mid")), ids=lambda path: path.stem)
def test_files_made_to_test_players_get_the_right_word_within_a_second(path):
    expected, place, reason = EXPECTED_REPORTS.get(
        path.stem.removeprefix("test-"), "read"
    ).partition(":")
    started = time.perf_counter()
    if expected == "refused":
        with pytest.raises(FormatError, match=rf"^{path.name}: .*{reason.strip()}"):
            read_with_report(path)
    else:
        reading = read_with_report(path)
        told = (
            reading.status
            + place
            + " ".join(["", *reading.repairs])
            + "".join(f"; {loss}" for loss in reading.losses)
        )
        assert told.startswith(expected + place + reason)
        if expected == "repaired" and len(reading.score.voices) == 1:
            assert notes_of(reading) == SCALE
    assert time.perf_counter() - started < 1


N_HUGE_EVENTS = 1_000_000
HUGE_FILES = {
    "chords of sixteen": one_track(
        b"".join(
            b"".join(bytes((0, 144, p, 64)) for p in range(40 + i % 9, 88, 3)) + b"\x60\xb0\x7b\0"
            for i in range(3_700)
        )
        + END
    ),
    "long notes of sixteen channels": one_track(
        b"".join(
            bytes((4, 144 + i % 16, 40 + i * 7 % 60, 64))
            + bytes((0, 128 + (i + 3) % 16, 40 + (i - 13) * 7 % 60, 64))
            for i in range(59_000)
        )
        + END
    ),
    "a million bytes of notes in one tick": one_track(
        b"\0\x90\x3c\x40" + b"\0\x3c\x40" * (N_HUGE_EVENTS // 3) + END
    ),
    "notes of a voice": one_track(
        b"\0\x90" + b"\x3c\x40\x60\x3c\0\0" * 59_990 + b"\x3c\x40" + b"\0\xc0\5" * 200_000 + END
    ),
    "65,535 tracks": header(65_535) + chunk(b"") * (N_HUGE_EVENTS // 8),
    "tracks of one note": header(65_535) + chunk(A_NOTE + END) * (N_HUGE_EVENTS // 20),
    "huge waits": one_track(b"\xff\xff\xff\x7f\x90\x3c\x40" * (N_HUGE_EVENTS // 7) + END),
    "a wait without end": one_track(b"\xff" * N_HUGE_EVENTS),
    "a deep text": one_track(
        b"\0\xff\x06\xbc\x80\x09seqmusic: " + b"[" * (0xF0000 - 1) + TWO_NOTES + END
    ),
    "time signatures": one_track(
        b"\x60\xff\x58\2\3\2\x60\xff\x58\2\4\2" * 49_000 + TWO_NOTES + END
    ),
    "ends of all notes": one_track(
        b"".join(bytes((0, 144, p, 64)) for p in range(128))
        + b"\0\xb0\x7b\0" * (N_HUGE_EVENTS // 4)
        + TWO_NOTES
        + END
    ),
}
# What `getrusage` tells of a process begins with the peak of the one that started it; Linux tells its own in VmHWM.
MEASURING_SCRIPT = """
import re, resource, sys, time
from pathlib import Path
from seqmusic.errors import SeqmusicError
from seqmusic.formats.midi.file import read_midi
status = Path("/proc/self/status")
def peak():
    own = re.search(r"VmHWM:\\s+([0-9]+) kB", status.read_text()) if status.exists() else None
    return float(own[1]) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    started = time.process_time()
    try:
        read_midi(Path(path))
    except SeqmusicError:
        pass
    print(time.process_time() - started, peak() / 1024)
"""


def test_a_megabyte_takes_less_than_ten_seconds_and_two_hundred_megabytes(tmp_path):
    paths = []
    for name, data in HUGE_FILES.items():
        paths.append(tmp_path / f"{name}.mid")
        paths[-1].write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", MEASURING_SCRIPT, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
    )
    measured = [tuple(map(float, line.split())) for line in done.stdout.splitlines()]
    assert len(measured) == len(HUGE_FILES)
    for name, (seconds, megabytes) in zip(HUGE_FILES, measured, strict=True):
        assert seconds < 10, name
        assert megabytes < 200, name


def test_more_notes_than_are_read_are_refused():
    with pytest.raises(
        FormatError,
        match=rf"byte [0-9,]+: expected at most {MAX_MIDI_NOTES:,} notes, found more; cut the file",
    ):
        read_midi_bytes(
            one_track(b"\0\x90" + b"\x3c\x40\x60\x3c\0\0" * MAX_MIDI_NOTES + b"\x3c\x40" + END),
            "theme.mid",
        )


def test_more_settings_than_a_score_could_have_are_refused():
    tempos = b"\1\xff\x51\3\7\xa1\x20" * 50_001
    with pytest.raises(
        FormatError,
        match="expected at most 100,000 tempos, time signatures and keys, found more; remove some",
    ):
        read_midi_bytes(header(2) + chunk(tempos + A_NOTE + END) * 2, "theme.mid")


def test_more_tracks_than_a_choir_could_have_are_refused():
    data = header(MAX_PARTS + 1) + chunk(A_NOTE + END) * (MAX_PARTS + 1)
    with pytest.raises(FormatError, match=f"expected at most {MAX_PARTS} tracks with notes"):
        read_midi_bytes(data, "theme.mid")
