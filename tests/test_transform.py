"""seqmusic transform: its files, its output and its refusals."""

import json
import re
from pathlib import Path

import pytest

from seqmusic.cli import main
from seqmusic.formats import read_score

TUNE = "D4 E4 F4 G4 A4 G4 F4 E4 F4 D4 E4 D4"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("motet") / "out"
    arguments = ["--into", "motet", "--sections", "1,1/2", "-n", "1", "--out", str(out)]
    assert main(["transform", TUNE, *arguments]) == 0
    return out


def test_a_motet_has_all_its_files(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {"1.mid", "1.musicxml", "1.ly", "1.html", "check.json"} <= names


def test_the_files_hold_the_same_motet(folder: Path) -> None:
    midi, notation = (read_score(folder / f"1.{ending}") for ending in ("mid", "musicxml"))
    assert [voice.notes for voice in midi.voices] == [voice.notes for voice in notation.voices]
    assert [voice.name for voice in notation.voices] == [
        "Triplum",
        "Motetus",
        "Contratenor",
        "Tenor",
    ]


def test_check_json_has_each_item_with_its_result(folder: Path) -> None:
    data = json.loads((folder / "check.json").read_text(encoding="utf-8"))
    checks = data["candidates"]["1"]
    assert all(check["passed"] is not False for check in checks)
    assert {"color", "taleae", "proportions", "final"} <= {check["name"] for check in checks}
    assert any("two texts" in sentence for sentence in data["sentences"])


def test_the_page_shows_sentences_checks_and_construction(folder: Path) -> None:
    page = (folder / "1.html").read_text(encoding="utf-8")
    assert "The talea is 4 R2 2 2 1 R1" in page
    assert re.search(r"<td>final</td><td class=\"passed\">passed</td>", page)
    assert page.count('class="failed"') == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["C4 D4", "--into", "motet"], "its longest voice has 2 notes"),
        (
            [TUNE, "--into", "motet", "--talea", "1 2/7 3"],
            'the nearest talea that fits is "1 1/4 3"',
        ),
        ([TUNE, "--into", "motet", "--sections", "1,2/5"], "nearest proportion that fits is 3/8"),
        ([TUNE, "--into", "motet", "--voices", "5"], "the nearest is 4"),
        ([TUNE, "--into", "chorale", "--hocket"], "are for --into motet"),
    ],
)
def test_bad_input_is_refused_in_one_line_before_composing(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transform", *arguments, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
