"""The convert command: files, books and folders; what it reports, and what it never overwrites."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqmusic.cli import main
from seqmusic.formats import read_score, write_score
from seqmusic.formats.conversion_losses import conversion_losses
from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice

CHOIR = Score(
    tuple(
        Voice(name, (Note(0, 24, pitch), Note(24, 72, pitch, fermata=True)))
        for name, pitch in zip(SATB, (72, 65, 57, 41), strict=True)
    ),
    ((0, TimeSignature(3, 4)),),
    pickup_ticks=24,
    key=Key(-1, "major"),
    tempo_bpm=80.0,
    title="Choir",
)


@pytest.fixture
def choir(tmp_path: Path) -> Path:
    return write_score(CHOIR, tmp_path / "choir.musicxml")


def convert(*arguments: object) -> int:
    return main(["convert", *map(str, arguments)])


def test_converting_a_file_reports_all_that_is_lost(
    choir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = choir.with_suffix(".csv")
    assert convert(choir, target) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"{choir} (read): 4 voices, 8 notes, 2 bars; written to {target}",
        f"to look at it: seqmusic convert {choir} {target.with_suffix('.png')}",
    ]
    lost = "time signatures, and with them the bars; the key; the tempo; fermatas: 4; the title"
    assert err == f"{target}: does not hold {lost}\n"
    assert read_score(target).n_notes == 8


def test_back_and_forth_through_midi(choir: Path) -> None:
    assert convert(choir, choir.with_suffix(".mid")) == 0
    assert convert(choir.with_suffix(".mid"), choir.with_name("again.musicxml")) == 0
    assert read_score(choir.with_name("again.musicxml")) == CHOIR


def test_grids_merge_repeated_notes_and_report_it(
    choir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = choir.with_suffix(".csv")
    assert (
        convert(choir, target, "--layout", "grid", "--grid", "1/4") == 2
    )  # MusicXML is not put on a grid
    assert convert(choir, target, "--layout", "grid") == 0
    assert target.read_text(encoding="utf-8").splitlines()[:2] == [
        "Soprano,Alto,Tenor,Bass",
        "72,65,57,41",
    ]
    assert "notes repeated at once, which will be read as held: 4" in capsys.readouterr().err
    assert convert(target, choir.with_suffix(".json")) == 0
    assert [len(voice.notes) for voice in read_score(choir.with_suffix(".json")).voices] == [
        1,
        1,
        1,
        1,
    ]
    assert (
        convert(target, choir.with_suffix(".mid"), "--grid", "1/8") == 0
    )  # a row lasts twice as long
    assert read_score(choir.with_suffix(".mid")).end_ticks == 2 * 96


def test_an_existing_file_is_kept(choir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = choir.with_suffix(".mid")
    target.write_bytes(b"old")
    assert convert(choir, target) == 2
    assert (
        "choir.mid: exists already; choose another name, or --force to replace it"
        in capsys.readouterr().err
    )
    assert target.read_bytes() == b"old"
    assert convert(choir, target, "--force") == 0
    assert read_score(target) == CHOIR
    assert convert(choir, choir, "--force") == 2


def test_a_book_of_tunes_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = tmp_path / "book.abc"
    book.write_text(
        "X:1\nT:A/B\nL:1/4\nK:C\nCDE|\n\nX:2\nM:99/4\nK:C\nC|\n\nX:1\nT:A/B\nL:1/4\nK:C\nGAB|\n",
        encoding="utf-8",
    )
    assert convert(book, tmp_path / "tunes", "--to", "mid") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == f"2 pieces written to {tmp_path / 'tunes'}, 1 refused"
    assert "refused: " in err
    assert "book.abc: 2: holds a time signature with 99" in err
    assert sorted(path.name for path in (tmp_path / "tunes").iterdir()) == [
        "1 A_B 2.mid",
        "1 A_B.mid",
    ]
    assert convert(book, tmp_path / "tunes", "--to", ".csv") == 2
    assert "exists and is not empty" in capsys.readouterr().err


def test_a_folder_into_a_folder(
    choir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    choir.rename(tmp_path / "in" / "deep" / "choir.musicxml")
    (tmp_path / "in" / "bad.mid").write_bytes(b"no")
    (tmp_path / "in" / "notes.txt").write_text("no score")
    assert convert(tmp_path / "in", tmp_path / "out", "--to", ".csv") == 0
    assert "1 pieces written to" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["choir.csv"]
    (tmp_path / "empty").mkdir()
    assert convert(tmp_path / "empty", tmp_path / "out2", "--to", ".csv") == 2
    assert convert(tmp_path / "in", tmp_path / "out2", "--to", ".wav") == 2
    assert (
        "--to .wav: not a format that is written; the endings are .mid" in capsys.readouterr().err
    )
    assert not (tmp_path / "out2").exists()


def test_a_refused_conversion_is_one_line(choir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for target, message in (
        ("x.wav", "'.wav' files are not written"),
        ("x", "a name without an ending"),
        ("x.json", "x.json: holds four voices"),
    ):
        source = choir
        if target == "x.json":
            source = write_score(Score(CHOIR.voices[:2]), choir.with_name("two.mid"))
        assert convert(source, choir.with_name(target)) == 2
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1


def test_losses_by_hand() -> None:
    bare = Score((Voice("A", (Note(0, 24, 60),)), Voice("B", (Note(0, 24, 50),))), ())
    assert all(
        conversion_losses(bare, Path(f"x{ending}")) == ()
        for ending in (".mid", ".musicxml", ".csv")
    )
    assert conversion_losses(CHOIR, Path("x.musicxml")) == ()
    twins = Score((Voice("A", ()), Voice("A", (Note(0, 24, 60),))), ())
    assert conversion_losses(twins, Path("x.csv")) == (
        "the names of voices, which are not different ones",
        "voices without notes: 1",
    )
