"""Notes that lack an end or overlap are repaired; settings outside the rules are left out."""

import pytest
from small_midi_files import (
    A_NOTE,
    END,
    TWO,
    TWO_NOTES,
    check_repairs,
    meta,
    notes_of,
    one_track,
)

from seqmusic.formats.midi.reading import read_midi_bytes
from seqmusic.score import Key


@pytest.mark.parametrize(
    ("data", "notes", "repairs"),
    [
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
            # 3.58 a minute, which cannot be written again
            one_track(meta(0x51, 255, 255, 255) + TWO_NOTES + END),
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
    ],
)
def test_each_defect_of_notes_and_settings_is_repaired_and_reported(data, notes, repairs):
    check_repairs(data, notes, repairs)


def test_drums_bends_and_later_tempos_and_keys_are_reported_as_left_out():
    bend, drum = b"\0\xe0\0\x50\0\xe0\0\x40", b"\0\x99\x24\x40\x60\x89\x24\x40"
    changes = (
        meta(0x51, 7, 0xA1, 0x20)
        + meta(0x59, 1, 0)
        + TWO_NOTES
        + meta(0x51, 8, 0, 0)
        + meta(0x59, 2, 0)
    )
    report = read_midi_bytes(one_track(bend + drum + changes + END), "theme.mid")
    assert (report.score.tempo_bpm, report.score.key) == (120.0, Key(1, "major"))
    assert report.status == "read"
    assert report.losses == (
        "pitch bends left out: 1",
        "notes of the drums (channel 10) left out: 1",
        "changes of tempo left out: 1",
        "changes of key left out: 1",
    )


def test_a_change_of_program_does_not_split_a_voice():
    report = read_midi_bytes(one_track(A_NOTE + b"\0\xc0\x28" + A_NOTE + END), "theme.mid")
    assert notes_of(report) == [((0, 24, 60), (24, 24, 60))]


def test_voices_have_the_name_of_a_track_only_if_it_has_one_channel():
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
