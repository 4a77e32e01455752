"""What symusic and miditoolkit find in a file that was set right is the same, whatever file it was."""

import itertools
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_midi_fuzz import EDITS, SEEDS, apply_edits
from test_midi_repair import A_NOTE, END, TWO_NOTES, chunk, header, meta

from seqmusic.errors import FormatError
from seqmusic.formats.midi import contents as midi_contents
from seqmusic.formats.midi.chunks import MidiSource
from seqmusic.formats.midi.contents import read_contents, read_with_miditoolkit, read_with_symusic
from seqmusic.formats.midi.reading import read_midi_bytes
from seqmusic.formats.midi.repair import repair
from seqmusic.formats.midi.writing import midi_bytes

pytest.importorskip("symusic", reason="symusic comes with the extra `fast`")


def check_readers_agree(data):
    try:
        clean = repair(MidiSource("x.mid", data))
    except FormatError:
        return False
    if clean.end < 2**31:
        assert read_with_symusic(clean.data) == read_with_miditoolkit(clean.data)
    return True


def test_chorales(chorales):
    assert all(check_readers_agree(midi_bytes(work.score)) for work in chorales.kept_works[::20])


@pytest.mark.slow
def test_all_chorales(chorales):
    assert all(check_readers_agree(midi_bytes(work.score)) for work in chorales.kept_works)


def test_files_made_to_test_players():
    assert (
        sum(
            check_readers_agree(path.read_bytes())
            for path in (Path(__file__).parent / "fixtures" / "midi" / "jazz-soft").glob("*.mid")
        )
        > 20
    )


@settings(max_examples=200)
@given(st.sampled_from(SEEDS), st.lists(EDITS, max_size=6))
def test_damaged_files(seed, edits):
    check_readers_agree(apply_edits(seed, edits))


MESSAGES = st.tuples(
    st.integers(0, 300),
    st.sampled_from([0x80, 0x90, 0x90, 0xC0, 0xE0]),
    st.integers(0, 3),
    st.integers(0, 5),
    st.integers(0, 2),
)
SETTINGS = st.sampled_from(
    [
        b"",
        meta(0x51, 9, 0, 0),
        meta(0x58, 6, 3, 24, 8),
        meta(0x59, 0xF9, 1),
        meta(0x59, 7, 0),
        meta(0x03, 233),
    ]
)


@given(
    st.lists(st.tuples(SETTINGS, st.lists(MESSAGES, max_size=30)), min_size=1, max_size=4),
    st.integers(1, 32767),
)
def test_any_notes(tracks, division):
    written = b""
    for first, messages in tracks:
        events = [struct.pack("BBBBB", 0x80 | wait >> 7, wait & 127, kind | channel, pitch, loud * 60)[: 4 if kind == 0xC0 else 5]
                  for wait, kind, channel, pitch, loud in messages]  # fmt: skip
        written += chunk(first + b"".join(events) + END)
    check_readers_agree(header(len(tracks), division) + written)


@pytest.fixture
def many_read(monkeypatch):
    """As if many files had been read."""
    monkeypatch.setattr(midi_contents, "_n_read", itertools.count(1000))


def test_symusic_reads_after_the_first_files_and_what_it_cannot_count_is_left_to_miditoolkit(
    many_read, monkeypatch
):
    found = []
    monkeypatch.setattr(
        midi_contents,
        "read_with_symusic",
        lambda data: found.append(data) or read_with_symusic(data),
    )
    read_midi_bytes(SEEDS[0], "x.mid")
    assert len(found) == 1
    # the last note starts 1,999,900 ticks after the others, in the finest division: more than 2,700 million units
    late = header(division=32767) + chunk(TWO_NOTES + b"\x8a\x95\xfd\x9f\x54" + A_NOTE[1:] + END)
    reading = read_midi_bytes(late, "late.mid")
    clean = repair(MidiSource("late.mid", late))
    assert read_contents(clean) == read_with_miditoolkit(clean.data)
    assert (reading.score.end_ticks, len(found)) == (1_999_902, 1)


def test_without_symusic_miditoolkit_reads(many_read, monkeypatch):
    monkeypatch.setattr(midi_contents, "_symusic", lambda: None)
    clean = repair(MidiSource("x.mid", SEEDS[0]))
    assert read_contents(clean) == read_with_miditoolkit(clean.data)
