"""Tables as spreadsheets and data frames write them.

Cells are divided by commas, semicolons or tabs, and decimals have points or commas.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from seqmusic.atomic_files import decoded_text, read_bounded
from seqmusic.errors import CorruptFileError, FormatError, abbreviated
from seqmusic.formats.typed_pitch import parse_pitch
from seqmusic.score import TICKS_PER_QUARTER

MAX_CSV_BYTES = 20_000_000
MAX_COLUMNS = 256
MAX_QUARTERS = 400_000  # as long as any file may be
_REST_TEXTS = {"", "-1", "-1.0", "nan", "na", "n/a", "none", "null", "r", "rest"}
_DELIMITERS = ";\t,"
_N_DIGITS = math.ceil(math.log10(TICKS_PER_QUARTER * 10)) + 1  # of a written time
_NUMBER = re.compile(
    r"[+-]?(\d{1,15}(\.\d{0,40})?|\.\d{1,40})(e[+-]?\d{1,2})?|\d{1,9}/\d{1,9}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns of a table, and its rows, which can be read once.

    Attributes:
        path: of the file.
        columns: their names as written, without spaces at the ends.
        rows: (number, cells) of each row that is not empty, with a cell for each column; the row of
            the names is number 1.
        has_decimal_commas: whether ``0,5`` is a half, as where cells are not divided by commas.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]
    has_decimal_commas: bool

    def quarters(self, row: int, cells: list[str], column: int) -> Fraction:
        """The time in a cell: quarter notes as a decimal or a fraction, 0 or more.

        Raises:
            CorruptFileError: it is nothing of that kind.
        """
        text = self._number_text(cells[column])
        if _NUMBER.fullmatch(text) and not text.endswith("/0"):
            try:
                value = Fraction(text)
            except ZeroDivisionError:
                rule = "a number of quarter notes"
                raise self._cell_error(row, column, rule, cells[column]) from None
            if 0 <= value <= MAX_QUARTERS:
                return value
        rule = f"a number of quarter notes from 0 to {MAX_QUARTERS:,}, such as 0.5 or 1/3"
        raise self._cell_error(row, column, rule, cells[column])

    def pitch(self, row: int, cells: list[str], column: int) -> int | None:
        """The pitch in a cell: a MIDI number or a name with its octave.

        Returns:
            The MIDI number; None for a rest, which is -1, NaN or empty.

        Raises:
            CorruptFileError: it is nothing of that kind.
        """
        text = self._number_text(cells[column])
        if text in _REST_TEXTS:
            return None
        if (match := re.fullmatch(r"([0-9]{1,3})(\.0*)?", text)) and int(match[1]) <= 127:
            return int(match[1])
        pitch = parse_pitch(text)
        if pitch is None:
            name = "a name with its octave such as Bb3"
            rule = f"a MIDI number in 0..127, {name}, or a rest (-1, NaN, empty)"
            raise self._cell_error(row, column, rule, cells[column])
        return pitch

    def columns_left_out(self, used: Collection[int]) -> tuple[str, ...]:
        """A message that names the columns that are not used; empty where there are none."""
        names = [name for index, name in enumerate(self.columns) if name and index not in used]
        if not names:
            return ()
        return (f"columns left out: {', '.join(abbreviated(name) for name in names)}",)

    def _cell_error(self, row: int, column: int, expected: str, cell: str) -> CorruptFileError:
        name = self.columns[column] or f"number {column + 1}"
        location = f"{self.path}: row {row}, column {abbreviated(name)!r}"
        return CorruptFileError(f"{location}: expected {expected}, got {abbreviated(cell)!r}")

    def _number_text(self, cell: str) -> str:
        text = cell.strip().lower()
        return text.replace(",", ".") if self.has_decimal_commas else text


def read_sheet(path: Path) -> Sheet:
    """The table in a CSV file; the row of names shows what divides the cells.

    Raises:
        FormatError: the file cannot be opened, or is too large.
        CorruptFileError: it is no table, or has no row of names; a row with too many cells is
            refused when it is read.
    """
    text = decoded_text(read_bounded(path, MAX_CSV_BYTES))
    if "\0" in text:
        raise CorruptFileError(f"{path}: is not a text file; save it as CSV")
    lines = iter(text.split("\n"))
    first, number, delimiter = next(lines), 1, ""
    # Excel's own first line, which names the delimiter
    if match := re.fullmatch(r"sep=(.)", first.strip(), re.IGNORECASE):
        delimiter, first, number = match[1], next(lines, ""), 2
    delimiter = delimiter or max(_DELIMITERS, key=first.count)
    rows = _numbered_rows(path, lines, delimiter, number)
    heading = next(_numbered_rows(path, iter([first]), delimiter, number - 1), (number, []))
    columns = tuple(name.strip() for name in heading[1])
    _check_columns(path, columns, number)
    return Sheet(path, columns, _padded_rows(path, columns, rows), delimiter != ",")


def _check_columns(path: Path, columns: tuple[str, ...], row: int) -> None:
    if not any(columns):
        raise CorruptFileError(f"{path}: is empty; expected a row with the names of the columns")
    if len(columns) > MAX_COLUMNS:
        raise FormatError(f"{path}: has {len(columns):,} columns; at most {MAX_COLUMNS} are read")
    if all(_NUMBER.fullmatch(name.replace(",", ".")) for name in columns if name):
        names = "onset,pitch,duration or soprano,alto,tenor,bass"
        rule = f"expected the names of the columns, such as {names}"
        raise CorruptFileError(f"{path}: row {row} holds numbers; {rule}")
    repeated = sorted({name for name in columns if name and columns.count(name) > 1})
    if repeated:
        problem = f"the column {abbreviated(repeated[0])!r} is there twice"
        raise CorruptFileError(f"{path}: row {row}: {problem}; give each its own name")


def _numbered_rows(
    path: Path, lines: Iterator[str], delimiter: str, number: int
) -> Iterator[tuple[int, list[str]]]:
    """The rows of lines that follow row `number`, by their number."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=False)
    try:
        for cells in reader:
            yield number + reader.line_num, cells
    except csv.Error as error:
        row = number + reader.line_num
        raise CorruptFileError(f"{path}: row {row}: is not CSV: {error}") from error


def _padded_rows(
    path: Path, columns: tuple[str, ...], rows: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    """The rows with a cell for each column, without empty rows.

    Of a single column an empty row is an empty cell, unless it ends the file.
    """
    n_columns, n_pending = len(columns), 0
    for number, cells in rows:
        if not cells:
            n_pending += n_columns == 1
            continue
        for empty in range(number - n_pending, number):
            yield empty, [""]
        n_pending = 0
        if any(cell.strip() for cell in cells[n_columns:]):
            rule = f"expected {n_columns}, one for each column"
            raise CorruptFileError(f"{path}: row {number} has {len(cells)} cells; {rule}")
        yield number, cells[:n_columns] + [""] * (n_columns - len(cells))


def quarters_text(ticks: int) -> str:
    """A time in quarter notes as a decimal with enough digits to distinguish it from all others.

    >>> quarters_text(36), quarters_text(8), quarters_text(48)
    ('1.5', '0.3333', '2')
    """
    return f"{ticks / TICKS_PER_QUARTER:.{_N_DIGITS}f}".rstrip("0").rstrip(".")
