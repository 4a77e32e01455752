"""From music21 streams to scores, measure by measure."""

from __future__ import annotations

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
    measures = _aligned_measures(parts)
    try:
        pickup, signatures = meter_of(measures)
        voices = tuple(voice for part in parts for voice in _voices(part))
        return Score(voices, signatures, pickup, _key(parts), _tempo(parts))
    except ValueError as error:
        raise FormatError(str(error)) from error


def _name(part: Any) -> str:
    return " ".join((part.partName or "").split())


def _measures(part: Any) -> list[Any]:
    """Measures of a part; the part itself where it has none."""
    return [element for element in part.elements if isinstance(element, stream.Measure)] or [part]


def _onset(measure: Any, part: Any) -> Fraction:
    return Fraction(0) if measure is part else Fraction(part.elementOffset(measure))


def _aligned_measures(parts: list[Any]) -> list[PrintedMeasure]:
    """The measures that all parts agree on."""
    first = _measures(parts[0])
    onsets = [_ticks(_onset(m, parts[0]), "bar line", m, parts[0]) for m in first]
    for part in parts[1:]:
        others = _measures(part)
        for onset, mine, other in zip(onsets, first, others, strict=False):
            if _onset(other, part) * TICKS_PER_QUARTER != onset:
                raise FormatError(
                    f"measure {_number(other)} of part {_name(part)!r} starts elsewhere than measure {_number(mine)} "
                    "of the first part"
                )
        if len(others) != len(first):
            raise FormatError(f"part {_name(part)!r} has {len(others)} measures, the first part {len(first)}")
    end = max(_ticks(Fraction(_onset(m[-1], p) + m[-1].highestTime), "end", m[-1], p) for p in parts for m in [_measures(p)])
    if end > _LONGEST_MUSIC:
        raise FormatError(f"lasts {end // TICKS_PER_QUARTER} quarter notes; at most {_LONGEST_MUSIC // TICKS_PER_QUARTER} are read")
    signatures = _time_signatures(parts)
    return [
        PrintedMeasure(onset, following - onset, getattr(measure, "number", 1), signatures.get(onset))
        for onset, following, measure in zip(onsets, [*onsets[1:], end], first, strict=True)
    ]


def _time_signatures(parts: list[Any]) -> dict[int, TimeSignature]:
    found: dict[int, TimeSignature] = {}
    for part in parts:
        for measure in _measures(part):
            for element in measure.elements:
                if not isinstance(element, meter.TimeSignature):
                    continue
                signature = TimeSignature(element.numerator, element.denominator)
                if measure.elementOffset(element):
                    raise FormatError(f"the time signature {signature} in measure {_number(measure)} stands inside the measure")
                tick = _ticks(_onset(measure, part), "bar line", measure, part)
                if found.setdefault(tick, signature) != signature:
                    raise FormatError(
                        f"measure {_number(measure)} has time signature {found[tick]} in one part, {signature} in {_name(part)!r}"
                    )
    return found


def _voices(part: Any) -> list[Voice]:
    """The voices of a part: usually one, named like it; several are named "Part 1", "Part 2"."""
    split = [[v for v in measure.elements if isinstance(v, stream.Voice)] for measure in _measures(part)]
    names = sorted({str(voice.id) for voices in split for voice in voices}, key=lambda name: (len(name), name)) or [""]
    lines: dict[str, list[_Written]] = {name: [] for name in names}
    for measure, voices in zip(_measures(part), split, strict=True):
        for voice in voices or [measure]:
            lines[str(voice.id) if voices else names[0]].extend(_written_notes(voice, measure, part))
    single = len(lines) == 1
    return [
        _joined(_name(part) if single else f"{_name(part)} {number}".strip(), line) for number, line in enumerate(lines.values(), 1)
    ]


class _Written(NamedTuple):
    """A note as printed: the sounding part of it, its tie and its place in words."""

    note: Note
    tied_on: bool
    place: str


def _written_notes(voice: Any, measure: Any, part: Any) -> Iterator[_Written]:
    """The notes of a measure, or of a voice in it, grace notes left out."""
    start = _onset(measure, part) + (0 if voice is measure else Fraction(measure.elementOffset(voice)))
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
        onset = _ticks(start + Fraction(voice.elementOffset(element)), "note", measure, part)
        end = _ticks(start + Fraction(voice.elementOffset(element) + element.quarterLength), "note", measure, part)
        pitch = pitches.pop()
        if pitch != int(pitch):
            raise FormatError(f"{place} holds a quarter tone; only the twelve tones of a keyboard are read")
        fermata = any(isinstance(mark, expressions.Fermata) for mark in element.expressions)
        tied_on = element.tie is not None and element.tie.type in ("start", "continue", "let-ring")
        yield _Written(Note(onset, end - onset, int(pitch), fermata), tied_on, place)


def _joined(name: str, line: list[_Written]) -> Voice:
    """A voice whose tied notes are one; a fermata over any of them is one over the whole."""
    notes: list[Note] = []
    tied_on = False
    for written, continues, place in sorted(line, key=lambda item: item.note.onset_ticks):
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
            f"off the grid of {TICKS_PER_QUARTER} ticks a quarter note; thirty-seconds and sixteenth triplets are the finest values read"
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
        bpm = mark.getQuarterBPM()
        if bpm:
            return float(bpm)
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
