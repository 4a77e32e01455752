"""From music21 streams to scores, measure by measure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from music21 import chord, expressions, harmony, key, meter, note, stream, tempo

from seqmusic.errors import FormatError
from seqmusic.formats.measures import PrintedMeasure, meter_of
from seqmusic.score import SATB, TICKS_PER_QUARTER, Key, Note, Score, TimeSignature, Voice

SOURCE_FIELD = "seqmusic"
VOICES_FIELD = "seqmusic-voices"
_LONGEST_MUSIC = 100_000 * 4 * TICKS_PER_QUARTER


def score_from_music21(parsed: Any) -> Score:
    """The score in a music21 Score, Part, or Opus of one score.

    Raises:
        FormatError: it holds what a score cannot; the text names measure and part.
    """
    score = _score_of(_parts(parsed))
    names = _voice_names(parsed)
    if len(names) == len(score.voices):
        score = replace(score, voices=tuple(replace(v, name=n) for v, n in zip(score.voices, names, strict=True)))
    title = _metadata(parsed, "title") or _metadata(parsed, "movementName")
    return replace(score, title=title, source=_own_field(parsed, SOURCE_FIELD))


def satb_from_music21(parsed: Any) -> Score:
    """Soprano, alto, tenor and bass of a music21 Score: its four parts, or the four of that name where instruments play along.

    Raises:
        FormatError: it holds no such four parts, or what a score cannot.
    """
    score = _score_of(_satb(_parts(parsed)))
    if len(score.voices) != len(SATB):
        raise FormatError(f"its four parts hold {len(score.voices)} voices")
    voices = tuple(replace(voice, name=name) for voice, name in zip(score.voices, SATB, strict=True))
    return replace(score, voices=voices, title=_metadata(parsed, "title"))


def _parts(parsed: Any) -> list[Any]:
    if isinstance(parsed, stream.Opus):
        if len(parsed.scores) != 1:
            raise FormatError(f"holds {len(parsed.scores)} scores; split it into one file a score")
        parsed = parsed.scores[0]
    parts = list(parsed.parts) if isinstance(parsed, stream.Score) else [parsed]
    if not parts:
        raise FormatError("holds no parts")
    return parts


def _satb(parts: list[Any]) -> list[Any]:
    if len(parts) == len(SATB):
        return parts
    found = [[part for part in parts if (part.partName or "").split()[:1] == [name]] for name in SATB]
    for name, matches in zip(SATB, found, strict=True):
        if len(matches) != 1:
            raise FormatError(
                f"holds {len(parts)} parts, {len(matches)} of them named {name}; needed are four parts, or one of each name"
            )
    return [matches[0] for matches in found]


def _score_of(parts: list[Any]) -> Score:
    """The score of some parts, without title and source."""
    for part in parts:
        if part.atSoundingPitch is False and any(i.transposition for i in part.getInstruments(recurse=True)):
            part.toSoundingPitch(inPlace=True)
    try:
        bars = _bars(parts)
        pickup, signatures = meter_of(_printed(bars, parts))
        voices = tuple(voice for index, part in enumerate(parts) for voice in _voices(part, index, bars))
        return Score(voices, signatures, pickup, _key(parts), _tempo(parts))
    except ValueError as error:
        raise FormatError(str(error)) from error


def _name(part: Any) -> str:
    return " ".join((part.partName or "").split())


def _measures(part: Any) -> list[Any]:
    """Measures of a part; the part itself where it has none."""
    return [element for element in part.elements if isinstance(element, stream.Measure)] or [part]


class _Bar(NamedTuple):
    """The measures of all parts that sound together.

    Attributes:
        onset: quarter notes from the beginning of the piece.
        duration: quarter notes.
        measures: one for each part.
    """

    onset: Fraction
    duration: Fraction
    measures: tuple[Any, ...]


def _bars(parts: list[Any]) -> list[_Bar]:
    """The measures of the parts side by side, each as long as its longest part that has notes in it.

    (A rest for the whole bar says nothing about the length of a pickup, and music21 makes it a full bar.)
    """
    rows = [_measures(part) for part in parts]
    for part, row in zip(parts, rows, strict=True):
        if len(row) != len(rows[0]):
            raise FormatError(f"part {_name(part)!r} has {len(row)} measures, the first part {len(rows[0])}")
    lengths = [_lengths(part, row) for part, row in zip(parts, rows, strict=True)]
    bars, onset = [], Fraction(0)
    for measures, offered in zip(zip(*rows, strict=True), zip(*lengths, strict=True), strict=True):
        sounding = [length for measure, length in zip(measures, offered, strict=True) if _has_notes(measure)]
        bars.append(_Bar(onset, max(sounding or offered), measures))
        onset += bars[-1].duration
    return bars


def _lengths(part: Any, measures: list[Any]) -> list[Fraction]:
    onsets = [Fraction(0 if measure is part else part.elementOffset(measure)) for measure in measures]
    return [*(after - before for before, after in itertools.pairwise(onsets)), Fraction(measures[-1].highestTime)]


def _has_notes(measure: Any) -> bool:
    lines = [measure, *(element for element in measure.elements if isinstance(element, stream.Voice))]
    return any(isinstance(element, note.NotRest) for line in lines for element in line.elements)


def _printed(bars: list[_Bar], parts: list[Any]) -> list[PrintedMeasure]:
    found = []
    for bar in bars:
        first = bar.measures[0]
        onset = _ticks(bar.onset, "bar line", first, parts[0])
        end = _ticks(bar.onset + bar.duration, "bar line", first, parts[0])
        if end > _LONGEST_MUSIC:
            raise FormatError(f"is longer than {_LONGEST_MUSIC // TICKS_PER_QUARTER} quarter notes")
        found.append(PrintedMeasure(onset, end - onset, getattr(first, "number", 1), _time_signature(bar, parts)))
    return found


def _time_signature(bar: _Bar, parts: list[Any]) -> TimeSignature | None:
    found: TimeSignature | None = None
    for measure, part in zip(bar.measures, parts, strict=True):
        for element in measure.elements:
            if isinstance(element, meter.TimeSignature):
                signature = TimeSignature(element.numerator, element.denominator)
                place = f"measure {_number(measure)} of part {_name(part)!r}"
                if measure.elementOffset(element):
                    raise FormatError(f"{place} changes to {signature} before it ends; write the change at a bar line")
                if found and found != signature:
                    raise FormatError(f"{place} has time signature {signature}, and another part has {found}")
                found = signature
    return found


def _voices(part: Any, index: int, bars: list[_Bar]) -> list[Voice]:
    """The voices of a part: usually one, named like it; several are named "Part 1", "Part 2"."""
    split = [[v for v in bar.measures[index].elements if isinstance(v, stream.Voice)] for bar in bars]
    names = sorted({str(voice.id) for voices in split for voice in voices}, key=lambda name: (len(name), name)) or [""]
    lines: dict[str, list[_Written]] = {name: [] for name in names}
    for bar, voices in zip(bars, split, strict=True):
        measure = bar.measures[index]
        for voice in voices or [measure]:
            start = bar.onset + Fraction(measure.elementOffset(voice) if voices else 0)
            lines[str(voice.id) if voices else names[0]].extend(_written_notes(voice, start, measure, part))
    name = _name(part) or f"Voice {index + 1}"
    if len(lines) == 1:
        return [_joined(name, lines[names[0]])]
    return [_joined(f"{name} {number}", line) for number, line in enumerate(lines.values(), start=1)]


class _Written(NamedTuple):
    """A note as printed: the sounding part of it, its tie and its place in words."""

    note: Note
    tied_on: bool
    place: str


def _written_notes(voice: Any, start: Fraction, measure: Any, part: Any) -> Iterator[_Written]:
    """The notes of a measure, or of a voice in it, which starts at quarter `start` of the piece; grace notes are left out."""
    for element in voice.elements:
        if not isinstance(element, note.NotRest) or element.duration.isGrace or isinstance(element, harmony.Harmony):
            continue
        place = f"measure {_number(measure)} of part {_name(part)!r}"
        if not isinstance(element, note.Note | chord.Chord):
            raise FormatError(f"{place} holds a note without pitch; percussion is not read")
        pitches = {pitch.ps for pitch in element.pitches}
        if len(pitches) != 1:
            raise FormatError(
                f"{place} holds a chord of {len(pitches)} notes, and a voice holds one at a time; separate its voices first"
            )
        begins = start + Fraction(voice.elementOffset(element))  # a float plus a fraction would be a float
        onset = _ticks(begins, "note", measure, part)
        end = _ticks(begins + Fraction(element.quarterLength), "note", measure, part)
        if end <= onset:
            raise FormatError(f"{place} holds a note without length")
        pitch = pitches.pop()
        if pitch != int(pitch):
            raise FormatError(f"{place} holds a quarter tone; only the twelve tones of a keyboard are read")
        fermata = any(isinstance(mark, expressions.Fermata) for mark in element.expressions)
        tied_on = element.tie is not None and element.tie.type in ("start", "continue")
        yield _Written(Note(onset, end - onset, int(pitch), fermata), tied_on, place)


def _joined(name: str, line: list[_Written]) -> Voice:
    """A voice whose tied notes are one; a fermata over any of them is one over the whole."""
    notes: list[Note] = []
    tied_on = False
    for written, continues, place in line:
        last = notes[-1] if notes else None
        if last and written.onset_ticks < last.end_ticks:
            raise FormatError(f"{place} holds two notes at once in one voice; separate its voices first")
        if last and tied_on and (last.pitch, last.end_ticks) == (written.pitch, written.onset_ticks):
            notes[-1] = replace(
                last, duration_ticks=last.duration_ticks + written.duration_ticks, fermata=last.fermata or written.fermata
            )
        else:
            notes.append(written)
        tied_on = continues
    return Voice(name, tuple(notes))


def _ticks(quarters: Fraction, what: str, measure: Any, part: Any) -> int:
    ticks = quarters * TICKS_PER_QUARTER
    if ticks.denominator != 1:
        raise FormatError(
            f"measure {_number(measure)} of part {_name(part)!r} has a {what} at quarter {float(quarters):g} of the piece, "
            f"off the grid of {TICKS_PER_QUARTER} ticks a quarter note"
        )
    return ticks.numerator


def _number(measure: Any) -> str:
    return f"{getattr(measure, 'number', 1)}{getattr(measure, 'numberSuffix', None) or ''}"


def _marks(parts: list[Any], kind: type) -> Iterator[Any]:
    """Marks of one kind that stand at the very beginning of a part."""
    for part in parts:
        for place in (part, _measures(part)[0]):
            yield from (mark for mark in place.elements if isinstance(mark, kind) and place.elementOffset(mark) == 0)


def _key(parts: list[Any]) -> Key | None:
    """The key signature at the beginning, with its mode if it is said, there or beside it."""
    found = [mark for mark in _marks(parts, key.KeySignature) if mark.sharps is not None]
    modes = [mark.mode for mark in found if isinstance(mark, key.Key) and mark.mode in ("major", "minor")]
    return Key(found[0].sharps, modes[0] if modes else "") if found else None


def _tempo(parts: list[Any]) -> float | None:
    for mark in _marks(parts, tempo.MetronomeMark):
        beats = mark.numberSounding if mark.number is None or mark.numberImplicit else mark.number
        if beats:
            return float(beats * mark.referent.quarterLength)
    return None


def _metadata(parsed: Any, name: str) -> str:
    found = parsed.metadata[name] if parsed.metadata else ()
    return str(found[0]).strip() if found else ""


def _own_field(parsed: Any, name: str) -> str:
    found = parsed.metadata.getCustom(name) if parsed.metadata else ()
    return str(found[0]) if found else ""


def _voice_names(parsed: Any) -> list[str]:
    try:
        names = json.loads(_own_field(parsed, VOICES_FIELD) or "[]")
    except ValueError:
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []
