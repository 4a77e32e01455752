"""The notes of a music21 part as lines without overlaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from music21 import chord, expressions, harmony, note, stream

from seqmusic.errors import FormatError
from seqmusic.formats.notation.aligned_measures import AlignedMeasures, measure_number, part_name
from seqmusic.formats.printed_score import TiedNote, join_ties, single_lines
from seqmusic.formats.read_report import Tally
from seqmusic.formats.time_grid import Shifts, nearest_tick
from seqmusic.score import Note


def monophonic_lines(
    part: Any, index: int, bars: list[AlignedMeasures], shifts: Shifts, left_out: Tally
) -> list[tuple[Note, ...]]:
    """The lines of a part: usually one, several where it has voices or chords.

    There are none where it has nothing but percussion.

    Args:
        part: a music21 part.
        index: of the part among all parts.
        bars: the measures of all parts.
        shifts: collects how far notes are moved to the grid.
        left_out: counts what is not read.
    """
    reader = _NoteReader(repr(part_name(part) or index + 1), shifts, left_out)
    printed = _printed_notes_by_voice(reader, index, bars)
    if reader.n_unpitched and not any(printed):
        return []
    lines: list[tuple[Note, ...]] = []
    for tied in printed:
        joined = join_ties(tied, reader.part, left_out)
        lines += single_lines(joined, reader.part, left_out)
    return lines


def _printed_notes_by_voice(
    reader: _NoteReader, index: int, bars: list[AlignedMeasures]
) -> list[list[TiedNote]]:
    """The notes of each voice of a part; of the one line of a part without voices."""
    voices_by_bar = [_named_voices(bar.measures[index]) for bar in bars]
    names = {name for voices in voices_by_bar for name, _ in voices} or {""}
    notes: dict[str, list[TiedNote]] = {
        name: [] for name in sorted(names, key=lambda name: (len(name), name))
    }
    first_name = next(iter(notes))
    for bar, voices in zip(bars, voices_by_bar, strict=True):
        measure = bar.measures[index]
        for name, voice in voices:
            start = bar.onset + Fraction(measure.elementOffset(voice))
            notes[name].extend(reader.read(voice, start, measure))
        if not voices:
            notes[first_name].extend(reader.read(measure, bar.onset, measure))
    return list(notes.values())


def _named_voices(measure: Any) -> list[tuple[str, Any]]:
    voices = [element for element in measure.elements if isinstance(element, stream.Voice)]
    # The id of a voice without a name is an address in memory; its number in the measure is not.
    return [
        (str(number if isinstance(voice.id, int) else voice.id), voice)
        for number, voice in enumerate(voices, start=1)
    ]


@dataclass(slots=True)
class _NoteReader:
    """Reads the printed notes of one part.

    Attributes:
        part: its name in quotes, or its number.
        shifts: collects how far notes are moved to the grid.
        left_out: counts what is not read.
        n_unpitched: notes without pitch, so far.
    """

    part: str
    shifts: Shifts
    left_out: Tally
    n_unpitched: int = 0

    def read(self, voice: Any, start: Fraction, measure: Any) -> Iterator[TiedNote]:
        """The notes of a measure, or of a voice in it.

        Args:
            voice: the measure or the voice.
            start: where it begins, in quarter notes from the beginning of the piece.
            measure: that it stands in.
        """
        location = f"measure {measure_number(measure)} of part {self.part}"
        for element in voice.elements:
            if not isinstance(element, note.NotRest) or isinstance(element, harmony.Harmony):
                continue
            if element.duration.isGrace:
                self.left_out.add("grace notes left out", location)
            elif not isinstance(element, note.Note | chord.Chord):
                self.n_unpitched += 1
                self.left_out.add("notes without pitch (percussion) left out", location)
            else:
                # A float plus a fraction would be a float.
                onset = start + Fraction(voice.elementOffset(element))
                yield from self._pitched_notes(element, onset, location)

    def _pitched_notes(self, element: Any, onset: Fraction, location: str) -> Iterator[TiedNote]:
        onset_ticks = nearest_tick(onset, self.shifts.onsets)
        end_ticks = nearest_tick(onset + Fraction(element.quarterLength), self.shifts.ends)
        if end_ticks <= onset_ticks:
            self.left_out.add("notes too short for the grid left out", location)
            return
        fermata = any(isinstance(mark, expressions.Fermata) for mark in element.expressions)
        for single in element.notes if isinstance(element, chord.Chord) else (element,):
            pitch = single.pitch.ps
            if pitch != int(pitch):
                rule = "only the twelve tones of a keyboard are read"
                raise FormatError(f"{location} holds a quarter tone; {rule}")
            tie = single.tie or element.tie
            read = Note(onset_ticks, end_ticks - onset_ticks, int(pitch), fermata)
            yield TiedNote(read, tie is not None and tie.type in ("start", "continue"))
