"""CSV as note list and as grid: what comes back, how others write them, and every refusal by row and column."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import scores

from seqmusic.corpus.chorales import load_chorales
from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats import ReadReport, read_pieces, read_score, read_with_report, write_score
from seqmusic.formats.csv import file as csv_file
from seqmusic.formats.csv import notes as csv_notes
from seqmusic.formats.csv import spreadsheet
from seqmusic.formats.csv.file import write_csv_grid
from seqmusic.formats.csv.grid import REPEATS_MERGED, n_repeated_notes
from seqmusic.score import SATB, Note, Score, Voice, melody


def read_text(tmp_path: Path, text: str | bytes, step_ticks: int | None = None) -> ReadReport:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return read_with_report(path, step_ticks)


def notes_by_voice(score: Score) -> list[list[tuple[int, int, int]]]:
    return [
        [(note.onset_ticks, note.duration_ticks, note.pitch) for note in voice.notes]
        for voice in score.voices
    ]


def without_fermatas(score: Score) -> Score:
    """What a note list holds of a score: its voices that have notes, without fermatas."""
    voices = (
        Voice(v.name, tuple(Note(n.onset_ticks, n.duration_ticks, n.pitch) for n in v.notes))
        for v in score.voices
        if v.notes
    )
    return Score(tuple(voices), ())


NO_FIXTURES = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@NO_FIXTURES
@given(scores())
def test_a_note_list_comes_back(tmp_path: Path, score: Score) -> None:
    reading = read_with_report(write_score(score, tmp_path / "x.csv"))
    assert (reading.score, reading.losses) == (without_fermatas(score), ())


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


@NO_FIXTURES
@given(scores(max_voices=6), st.sampled_from([1, 3, 6, 12]))
def test_a_grid_comes_back_where_no_note_is_repeated_at_once(
    tmp_path: Path, score: Score, step: int
) -> None:
    """Times are multiples of a step, and a pitch that would be repeated at once, or is written as a rest, is another one."""
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
    reading = read_with_report(write_csv_grid(on_steps, tmp_path / "x.csv", step), step)
    assert (reading.score, reading.losses) == (on_steps, (REPEATS_MERGED,))


def test_grid_by_hand(tmp_path: Path) -> None:
    """Four steps of the usual header; every way to write a rest; two equal rows are one note; a silent row ends it."""
    reading = read_text(
        tmp_path, "note0,note1,note2,note3\n72,67,60,48\n72,0,-1,\n74,NaN,60.0,-1.0\n0,0,0,0\n"
    )
    assert [voice.name for voice in reading.score.voices] == list(SATB)
    assert notes_by_voice(reading.score) == [
        [(0, 12, 72), (12, 6, 74)],
        [(0, 6, 67)],
        [(0, 6, 60), (12, 6, 60)],
        [(0, 6, 48)],
    ]
    assert reading.score.time_signatures == ()
    assert reading.losses == (REPEATS_MERGED, "silent rows at the end left out: 1")


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


def test_note_list_by_hand(tmp_path: Path) -> None:
    """As French Excel saves it: a byte order mark, semicolons, decimal commas; a third, and two digits that mean one."""
    text = '\ufeffOnset;Pitch;Duration;Voice\r\n0;Sol4;0,5;haut\r\n0,5;62;1/3;haut\r\n0;36;"0,83";bas\r\n'
    for data in (
        text.encode(),
        text.lstrip("\ufeff").encode("utf-16"),
        text.lstrip("\ufeff").encode("latin-1"),
    ):
        reading = read_text(tmp_path, data)
        assert [voice.name for voice in reading.score.voices] == ["haut", "bas"]
        assert notes_by_voice(reading.score) == [[(0, 12, 67), (12, 8, 62)], [(0, 20, 36)]]
        assert reading.losses == ()


def test_note_lists_of_others(tmp_path: Path) -> None:
    """Tabs, columns in another order and more of them, a rest, rows mixed in time, and Excel's own first line."""
    reading = read_text(
        tmp_path,
        "voice\tvelocity\tpitch\tstart\tdur\nbass\t90\t40\t0\t1\nsoprano\t80\t72\t0\t1\nbass\t90\t\t1\t1\nbass\t9\t43\t2\t1\n",
    )
    assert [(voice.name, len(voice.notes)) for voice in reading.score.voices] == [
        ("soprano", 1),
        ("bass", 2),
    ]
    assert reading.losses == ("columns left out: velocity",)
    assert read_text(tmp_path, "sep=;\nonset;pitch;duration\n0;60;1\n").score == melody(
        [Note(0, 24, 60)], time_signatures=()
    )


def test_without_voices_notes_are_taken_apart(tmp_path: Path) -> None:
    reading = read_text(tmp_path, "onset,pitch,duration\n0,60,1\n0,72,1\n1,62,1\n1,71,1\n")
    assert [(v.name, [n.pitch for n in v.notes]) for v in reading.score.voices] == [
        ("Soprano", [72, 71]),
        ("Bass", [60, 62]),
    ]
    assert reading.losses == ("notes without a voice taken apart into 2 voices",)


def test_times_off_the_grid_are_moved_and_told(tmp_path: Path) -> None:
    reading = read_text(tmp_path, "onset,pitch,duration\n0,60,0.99\n1.02,62,0.98\n")
    assert notes_by_voice(reading.score) == [[(0, 24, 60), (24, 24, 62)]]
    assert reading.losses[0].startswith(
        "starts of notes moved to the grid of 24 ticks a quarter: 1 of 2, by 0.48 ticks"
    )


def test_seconds_are_not_taken_for_quarter_notes(tmp_path: Path) -> None:
    rows = "".join(f"{0.3 + 0.61803 * i * (1 + 0.01 * (i % 7)):.5f},60,0.1\n" for i in range(80))
    with pytest.raises(
        FormatError, match=r"table\.csv: its onsets keep to no beat .* if they are seconds"
    ):
        read_text(tmp_path, f"onset,pitch,duration\n{rows}")
    assert read_text(tmp_path, f"onset,pitch,duration\n{rows}", 1).score.n_notes > 70


def test_several_pieces(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("piece,onset,pitch,duration\nb,0,60,1\na,0,62,1\nb,1,64,1\n", encoding="utf-8")
    with pytest.raises(
        FormatError,
        match=r"book\.csv: holds 2 pieces \('b', 'a', \.\.\.\); keep the rows of one, or read all with",
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
    ("text", "told"),
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
            "row 2, column 'onset': expected a number of quarter notes from 0 to 400,000.* got '-1'",
        ),
        ("onset,pitch,duration\n1e300,60,1\n", "row 2, column 'onset': .* got '1e300'"),
        ("onset,pitch,duration\n1e99,60,1\n", "row 2, column 'onset': .* got '1e99'"),
        ("onset,pitch,duration\n1/0,60,1\n", "row 2, column 'onset': .* got '1/0'"),
        ("onset,pitch,duration\n0,60,inf\n", "row 2, column 'duration': .* got 'inf'"),
        ("onset,pitch,duration\n0,128,1\n", "row 2, column 'pitch': .* got '128'"),
        ("soprano,bass\n60,48\n60,4.5\n", "row 3, column 'bass': .* got '4.5'"),
        ("soprano,bass\n60,48,36\n", "row 2 has 3 cells; expected 2, one for each column"),
        ("soprano,soprano\n60,48\n", "row 1: the column 'soprano' stands there twice"),
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
def test_each_refusal_names_the_place(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(FormatError, match=f"table\\.csv: .*{told}") as caught:
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


def test_what_a_grid_cannot_hold_is_refused(tmp_path: Path) -> None:
    score = melody([Note(0, 24, 60), Note(24, 8, 62)])
    with pytest.raises(
        FormatError,
        match=r"x\.csv: 1 times at .* inside a step of 6 ticks; write steps of 2 ticks, or the list",
    ):
        write_csv_grid(score, tmp_path / "x.csv")
    with pytest.raises(
        FormatError, match="voice 'Soprano' has the pitch 0, which means a rest here"
    ):
        write_csv_grid(melody([Note(0, 24, 0)]), tmp_path / "x.csv")
    assert not list(tmp_path.iterdir())


_CELL = st.sampled_from(
    [
        "0",
        "60",
        "1/3",
        "0,5",
        "0.5",
        "-1",
        "",
        "NaN",
        "C4",
        "1e9",
        "x",
        '"',
        "soprano",
        "a",
        "٣",
        "\0",
        "1" * 30,
    ]
)
_ROW = st.lists(_CELL, max_size=5)
_HEADINGS = (
    st.sampled_from(
        [
            ["onset", "pitch", "duration", "voice", "piece"],
            ["note0", "note1"],
            ["soprano"],
            ["pitch"],
        ]
    )
    | _ROW
)


@settings(deadline=None, max_examples=300)
@given(
    _HEADINGS,
    st.lists(_ROW, max_size=6),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    st.binary(max_size=4),
)
def test_whatever_a_table_holds_it_is_read_or_refused(
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
