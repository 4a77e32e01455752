"""Whole MIDI files: those made to test players, and huge ones within bounds of time and memory."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_midi_files import A_NOTE, END, TWO_NOTES, chunk, header, notes_of, one_track

from seqmusic.errors import FormatError
from seqmusic.formats import read_with_report
from seqmusic.formats.midi.file import read_midi_with_report

FOLDER = Path(__file__).parent / "fixtures" / "midi" / "jazz-soft"


EXPECTED_REPORTS = {
    "2-tracks-type-0": "repaired: several tracks in a file for one",
    "2-tracks-type-2": "refused: a second piece in the same file",
    "control-00-20-bank-select": "read; notes of the drums",
    "control-41-portamento": "read; chords of track 'Control 0x41 Portamento Test' taken apart",
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
def test_files_made_to_test_players_are_reported_rightly_within_a_second(path):
    expected = EXPECTED_REPORTS.get(path.stem.removeprefix("test-"), "read")
    status, _, reason = expected.partition(": ")
    started = time.perf_counter()
    if status == "refused":
        with pytest.raises(FormatError, match=rf"^{path.name}: .*{reason}"):
            read_with_report(path)
    else:
        report = read_with_report(path)
        repairs = ": " + " ".join(report.repairs) if report.repairs else ""
        found = "; ".join([report.status + repairs, *report.losses])
        assert found.startswith(expected)
        if status == "repaired" and len(report.score.voices) == 1:
            assert notes_of(report) == SCALE
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


# The peak that `getrusage` gives begins with that of the process which started this one; on Linux
# VmHWM has the peak of this process alone.
MEASURING_SCRIPT = """
import re, resource, sys, time
from pathlib import Path
from seqmusic.errors import SeqmusicError
from seqmusic.formats import read_score
status = Path("/proc/self/status")
def peak():
    found = re.search(r"VmHWM:\\s+([0-9]+) kB", status.read_text()) if status.exists() else None
    return float(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    started = time.process_time()
    try:
        read_score(path)
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


def test_a_missing_file_or_a_folder_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"none.mid: cannot be read: No such file"):
        read_midi_with_report(tmp_path / "none.mid")
    with pytest.raises(FormatError, match="cannot be read: Is a directory"):
        read_midi_with_report(tmp_path)
