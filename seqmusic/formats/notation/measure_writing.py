"""What one staff has in one measure, as music21 notes and rests."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from music21 import duration, expressions, note, pitch, stream, tie

from seqmusic.formats.printed_events import PrintedEvent, beams, shown_accidentals
from seqmusic.formats.written_values import WrittenValue
from seqmusic.score import TICKS_PER_QUARTER, Bar, Key, Note
from seqmusic.spelling import VoiceSpelling
from seqmusic.tonality import Spelling

NoteColor: TypeAlias = Callable[[int, Note], str | None]
"""The color "#rrggbb" of a note, given the index of its voice; None for black."""
_NOTE_TYPES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd", 64: "64th"}
_ACCIDENTALS = {-2: "double-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


class WrittenElement(NamedTuple):
    """A printed note or rest, and the music21 element that shows it."""

    event: PrintedEvent
    element: Any


def voice_elements(
    events: Sequence[PrintedEvent],
    bar: Bar,
    voice: int,
    spellings: VoiceSpelling,
    color: NoteColor | None,
) -> list[WrittenElement]:
    """The notes and rests of a voice in a bar; one rest for a whole bar of silence.

    Args:
        events: what is printed of the voice in the bar.
        bar: the bar.
        voice: index of the voice.
        spellings: of the notes of the voice.
        color: of each note.

    Raises:
        ValueError: a color is no color.
    """
    is_whole_bar = bar.duration_ticks == bar.time_signature.bar_ticks
    if is_whole_bar and all(event.note is None for event in events):
        rest = note.Rest(quarterLength=Fraction(bar.duration_ticks, TICKS_PER_QUARTER))
        rest.fullMeasure = True
        rest.id = f"v{voice}-{bar.onset_ticks}"
        return [WrittenElement(events[0], rest)]
    written = []
    for event, event_beams in zip(events, beams(events, bar), strict=True):
        element = _element(event, spellings)
        element.id = f"v{voice}-{event.onset_ticks}"
        for beam in event_beams:
            name, _, direction = beam.partition("-")
            element.beams.append(name, direction or None)
        if color and event.note:
            _set_color(element, color(voice, event.note))
        written.append(WrittenElement(event, element))
    return written


def _element(event: PrintedEvent, spellings: VoiceSpelling) -> Any:
    element = note.Rest() if event.note is None else _note(event, event.note, spellings)
    element.duration = _duration(event.value)
    return element


def _note(event: PrintedEvent, sounding: Note, spellings: VoiceSpelling) -> note.Note:
    spelling = spellings[sounding.onset_ticks]
    written_pitch = pitch.Pitch(spelling.step, octave=spelling.octave)
    if spelling.alter:
        written_pitch.accidental = pitch.Accidental(_ACCIDENTALS[spelling.alter])
    written = note.Note(written_pitch)
    if tie_type := _tie_type(event):
        written.tie = tie.Tie(tie_type)
    if sounding.fermata and not event.tied_from_previous:
        fermata = expressions.Fermata()
        fermata.type = "upright"
        written.expressions.append(fermata)
    return written


def _tie_type(event: PrintedEvent) -> str:
    if event.tied_from_previous:
        return "continue" if event.tied_to_next else "stop"
    return "start" if event.tied_to_next else ""


def _duration(value: WrittenValue) -> duration.Duration:
    note_type = _NOTE_TYPES[value.denominator]
    written = duration.Duration(type=note_type, dots=value.dots)
    if value.is_triplet:
        written.appendTuplet(duration.Tuplet(3, 2, note_type))
    return written


def _set_color(element: Any, color: str | None) -> None:
    if not color:
        return
    if not re.fullmatch("#[0-9a-fA-F]{6}", color):
        raise ValueError(f"a color is written like #c02030, got {color!r}")
    element.style.color = color


def show_accidentals(elements: Sequence[WrittenElement], score_key: Key | None) -> None:
    """Print the accidentals that the measure of one staff needs, and no others."""
    notes = [written for written in elements if written.event.note]
    notes.sort(key=lambda written: written.event.onset_ticks)
    spellings = [(_spelling(element), event.tied_from_previous) for event, element in notes]
    shown = shown_accidentals(spellings, score_key.sharps if score_key else 0)
    for (_, element), is_shown in zip(notes, shown, strict=True):
        if is_shown and element.pitch.accidental is None:
            element.pitch.accidental = pitch.Accidental("natural")
        if element.pitch.accidental is not None:
            element.pitch.accidental.displayStatus = is_shown


def _spelling(element: note.Note) -> Spelling:
    return Spelling(element.pitch.step, int(element.pitch.alter), element.pitch.octave or 0)


def fill_measure(measure: stream.Measure, voices: Sequence[Sequence[WrittenElement]]) -> None:
    """Put the one or two voices of a staff into a measure; of two, with stems up and down."""
    if len(voices) == 1:
        _append_elements(measure, voices[0])
        return
    for number, (elements, direction) in enumerate(zip(voices, ("up", "down"), strict=True), 1):
        for _, element in elements:
            if not element.isRest:
                element.stemDirection = direction
                for mark in element.expressions:
                    mark.type = "upright" if direction == "up" else "inverted"
        voice = stream.Voice(id=str(number))
        _append_elements(voice, elements)
        measure.insert(0, voice)


def _append_elements(
    line: stream.Measure | stream.Voice, elements: Sequence[WrittenElement]
) -> None:
    for _, element in elements:
        line.append(element)
    if any(event.value.is_triplet for event, _ in elements):
        stream.makeNotation.makeTupletBrackets(line, inPlace=True)
