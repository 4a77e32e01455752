"""From scores to music21 streams and MusicXML text."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import json
import re
import statistics
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from music21 import bar as bars21
from music21 import (
    clef,
    duration,
    expressions,
    key,
    layout,
    metadata,
    meter,
    note,
    pitch,
    stream,
    tempo,
    tie,
)
from music21.musicxml import helpers, m21ToXml

from seqmusic import tonality
from seqmusic.errors import FormatError
from seqmusic.formats.measures import printed_bars
from seqmusic.formats.notation.reading import SOURCE_FIELD, VOICES_FIELD
from seqmusic.formats.printed_events import (
    PrintedEvent,
    beams,
    printed_events_by_bar,
    shown_accidentals,
)
from seqmusic.formats.written_values import WrittenValue
from seqmusic.score import TICKS_PER_QUARTER, Bar, Key, Note, Score, Voice

NoteColor: TypeAlias = Callable[[int, Note], str | None]
"""The color "#rrggbb" of a note, given the index of its voice; None for black."""

_NOTE_TYPES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd", 64: "64th"}
_ACCIDENTALS = {-2: "double-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def musicxml_text(
    score: Score, color: NoteColor | None = None, staves: Literal["open", "closed"] = "open"
) -> str:
    """A score as MusicXML 4.0; the same score gives the same text.

    Each written note and rest has an id that says where it is: ``v0-24`` is in the first voice and starts at tick 24.

    Args:
        score: what is written.
        color: of each note, given the index of its voice: "#rrggbb", or None for black.
        staves: "open" for a staff a voice, "closed" for two voices a staff, as chorales are printed.

    Raises:
        FormatError: the score has no voices.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exporter = m21ToXml.ScoreExporter(
            score_to_music21(score, color, staves), makeNotation=False
        )
        root = exporter.parse()
    _remove_generated_fields(root)
    helpers.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN"'
    return f'{head} "http://www.musicxml.org/dtds/partwise.dtd">\n{body}\n'


def score_to_music21(
    score: Score, color: NoteColor | None = None, staves: Literal["open", "closed"] = "open"
) -> stream.Score:
    """A score as a music21 Score of parts, measures and tied notes, ready to be printed or exported without changes by music21.

    Args:
        score: what is written.
        color: of each note, given the index of its voice: "#rrggbb", or None for black.
        staves: "open" for a part a voice, "closed" for parts of two voices.

    Raises:
        FormatError: the score has no voices.
    """
    if staves not in ("open", "closed"):
        raise ValueError(f"staves must be 'open' or 'closed', got {staves!r}")
    if not score.voices:
        raise FormatError("a score without voices cannot be written as MusicXML")
    written = stream.Score(id="score")
    written.insert(0, _metadata(score))
    bars = printed_bars(score)
    spelling_key = score.key or tonality.infer_key(score)
    step = 1 if staves == "open" else 2
    parts = [
        _part(score, bars, range(first, min(first + step, len(score.voices))), spelling_key, color)
        for first in range(0, len(score.voices), step)
    ]
    for part in parts:
        written.insert(0, part)
    if len(parts) > 1:
        written.insert(0, layout.StaffGroup(parts, symbol="bracket", barTogether=True))
    return written


def _metadata(score: Score) -> metadata.Metadata:
    found = metadata.Metadata()
    if score.title:
        found.title = _NOT_XML.sub(" ", score.title)
    if score.source:
        found.addCustom(SOURCE_FIELD, _NOT_XML.sub(" ", score.source))
    found.addCustom(VOICES_FIELD, json.dumps([voice.name for voice in score.voices]))
    return found


def _part(
    score: Score,
    bars: Sequence[Bar],
    indices: Sequence[int],
    spelling_key: Key,
    color: NoteColor | None,
) -> stream.Part:
    """The part of one staff, which holds the voices at `indices`."""
    voices = [score.voices[index] for index in indices]
    part = stream.Part(id=f"P{indices[0] + 1}")
    part.partName = _NOT_XML.sub(" ", " ".join(voice.name for voice in voices))
    layers = [printed_events_by_bar(voice, bars) for voice in voices]
    signatures = dict(score.time_signatures)
    for number, bar in enumerate(bars):
        measure = stream.Measure(number=bar.number)
        if number == 0:
            _add_opening_signs(measure, score, voices, is_first_part=indices[0] == 0)
        if bar.onset_ticks in signatures:
            measure.insert(0, _time_signature(score, bars, number))
        contents = [
            _voice_elements(layer[number], bar, indices[i], spelling_key, color)
            for i, layer in enumerate(layers)
        ]
        _show_accidentals([pair for content in contents for pair in content], score.key)
        _fill_measure(measure, contents)
        part.append(measure)
    measure.rightBarline = bars21.Barline("final")
    return part


def _add_opening_signs(
    measure: stream.Measure, score: Score, voices: Sequence[Voice], is_first_part: bool
) -> None:
    measure.insert(0, _clef(voices))
    if score.key:
        measure.insert(
            0, key.Key(*_tonic(score.key)) if score.key.mode else key.KeySignature(score.key.sharps)
        )
    if score.tempo_bpm is not None and is_first_part:
        measure.insert(
            0, tempo.MetronomeMark(number=score.tempo_bpm, referent=duration.Duration("quarter"))
        )


def _tonic(score_key: Key) -> tuple[str, str]:
    name, mode = tonality.key_name(score_key).split()
    return name.replace("b", "-"), mode


def _clef(voices: Sequence[Voice]) -> clef.Clef:
    if [voice.name for voice in voices] == ["Tenor"]:
        return clef.Treble8vbClef()
    lowest = voices[-1]
    is_low = (
        statistics.median(n.pitch for n in lowest.notes) < 58
        if lowest.notes
        else lowest.name == "Bass"
    )
    return clef.BassClef() if is_low else clef.TrebleClef()


def _time_signature(score: Score, bars: Sequence[Bar], number: int) -> meter.TimeSignature:
    """The one of a bar; hidden where it only says again what held before, to cut the bar before it short."""
    written = meter.TimeSignature(str(bars[number].time_signature))
    if number and bars[number - 1].time_signature == bars[number].time_signature:
        written.style.hideObjectOnPrint = True
    return written


def _voice_elements(
    pieces: Sequence[PrintedEvent], bar: Bar, voice: int, spelling_key: Key, color: NoteColor | None
) -> list[tuple[PrintedEvent, Any]]:
    if bar.duration_ticks == bar.time_signature.bar_ticks and all(
        piece.note is None for piece in pieces
    ):
        whole = note.Rest(quarterLength=Fraction(bar.duration_ticks, TICKS_PER_QUARTER))
        whole.fullMeasure = True
        whole.id = f"v{voice}-{bar.onset_ticks}"
        return [(pieces[0], whole)]
    written: list[tuple[PrintedEvent, Any]] = []
    for piece, kinds in zip(pieces, beams(pieces, bar), strict=True):
        element: Any = note.Rest() if piece.note is None else _note(piece, piece.note, spelling_key)
        element.duration = _duration(piece.value)
        element.id = f"v{voice}-{piece.onset_ticks}"
        for kind in kinds:
            name, _, direction = kind.partition("-")
            element.beams.append(name, direction or None)
        chosen = color(voice, piece.note) if color and piece.note else None
        if chosen:
            if not re.fullmatch("#[0-9a-fA-F]{6}", chosen):
                raise ValueError(f"a color is written like #c02030, got {chosen!r}")
            element.style.color = chosen
        written.append((piece, element))
    return written


def _note(piece: PrintedEvent, sounding: Note, spelling_key: Key) -> note.Note:
    spelled = tonality.spell(sounding.pitch, spelling_key)
    height = pitch.Pitch(spelled.step, octave=spelled.octave)
    if spelled.alter:
        height.accidental = pitch.Accidental(_ACCIDENTALS[spelled.alter])
    written = note.Note(height)
    if piece.tied_from_previous or piece.tied_to_next:
        written.tie = tie.Tie(
            "continue"
            if piece.tied_from_previous and piece.tied_to_next
            else "stop"
            if piece.tied_from_previous
            else "start"
        )
    if sounding.fermata and not piece.tied_from_previous:
        fermata = expressions.Fermata()
        fermata.type = "upright"
        written.expressions.append(fermata)
    return written


def _duration(value: WrittenValue) -> duration.Duration:
    written = duration.Duration(type=_NOTE_TYPES[value.denominator], dots=value.dots)
    if value.is_triplet:
        written.appendTuplet(duration.Tuplet(3, 2, _NOTE_TYPES[value.denominator]))
    return written


def _show_accidentals(content: list[tuple[PrintedEvent, Any]], score_key: Key | None) -> None:
    """Print the signs that the measure of one staff needs, and no others."""
    notes = [(piece, element) for piece, element in content if piece.note]
    notes.sort(key=lambda pair: pair[0].onset_ticks)
    spelled = [_spelling_of(element) for _, element in notes]
    tied = [piece.tied_from_previous for piece, _ in notes]
    for (_, element), shown in zip(
        notes,
        shown_accidentals(zip(spelled, tied, strict=True), score_key.sharps if score_key else 0),
        strict=True,
    ):
        if shown and element.pitch.accidental is None:
            element.pitch.accidental = pitch.Accidental("natural")
        if element.pitch.accidental is not None:
            element.pitch.accidental.displayStatus = shown


def _spelling_of(element: note.Note) -> tonality.Spelling:
    return tonality.Spelling(
        element.pitch.step, int(element.pitch.alter), element.pitch.octave or 0
    )


def _fill_measure(
    measure: stream.Measure, contents: Sequence[list[tuple[PrintedEvent, Any]]]
) -> None:
    """Put the voices of a staff into a measure: as they are, or as two voices with stems up and down."""
    if len(contents) == 1:
        _append_elements(measure, contents[0])
        return
    for number, (content, direction) in enumerate(
        zip(contents, ("up", "down"), strict=True), start=1
    ):
        for _, element in content:
            if not element.isRest:
                element.stemDirection = direction
                for mark in element.expressions:
                    mark.type = "upright" if direction == "up" else "inverted"
        voice = stream.Voice(id=str(number))
        _append_elements(voice, content)
        measure.insert(0, voice)


def _append_elements(
    line: stream.Measure | stream.Voice, content: list[tuple[PrintedEvent, Any]]
) -> None:
    for _, element in content:
        line.append(element)
    if any(piece.value.is_triplet for piece, _ in content):
        stream.makeNotation.makeTupletBrackets(line, inPlace=True)


def _remove_generated_fields(root: ElementTree.Element) -> None:
    """Take out what music21 makes up or draws by chance: composer, date, part names; and mark the pickup."""
    for made_up in root.findall("movement-title"):  # the title is the work's
        root.remove(made_up)
    identification = root.find("identification")
    if identification is not None:
        for creator in identification.findall("creator"):
            identification.remove(creator)
        encoding = identification.find("encoding")
        for date in encoding.findall("encoding-date") if encoding is not None else ():
            encoding.remove(date)  # type: ignore[union-attr]
    for number, listed in enumerate(root.iter("score-part"), start=1):
        listed.set("id", f"P{number}")
    for number, part in enumerate(root.findall("part"), start=1):
        part.set("id", f"P{number}")
        first = part.find("measure")
        if first is not None and first.get("number") == "0":
            first.set("implicit", "yes")
