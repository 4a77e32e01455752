"""The note list: a row for each note with onset, pitch and duration, and perhaps voice and piece.

Times are quarter notes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from seqmusic.errors import CorruptFileError, FormatError, abbreviated
from seqmusic.formats.csv.spreadsheet import Sheet, quarters_text
from seqmusic.formats.read_report import ReadReport, Tally
from seqmusic.formats.time_grid import Shifts, describe_missing_beat, first_overlap, nearest_tick
from seqmusic.formats.voice_names import default_voice_names, distinct_voice_names, satb_order
from seqmusic.formats.voice_separation import separate_voices
from seqmusic.score import Note, Score, Voice

_COLUMN_NAMES = {
    "onset": ("onset", "onset_quarter", "onset_quarters", "start"),
    "pitch": ("pitch", "midi", "midi_pitch", "midi_number", "note"),
    "duration": ("duration", "duration_quarter", "duration_quarters", "dur"),
    "voice": ("voice", "part", "track", "staff", "channel"),
    "piece": ("piece", "work", "song"),
}
"""Names of each column, the most likely first."""
_MAX_NOTES = 400_000
_TOLERANCE_TICKS = Fraction(1, 10)  # the accuracy of three digits after the point


def note_list_columns(sheet: Sheet) -> dict[str, int]:
    """Index of each column of a note list; empty where the table lacks onsets or pitches."""
    named = {name.lower().replace(" ", "_"): index for index, name in enumerate(sheet.columns)}
    found = {
        column: next((named[name] for name in names if name in named), -1)
        for column, names in _COLUMN_NAMES.items()
    }
    if found["onset"] < 0 or found["pitch"] < 0:
        return {}
    return {column: index for column, index in found.items() if index >= 0}


def read_notes(
    sheet: Sheet, columns: dict[str, int], step_ticks: int | None = None
) -> dict[str, ReadReport]:
    """The pieces of a note list, by name; one named "" where there is no column for it.

    A time within a tenth of a tick is that tick, others are moved to the nearest. Where a voice has
    two notes at once, or there is no column for voices, they are separated.

    Args:
        sheet: whose rows are read once.
        columns: as `note_list_columns` found them.
        step_ticks: notes are moved to multiples of so many ticks.

    Raises:
        CorruptFileError: a cell is not what its column needs.
        FormatError: there are no durations, no notes, too many, or they keep to no beat.
    """
    if "duration" not in columns:
        remedy = "add a column 'duration', in quarter notes"
        raise FormatError(f"{sheet.path}: has onsets and no durations; {remedy}")
    pieces: dict[str, _NoteListPiece] = {}
    for number, (row, cells) in enumerate(sheet.rows):
        if number == _MAX_NOTES:
            rule = f"holds more than {_MAX_NOTES:,} notes"
            raise FormatError(f"{sheet.path}: {rule}; split it into shorter files")
        pitch = sheet.pitch(row, cells, columns["pitch"])
        if pitch is not None:
            name = cells[columns["piece"]].strip() if "piece" in columns else ""
            voice = cells[columns["voice"]].strip() if "voice" in columns else ""
            onset = sheet.quarters(row, cells, columns["onset"])
            end = onset + sheet.quarters(row, cells, columns["duration"])
            pieces.setdefault(name, _NoteListPiece(step_ticks)).add(voice, onset, end, pitch)
    pieces = {name: piece for name, piece in pieces.items() if piece.notes_by_voice}
    if not pieces:
        rule = "expected a row for each below the names of the columns"
        raise CorruptFileError(f"{sheet.path}: holds no notes; {rule}")
    left_out = sheet.columns_left_out(columns.values())
    return {name: piece.report(sheet.path, left_out) for name, piece in pieces.items()}


@dataclass(slots=True)
class _NoteListPiece:
    """The notes of one piece so far.

    Attributes:
        step_ticks: notes are moved to multiples of it; None for the nearest tick.
        notes_by_voice: notes by the name of their voice.
        onsets: as in the file, in quarter notes.
        shifts: how far notes were moved.
        last_voice: of the row before.
        is_interleaved: whether a voice returns after another one.
    """

    step_ticks: int | None
    notes_by_voice: dict[str, list[Note]] = field(default_factory=dict)
    onsets: set[float] = field(default_factory=set)
    shifts: Shifts = field(default_factory=Shifts)
    last_voice: str = ""
    is_interleaved: bool = False

    def add(self, voice: str, onset: Fraction, end: Fraction, pitch: int) -> None:
        step_ticks = self.step_ticks or 1
        start = nearest_tick(onset, self.shifts.onsets, step_ticks, _TOLERANCE_TICKS)
        stop = nearest_tick(end, self.shifts.ends, step_ticks, _TOLERANCE_TICKS)
        if stop <= start:
            self.shifts.n_too_short += 1
            return
        self.is_interleaved |= voice in self.notes_by_voice and voice != self.last_voice
        self.last_voice = voice
        self.onsets.add(float(onset))
        self.notes_by_voice.setdefault(voice, []).append(Note(start, stop - start, pitch))

    def report(self, path: Path, left_out: tuple[str, ...]) -> ReadReport:
        if self.shifts.onsets and not self.step_ticks:
            missing_beat = describe_missing_beat(self.onsets)
            if missing_beat:
                remedy = "if they are seconds, make them quarter notes: times the tempo, by 60"
                raise FormatError(f"{path}: {missing_beat}; {remedy}")
        tally = Tally()
        score = Score(_voices(path, self._voices_in_order(), tally), ())
        moves = self.shifts.messages(score.n_notes)
        return ReadReport(score, losses=(*left_out, *tally.messages(), *moves))

    def _voices_in_order(self) -> list[tuple[str, list[Note]]]:
        """Voices as they follow each other in the file.

        Those whose rows are interleaved are in the order soprano, alto, tenor, bass, or by number,
        or else by their first rows.
        """
        names = list(self.notes_by_voice)
        if self.is_interleaved:
            order = satb_order(names)
            if order is not None:
                names = [names[index] for index in order]
            elif all(name.isdecimal() for name in names):
                names.sort(key=int)
        return [(name, self.notes_by_voice[name]) for name in names]


def _voices(path: Path, named: Sequence[tuple[str, list[Note]]], tally: Tally) -> tuple[Voice, ...]:
    """Voices of which none has two notes at once, each with a name."""
    found: list[tuple[str, Sequence[Note]]] = []
    for name, notes in named:
        line = sorted(notes, key=lambda note: (note.onset_ticks, note.pitch))
        if not first_overlap(line):
            found.append((name, line))
            continue
        try:
            separated = separate_voices(line)
        except ValueError as error:
            remedy = "give each note its voice in a column 'voice'"
            raise FormatError(f"{path}: {error}; {remedy}") from error
        whose = f"of voice {abbreviated(name)!r}" if name else "without a voice"
        tally.add(f"notes {whose} taken apart into {len(separated)} voices", count=0)
        found += [(name, voice) for voice in separated]
    names = distinct_voice_names([name for name, _ in found], default_voice_names(len(found)))
    return tuple(Voice(name, tuple(line)) for name, (_, line) in zip(names, found, strict=True))


def note_list_text(score: Score) -> str:
    """A score as a note list, voice by voice."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("onset", "pitch", "duration", "voice"))
    for name, voice in zip(column_names(score), score.voices, strict=True):
        for note in voice.notes:
            onset = quarters_text(note.onset_ticks)
            duration = quarters_text(note.duration_ticks)
            writer.writerow((onset, note.pitch, duration, name))
    return text.getvalue()


def column_names(score: Score) -> tuple[str, ...]:
    """The names of the voices if all have one and all differ, else their numbers."""
    names = tuple(" ".join(voice.name.split()) for voice in score.voices)
    if len(set(names)) == len(names) and all(names):
        return names
    return tuple(f"Voice {number}" for number in range(1, len(names) + 1))
