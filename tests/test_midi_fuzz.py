"""Whatever the bytes, a MIDI file is read or refused by this package's own errors, and what is read is a score that can be kept."""

import struct
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from seqmusic.errors import FormatError
from seqmusic.formats.midi.reading import read_bytes
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.score import Key, Note, Score, Voice

FOLDER = Path(__file__).parent / "fixtures" / "midi" / "jazz-soft"
OURS = midi_bytes(
    Score(
        (Voice("Soprano", (Note(0, 24, 60), Note(24, 24, 62))), Voice("", ())),
        (),
        key=Key(2),
        tempo_bpm=99.0,
    )
)
SEEDS = [OURS, *(path.read_bytes() for path in sorted(FOLDER.glob("*.mid")))]
SEEDS = [seed for seed in SEEDS if len(seed) > 30]
TELLING = st.sampled_from(
    [
        0,
        0x3C,
        0x7F,
        0x80,
        0x90,
        0x99,
        0xB0,
        0xC0,
        0xE0,
        0xF0,
        0xF4,
        0xF7,
        0xFF,
        0x2F,
        0x51,
        0x58,
        0x59,
        0x81,
    ]
)
PLACE = st.integers(0, 700)
EDIT = st.tuples(
    PLACE,
    st.sampled_from(["set", "insert", "delete", "copy"]),
    TELLING | st.integers(0, 255),
    PLACE,
)


def edited(data, edits):
    changed = bytearray(data)
    for place, kind, byte, other in edits:
        at = place % (len(changed) + 1)
        if kind == "set":
            changed[at : at + 1] = bytes([byte])
        elif kind == "insert":
            changed[at:at] = bytes([byte])
        elif kind == "delete":
            del changed[at : at + 1 + byte % 7]
        else:
            changed[at:at] = changed[other : other + byte]
    return bytes(changed)


def check(data):
    try:
        reading = read_bytes(data, "x.mid")
    except FormatError as error:
        refusal = str(error)
    else:
        again = read_bytes(midi_bytes(reading.score), "x.mid")
        assert (again.score, again.repairs, again.losses) == (reading.score, (), ())
        assert "\n" not in "".join(reading.repairs + reading.losses)
        return
    assert refusal.startswith("x.mid: ")
    assert "\n" not in refusal


@settings(deadline=None, max_examples=250)
@given(st.sampled_from(SEEDS), st.lists(EDIT, min_size=1, max_size=6))
def test_damaged_files(seed, edits):
    check(edited(seed, edits))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.binary(max_size=60) | st.lists(TELLING).map(bytes), max_size=4),
    st.integers(0, 3),
    st.integers(1, 960),
)
def test_tracks_of_any_bytes(tracks, kind, division):
    check(
        b"MThd"
        + struct.pack(">LHHH", 6, kind, len(tracks), division)
        + b"".join(b"MTrk" + struct.pack(">L", len(track)) + track for track in tracks)
    )


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes(data, has_header):
    check(b"MThd" * has_header + data)
