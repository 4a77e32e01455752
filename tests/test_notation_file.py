"""Notation files: chorales and random scores come back, tune books, failed writing."""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqmusic.errors import FormatError
from seqmusic.formats.abc.file import read_tunes
from seqmusic.formats.notation.file import (
    chorale_paths,
    read_chorale,
    read_notation,
    write_musicxml,
)
from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice, melody
from seqmusic.tonality import all_keys

STAVES = ("open", "closed")
SAMPLE = {
    "bwv66.6.mxl": "pickup of two eighths, fermatas",
    "bwv1.6.mxl": "horn beside the four voices",
    "bwv36.4-2.mxl": "thirty-seconds",
    "bwv123.6.mxl": "3/2",
    "bwv248.23-2.mxl": "12/8",
    "bwv171.6.mxl": "two changes of time signature, drums that rest through short measures",
    "bwv41.6.mxl": "two changes of time signature, each with an upbeat",
    "bwv304.mxl": "3/4 inside 4/4",
    "bwv362.mxl": "3/4 after 4/4",
    "bwv48.3.mxl": "a measure of one beat",
    "bwv113.8.mxl": "pickup that is numbered 1",
    "bwv276.mxl": "irregular measures",
    "bwv281.krn": "kern, parts without names",
    "bwv299.mxl": "grace notes",
    "bwv17.7.mxl": "3/4 with repeats",
}


def chorale(name: str) -> Score:
    return read_chorale(next(path for path in chorale_paths() if path.name == name))


def round_trip(score: Score, folder: Path, staves: str) -> Score:
    path = folder / f"{staves}.musicxml"
    return read_notation(write_musicxml(score, path, staves=staves))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SAMPLE)
def test_chorales_come_back_from_musicxml(name, tmp_path):
    score = chorale(name)
    for staves in STAVES:
        back = round_trip(score, tmp_path, staves)
        assert back == score
        assert (back.title, back.source) == (score.title, score.source)


def _round_trip_failure(path: Path) -> str:
    """Empty for a chorale that survives both layouts, else its name or why it is no chorale."""
    try:
        score = read_chorale(path)
    except FormatError as error:
        return str(error)
    with tempfile.TemporaryDirectory() as folder:
        return (
            ""
            if all(round_trip(score, Path(folder), staves) == score for staves in STAVES)
            else path.name
        )


@pytest.mark.slow
def test_all_chorales_come_back_from_musicxml():
    with ProcessPoolExecutor(2) as pool:
        failures = list(pool.map(_round_trip_failure, chorale_paths(), chunksize=8))
    assert failures.count("") >= 400
    assert all(
        "named Soprano" in line for line in failures if line
    )  # five parts with two sopranos, and a prelude for the piano


def test_chorale_by_hand():
    """BWV 66.6 as printed: F# minor, 4/4, an upbeat, nine bars, six of them with a fermata."""
    score = chorale("bwv66.6.mxl")
    assert [voice.name for voice in score.voices] == list(SATB)
    assert (score.key, score.time_signatures, score.pickup_ticks) == (
        Key(3, "minor"),
        ((0, TimeSignature(4, 4)),),
        24,
    )
    assert (score.title, score.source) == ("bwv66.6", "music21 corpus, bach/bwv66.6.mxl")
    soprano = score.voices[0]
    assert soprano.notes[:3] == (Note(0, 12, 73), Note(12, 12, 71), Note(24, 24, 69))
    assert [n.onset_ticks for n in soprano.notes if n.fermata] == [
        24 + 96 * bar + 48 for bar in (0, 1, 2, 4, 6, 8)
    ]
    assert score.end_ticks == 36 * 24


def test_chorale_files_are_sorted_and_scores_only():
    paths = chorale_paths()
    assert paths == sorted(paths)
    assert {path.suffix for path in paths} <= {".mxl", ".xml", ".krn"}
    assert len(paths) > 400


def test_files_without_four_parts_are_refused():
    with pytest.raises(
        FormatError, match=r"bwv846\.mxl: holds 1 of four parts, 0 of them named Soprano"
    ):
        chorale("bwv846.mxl")


@st.composite
def voices(draw: st.DrawFn, name: str) -> Voice:
    notes, onset = [], 0
    for _ in range(draw(st.integers(0, 8))):
        duration = draw(
            st.sampled_from([1, 3, 4, 5, 6, 8, 12, 16, 18, 24, 36, 48, 72, 96, 100, 200])
        )
        if draw(st.integers(0, 3)):
            notes.append(Note(onset, duration, draw(st.integers(0, 127)), draw(st.booleans())))
        onset += duration
    return Voice(name, tuple(notes))


@st.composite
def meters(draw: st.DrawFn) -> tuple[int, tuple[tuple[int, TimeSignature], ...]]:
    signatures = st.sampled_from(
        [TimeSignature(*pair) for pair in [(4, 4), (3, 4), (2, 2), (3, 2), (6, 8), (5, 8), (7, 16)]]
    )
    if not draw(st.integers(0, 9)):
        return 0, ()
    found = [(0, draw(signatures))]
    pickup = draw(st.integers(0, found[0][1].bar_ticks - 1)) if draw(st.booleans()) else 0
    for _ in range(draw(st.integers(0, 2))):
        tick = found[-1][0] + draw(st.integers(max(1, pickup), 300))
        new = draw(signatures)
        starts = {bar.onset_ticks for bar in Score((), tuple(found), pickup).bars(tick + 1)}
        if new != found[-1][1] or tick not in starts:  # one repeated at a bar line is not kept
            found.append((tick, new))
    return pickup, tuple(found)


@st.composite
def scores(draw: st.DrawFn) -> Score:
    pickup, signatures = draw(meters())
    names = draw(st.sampled_from([SATB, ("1", "1", "", 'a\x01 "é" ')]))
    return Score(
        voices=tuple(draw(voices(name)) for name in names[: draw(st.integers(1, 4))]),
        time_signatures=signatures,
        pickup_ticks=pickup,
        key=draw(st.sampled_from([None, Key(2), *all_keys()])),
        tempo_bpm=draw(st.none() | st.floats(10, 400).map(lambda bpm: round(bpm, 5))),
        title=draw(st.sampled_from(["", "Nun <danket> & alle"])),
        source=draw(st.sampled_from(["", 'seed: 7\n{"key": 1}'])),
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(score=scores(), staves=st.sampled_from(STAVES))
def test_random_scores_come_back_from_musicxml(tmp_path, score, staves):
    back = round_trip(score, tmp_path, staves)
    assert back == score
    assert back.title == score.title
    assert back.source == (score.source or f"{staves}.musicxml")


def test_a_refused_tune_of_a_book_stops_no_other(tmp_path):
    """The meter before the first tune holds for both good ones; text between tunes is no music."""
    path = tmp_path / "book.abc"
    path.write_text(
        "M:3/4\nX:1\nT:First\nL:1/4\nK:C\nCDE|\n\nABC\n\n"
        "X:2\nT:Bad\nM:99/4\nK:C\nC|\n\nX:3\nL:1/4\nK:G\nFGA|",
        "utf-8",
    )
    first, bad, third = read_tunes(path)
    assert (first.name, bad.name, third.name) == ("1 First", "2 Bad", "3")
    assert (
        first.report.score.time_signatures
        == third.report.score.time_signatures
        == ((0, TimeSignature(3, 4)),)
    )
    assert [n.pitch for n in third.report.score.voices[0].notes] == [66, 67, 69]
    assert first.report.score.n_notes == 3
    assert bad.report is None
    assert re.fullmatch(
        r".*book\.abc: 2 Bad: holds a time signature with 99; at most 64 is read", bad.refusal
    )


def test_a_silent_bar_that_is_cut_short_stays_short(tmp_path):
    """Four silent quarters of 3/2 before 3/4: a whole rest there would stand for the whole bar."""
    score = melody(
        [Note(96, 72, 60)], time_signatures=((0, TimeSignature(3, 2)), (96, TimeSignature(3, 4)))
    )
    assert round_trip(score, tmp_path, "open") == score


def test_failed_writing_leaves_the_existing_file(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(FormatError, match="cannot be written"):
        write_musicxml(melody([Note(0, 24, 60)]), tmp_path / "taken")
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"none\.xml: cannot be read: No such file"):
        read_notation(tmp_path / "none.xml")
