"""The note list: a row a note with onset, pitch, duration, and where they are known voice and piece; times are quarter notes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.csv.spreadsheet import Sheet, abbreviated, quarters_text
from seqmusic.formats.read_report import ReadReport, Tally
from seqmusic.formats.time_grid import Shifts, beat_strength, first_overlap
from seqmusic.formats.voice_names import default_voice_names
from seqmusic.formats.voice_separation import separate_voices
from seqmusic.score import SATB, TICKS_PER_QUARTER, Note, Score, Voice

_COLUMN_NAMES = {
    "onset": ("onset", "onset_quarter", "onset_quarters", "start"),
    "pitch": ("pitch", "midi", "midi_pitch", "midi_number", "note"),
    "duration": ("duration", "duration_quarter", "duration_quarters", "dur"),
    "voice": ("voice", "part", "track", "staff", "channel"),
    "piece": ("piece", "work", "song"),
}
"""What each column may be called, the likeliest first."""
_MAX_NOTES = 400_000
_TOLERANCE_TICKS = Fraction(1, 10)  # ticks; as near as three digits after the point can say
_MIN_BEAT_STRENGTH, _MIN_ONSETS = 0.25, 32


def note_list_columns(sheet: Sheet) -> dict[str, int]:
    """Where a table has the columns of a note list; empty where it is none, because it lacks onsets or pitches."""
    named = {name.lower().replace(" ", "_"): index for index, name in enumerate(sheet.columns)}
    found = {
        what: next((named[name] for name in names if name in named), -1)
        for what, names in _COLUMN_NAMES.items()
    }
    if found["onset"] < 0 or found["pitch"] < 0:
        return {}
    return {what: index for what, index in found.items() if index >= 0}


def read_notes(
    sheet: Sheet, columns: dict[str, int], step_ticks: int | None = None
) -> dict[str, ReadReport]:
    """The pieces of a note list, by name; one named "" where there is no column for it.

    A time within a tenth of a tick is that tick, others are moved to the nearest. Where a voice has two notes at once, or there is
    no column for voices, they are separated.

    Args:
        sheet: whose rows are gone through.
        columns: as `note_list_columns` found them.
        step_ticks: notes are moved to multiples of so many ticks.

    Raises:
        CorruptFileError: a cell is not what its column needs.
        FormatError: there are no durations, no notes, too many, or they keep to no beat.
    """
    if "duration" not in columns:
        raise FormatError(
            f"{sheet.path}: has onsets and no durations; add a column 'duration', in quarter notes"
        )
    pieces: dict[str, _NoteListPiece] = {}
    for number, (row, cells) in enumerate(sheet.rows):
        if number == _MAX_NOTES:
            raise FormatError(
                f"{sheet.path}: holds more than {_MAX_NOTES:,} notes; split it into shorter files"
            )
        pitch = sheet.pitch(row, cells, columns["pitch"])
        if pitch is not None:
            name, voice = (
                cells[columns[what]].strip() if what in columns else ""
                for what in ("piece", "voice")
            )
            onset = sheet.quarters(row, cells, columns["onset"])
            end = onset + sheet.quarters(row, cells, columns["duration"])
            pieces.setdefault(name, _NoteListPiece(step_ticks)).add(voice, onset, end, pitch)
    pieces = {name: piece for name, piece in pieces.items() if piece.lines}
    if not pieces:
        raise CorruptFileError(
            f"{sheet.path}: holds no notes; expected a row for each below the names of the columns"
        )
    unread = [
        abbreviated(name)
        for i, name in enumerate(sheet.columns)
        if i not in columns.values() and name
    ]
    left_out = (f"columns left out: {', '.join(unread)}",) if unread else ()
    return {name: piece.reading(sheet, left_out) for name, piece in pieces.items()}


@dataclass(slots=True)
class _NoteListPiece:
    """The notes of one piece so far.

    Attributes:
        step_ticks: notes are put on multiples of it; None for the nearest tick.
        lines: notes by the name of their voice.
        onsets: as the file has them, in quarter notes.
        shifts: how far notes were moved.
        last_voice: of the row before.
        is_interleaved: whether a voice comes back after another one.
    """

    step_ticks: int | None
    lines: dict[str, list[Note]] = field(default_factory=dict)
    onsets: set[float] = field(default_factory=set)
    shifts: Shifts = field(default_factory=Shifts)
    last_voice: str = ""
    is_interleaved: bool = False

    def add(self, voice: str, onset: Fraction, end: Fraction, pitch: int) -> None:
        start_ticks, end_ticks = (
            self._quantized(onset, self.shifts.onsets),
            self._quantized(end, self.shifts.ends),
        )
        if end_ticks <= start_ticks:
            self.shifts.n_too_short += 1
            return
        self.is_interleaved |= voice in self.lines and voice != self.last_voice
        self.last_voice = voice
        self.onsets.add(float(onset))
        self.lines.setdefault(voice, []).append(Note(start_ticks, end_ticks - start_ticks, pitch))

    def reading(self, sheet: Sheet, left_out: tuple[str, ...]) -> ReadReport:
        strength = beat_strength(self.onsets)
        if (
            self.shifts.onsets
            and not self.step_ticks
            and len(self.onsets) >= _MIN_ONSETS
            and strength < _MIN_BEAT_STRENGTH
        ):
            keep = f"its onsets keep to no beat (strength {strength:.2f} of 1, expected {_MIN_BEAT_STRENGTH} or more)"
            raise FormatError(
                f"{sheet.path}: {keep}; if they are seconds, make them quarter notes: times the tempo, by 60"
            )
        tally = Tally()
        score = Score(_voices(sheet, self._voices_in_order(), tally), ())
        return ReadReport(
            score, losses=(*left_out, *tally.messages(), *self.shifts.messages(score.n_notes))
        )

    def _quantized(self, quarters: Fraction, moved: list[float]) -> int:
        step = self.step_ticks or 1
        ticks = quarters * TICKS_PER_QUARTER
        nearest = step * round(ticks / step)
        if abs(ticks - nearest) > _TOLERANCE_TICKS:
            moved.append(abs(float(ticks - nearest)))
        return nearest

    def _voices_in_order(self) -> list[tuple[str, list[Note]]]:
        """As the file has them one after the other; if mixed, soprano, alto, tenor, bass, or by number, else by first note."""
        names = list(self.lines)
        if self.is_interleaved and all(name.capitalize() in SATB for name in names):
            names.sort(key=lambda name: SATB.index(name.capitalize()))
        elif self.is_interleaved and all(name.isdecimal() for name in names):
            names.sort(key=int)
        return [(name, self.lines[name]) for name in names]


def note_list_text(score: Score) -> str:
    """A score as a note list, voice by voice."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("onset", "pitch", "duration", "voice"))
    for name, voice in zip(column_names(score), score.voices, strict=True):
        for note in voice.notes:
            onset, duration = (
                quarters_text(ticks, TICKS_PER_QUARTER)
                for ticks in (note.onset_ticks, note.duration_ticks)
            )
            writer.writerow((onset, note.pitch, duration, name))
    return text.getvalue()


def column_names(score: Score) -> tuple[str, ...]:
    """A name for each voice: its own where all have one and all differ, else its number."""
    names = tuple(" ".join(voice.name.split()) for voice in score.voices)
    if len(set(names)) == len(names) and all(names):
        return names
    return tuple(f"Voice {number}" for number in range(1, len(names) + 1))


def _voices(
    sheet: Sheet, lines: Sequence[tuple[str, list[Note]]], tally: Tally
) -> tuple[Voice, ...]:
    found: list[tuple[str, Sequence[Note]]] = []
    for name, notes in lines:
        line = sorted(notes, key=lambda note: (note.onset_ticks, note.pitch))
        if not first_overlap(line):
            found.append((name, line))
            continue
        try:
            apart = separate_voices(line)
        except ValueError as error:
            raise FormatError(
                f"{sheet.path}: {error}; give each note its voice in a column 'voice'"
            ) from error
        whose = f"of voice {abbreviated(name)!r}" if name else "without a voice"
        tally.add(f"notes {whose} taken apart into {len(apart)} voices", count=0)
        found += [
            (f"{name} {number}" if name else "", part) for number, part in enumerate(apart, start=1)
        ]
    unnamed = default_voice_names(len(found))
    return tuple(
        Voice(name or unnamed[place], tuple(line)) for place, (name, line) in enumerate(found)
    )
