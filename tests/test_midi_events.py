"""Damaged events of a track are repaired or skipped, and reported."""

import pytest
from small_midi_files import A_NOTE, END, TWO, TWO_NOTES, check_repairs, meta, one_track


@pytest.mark.parametrize(
    ("data", "notes", "repairs"),
    [
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
        (
            one_track(TWO_NOTES + b"\xff\xff\xff\x7f\x90\x3c\x40" + A_NOTE + END),
            [TWO],
            ("tracks cut where they wait for longer than any score lasts: 1 (at byte 42)",),
        ),
        (one_track(TWO_NOTES + b"\xff\xff\xff\x7f\xff\x2f\0"), [TWO], ()),
    ],
)
def test_each_defect_of_events_is_repaired_and_reported(data, notes, repairs):
    check_repairs(data, notes, repairs)
