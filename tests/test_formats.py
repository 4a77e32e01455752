import subprocess
import sys
from pathlib import Path

import pytest

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats import READABLE, WRITABLE, read_score, write_score
from seqmusic.score import Key, Note, Score, TimeSignature, Voice, melody

THEME = melody(
    [Note(0, 24, 67), Note(24, 48, 69), Note(72, 24, 70), Note(120, 72, 72)], key=Key(-1, "major")
)
CHOIR = Score(
    tuple(
        Voice(name, (Note(0, 24, pitch), Note(24, 72, pitch + 2, fermata=True)))
        for name, pitch in (("Soprano", 72), ("Alto", 65), ("Tenor", 57), ("Bass", 41))
    ),
    ((0, TimeSignature(3, 4)),),
    pickup_ticks=24,
    key=Key(-1, "major"),
)


LOSSY = {".csv", ".json"}  # these hold notes alone


@pytest.mark.parametrize("score", [THEME, CHOIR], ids=["melody", "choir"])
@pytest.mark.parametrize("ending", sorted({*READABLE} & {*WRITABLE} - LOSSY))
def test_what_is_written_is_read_back(score: Score, ending: str, tmp_path: Path) -> None:
    path = write_score(score, tmp_path / f"piece{ending.upper()}")
    assert path == tmp_path / f"piece{ending.upper()}"
    assert read_score(path) == score


@pytest.mark.parametrize("ending", WRITABLE)
def test_every_writable_ending_makes_a_file_of_its_kind(ending: str, tmp_path: Path) -> None:
    score = CHOIR if ending == ".json" else THEME
    starts = {".csv": b"onset,pitch", ".json": b'{"train"'}
    starts |= {
        ".mid": b"MThd",
        ".midi": b"MThd",
        ".ly": b"\\version",
        ".svg": b"<svg ",
        ".png": b"\x89PNG",
    }
    data = write_score(score, str(tmp_path / "new folder" / f"piece{ending}")).read_bytes()
    assert data.lstrip().startswith(starts.get(ending, b"<?xml"))


def test_unknown_endings_are_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "piece.wav").write_bytes(b"RIFF")
    with pytest.raises(
        FormatError,
        match=r"piece\.wav: '\.wav' files are not read; the endings are \.mid .*\.json$",
    ):
        read_score(tmp_path / "piece.wav")
    with pytest.raises(
        FormatError, match=r"'\.mxl' files are not written; the endings are .*\.ly \.svg \.png$"
    ):
        write_score(THEME, tmp_path / "piece.mxl")
    with pytest.raises(FormatError, match="a name without an ending"):
        write_score(THEME, tmp_path / "piece")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["piece.wav"]


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"piece\.mid: there is no such file"):
        read_score(tmp_path / "piece.mid")
    with pytest.raises(FormatError, match=r"is a folder; name one file in it \(\.mid"):
        read_score(tmp_path)
    (tmp_path / "folder.mid").mkdir()
    with pytest.raises(FormatError, match="is a folder; choose another name"):
        write_score(THEME, tmp_path / "folder.mid")


@pytest.mark.parametrize("ending", [e for e in READABLE if e not in (".abc",)])
def test_a_damaged_file_is_one_line(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"damaged{ending}"
    path.write_bytes(b"no score at all")
    with pytest.raises(CorruptFileError, match="damaged") as caught:
        read_score(path)
    assert "\n" not in str(caught.value)


def test_a_score_that_cannot_be_written_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    for ending in (".musicxml", ".ly", ".svg", ".png"):
        path = tmp_path / f"old{ending}"
        path.write_text("old", encoding="utf-8")
        with pytest.raises(FormatError):
            write_score(Score(()), path)
        assert path.read_text(encoding="utf-8") == "old"


def test_importing_formats_imports_none_of_the_libraries() -> None:
    libraries = {"torch", "music21", "miditoolkit", "mido", "verovio", "resvg_py", "numpy"}
    code = f"import sys, seqmusic.formats; print(sorted({libraries} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
