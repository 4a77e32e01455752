"""The grid: a column for each voice, a row for each step, each cell a pitch or a rest.

A rest is 0, -1, NaN or empty. A grid cannot tell a note that is repeated from one that is held.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from array import array
from collections.abc import Iterator, Sequence

import numpy as np

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.csv.notes import column_names
from seqmusic.formats.csv.spreadsheet import MAX_QUARTERS, Sheet
from seqmusic.formats.read_report import ReadReport
from seqmusic.formats.voice_names import default_voice_names, satb_order
from seqmusic.pitch_grid import REST_CELL, notes_from_cells, pitch_grid
from seqmusic.score import SATB, TICKS_PER_QUARTER, TICKS_PER_SIXTEENTH, Score, Voice

MAX_GRID_VOICES = 64
REPEATS_MERGED = (
    "repeated notes read as held ones: equal pitches in neighboring rows are one note, as the "
    "format cannot tell"
)
_WRITTEN_REST = 0
_COUNTING_COLUMNS = {"step", "time", "row", "index", "frame", "bar", "measure", "beat"}
_NON_VOICE_COLUMNS = {"", "unnamed: 0", *_COUNTING_COLUMNS}
_PIECE_COLUMNS = {"piece", "work", "song"}


def read_grid(sheet: Sheet, step_ticks: int | None = None) -> dict[str, ReadReport]:
    """The pieces of a grid, by name; one named "" where there is no column for it.

    Args:
        sheet: whose rows are read once.
        step_ticks: how long a row lasts; None for a sixteenth.

    Raises:
        CorruptFileError: a cell is neither a pitch nor a rest.
        FormatError: there are no voices, too many, no notes, or too many rows.
    """
    step = step_ticks or TICKS_PER_SIXTEENTH
    lowered = [name.lower() for name in sheet.columns]
    shown = [index for index, name in enumerate(lowered) if name not in _NON_VOICE_COLUMNS]
    voices = [index for index in shown if lowered[index] not in _PIECE_COLUMNS]
    if not 1 <= len(voices) <= MAX_GRID_VOICES:
        problem = f"{sheet.path}: has {len(voices)} columns for voices"
        rule = f"expected 1 to {MAX_GRID_VOICES} such as soprano,alto,tenor,bass"
        raise FormatError(
            f"{problem}; {rule}, or a note list with the columns onset,pitch,duration"
        )
    pieces = _read_pieces(sheet, step, voices)
    if not pieces:
        rule = "expected a row a step below the names of the voices"
        raise CorruptFileError(f"{sheet.path}: holds no notes; {rule}")
    names = _voice_names([sheet.columns[index] for index in voices])
    left_out = sheet.columns_left_out(shown)
    return {name: _report(names, lines, step, left_out) for name, lines in pieces.items()}


def _read_pieces(
    sheet: Sheet, step_ticks: int, voices: Sequence[int]
) -> dict[str, list[array[int]]]:
    """For each piece that has notes the cells of its voices, -1 for a rest."""
    is_piece = [name.lower() in _PIECE_COLUMNS for name in sheet.columns]
    piece_column = is_piece.index(True) if any(is_piece) else -1
    pieces: dict[str, list[array[int]]] = {}
    for row, cells in sheet.rows:
        name = cells[piece_column].strip() if piece_column >= 0 else ""
        lines = pieces.setdefault(name, [array("b") for _ in voices])
        if len(lines[0]) * step_ticks >= MAX_QUARTERS * TICKS_PER_QUARTER:
            rule = f"a piece lasts at most {MAX_QUARTERS:,} quarter notes"
            raise FormatError(f"{sheet.path}: row {row}: {rule}; split it")
        for line, index in zip(lines, voices, strict=True):
            line.append(sheet.pitch(row, cells, index) or REST_CELL)
    return {
        name: lines
        for name, lines in pieces.items()
        if any(pitch != REST_CELL for line in lines for pitch in line)
    }


def _report(
    names: Sequence[str], lines: Sequence[array[int]], step_ticks: int, left_out: tuple[str, ...]
) -> ReadReport:
    voices = [
        Voice(name, tuple(notes_from_cells(line, step_ticks)))
        for name, line in zip(names, lines, strict=True)
    ]
    order = satb_order(names) or range(len(names))
    score = Score(tuple(voices[index] for index in order), ())
    n_silent = len(lines[0]) - score.end_ticks // step_ticks
    at_end = (f"silent rows at the end left out: {n_silent}",) if n_silent else ()
    return ReadReport(score, losses=(*left_out, REPEATS_MERGED, *at_end))


def _voice_names(columns: Sequence[str]) -> list[str]:
    """Names of voices by those of their columns.

    The columns note0 .. note3 are Soprano to Bass, and soprano is Soprano.
    """
    if [name.lower() for name in columns] == [f"note{number}" for number in range(len(columns))]:
        return list(default_voice_names(len(columns)))
    if all(name.capitalize() in SATB for name in columns):
        return [name.capitalize() for name in columns]
    return list(columns)


def grid_rows(
    score: Score, step_ticks: int = TICKS_PER_SIXTEENTH, rest: int = _WRITTEN_REST
) -> list[list[int]]:
    """The pitch that each voice sounds at each step, `rest` where it is silent.

    Raises:
        FormatError: a note does not fill whole steps, or is written like a rest.
    """
    edges = set(_edges(score))
    fitting_step = math.gcd(step_ticks, *edges)
    if fitting_step != step_ticks:
        n_off = sum(tick % step_ticks != 0 for tick in edges)
        off = f"{n_off} times at which notes start or end are inside a step of {step_ticks} ticks"
        raise FormatError(f"{off}; write steps of {fitting_step} ticks, or the list of notes")
    for voice in score.voices:
        if any(note.pitch == rest for note in voice.notes):
            problem = f"voice {voice.name!r} has the pitch {rest}, which means a rest here"
            raise FormatError(f"{problem}; write the list of notes")
    grid = pitch_grid(score, step_ticks)
    rows: list[list[int]] = np.where(grid == REST_CELL, rest, grid).T.tolist()
    return rows


def _edges(score: Score) -> Iterator[int]:
    for voice in score.voices:
        for note in voice.notes:
            yield note.onset_ticks
            yield note.end_ticks


def grid_text(score: Score, step_ticks: int | None = None) -> str:
    """A score as a grid.

    Raises:
        FormatError: it does not fit one.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = column_names(score)
    if any(name.lower() in _NON_VOICE_COLUMNS | _PIECE_COLUMNS for name in names):
        names = tuple(f"note{number}" for number in range(len(names)))
    writer.writerow(names)
    writer.writerows(grid_rows(score, step_ticks or TICKS_PER_SIXTEENTH))
    return text.getvalue()


def n_repeated_notes(score: Score) -> int:
    """Notes that a grid takes for a continuation of the one before them."""
    pairs = (pair for voice in score.voices for pair in itertools.pairwise(voice.notes))
    return sum(
        note.pitch == following.pitch and note.end_ticks == following.onset_ticks
        for note, following in pairs
    )
