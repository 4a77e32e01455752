"""Texts of kern files as scores."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.kern.spines import Column, Spine, first_columns, next_columns
from seqmusic.formats.kern.tokens import read_token
from seqmusic.formats.printed_score import (
    MeasureSpan,
    PrintedNote,
    PrintedPart,
    PrintedScore,
    report_from_printed,
)
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import Key, TimeSignature

_KERN = "**kern"
_MAX_QUARTERS = 400_000
_METER = re.compile(r"\*M(\d{1,2})/(\d{1,2})(%\d+)?$")
_KEY_SIGNATURE = re.compile(r"\*k\[([a-g#\-n]*)\]$")
_KEY = re.compile(r"\*([A-Ga-g])([#\-]?):(.*)$")
_TEMPO = re.compile(r"\*MM(\d{1,4}(?:\.\d{1,4})?)$")
_VOICE_CODES = {
    **{"*Icant": "Soprano", "*Isoprn": "Soprano", "*Icalto": "Alto", "*Ialto": "Alto"},
    **{"*Itenor": "Tenor", "*Ibarit": "Baritone", "*Ibass": "Bass"},
}
_SHARPS_OF_MAJOR_KEYS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}


def read_kern(text: str) -> ReadReport:
    """The score in a text of kern, with what is left out of it.

    Every **kern spine is a part, from the last one to the first; spines of other kinds are left
    out.

    Raises:
        CorruptFileError: it breaks the rules of the format.
        FormatError: it holds what a score cannot.
    """
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            reader.read_line(line)
        except CorruptFileError as error:
            raise CorruptFileError(f"not readable as kern: line {number} {error}") from error
    return report_from_printed(reader.finished())


@dataclass(slots=True)
class _Measure:
    onset: Fraction
    number: int
    time_signature: TimeSignature | None = None


@dataclass(slots=True)
class _Reader:
    """Reads a file line after line.

    Attributes:
        printed: what is read of it.
        columns: of the next line.
        time: of the next line, in quarter notes.
        end: of the longest note so far.
        measures: those begun so far.
        lines: notes by spine and line of the spine.
        spines: of notes, in the order in which they begin.
        key_signature, key, mode_text: as given at the beginning.
        titles: reference records of titles by their names.
    """

    printed: PrintedScore = field(default_factory=PrintedScore)
    columns: list[Column] = field(default_factory=list)
    time: Fraction = field(default_factory=Fraction)
    end: Fraction = field(default_factory=Fraction)
    measures: list[_Measure] = field(default_factory=lambda: [_Measure(Fraction(0), 0)])
    lines: dict[tuple[Spine, int], list[PrintedNote]] = field(default_factory=dict)
    spines: list[Spine] = field(default_factory=list)
    sharps: int | None = None
    tonic: re.Match[str] | None = None
    current_sharps: int | None = None
    meter: TimeSignature | None = None
    titles: dict[str, str] = field(default_factory=dict)

    def read_line(self, line: str) -> None:
        """Read one line of the file."""
        if not line or line.startswith("!"):
            if match := re.match(r"!!!(OTL|OPR|ONM)[^:]*: *(.*)", line):
                self.titles.setdefault(match[1], html.unescape(match[2]).strip())
            return
        tokens = line.split("\t")
        if not self.columns:
            if any(token.startswith("**") for token in tokens):
                self.columns = first_columns(tokens)
                self._note_spines()
            return
        if len(tokens) != len(self.columns):
            raise CorruptFileError(f"has {len(tokens)} columns, expected {len(self.columns)}")
        if tokens[0].startswith("*"):
            self._read_interpretations(tokens)
        elif tokens[0].startswith("="):
            self._read_bar_line(tokens)
        else:
            self._read_data(tokens)

    def finished(self) -> PrintedScore:
        """All that was read.

        Raises:
            FormatError: it holds no notes.
        """
        if not self.spines:
            raise CorruptFileError("not readable as kern: no spine begins with **kern")
        if not any(self.lines.values()):
            raise FormatError("holds no notes")
        for spine in reversed(self.spines):
            lines = [notes for (other, _), notes in self.lines.items() if other is spine]
            self.printed.parts.append(PrintedPart(spine.name, lines))
        self.printed.measures = self._measure_spans()
        self.printed.key = self._key()
        self.printed.title = self.titles.get("OTL") or self.titles.get("OPR", "")
        return self.printed

    @property
    def _location(self) -> str:
        return f"measure {self.measures[-1].number}"

    def _note_spines(self) -> None:
        for column in self.columns:
            if column.spine.kind == _KERN and column.spine not in self.spines:
                self.spines.append(column.spine)
                self.lines[column.spine, 0] = []

    def _read_interpretations(self, tokens: Sequence[str]) -> None:
        for column, token in zip(self.columns, tokens, strict=True):
            if column.spine.kind != _KERN or len(token) < 3:
                continue
            if match := _METER.match(token):
                self._read_meter(match)
            elif match := _KEY_SIGNATURE.match(token):
                self._read_key_signature(match[1])
            elif (match := _KEY.match(token)) and not self.time:
                self.tonic = self.tonic or match
            elif match := _TEMPO.match(token):
                self._read_tempo(float(match[1]))
            elif token.startswith("*I"):
                name = token[3:] if token[2] == '"' else _VOICE_CODES.get(token, "")
                column.spine.name = " ".join(name.split()) or column.spine.name
        if any(token in ("*^", "*v", "*+", "*-", "*x") or token[:2] == "**" for token in tokens):
            self.columns = next_columns(self.columns, tokens)
            self._note_spines()

    def _read_meter(self, match: re.Match[str]) -> None:
        numerator, denominator = int(match[1]), int(match[2])
        if denominator == 0:  # in breves
            numerator, denominator = 2 * numerator, 1
        try:
            if match[3]:
                raise ValueError
            meter = TimeSignature(numerator, denominator)
        except ValueError:
            location = f"{match[0]} in {self._location}"
            self.printed.left_out.add("time signatures that a score does not hold", location)
            return
        measure = self.measures[-1]
        if self.time > measure.onset:
            if meter == self.meter:
                return
            message = "changes of meter inside a measure begin a new one"
            self.printed.repairs.add(message, self._location)
            measure = _Measure(self.time, measure.number)
            self.measures.append(measure)
        if measure.time_signature not in (None, meter):
            location = f"{measure.time_signature} and {meter} in {self._location}"
            message = "time signatures of parts that differ: the bars are those of the last spine"
            self.printed.left_out.add(message, location)
        self.meter = measure.time_signature = meter

    def _read_key_signature(self, accidentals: str) -> None:
        sharps = accidentals.count("#") - accidentals.count("-")
        if self.sharps is None and not self.time:
            self.sharps = sharps
        elif self.time and sharps != self.current_sharps:
            self.printed.left_out.add("changes of key left out", self._location)
        self.current_sharps = sharps

    def _read_tempo(self, bpm: float) -> None:
        if not self.time:
            self.printed.tempo_bpm = self.printed.tempo_bpm or bpm or None
        else:
            self.printed.left_out.add("changes of tempo left out", self._location)

    def _read_bar_line(self, tokens: Sequence[str]) -> None:
        match = re.match(r"=+(\d{1,6})?", tokens[0])
        number = int(match[1]) if match and match[1] else self.measures[-1].number + 1
        if any(":" in token for token in tokens):
            message = "repeat signs not carried out: each bar is read once, as written"
            self.printed.left_out.add(message, self._location)
        if self.time > self.measures[-1].onset:
            self.measures.append(_Measure(self.time, number))
        elif len(self.measures) == 1:
            self.measures[0].number = number

    def _read_data(self, tokens: Sequence[str]) -> None:
        ends = []
        for column, text in zip(self.columns, tokens, strict=True):
            if column.spine.kind == _KERN:
                if text != ".":
                    self._read_notes(column, text)
                if column.end > self.time:
                    ends.append(column.end)
            elif column.spine.kind == "**text" and text != ".":
                self.printed.left_out.add("syllables of text left out", self._location)
        if ends:
            self.time = min(ends)
            if self.time > _MAX_QUARTERS:
                raise CorruptFileError(f"is later than {_MAX_QUARTERS} quarter notes")

    def _read_notes(self, column: Column, text: str) -> None:
        token = read_token(text)
        left_out = self.printed.left_out
        if token.n_graces:
            left_out.add("grace notes left out", self._location, token.n_graces)
        for loss in token.losses:
            left_out.add(loss, self._location)
        if token.duration is None:
            if token.notes:
                message = "notes without a length left out"
                self.printed.repairs.add(message, self._location, len(token.notes))
            return
        end = self.time + token.duration
        if token.fermata and not token.notes:
            left_out.add("fermatas over rests left out", self._location)
        line = self.lines.setdefault((column.spine, column.line), [])
        line += [
            PrintedNote(self.time, end, note.pitch, note.is_tied, token.fermata)
            for note in token.notes
        ]
        column.end = end
        self.end = max(self.end, end)

    def _measure_spans(self) -> list[MeasureSpan]:
        measures = self.measures
        if len(measures) > 1 and measures[-1].onset >= self.end:
            measures = measures[:-1]
        ends = [*(measure.onset for measure in measures[1:]), self.end]
        return [
            MeasureSpan(measure.onset, end - measure.onset, measure.number, measure.time_signature)
            for measure, end in zip(measures, ends, strict=True)
        ]

    def _key(self) -> Key | None:
        sharps, mode = self.sharps, ""
        if self.tonic:
            letter, accidental, mode_text = self.tonic.groups()
            if not mode_text.strip():
                mode = "major" if letter.isupper() else "minor"
            of_key = _SHARPS_OF_MAJOR_KEYS[letter.upper()] + {"#": 7, "-": -7, "": 0}[accidental]
            sharps = of_key - 3 * (mode == "minor") if sharps is None and mode else sharps
        return Key(sharps, mode) if sharps is not None and -7 <= sharps <= 7 else None
