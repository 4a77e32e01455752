"""The music of one ABC voice: notes with their times, and its bar lines.

Source: the ABC standard 2.1, section 4 (the tune body).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from seqmusic.errors import FormatError
from seqmusic.formats.abc.fields import (
    ALTERATIONS,
    AbcKey,
    read_key,
    read_length,
    read_meter,
    read_unit_length,
)
from seqmusic.formats.abc.tokens import TOKEN, AbcMeasure, Element, StaffPosition
from seqmusic.formats.measures import is_compound as is_compound_meter
from seqmusic.formats.printed_score import PrintedNote
from seqmusic.formats.read_report import Tally
from seqmusic.score import TimeSignature

_PITCHES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_TIMES_OF_TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_MAX_QUARTERS = 400_000
_MAX_MEASURES = 100_000


@dataclass(slots=True)
class VoiceReader:
    """Reads the music of one voice from left to right.

    Attributes:
        key: accidentals of the signature in force.
        meter: time signature in force; None for free time.
        unit_length: in quarter notes.
        semitones: added to every pitch.
        name: of the voice, for messages.
        left_out: counts what is not read.
        repairs: counts what is not understood.
        measures: those begun so far.
        time: where the music is, in quarter notes.
    """

    key: AbcKey
    meter: TimeSignature | None
    unit_length: Fraction
    semitones: int
    name: str
    left_out: Tally
    repairs: Tally
    measures: list[AbcMeasure] = field(default_factory=list)
    time: Fraction = Fraction(0)
    _elements: list[Element] = field(default_factory=list)
    _chord: Element | None = None
    _accidentals: dict[StaffPosition, int] = field(default_factory=dict)  # of this measure
    _tied: dict[StaffPosition, int] = field(default_factory=dict)  # pitches by the element before
    _fermata: bool = False
    _tuplet_factor: Fraction = Fraction(1)
    _tuplet_rest: int = 0  # elements still to come in the tuplet
    _next_factor: Fraction = Fraction(1)  # after a broken rhythm

    def read(self, music: str) -> list[PrintedNote]:
        """The notes of the voice.

        Raises:
            CorruptFileError: a length or a field has a number that is not read.
            FormatError: there is a quarter tone, or the voice is too long.
        """
        self.measures.append(AbcMeasure(Fraction(0), self.meter))
        for match in TOKEN.finditer(music):
            if read := _READERS.get(match.lastgroup or ""):
                read(self, match)
        if len(self.measures) > 1 and self.measures[-1].onset == self.time:
            self.measures.pop()
        return [
            PrintedNote(note.onset, note.onset + note.duration, pitch, is_tied, note.fermata)
            for note in self._elements
            for pitch, is_tied in note.pitches
        ]

    @property
    def _location(self) -> str:
        voice = f" of voice {self.name!r}" if self.name else ""
        return f"measure {len(self.measures)}{voice}"

    def _note(self, match: re.Match[str]) -> None:
        place = (match["letter"].upper(), match["octave"].count("'") - match["octave"].count(","))
        if match["letter"].islower():
            place = (place[0], place[1] + 1)
        pitch = self._pitch(place, match["accidental"])
        length = read_length(match["note_length"])
        if self._chord is None:
            self._add(Element(self.time, length, [(pitch, False)], [place], self._fermata))
            return
        if not self._chord.pitches:
            self._chord.duration = length
        self._chord.pitches.append((pitch, False))
        self._chord.staff_positions.append(place)

    def _pitch(self, place: StaffPosition, accidental: str | None) -> int:
        letter, octave = place
        if accidental:
            self._accidentals[place] = ALTERATIONS[accidental]
        elif place in self._tied:
            return self._tied[place]
        altered = self._accidentals.get(place, self.key.alterations.get(letter, 0))
        return 60 + 12 * octave + _PITCHES[letter] + altered + self.semitones

    def _add(self, element: Element) -> None:
        """Add an element whose duration is still in unit lengths."""
        element.duration *= self.unit_length * self._next_factor
        self._next_factor = Fraction(1)
        if self._tuplet_rest:
            element.duration *= self._tuplet_factor
            self._tuplet_rest -= 1
        self._tied = {}
        self._fermata = False
        self._elements.append(element)
        self.time = element.onset + element.duration
        if self.time > _MAX_QUARTERS:
            raise FormatError(f"is longer than {_MAX_QUARTERS} quarter notes")

    def _rest(self, match: re.Match[str]) -> None:
        if self._fermata:
            self.left_out.add("fermatas over rests left out", self._location)
        self._add(Element(self.time, read_length(match["rest_length"]), [], [], False))

    def _measures_of_rest(self, match: re.Match[str]) -> None:
        bar = Fraction(4 * self.meter.numerator, self.meter.denominator) if self.meter else 4
        for number in range(int(match["measures"][1:] or 1)):
            if number:
                self._begin_measure()
            self._add(Element(self.time, bar / self.unit_length, [], [], False))

    def _chord_begins(self, _: re.Match[str]) -> None:
        self._chord = Element(self.time, Fraction(1), [], [], self._fermata)

    def _chord_ends(self, match: re.Match[str]) -> None:
        if self._chord is None:
            self._unknown(match)
            return
        self._chord.duration *= read_length(match["chord_length"])
        chord, self._chord = self._chord, None
        ties = [
            (place, pitch)
            for place, (pitch, tied) in zip(chord.staff_positions, chord.pitches, strict=True)
            if tied
        ]
        self._add(chord)
        self._tied = dict(ties)

    def _tie(self, match: re.Match[str]) -> None:
        element = self._chord or (self._elements[-1] if self._elements else None)
        if element is None or not element.pitches:
            self._unknown(match)
            return
        first = len(element.pitches) - 1 if self._chord else 0
        for index in range(first, len(element.pitches)):
            pitch, _ = element.pitches[index]
            element.pitches[index] = (pitch, True)
            if not self._chord:
                self._tied[element.staff_positions[index]] = pitch

    def _broken_rhythm(self, match: re.Match[str]) -> None:
        if not self._elements or self._chord:
            self._unknown(match)
            return
        short = Fraction(1, 2 ** min(len(match["broken"]), 6))
        last = self._elements[-1]
        factor, self._next_factor = (
            (2 - short, short) if match["broken"][0] == ">" else (short, 2 - short)
        )
        last.duration *= factor
        self.time = last.onset + last.duration

    def _tuplet(self, match: re.Match[str]) -> None:
        n_notes, *rest = (int(digits or 0) for digits in match["tuplet"][1:].split(":"))
        is_compound = self.meter is not None and is_compound_meter(self.meter)
        usual = _TIMES_OF_TUPLETS.get(n_notes, 3 if is_compound else 2)
        times, n_elements = (*rest, 0, 0)[:2]
        if n_notes < 2:
            self._unknown(match)
            return
        self._tuplet_factor = Fraction(times or usual, n_notes)
        self._tuplet_rest = n_elements or n_notes

    def _bar_line(self, match: re.Match[str]) -> None:
        if ":" in match["bar"]:
            message = "repeat signs not carried out: each bar is read once, as written"
            self.left_out.add(message, self._location)
        if match["bar_ending"]:
            self._ending(match)
        self._begin_measure()

    def _begin_measure(self) -> None:
        self._accidentals = {}
        if self.time > self.measures[-1].onset:
            self.measures.append(AbcMeasure(self.time))
        if len(self.measures) > _MAX_MEASURES:
            raise FormatError(f"holds more than {_MAX_MEASURES} measures")

    def _ending(self, _: re.Match[str]) -> None:
        message = "endings of repeats read one after the other, as written"
        self.left_out.add(message, self._location)

    def _field(self, match: re.Match[str]) -> None:
        letter, text = match["inline"][1], match["inline"][3:-1].strip()
        if letter == "L":
            self.unit_length = read_unit_length(text) or self.unit_length
        elif letter == "M":
            self._change_meter(read_meter(text))
        elif letter == "K":
            self._change_key(read_key(text), text)
        elif letter == "Q" and self.time:
            self.left_out.add("changes of tempo left out", self._location)

    def _change_meter(self, meter: TimeSignature | None) -> None:
        if meter and self.time > self.measures[-1].onset:
            self.repairs.add("changes of meter inside a measure begin a new one", self._location)
            self._begin_measure()
        self.meter = meter
        if meter or not self.time:
            self.measures[-1].time_signature = meter

    def _change_key(self, changed: AbcKey, text: str) -> None:
        if changed.key is None and not changed.alterations and not text.startswith("none"):
            return  # a clef alone
        if self.time and changed != self.key:
            self.left_out.add("changes of key left out", self._location)
        self.key = changed

    def _decoration(self, match: re.Match[str]) -> None:
        text = match["decoration"] if match.lastgroup == "decoration" else match["quoted"]
        if text.startswith('"'):
            is_annotation = text[1:2] in "^_<>@"
            what = "words over the music" if is_annotation else "chord symbols"
            self.left_out.add(f"{what} left out", self._location)
        elif text == "H" or "fermata" in text:
            self._fermata = True
        else:
            self.left_out.add("ornaments and other signs left out", self._location)

    def _grace(self, match: re.Match[str]) -> None:
        n_notes = len(re.findall(r"[A-Ga-g]", match["grace"]))
        self.left_out.add("grace notes left out", self._location, n_notes)

    def _slur(self, match: re.Match[str]) -> None:
        if match["slur"] == "(":
            self.left_out.add("slurs left out", self._location)

    def _microtone(self, _: re.Match[str]) -> None:
        rule = "only the twelve tones of a keyboard are read"
        raise FormatError(f"{self._location} holds a quarter tone; {rule}")

    def _unknown(self, match: re.Match[str]) -> None:
        location = f"{match[0]!r} in {self._location}"
        self.repairs.add("signs that are not understood left out", location)


_READERS = {
    "quoted": VoiceReader._decoration,
    "decoration": VoiceReader._decoration,
    "inline": VoiceReader._field,
    "ending": VoiceReader._ending,
    "bar": VoiceReader._bar_line,
    "bar_ending": VoiceReader._bar_line,
    "tuplet": VoiceReader._tuplet,
    "microtone": VoiceReader._microtone,
    "note_length": VoiceReader._note,
    "rest_length": VoiceReader._rest,
    "measures": VoiceReader._measures_of_rest,
    "chord": VoiceReader._chord_begins,
    "chord_length": VoiceReader._chord_ends,
    "grace": VoiceReader._grace,
    "broken": VoiceReader._broken_rhythm,
    "tie": VoiceReader._tie,
    "slur": VoiceReader._slur,
    "unknown": VoiceReader._unknown,
}
"""The method for each kind of token; white space and line breaks have none."""
