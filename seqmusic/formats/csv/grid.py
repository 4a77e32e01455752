"""The grid: a column a voice, a row a step, each cell a pitch or a rest (0, -1, NaN or empty).

It cannot tell a note that is repeated from one that is held.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.csv.notes import column_names
from seqmusic.formats.csv.spreadsheet import MAX_QUARTERS, Sheet, abbreviated
from seqmusic.formats.read_report import ReadReport
from seqmusic.formats.voice_names import default_voice_names
from seqmusic.score import SATB, TICKS_PER_QUARTER, TICKS_PER_SIXTEENTH, Note, Score, Voice

MAX_GRID_VOICES = 64
REST_CELL = 0
REPEATS_MERGED = "repeated notes read as held ones: equal pitches in neighboring rows are one note, as the format cannot tell"
_NON_VOICE_COLUMNS = {
    "",
    "step",
    "time",
    "row",
    "index",
    "frame",
    "bar",
    "measure",
    "beat",
    "unnamed: 0",
}
_PIECE_COLUMNS = {"piece", "work", "song"}


def read_grid(sheet: Sheet, step_ticks: int | None = None) -> dict[str, ReadReport]:
    """The pieces of a grid, by name; one named "" where there is no column for it.

    Args:
        sheet: whose rows are gone through.
        step_ticks: how long a row lasts; None for a sixteenth.

    Raises:
        CorruptFileError: a cell is neither a pitch nor a rest.
        FormatError: there are no voices, too many, no notes, or too many rows.
    """
    lowered = [name.lower() for name in sheet.columns]
    lines = [
        index
        for index, name in enumerate(lowered)
        if name not in _NON_VOICE_COLUMNS | _PIECE_COLUMNS
    ]
    piece_column = next((index for index, name in enumerate(lowered) if name in _PIECE_COLUMNS), -1)
    if not 1 <= len(lines) <= MAX_GRID_VOICES:
        raise FormatError(
            f"{sheet.path}: has {len(lines)} columns for voices; expected 1 to {MAX_GRID_VOICES} such as soprano,alto,tenor,bass, "
            "or a note list with the columns onset,pitch,duration"
        )
    step, pieces = step_ticks or TICKS_PER_SIXTEENTH, dict[str, _GridPiece]()
    for row, cells in sheet.rows:
        name = cells[piece_column].strip() if piece_column >= 0 else ""
        piece = pieces.setdefault(name, _GridPiece([[] for _ in lines]))
        if piece.n_rows * step >= MAX_QUARTERS * TICKS_PER_QUARTER:
            raise FormatError(
                f"{sheet.path}: row {row}: a piece lasts at most {MAX_QUARTERS:,} quarter notes; split it"
            )
        piece.add([sheet.pitch(row, cells, index) or None for index in lines])
    pieces = {name: piece for name, piece in pieces.items() if any(piece.note_runs)}
    if not pieces:
        raise CorruptFileError(
            f"{sheet.path}: holds no notes; expected a row a step below the names of the voices"
        )
    names = _voice_names([sheet.columns[index] for index in lines])
    unread = [
        abbreviated(name) for name in sheet.columns if name and name.lower() in _NON_VOICE_COLUMNS
    ]
    left_out = (f"columns left out: {', '.join(unread)}",) if unread else ()
    return {name: piece.reading(names, step, left_out) for name, piece in pieces.items()}


def grid_rows(
    score: Score, step_ticks: int = TICKS_PER_SIXTEENTH, rest: int = REST_CELL
) -> list[tuple[int, ...]]:
    """The pitch that each voice sounds at each step, `rest` where it is silent.

    Raises:
        FormatError: a note does not fill whole steps, or is written like a rest.
    """
    edges = {
        tick
        for voice in score.voices
        for note in voice.notes
        for tick in (note.onset_ticks, note.end_ticks)
    }
    fitting = math.gcd(step_ticks, *edges)
    if fitting != step_ticks:
        n_off = sum(tick % step_ticks != 0 for tick in edges)
        off = f"{n_off} times at which notes start or end are inside a step of {step_ticks} ticks"
        raise FormatError(f"{off}; write steps of {fitting} ticks, or the list of notes")
    columns = []
    for voice in score.voices:
        column = [rest] * (score.end_ticks // step_ticks)
        for note in voice.notes:
            if note.pitch == rest:
                raise FormatError(
                    f"voice {voice.name!r} has the pitch {rest}, which means a rest here; write the list of notes"
                )
            first, end = note.onset_ticks // step_ticks, note.end_ticks // step_ticks
            column[first:end] = [note.pitch] * (end - first)
        columns.append(column)
    return list(zip(*columns, strict=True))


def grid_text(score: Score, step_ticks: int | None = None) -> str:
    """A score as a grid.

    Raises:
        FormatError: it does not fit one.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = column_names(score)
    reserved = any(name.lower() in _NON_VOICE_COLUMNS | _PIECE_COLUMNS for name in names)
    writer.writerow([f"note{number}" for number in range(len(names))] if reserved else names)
    writer.writerows(grid_rows(score, step_ticks or TICKS_PER_SIXTEENTH))
    return text.getvalue()


def n_repeated_notes(score: Score) -> int:
    """Notes that a grid takes for the one before them going on."""
    pairs = (pair for voice in score.voices for pair in itertools.pairwise(voice.notes))
    return sum(
        before.pitch == after.pitch and before.end_ticks == after.onset_ticks
        for before, after in pairs
    )


@dataclass(slots=True)
class _GridPiece:
    """One piece so far.

    Attributes:
        note_runs: for each voice, (first row, last row and one, pitch) of each note.
        n_rows: how many rows there were.
    """

    note_runs: list[list[tuple[int, int, int]]] = field(default_factory=list)
    n_rows: int = 0

    def add(self, pitches: Sequence[int | None]) -> None:
        for line, pitch in zip(self.note_runs, pitches, strict=True):
            if pitch is None:
                continue
            if line and line[-1][1:] == (self.n_rows, pitch):
                line[-1] = (line[-1][0], self.n_rows + 1, pitch)
            else:
                line.append((self.n_rows, self.n_rows + 1, pitch))
        self.n_rows += 1

    def reading(
        self, names: Sequence[str], step_ticks: int, left_out: tuple[str, ...]
    ) -> ReadReport:
        lines = (
            (
                Note(first * step_ticks, (end - first) * step_ticks, pitch)
                for first, end, pitch in line
            )
            for line in self.note_runs
        )
        voices = [Voice(name, tuple(line)) for name, line in zip(names, lines, strict=True)]
        if set(names) <= set(SATB):
            voices.sort(key=lambda voice: SATB.index(voice.name))
        score = Score(tuple(voices), ())
        silent = self.n_rows - score.end_ticks // step_ticks
        at_end = (f"silent rows at the end left out: {silent}",) if silent else ()
        return ReadReport(score, losses=(*left_out, REPEATS_MERGED, *at_end))


def _voice_names(columns: Sequence[str]) -> list[str]:
    """Of voices by the names of their columns: note0 .. note3 are soprano to bass, soprano is Soprano."""
    if [name.lower() for name in columns] == [f"note{number}" for number in range(len(columns))]:
        return list(default_voice_names(len(columns)))
    if all(name.capitalize() in SATB for name in columns):
        return [name.capitalize() for name in columns]
    return list(columns)
