"""From scores to music21 streams and MusicXML text."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import json
import re
import statistics
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from typing import Any, Literal

from music21 import bar as bars21
from music21 import clef, duration, key, layout, metadata, meter, stream, tempo
from music21.musicxml import helpers, m21ToXml

from seqmusic import tonality
from seqmusic.errors import FormatError
from seqmusic.formats.measures import printed_bars
from seqmusic.formats.musicxml.reading import SOURCE_FIELD, VOICES_FIELD
from seqmusic.formats.notation.mark_writing import add_brackets, mark_measure
from seqmusic.formats.notation.measure_writing import (
    NoteColor,
    fill_measure,
    show_accidentals,
    voice_elements,
)
from seqmusic.formats.printed_events import printed_events_by_bar
from seqmusic.formats.score_marks import NO_MARKS, ScoreMarks
from seqmusic.score import Bar, Key, Score, Voice
from seqmusic.spelling import VoiceSpelling, spell_notes

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" \
"http://www.musicxml.org/dtds/partwise.dtd">
"""
_LOW_VOICE_PITCH = 58  # a voice whose median is below stands in the bass clef


def musicxml_text(
    score: Score,
    color: NoteColor | None = None,
    staves: Literal["open", "closed"] = "open",
    marks: ScoreMarks = NO_MARKS,
) -> str:
    """A score as MusicXML 4.0; the same score gives the same text.

    The id of a written note or rest is its voice and onset: ``v0-24`` is in the first voice and
    starts at tick 24.

    Args:
        score: what is written.
        color: of each note, given the index of its voice: "#rrggbb", or None for black.
        staves: "open" for a staff a voice, "closed" for two voices a staff, as in hymnals.
        marks: what is printed with it.

    Raises:
        FormatError: the score has no voices.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = score_to_music21(score, color, staves, marks)
        root = m21ToXml.ScoreExporter(written, makeNotation=False).parse()
    _remove_generated_fields(root)
    helpers.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f"{_XML_HEAD}{body}\n"


def score_to_music21(
    score: Score,
    color: NoteColor | None = None,
    staves: Literal["open", "closed"] = "open",
    marks: ScoreMarks = NO_MARKS,
) -> stream.Score:
    """A score as a music21 Score of parts, measures and tied notes.

    It is complete: music21 prints or exports it without adding notation.

    Args:
        score: what is written.
        color: of each note, given the index of its voice: "#rrggbb", or None for black.
        staves: "open" for a part a voice, "closed" for parts of two voices.
        marks: what is printed with it.

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
    spellings = spell_notes(score)
    n_voices, n_per_part = len(score.voices), 1 if staves == "open" else 2
    parts = [
        _part(score, bars, range(i, min(i + n_per_part, n_voices)), spellings, color, marks)
        for i in range(0, n_voices, n_per_part)
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
    spellings: Sequence[VoiceSpelling],
    color: NoteColor | None,
    marks: ScoreMarks,
) -> stream.Part:
    """The part of one staff, which holds the voices at `indices`."""
    voices = [score.voices[index] for index in indices]
    part = stream.Part(id=f"P{indices[0] + 1}")
    part.partName = _NOT_XML.sub(" ", " ".join(voice.name for voice in voices))
    events_by_voice = [printed_events_by_bar(voice, bars) for voice in voices]
    marks = marks.of_voices(indices)
    by_id: dict[str, Any] = {}
    signature_ticks = {tick for tick, _ in score.time_signatures}
    for number, bar in enumerate(bars):
        measure = stream.Measure(number=bar.number)
        if number == 0:
            _add_opening_signs(measure, score, voices, is_first_part=indices[0] == 0)
        if bar.onset_ticks in signature_ticks:
            measure.insert(0, _time_signature(bars, number))
        elements = [
            voice_elements(events[number], bar, index, spellings[index], color)
            for index, events in zip(indices, events_by_voice, strict=True)
        ]
        in_measure = [element for voice in elements for element in voice]
        show_accidentals(in_measure, score.key)
        fill_measure(measure, elements)
        mark_measure(measure, bar, in_measure, marks)
        by_id |= {written.element.id: written.element for written in in_measure}
        part.append(measure)
    measure.rightBarline = bars21.Barline("final")
    add_brackets(part, by_id, marks)
    return part


def _add_opening_signs(
    measure: stream.Measure, score: Score, voices: Sequence[Voice], *, is_first_part: bool
) -> None:
    measure.insert(0, _clef(voices))
    if score.key:
        measure.insert(0, _key(score.key))
    if score.tempo_bpm is not None and is_first_part:
        quarter = duration.Duration("quarter")
        measure.insert(0, tempo.MetronomeMark(number=score.tempo_bpm, referent=quarter))


def _key(score_key: Key) -> key.KeySignature:
    if not score_key.mode:
        return key.KeySignature(score_key.sharps)
    tonic, mode = tonality.key_name(score_key).split()
    return key.Key(tonic.replace("b", "-"), mode)


def _clef(voices: Sequence[Voice]) -> clef.Clef:
    if [voice.name for voice in voices] in (["Tenor"], ["Contratenor"]):
        return clef.Treble8vbClef()
    lowest = voices[-1]
    is_low = lowest.name == "Bass"
    if lowest.notes:
        is_low = statistics.median(note.pitch for note in lowest.notes) < _LOW_VOICE_PITCH
    return clef.BassClef() if is_low else clef.TrebleClef()


def _time_signature(bars: Sequence[Bar], index: int) -> meter.TimeSignature:
    """The time signature of a bar; hidden where it is repeated to cut short the bar before it."""
    written = meter.TimeSignature(str(bars[index].time_signature))
    if index and bars[index - 1].time_signature == bars[index].time_signature:
        written.style.hideObjectOnPrint = True
    return written


def _remove_generated_fields(root: ElementTree.Element) -> None:
    """Remove what music21 makes up (composer, date, random ids of parts), and mark the pickup."""
    for title in root.findall("movement-title"):  # the title is that of the work
        root.remove(title)
    identification = root.find("identification")
    if identification is not None:
        for creator in identification.findall("creator"):
            identification.remove(creator)
        for encoding in identification.findall("encoding"):
            for date in encoding.findall("encoding-date"):
                encoding.remove(date)
    for number, listed in enumerate(root.iter("score-part"), start=1):
        listed.set("id", f"P{number}")
    for number, part in enumerate(root.findall("part"), start=1):
        part.set("id", f"P{number}")
        first = part.find("measure")
        if first is not None and first.get("number") == "0":
            first.set("implicit", "yes")
