"""CSV files in the two usual layouts, the list of notes (`notes`) and the grid (`grid`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import FormatError, abbreviated
from seqmusic.formats.csv.grid import grid_text, read_grid
from seqmusic.formats.csv.notes import note_list_columns, note_list_text, read_notes
from seqmusic.formats.csv.spreadsheet import read_sheet
from seqmusic.formats.read_report import FilePiece, ReadReport
from seqmusic.score import Score


def read_csv_with_report(path: Path, step_ticks: int | None = None) -> ReadReport:
    """The one piece in a CSV file, a list of notes or a grid by the names of its columns.

    Args:
        path: of the file.
        step_ticks: of a grid, how long a row lasts, None for a sixteenth; notes of a list are moved
            to multiples of it.

    Raises:
        CorruptFileError: a row or a cell is not what its column needs; the text names both.
        FormatError: the file cannot be opened, is too large, or holds no notes or several pieces.
    """
    path = Path(path)
    reports = _read_pieces(path, step_ticks)
    if len(reports) > 1:
        names = ", ".join(repr(abbreviated(name)) for name in list(reports)[:3])
        remedy = "keep the rows of one, or read all with read_pieces"
        raise FormatError(f"{path}: holds {len(reports)} pieces ({names}, ...); {remedy}")
    return next(iter(reports.values()))


def read_csv_pieces(path: Path) -> Iterator[FilePiece]:
    """The pieces of a CSV file with a column ``piece``, in the order of their first rows.

    Raises:
        FormatError: as `read_csv_with_report`.
    """
    for name, report in _read_pieces(Path(path), None).items():
        yield FilePiece(name or Path(path).stem, report)


def write_csv(score: Score, path: Path) -> Path:
    """Write a score as a list of notes (voices without notes are lost), and return the path.

    Raises:
        FormatError: the file cannot be written.
    """
    return write_atomic(Path(path), note_list_text(score))


def write_csv_grid(score: Score, path: Path, step_ticks: int | None = None) -> Path:
    """Write a score as a grid with a row for each sixteenth, or each step, and return the path.

    Raises:
        FormatError: a note does not fill whole rows, or the file cannot be written.
    """
    try:
        text = grid_text(score, step_ticks)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error.__cause__
    return write_atomic(Path(path), text)


def _read_pieces(path: Path, step_ticks: int | None) -> dict[str, ReadReport]:
    if step_ticks is not None and step_ticks < 1:
        raise ValueError(f"a step lasts 1 tick or more, got {step_ticks}")
    sheet = read_sheet(path)
    columns = note_list_columns(sheet)
    reports = read_notes(sheet, columns, step_ticks) if columns else read_grid(sheet, step_ticks)
    return {name: _with_title_and_source(report, name, path) for name, report in reports.items()}


def _with_title_and_source(report: ReadReport, name: str, path: Path) -> ReadReport:
    source = f"{path.name}, {name}" if name else path.name
    return replace(report, score=replace(report.score, title=name, source=source))
