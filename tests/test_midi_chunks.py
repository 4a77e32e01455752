"""Tracks are found despite wrong lengths and counts; a file without any is refused."""

import pytest
from small_midi_files import (
    A_NOTE,
    END,
    TWO,
    TWO_NOTES,
    VALID_FILE,
    check_repairs,
    chunk,
    header,
    notes_of,
    one_track,
)

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.midi.reading import read_midi_bytes


@pytest.mark.parametrize(
    ("data", "notes", "repairs"),
    [
        (VALID_FILE, [TWO], ()),
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
        (header(2, kind=2) + chunk(END) + chunk(TWO_NOTES + END), [TWO], ()),
    ],
)
def test_each_defect_of_chunks_is_repaired_and_reported(data, notes, repairs):
    check_repairs(data, notes, repairs)


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
def test_a_file_beyond_repair_is_refused_with_its_position(data, error, message):
    with pytest.raises(error, match=rf"^theme.mid: .*{message}") as refusal:
        read_midi_bytes(data, "theme.mid")
    assert "\n" not in str(refusal.value)


def test_a_second_file_after_the_first_is_left_out():
    report = read_midi_bytes(VALID_FILE + VALID_FILE, "theme.mid")
    assert (notes_of(report), report.repairs) == ([TWO], ())
    assert report.losses == (
        "a second file follows in the same file, and is left out (at byte 42)",
    )
