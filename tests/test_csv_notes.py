"""The note list: what it keeps of a score, and those of other programs."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from small_tables import TABLE_SETTINGS, notes_by_voice, read_text
from strategies import scores

from seqmusic.corpus.chorales import load_chorales
from seqmusic.errors import FormatError
from seqmusic.formats import read_score, read_with_report, write_score
from seqmusic.score import SATB, Note, Score, Voice, melody


def without_fermatas(score: Score) -> Score:
    """What a note list holds of a score: its voices that have notes, without fermatas."""
    voices = (
        Voice(v.name, tuple(Note(n.onset_ticks, n.duration_ticks, n.pitch) for n in v.notes))
        for v in score.voices
        if v.notes
    )
    return Score(tuple(voices), ())


@TABLE_SETTINGS
@given(scores())
def test_a_note_list_comes_back(tmp_path: Path, score: Score) -> None:
    report = read_with_report(write_score(score, tmp_path / "x.csv"))
    assert (report.score, report.losses) == (without_fermatas(score), ())


def test_chorales_with_one_to_six_voices_come_back_as_note_lists(tmp_path: Path) -> None:
    works = load_chorales().kept_works[::60]
    for number, (one, other) in enumerate(itertools.pairwise(works)):
        names = [f"{name} {choir}" for choir in (1, 2) for name in SATB]
        voices = [
            Voice(n, v.notes)
            for n, v in zip(names, one.score.voices + other.score.voices, strict=True)
        ]
        for n_voices in range(1, 7):
            score = Score(tuple(voices[:n_voices]))
            assert read_score(
                write_score(score, tmp_path / f"{number}-{n_voices}.csv")
            ) == without_fermatas(score)


def test_note_list_by_hand(tmp_path: Path) -> None:
    """As French Excel saves it, with a byte order mark, semicolons and decimal commas.

    One time is a third, and one has two digits that mean five sixths.
    """
    rows = ["0;Sol4;0,5;haut", "0,5;62;1/3;haut", '0;36;"0,83";bas']
    text = "\r\n".join(["\ufeffOnset;Pitch;Duration;Voice", *rows, ""])
    for data in (
        text.encode(),
        text.lstrip("\ufeff").encode("utf-16"),
        text.lstrip("\ufeff").encode("latin-1"),
    ):
        report = read_text(tmp_path, data)
        assert [voice.name for voice in report.score.voices] == ["haut", "bas"]
        assert notes_by_voice(report.score) == [[(0, 12, 67), (12, 8, 62)], [(0, 20, 36)]]
        assert report.losses == ()


def test_note_lists_of_others(tmp_path: Path) -> None:
    """Tabs, other columns in another order, a rest, rows mixed in time; and Excel's first line."""
    rows = ["bass 90 40 0 1", "soprano 80 72 0 1", "bass 90  1 1", "bass 9 43 2 1"]
    text = "\n".join(["voice velocity pitch start dur", *rows, ""])
    report = read_text(tmp_path, text.replace(" ", "\t"))
    assert [(voice.name, len(voice.notes)) for voice in report.score.voices] == [
        ("soprano", 1),
        ("bass", 2),
    ]
    assert report.losses == ("columns left out: velocity",)
    assert read_text(tmp_path, "sep=;\nonset;pitch;duration\n0;60;1\n").score == melody(
        [Note(0, 24, 60)], time_signatures=()
    )


def test_notes_without_a_voice_are_separated(tmp_path: Path) -> None:
    report = read_text(tmp_path, "onset,pitch,duration\n0,60,1\n0,72,1\n1,62,1\n1,71,1\n")
    assert [(v.name, [n.pitch for n in v.notes]) for v in report.score.voices] == [
        ("Soprano", [72, 71]),
        ("Bass", [60, 62]),
    ]
    assert report.losses == ("notes without a voice taken apart into 2 voices",)


def test_times_off_the_grid_are_moved_and_reported(tmp_path: Path) -> None:
    report = read_text(tmp_path, "onset,pitch,duration\n0,60,0.99\n1.02,62,0.98\n")
    assert notes_by_voice(report.score) == [[(0, 24, 60), (24, 24, 62)]]
    assert report.losses[0].startswith(
        "starts of notes moved to the grid of 24 ticks a quarter: 1 of 2, by 0.48 ticks"
    )


def test_seconds_are_not_taken_for_quarter_notes(tmp_path: Path) -> None:
    rows = "".join(f"{0.3 + 0.61803 * i * (1 + 0.01 * (i % 7)):.5f},60,0.1\n" for i in range(80))
    with pytest.raises(
        FormatError, match=r"table\.csv: its 79 onsets keep to no beat .* if they are seconds"
    ):
        read_text(tmp_path, f"onset,pitch,duration\n{rows}")
    assert read_text(tmp_path, f"onset,pitch,duration\n{rows}", 1).score.n_notes > 70
