"""CSV files: several pieces, each refusal with row and column, and any table at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import notes_by_voice, read_text

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats import read_pieces, read_score
from seqmusic.formats.csv import file as csv_file
from seqmusic.formats.csv import notes as csv_notes
from seqmusic.formats.csv import spreadsheet


def test_several_pieces(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("piece,onset,pitch,duration\nb,0,60,1\na,0,62,1\nb,1,64,1\n", encoding="utf-8")
    with pytest.raises(
        FormatError,
        match=r"book\.csv: holds 2 pieces \('b', 'a', \.\.\.\); keep the rows of one, or read all",
    ):
        read_score(path)
    assert [(p.name, p.report and notes_by_voice(p.report.score)) for p in read_pieces(path)] == [
        ("b", [[(0, 24, 60), (24, 24, 64)]]),
        ("a", [[(0, 24, 62)]]),
    ]
    path.write_text("piece,soprano\nx,60\ny,62\nx,60\n", encoding="utf-8")
    assert [(p.name, p.report and notes_by_voice(p.report.score)) for p in read_pieces(path)] == [
        ("x", [[(0, 12, 60)]]),
        ("y", [[(0, 6, 62)]]),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; expected a row with the names"),
        (
            "60,55,48,36\n60,55,48,36\n",
            "row 1 holds numbers; expected the names of the columns, such as onset,pitch,duration",
        ),
        ("onset,pitch\n0,60\n", "has onsets and no durations; add a column 'duration'"),
        ("onset,pitch,duration\n", "holds no notes"),
        ("soprano,alto\n0,-1\n", "holds no notes"),
        (
            "onset,pitch,duration\n0,60,1\n1,H4,1\n",
            "row 3, column 'pitch': expected a MIDI number in 0..127, .* got 'H4'",
        ),
        (
            "onset,pitch,duration\n-1,60,1\n",
            "row 2, column 'onset': expected a number of quarter notes from 0 to 400,000.* '-1'",
        ),
        ("onset,pitch,duration\n1e300,60,1\n", "row 2, column 'onset': .* got '1e300'"),
        ("onset,pitch,duration\n1e99,60,1\n", "row 2, column 'onset': .* got '1e99'"),
        ("onset,pitch,duration\n1/0,60,1\n", "row 2, column 'onset': .* got '1/0'"),
        ("onset,pitch,duration\n0,60,inf\n", "row 2, column 'duration': .* got 'inf'"),
        ("onset,pitch,duration\n0,128,1\n", "row 2, column 'pitch': .* got '128'"),
        ("soprano,bass\n60,48\n60,4.5\n", "row 3, column 'bass': .* got '4.5'"),
        ("soprano,bass\n60,48,36\n", "row 2 has 3 cells; expected 2, one for each column"),
        ("soprano,soprano\n60,48\n", "row 1: the column 'soprano' is there twice"),
        ("x" * 300 + ",y\nz,1\n", r"row 2, column 'x{37}\.\.\.'"),
        ("a," * 300 + "\n", "has 301 columns; at most 256"),
        (
            ",".join(f"v{i}" for i in range(65)) + "\n" + "60," * 64 + "60\n",
            "has 65 columns for voices; expected 1 to 64",
        ),
        (
            'onset,pitch,duration\n0,60,"' + "1" * 200_000,
            "is not CSV: field larger than field limit",
        ),
        ("onset,pitch,duration\n" + "0,60,1\n" * 17, "17 at once; give each note its voice"),
        (b"PK\x03\x04\0\0", "is not a text file; save it as CSV"),
    ],
)
def test_each_refusal_names_row_and_column(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(FormatError, match=f"table\\.csv: .*{message}") as caught:
        read_text(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_notes, "_MAX_NOTES", 3)
    with pytest.raises(FormatError, match="holds more than 3 notes; split it"):
        read_text(tmp_path, "onset,pitch,duration\n" + "0,60,1\n" * 4)
    with pytest.raises(FormatError, match="row 3: a piece lasts at most 400,000 quarter notes"):
        read_text(tmp_path, "soprano\n60\n60\n", 400_000 * 24)
    monkeypatch.setattr(spreadsheet, "MAX_CSV_BYTES", 10)
    with pytest.raises(FormatError, match="is longer than 1e-05 MB; split it"):
        read_text(tmp_path, "onset,pitch,duration\n")
    with pytest.raises(ValueError, match="a step lasts 1 tick or more, got 0"):
        read_text(tmp_path, "soprano\n60\n", 0)


_NUMBERS = ["0", "60", "1/3", "0,5", "0.5", "-1", "1e9", "1" * 30]
_TEXTS = ["", "NaN", "C4", "x", '"', "soprano", "a", "٣", "\0"]
_ROW = st.lists(st.sampled_from(_NUMBERS + _TEXTS), max_size=5)
_NOTE_LIST = ["onset", "pitch", "duration", "voice", "piece"]
_HEADINGS = st.sampled_from([_NOTE_LIST, ["note0", "note1"], ["soprano"], ["pitch"]]) | _ROW


@settings(deadline=None, max_examples=300)
@given(
    _HEADINGS,
    st.lists(_ROW, max_size=6),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    st.binary(max_size=4),
)
def test_any_table_is_read_or_refused(
    head: list[str], rows: list[list[str]], comma: str, end: str, tail: bytes
) -> None:
    data = end.join(comma.join(row) for row in [head, *rows]).encode() + tail
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spreadsheet, "read_bounded", lambda path, most: data)
        refusal = ""
        try:
            pieces = list(csv_file.read_csv_pieces(Path("x.csv")))
            assert all(piece.report and piece.report.score.n_notes for piece in pieces)
        except FormatError as error:
            refusal = str(error)
    assert not refusal or (refusal.startswith("x.csv: ") and "\n" not in refusal)


def test_a_damaged_table_is_a_corrupt_file(tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError):
        read_text(tmp_path, "onset,pitch,duration\n0,60,x\n")
