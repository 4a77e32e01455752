"""Any bytes are read as a score that can be written to a MIDI file, or refused in one line."""

import struct
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from seqmusic.errors import FormatError
from seqmusic.formats.midi.reading import read_midi_bytes
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
EDGE_BYTES = st.sampled_from(bytes.fromhex("00 2f 3c 51 58 59 7f 80 81 90 99 b0 c0 e0 f0 f4 f7 ff"))
POSITIONS = st.integers(0, 700)
EDITS = st.tuples(
    POSITIONS,
    st.sampled_from(["set", "insert", "delete", "copy"]),
    EDGE_BYTES | st.integers(0, 255),
    POSITIONS,
)


def apply_edits(data, edits):
    changed = bytearray(data)
    for position, kind, byte, other in edits:
        at = position % (len(changed) + 1)
        if kind == "set":
            changed[at : at + 1] = bytes([byte])
        elif kind == "insert":
            changed[at:at] = bytes([byte])
        elif kind == "delete":
            del changed[at : at + 1 + byte % 7]
        else:
            changed[at:at] = changed[other : other + byte]
    return bytes(changed)


def check_reads_or_refuses(data):
    try:
        report = read_midi_bytes(data, "x.mid")
    except FormatError as error:
        refusal = str(error)
    else:
        again = read_midi_bytes(midi_bytes(report.score), "x.mid")
        assert (again.score, again.repairs, again.losses) == (report.score, (), ())
        assert "\n" not in "".join(report.repairs + report.losses)
        return
    assert refusal.startswith("x.mid: ")
    assert "\n" not in refusal


@settings(deadline=None, max_examples=250)
@given(st.sampled_from(SEEDS), st.lists(EDITS, min_size=1, max_size=6))
def test_damaged_files(seed, edits):
    check_reads_or_refuses(apply_edits(seed, edits))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.binary(max_size=60) | st.lists(EDGE_BYTES).map(bytes), max_size=4),
    st.integers(0, 3),
    st.integers(1, 960),
)
def test_tracks_of_any_bytes(tracks, kind, division):
    check_reads_or_refuses(
        b"MThd"
        + struct.pack(">LHHH", 6, kind, len(tracks), division)
        + b"".join(b"MTrk" + struct.pack(">L", len(track)) + track for track in tracks)
    )


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes(data, has_header):
    check_reads_or_refuses(b"MThd" * has_header + data)
