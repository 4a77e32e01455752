"""The grid: what it keeps of a score, those of other programs, and what does not fit one."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tables import TABLE_SETTINGS, notes_by_voice, read_text
from strategies import scores

from seqmusic.errors import FormatError
from seqmusic.formats import read_with_report
from seqmusic.formats.csv.file import write_csv_grid
from seqmusic.formats.csv.grid import REPEATS_MERGED, n_repeated_notes
from seqmusic.score import SATB, Note, Score, Voice, melody


@TABLE_SETTINGS
@given(scores(max_voices=6), st.sampled_from([1, 3, 6, 12]))
def test_a_grid_comes_back_where_no_note_is_repeated_at_once(
    tmp_path: Path, score: Score, step: int
) -> None:
    """Times are multiples of a step; other pitches replace those repeated at once, and the rest."""
    voices = []
    for voice in score.voices:
        line = [
            Note(n.onset_ticks * step, n.duration_ticks * step, max(1, n.pitch))
            for n in voice.notes
        ]
        for index, (before, after) in enumerate(itertools.pairwise(line), start=1):
            if after.pitch == line[index - 1].pitch and after.onset_ticks == before.end_ticks:
                line[index] = Note(after.onset_ticks, after.duration_ticks, after.pitch % 127 + 1)
        voices.append(Voice(voice.name, tuple(line)))
    on_steps = Score(tuple(voices), ())
    assert n_repeated_notes(on_steps) == 0
    report = read_with_report(write_csv_grid(on_steps, tmp_path / "x.csv", step), step)
    assert (report.score, report.losses) == (on_steps, (REPEATS_MERGED,))


def test_grid_by_hand(tmp_path: Path) -> None:
    """Four steps under the usual names, with every way to write a rest, the last one silent."""
    report = read_text(
        tmp_path, "note0,note1,note2,note3\n72,67,60,48\n72,0,-1,\n74,NaN,60.0,-1.0\n0,0,0,0\n"
    )
    assert [voice.name for voice in report.score.voices] == list(SATB)
    assert notes_by_voice(report.score) == [
        [(0, 12, 72), (12, 6, 74)],
        [(0, 6, 67)],
        [(0, 6, 60), (12, 6, 60)],
        [(0, 6, 48)],
    ]
    assert report.score.time_signatures == ()
    assert report.losses == (REPEATS_MERGED, "silent rows at the end left out: 1")


def test_grids_of_others(tmp_path: Path) -> None:
    assert [v.name for v in read_text(tmp_path, "Bass;SOPRANO\n40;C5\n").score.voices] == [
        "Soprano",
        "Bass",
    ]
    framed = read_text(
        tmp_path, ",Flute,Oboe\n0,72,60\n1,74,60\n"
    )  # as a data frame writes its index
    assert notes_by_voice(framed.score) == [[(0, 6, 72), (6, 6, 74)], [(0, 12, 60)]]
    assert notes_by_voice(read_text(tmp_path, "pitch\n60\n\n62\n", 12).score) == [
        [(0, 12, 60), (24, 12, 62)]
    ]  # one column: an empty row is a rest


def test_what_a_grid_cannot_hold_is_refused(tmp_path: Path) -> None:
    score = melody([Note(0, 24, 60), Note(24, 8, 62)])
    with pytest.raises(
        FormatError,
        match=r"x\.csv: 1 times at .* inside a step of 6 ticks; write steps of 2 ticks, or",
    ):
        write_csv_grid(score, tmp_path / "x.csv")
    with pytest.raises(
        FormatError, match="voice 'Soprano' has the pitch 0, which means a rest here"
    ):
        write_csv_grid(melody([Note(0, 24, 0)]), tmp_path / "x.csv")
    assert not list(tmp_path.iterdir())
