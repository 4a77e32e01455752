"""One part of a MusicXML file, measure by measure.

Source: W3C, MusicXML 4.0, the elements measure, note, backup, forward and attributes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple
from xml.etree.ElementTree import Element

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.musicxml.tree import number_in, text_of
from seqmusic.formats.musicxml.unread import count_marks_on_note, count_unread
from seqmusic.formats.read_report import Tally
from seqmusic.score import TimeSignature

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_BEAT_UNITS = {
    **{"breve": Fraction(8), "whole": Fraction(4), "half": Fraction(2), "quarter": Fraction(1)},
    **{"eighth": Fraction(1, 2), "16th": Fraction(1, 4), "32nd": Fraction(1, 8)},
}
_MAX_DIVISIONS = 1_000_000
_MAX_DURATION = 100_000_000
_MAX_DENOMINATOR = 10**15


class MeasureNote(NamedTuple):
    """A note of a measure; times are quarter notes from the beginning of the measure."""

    onset: Fraction
    end: Fraction
    pitch: int
    is_tied: bool
    fermata: bool
    staff: str
    voice: str


@dataclass(slots=True)
class PartMeasure:
    """One measure of a part.

    Attributes:
        number: as printed.
        time_signature: the one written in it, if any.
        bar: length of a whole bar in quarter notes; None where no time signature is known.
        end: of the last note or rest.
        has_notes: whether it has any, with or without pitch.
        notes: those with a pitch.
        voices: of notes and rests, by staff.
    """

    number: int
    time_signature: TimeSignature | None = None
    bar: Fraction | None = None
    end: Fraction = Fraction(0)
    has_notes: bool = False
    notes: list[MeasureNote] = field(default_factory=list)
    voices: dict[str, set[str]] = field(default_factory=dict)

    @property
    def duration(self) -> Fraction:
        """Its length: that of its notes and rests, or a bar where it has none."""
        return self.end or self.bar or Fraction(0)


class WrittenKey(NamedTuple):
    """A key signature as it sounds: sharps, and "major", "minor" or ""."""

    sharps: int
    mode: str


@dataclass(slots=True)
class PartReader:
    """Reads the measures of a part from left to right.

    Attributes:
        name: of the part.
        label: the name in quotes or the number of the part, for messages.
        left_out: counts what is not read.
        repairs: counts what is wrong.
        measures: those read so far.
        key: at the beginning, if one is written.
        tempo_bpm: quarter notes a minute at the beginning, if written.
        n_unpitched: notes without pitch, so far.
    """

    name: str
    label: str
    left_out: Tally
    repairs: Tally
    measures: list[PartMeasure] = field(default_factory=list)
    key: WrittenKey | None = None
    tempo_bpm: float | None = None
    n_unpitched: int = 0
    _divisions: Fraction = Fraction(1)
    _semitones: int = 0
    _meter: TimeSignature | None = None
    _late_meter: TimeSignature | None = None  # written at the end of the measure before
    _time: Fraction = Fraction(0)
    _chord_onset: Fraction = Fraction(0)

    def read_measure(self, element: Element) -> None:
        """Read one measure.

        Raises:
            CorruptFileError: it holds a number that is not read.
            FormatError: it holds a quarter tone.
        """
        match = re.search(r"\d{1,6}", element.get("number", ""))
        measure = PartMeasure(int(match[0]) if match else len(self.measures) + 1)
        self.measures.append(measure)
        self._time = self._chord_onset = Fraction(0)
        if self._late_meter:
            self._set_meter(self._late_meter)
            self._late_meter = None
        for child in element:
            if child.tag == "note":
                self._read_note(child, measure)
            elif child.tag == "backup":
                self._time = max(Fraction(0), self._time - self._duration(child))
            elif child.tag == "forward":
                self._time += self._duration(child)
            elif child.tag == "attributes":
                self._read_attributes(child)
            else:
                self._read_tempo(child)
                count_unread(child, self._location, self.left_out)
        _share_fermatas(measure)
        if self._meter:
            measure.bar = Fraction(4 * self._meter.numerator, self._meter.denominator)

    @property
    def _location(self) -> str:
        return f"measure {self.measures[-1].number} of part {self.label}"

    @property
    def _is_at_start(self) -> bool:
        return len(self.measures) == 1 and not self._time

    def _duration(self, element: Element) -> Fraction:
        duration = number_in("duration", element.findtext("duration"), _MAX_DURATION)
        if duration < 0:
            raise CorruptFileError(f"{self._location} holds a duration below 0")
        return duration / self._divisions

    def _read_note(self, element: Element, measure: PartMeasure) -> None:
        tags = {child.tag: child for child in element}
        if "grace" in tags:
            self.left_out.add("grace notes left out", self._location)
            return
        onset = self._chord_onset if "chord" in tags else self._time
        end = onset + self._duration(element)
        self._chord_onset = onset
        self._time = end
        measure.end = max(measure.end, end)
        staff = (tags["staff"].text or "").strip() if "staff" in tags else "1"
        voice = (tags["voice"].text or "").strip() if "voice" in tags else ""
        measure.voices.setdefault(staff, set()).add(voice)
        marks = count_marks_on_note(element, tags, self._location, self.left_out)
        if "rest" in tags:
            return
        measure.has_notes = True
        if "pitch" not in tags:
            self.n_unpitched += 1
            self.left_out.add("notes without pitch (percussion) left out", self._location)
            return
        pitch = self._pitch(tags["pitch"])
        note = MeasureNote(onset, end, pitch, marks.is_tied, marks.fermata, staff, voice)
        measure.notes.append(note)

    def _pitch(self, element: Element) -> int:
        step = text_of(element, "step")
        if step not in _STEPS:
            raise CorruptFileError(f"{self._location} holds <step> {step[:20]!r}; A to G are read")
        octave = number_in("octave", element.findtext("octave"), 12)
        alter = element.findtext("alter")
        pitch = 12 + 12 * octave + _STEPS[step] + self._semitones
        pitch += number_in("alter", alter, 4) if alter and alter.strip() else 0
        if pitch.denominator != 1:
            rule = "only the twelve tones of a keyboard are read"
            raise FormatError(f"{self._location} holds a quarter tone; {rule}")
        return int(pitch)

    def _read_attributes(self, element: Element) -> None:
        for child in element:
            if child.tag == "divisions":
                self._read_divisions(child)
            elif child.tag == "transpose":
                self._read_transposition(child)
            elif child.tag == "time":
                self._read_meter(child)
        for child in element.findall("key"):
            self._read_key(child)

    def _read_divisions(self, element: Element) -> None:
        divisions = number_in("divisions", element.text, _MAX_DIVISIONS)
        if divisions <= 0:
            raise CorruptFileError(f"{self._location} holds <divisions> {divisions}")
        self._divisions = divisions
        if self._time.denominator > _MAX_DENOMINATOR:
            raise FormatError(f"{self._location} changes its divisions too often")

    def _read_transposition(self, element: Element) -> None:
        octaves = element.findtext("octave-change")
        semitones = int(number_in("chromatic", element.findtext("chromatic"), 96))
        semitones += 12 * int(number_in("octave-change", octaves, 8)) if octaves else 0
        if semitones and semitones != self._semitones:
            message = "parts for transposing instruments read as they sound"
            self.left_out.add(message, f"part {self.label}")
        self._semitones = semitones

    def _read_key(self, element: Element) -> None:
        if element.find("fifths") is None:
            return
        sharps = int(number_in("fifths", element.findtext("fifths"), 11))
        mode = text_of(element, "mode").lower()
        if self._semitones % 12:
            sharps = (sharps + 7 * self._semitones + 6) % 12 - 6
        if self._is_at_start:
            self.key = self.key or WrittenKey(sharps, mode if mode in ("major", "minor") else "")
        else:
            self.left_out.add("changes of key left out", self._location)

    def _read_meter(self, element: Element) -> None:
        beats = [number for child in element.findall("beats") for number in self._beats(child)]
        units = {int(number_in("beat-type", e.text, 64)) for e in element.findall("beat-type")}
        if not beats or len(units) != 1:
            if beats:
                message = "time signatures that a score does not hold"
                self.left_out.add(message, self._location)
            return
        try:
            meter = TimeSignature(sum(beats), units.pop())
        except ValueError as error:
            raise CorruptFileError(f"{self._location}: {error}") from error
        if not self._time:
            self._set_meter(meter)
        elif meter != self._meter:
            message = "changes of meter inside a measure moved to the next bar line"
            self.repairs.add(message, self._location)
            self._late_meter = meter

    def _beats(self, element: Element) -> list[int]:
        return [int(number_in("beats", text, 64)) for text in (element.text or "").split("+")]

    def _set_meter(self, meter: TimeSignature) -> None:
        self._meter = meter
        if self.measures[-1].time_signature is None:
            self.measures[-1].time_signature = meter

    def _read_tempo(self, element: Element) -> None:
        sound = element if element.tag == "sound" else element.find("sound")
        metronome = element.find("direction-type/metronome")
        bpm = _metronome_bpm(metronome) if metronome is not None else None
        if bpm is None and sound is not None and re.fullmatch(r"\d+(\.\d+)?", text_tempo(sound)):
            bpm = float(text_tempo(sound)) or None
        if bpm is None:
            return
        if self._is_at_start:
            self.tempo_bpm = self.tempo_bpm or bpm
        else:
            self.left_out.add("changes of tempo left out", self._location)


def _share_fermatas(measure: PartMeasure) -> None:
    """Give the fermata over a chord to all of its notes; it is written at one of them."""
    held = {(note.onset, note.staff, note.voice) for note in measure.notes if note.fermata}
    if held:
        measure.notes = [
            note._replace(fermata=(note.onset, note.staff, note.voice) in held)
            for note in measure.notes
        ]


def text_tempo(sound: Element) -> str:
    """The tempo of an element <sound> as it is written, at most 12 characters."""
    return sound.get("tempo", "").strip()[:12]


def _metronome_bpm(element: Element) -> float | None:
    """Quarter notes a minute of a metronome mark; None where it gives no number."""
    unit = _BEAT_UNITS.get(text_of(element, "beat-unit"))
    match = re.search(r"\d{1,4}(\.\d{1,6})?", text_of(element, "per-minute"))
    if unit is None or match is None:
        return None
    n_dots = min(len(element.findall("beat-unit-dot")), 4)
    quarters = unit * (2 - Fraction(1, 2**n_dots))
    return float(match[0]) * float(quarters) or None
