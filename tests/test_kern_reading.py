"""Kern: spines, lengths, ties, measures and meters, worked out by hand."""

from __future__ import annotations

import pytest

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.kern.reading import read_kern
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import Key, TimeSignature


def kern(*lines: str) -> ReadReport:
    """The report on lines whose columns are divided by spaces; a comma divides notes of a chord."""
    text = "\n".join(line.replace(" ", "\t").replace(",", " ") for line in lines)
    return read_kern(text + "\n")


def rows(report: ReadReport) -> list[list[tuple[int, int, int]]]:
    """Onset, duration and pitch of the notes of each voice."""
    return [
        [(note.onset_ticks, note.duration_ticks, note.pitch) for note in voice.notes]
        for voice in report.score.voices
    ]


def test_spines_are_parts_from_the_last_to_the_first():
    found = kern(
        "!!!OTL: Sch&ouml;n",
        "**kern **text **kern",
        '*I"Bass * *I"Alto',
        "*k[f#] * *k[f#]",
        "*G: * *G:",
        "*M2/4 * *M2/4",
        "*MM90 * *MM90",
        "=1 =1 =1",
        "2G; la 4g",
        ". . [4b",
        "=2 =2 =2",
        "4GG la 4b]",
        "== == ==",
        "*- *- *-",
    )
    assert [voice.name for voice in found.score.voices] == ["Alto", "Bass"]
    assert rows(found) == [[(0, 24, 67), (24, 48, 71)], [(0, 48, 55), (48, 24, 43)]]
    assert [note.fermata for note in found.score.voices[1].notes] == [True, False]
    assert (found.score.key, found.score.tempo_bpm) == (Key(1, "major"), 90)
    assert (found.score.title, found.score.time_signatures) == (
        "Schön",
        ((0, TimeSignature(2, 4)),),
    )
    assert found.losses == ("syllables of text left out: 2 (first at measure 1)",)


def test_a_spine_that_splits_has_two_lines():
    """The lower line rests where the spine is one again; both lines of a split may go on."""
    found = kern(
        *("**kern **kern", "*M2/4 *M2/4", "*^ *", "2C 4E 2c", ". 4F .", "*v *v *", "2D 2d"),
        *("*^ *", "2C 2E 2c", "*- *- *-"),
    )
    assert rows(found) == [
        [(0, 48, 60), (48, 48, 62), (96, 48, 60)],
        [(0, 48, 48), (48, 48, 50), (96, 48, 48)],
        [(0, 24, 52), (24, 24, 53), (96, 48, 52)],
    ]


def test_chords_rests_graces_and_lengths():
    found = kern("**kern", "4.cc#,4.e-", "8r", "8dq", "3%2B", "0C", "16ffn", "*-")
    assert rows(found) == [
        [(0, 36, 73), (304, 6, 77)],
        [(0, 36, 63), (48, 64, 59), (112, 192, 48)],
    ]
    assert found.losses[0] == "grace notes left out: 1 (at measure 0)"


def test_notes_that_last_over_a_bar_line_keep_their_length():
    found = kern(*("**kern **kern", "*M2/2 *M2/2", "=1 =1", "0C 1c", "=2 =2", ". 1d", "*- *-"))
    assert rows(found)[1] == [(0, 192, 48)]


def test_a_cadenza_off_the_grid_moves_no_later_bar_line():
    """Five 128ths are 3.75 ticks: that measure gets 4, and the next one begins on the grid."""
    found = kern(
        *("**kern", "*M1/4", "=1", "4c", "=2", "128d", "128e", "128f", "128g", "128a"),
        *("=3", "4c", "=4", "4d", "*-"),
    )
    assert [note.onset_ticks for note in found.score.voices[0].notes][-2:] == [28, 52]
    assert found.repairs == (
        "measures of a length off the grid of 24 ticks a quarter moved to it: 1 "
        "(at measure 2, 0.15625 quarters)",
    )


def test_meters():
    found = kern(*("**kern", "*M3/0", "00.c", "=", "*M4/4", "2d", "*M3/4", "2.e", "*M2/3%2", "*-"))
    assert found.score.time_signatures == (
        (0, TimeSignature(6, 1)),
        (576, TimeSignature(4, 4)),
        (624, TimeSignature(3, 4)),
    )
    assert found.repairs[0].startswith("changes of meter inside a measure begin a new one: 1")
    assert found.losses == (
        "time signatures that a score does not hold: 1 (at *M2/3%2 in measure 1)",
    )
    differing = kern(*("**kern **kern", "*M2/1 *M3/1", "0c 0c", "*- *-"))
    assert differing.score.time_signatures == ((0, TimeSignature(3, 1)),)
    assert "time signatures of parts that differ" in differing.losses[0]


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        (["C D"], r"no spine begins with \*\*kern"),
        (["**kern", "4r", "*-"], "holds no notes"),
        (["**kern", "4c 4d"], "line 2 has 2 columns, expected 1"),
        (["**kern", "99999c"], "line 2 holds a note of length '99999'; numbers from 1 to 1024"),
        (["**kern", *["000c"] * 12_501], "is later than 400000 quarter notes"),
    ],
)
def test_wrong_files_are_refused(lines, match):
    with pytest.raises(FormatError, match=match):
        kern(*lines)


def test_notes_written_twice_are_reported():
    found = kern("**kern", "4c,4c", "*-")
    assert rows(found) == [[(0, 24, 60)]]
    assert found.losses == ("notes written twice in one voice read once: 1 (at part 1)",)


def test_a_file_that_ends_early_is_read_as_far_as_it_goes():
    with pytest.raises(CorruptFileError, match="line 3 has 1 columns, expected 2"):
        kern("**kern **kern", "4c 4e", "4c")
