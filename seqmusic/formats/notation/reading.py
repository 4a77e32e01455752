"""From music21 streams to scores, measure by measure."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

from music21 import chord, expressions, harmony, key, meter, note, stream, tempo

from seqmusic.errors import FormatError
from seqmusic.formats.measures import PrintedMeasure, meter_from_measures
from seqmusic.formats.notation.unread import count_unread
from seqmusic.formats.read_report import ReadReport, Tally
from seqmusic.formats.time_grid import Shifts, first_overlap
from seqmusic.formats.voice_separation import separate_voices
from seqmusic.score import SATB, TICKS_PER_QUARTER, Key, Note, Score, TimeSignature, Voice

SOURCE_FIELD = "seqmusic"
VOICES_FIELD = "seqmusic-voices"
_MAX_TICKS = 100_000 * 4 * TICKS_PER_QUARTER


def score_from_music21(parsed: Any) -> Score:
    """The score in a music21 Score, Part, or Opus of one score, as `reading_from_music21` reads it."""
    return reading_from_music21(parsed).score


def reading_from_music21(parsed: Any) -> ReadReport:
    """The score in a music21 Score, Part, or Opus of one score, with what is left out of it.

    Raises:
        FormatError: it holds what a score cannot; the text names measure and part.
    """
    parts, shifts, left_out = _parts(parsed), Shifts(), Tally()
    score = _score_from_parts(parts, shifts, left_out)
    if not score.voices:
        raise FormatError("holds nothing but percussion; notes with a pitch are read")
    names = _stored_voice_names(parsed)
    if len(names) == len(score.voices):
        score = replace(
            score,
            voices=tuple(replace(v, name=n) for v, n in zip(score.voices, names, strict=True)),
        )
    title = _metadata(parsed, "title") or _metadata(parsed, "movementName")
    count_unread(parts, parsed, left_out)
    losses = left_out.messages() + shifts.messages(score.n_notes)
    return ReadReport(
        replace(score, title=title, source=_custom_field(parsed, SOURCE_FIELD)), losses=losses
    )


def satb_from_music21(parsed: Any) -> Score:
    """Soprano, alto, tenor and bass of a music21 Score: its four parts, or the four of that name where instruments play along.

    Raises:
        FormatError: it holds no such four parts, or what a score cannot.
    """
    score = _score_from_parts(_satb_parts(_parts(parsed)), Shifts(), Tally())
    if len(score.voices) != len(SATB):
        raise FormatError(f"its four parts hold {len(score.voices)} voices")
    voices = tuple(
        replace(voice, name=name) for voice, name in zip(score.voices, SATB, strict=True)
    )
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


def _satb_parts(parts: list[Any]) -> list[Any]:
    if len(parts) == len(SATB):
        return parts
    found = [
        [part for part in parts if (part.partName or "").split()[:1] == [name]] for name in SATB
    ]
    for name, matches in zip(SATB, found, strict=True):
        if len(matches) != 1:
            raise FormatError(
                f"holds {len(parts)} parts, {len(matches)} of them named {name}; needed are four parts, or one of each name"
            )
    return [matches[0] for matches in found]


def _score_from_parts(parts: list[Any], shifts: Shifts, left_out: Tally) -> Score:
    """The score of some parts, without title and source."""
    for part in parts:
        if part.atSoundingPitch is False and any(
            i.transposition for i in part.getInstruments(recurse=True)
        ):
            part.toSoundingPitch(inPlace=True)
            left_out.add(
                "parts for transposing instruments read as they sound", f"part {_part_name(part)!r}"
            )
    try:
        bars = _aligned_measures(parts)
        pickup, signatures = meter_from_measures(_printed_measures(bars, parts))
        named = [
            (_part_name(part), line)
            for i, part in enumerate(parts)
            for line in _monophonic_lines(part, i, bars, shifts, left_out)
        ]
        return Score(_voices(named), signatures, pickup, _key(parts), _tempo(parts))
    except ValueError as error:
        raise FormatError(str(error)) from error


def _part_name(part: Any) -> str:
    return " ".join((part.partName or "").split())


def _measures(part: Any) -> list[Any]:
    """Measures of a part; the part itself where it has none."""
    return [element for element in part.elements if isinstance(element, stream.Measure)] or [part]


class _AlignedMeasures(NamedTuple):
    """The measures of all parts that sound together.

    Attributes:
        onset: quarter notes from the beginning of the piece.
        duration: quarter notes.
        measures: one for each part.
    """

    onset: Fraction
    duration: Fraction
    measures: tuple[Any, ...]


def _aligned_measures(parts: list[Any]) -> list[_AlignedMeasures]:
    """The measures of the parts side by side, each as long as its longest part that has notes in it.

    (A rest for the whole bar says nothing about the length of a pickup, and music21 makes it a full bar.)
    """
    rows = [_measures(part) for part in parts]
    for part, row in zip(parts, rows, strict=True):
        if len(row) != len(rows[0]):
            raise FormatError(
                f"part {_part_name(part)!r} has {len(row)} measures, the first part {len(rows[0])}"
            )
    lengths = [_measure_lengths(part, row) for part, row in zip(parts, rows, strict=True)]
    bars, onset = [], Fraction(0)
    for measures, offered in zip(zip(*rows, strict=True), zip(*lengths, strict=True), strict=True):
        sounding = [
            length for measure, length in zip(measures, offered, strict=True) if _has_notes(measure)
        ]
        bars.append(_AlignedMeasures(onset, max(sounding or offered), measures))
        onset += bars[-1].duration
    return bars


def _measure_lengths(part: Any, measures: list[Any]) -> list[Fraction]:
    onsets = [
        Fraction(0 if measure is part else part.elementOffset(measure)) for measure in measures
    ]
    return [
        *(after - before for before, after in itertools.pairwise(onsets)),
        Fraction(measures[-1].highestTime),
    ]


def _has_notes(measure: Any) -> bool:
    lines = [
        measure,
        *(element for element in measure.elements if isinstance(element, stream.Voice)),
    ]
    return any(isinstance(element, note.NotRest) for line in lines for element in line.elements)


def _printed_measures(bars: list[_AlignedMeasures], parts: list[Any]) -> list[PrintedMeasure]:
    found = []
    for bar in bars:
        first = bar.measures[0]
        onset = _ticks(bar.onset, "bar line", first, parts[0])
        end = _ticks(bar.onset + bar.duration, "bar line", first, parts[0])
        if end > _MAX_TICKS:
            raise FormatError(f"is longer than {_MAX_TICKS // TICKS_PER_QUARTER} quarter notes")
        found.append(
            PrintedMeasure(
                onset, end - onset, getattr(first, "number", 1), _time_signature(bar, parts)
            )
        )
    return found


def _time_signature(bar: _AlignedMeasures, parts: list[Any]) -> TimeSignature | None:
    found: TimeSignature | None = None
    for measure, part in zip(bar.measures, parts, strict=True):
        for element in measure.elements:
            if isinstance(element, meter.TimeSignature):
                signature = TimeSignature(element.numerator, element.denominator)
                place = f"measure {_measure_number(measure)} of part {_part_name(part)!r}"
                if measure.elementOffset(element):
                    raise FormatError(
                        f"{place} changes to {signature} before it ends; write the change at a bar line"
                    )
                if found and found != signature:
                    raise FormatError(
                        f"{place} has time signature {signature}, and another part has {found}"
                    )
                found = signature
    return found


def _voices(named: list[tuple[str, tuple[Note, ...]]]) -> tuple[Voice, ...]:
    """Voices named like their parts; with a number where several have the same name, and "Voice 3" where they have none."""
    counts = Counter(name for name, _ in named)
    seen: Counter[str] = Counter()
    voices = []
    for place, (name, line) in enumerate(named, start=1):
        seen[name] += 1
        voices.append(
            Voice(
                f"Voice {place}"
                if not name
                else name
                if counts[name] == 1
                else f"{name} {seen[name]}",
                line,
            )
        )
    return tuple(voices)


def _monophonic_lines(
    part: Any, index: int, bars: list[_AlignedMeasures], shifts: Shifts, left_out: Tally
) -> list[tuple[Note, ...]]:
    """The lines of a part: usually one, several where it has voices or chords, none where it has nothing but percussion."""
    split = [
        [v for v in bar.measures[index].elements if isinstance(v, stream.Voice)] for bar in bars
    ]
    # A voice without a name has a place in memory for its id: its place in the measure says more.
    called = [
        [str(place if isinstance(v.id, int) else v.id) for place, v in enumerate(own, start=1)]
        for own in split
    ]
    names = sorted(set(itertools.chain(*called)), key=lambda name: (len(name), name)) or [""]
    written: dict[str, list[_PrintedNote]] = {name: [] for name in names}
    reader = _NoteReader(repr(_part_name(part) or index + 1), shifts, left_out)
    for bar, voices, own in zip(bars, split, called, strict=True):
        measure = bar.measures[index]
        for name, voice in zip(own or names[:1], voices or [measure], strict=True):
            start = bar.onset + Fraction(measure.elementOffset(voice) if voices else 0)
            written[name].extend(reader.written(voice, start, measure))
    if reader.n_unpitched and not any(written.values()):
        return []
    lines: list[tuple[Note, ...]] = []
    for line in map(_join_ties, written.values()):
        if first_overlap(line):
            apart = separate_voices(line)
            left_out.add(
                f"chords of part {reader.part} taken apart into {len(apart)} voices", count=0
            )
            lines += apart
        else:
            lines.append(line)
    return lines


class _PrintedNote(NamedTuple):
    """A note as printed, and whether it is tied to the next."""

    note: Note
    tied_to_next: bool


@dataclass(slots=True)
class _NoteReader:
    """Reads the printed notes of one part.

    Attributes:
        part: its name in quotes, or its number.
        shifts: is told how far notes are moved to the grid.
        left_out: is told what is not read.
        n_unpitched: notes without pitch, so far.
    """

    part: str
    shifts: Shifts
    left_out: Tally
    n_unpitched: int = 0

    def written(self, voice: Any, start: Fraction, measure: Any) -> Iterator[_PrintedNote]:
        """The notes of a measure, or of a voice in it, which starts at quarter `start` of the piece."""
        place = f"measure {_measure_number(measure)} of part {self.part}"
        for element in voice.elements:
            if not isinstance(element, note.NotRest) or isinstance(element, harmony.Harmony):
                continue
            if element.duration.isGrace:
                self.left_out.add("grace notes left out", place)
            elif not isinstance(element, note.Note | chord.Chord):
                self.n_unpitched += 1
                self.left_out.add("notes without pitch (percussion) left out", place)
            else:
                begins = start + Fraction(
                    voice.elementOffset(element)
                )  # a float plus a fraction would be a float
                yield from self._pitched_notes(element, begins, place)

    def _pitched_notes(self, element: Any, begins: Fraction, place: str) -> Iterator[_PrintedNote]:
        onset = self._quantized(begins, self.shifts.onsets)
        end = self._quantized(begins + Fraction(element.quarterLength), self.shifts.ends)
        if end <= onset:
            self.left_out.add("notes too short for the grid left out", place)
            return
        fermata = any(isinstance(mark, expressions.Fermata) for mark in element.expressions)
        for single in element.notes if isinstance(element, chord.Chord) else (element,):
            pitch = single.pitch.ps
            if pitch != int(pitch):
                raise FormatError(
                    f"{place} holds a quarter tone; only the twelve tones of a keyboard are read"
                )
            mark = single.tie or element.tie
            yield _PrintedNote(
                Note(onset, end - onset, int(pitch), fermata),
                mark is not None and mark.type in ("start", "continue"),
            )

    def _quantized(self, quarters: Fraction, moved: list[float]) -> int:
        ticks = quarters * TICKS_PER_QUARTER
        nearest = round(ticks)
        if nearest != ticks:
            moved.append(abs(float(ticks - nearest)))
        return nearest


def _join_ties(line: list[_PrintedNote]) -> tuple[Note, ...]:
    """Notes by onset and pitch, tied ones joined; a fermata over any of them is one over the whole, and equal ones are one."""
    notes: list[Note] = []
    tied: dict[int, int] = {}  # by pitch, the place of the note that is tied on
    for written, continues in sorted(line, key=lambda pair: (pair[0].onset_ticks, pair[0].pitch)):
        place = tied.pop(written.pitch, -1)
        if place >= 0 and notes[place].end_ticks == written.onset_ticks:
            last = notes[place]
            ticks = last.duration_ticks + written.duration_ticks
            notes[place] = replace(
                last, duration_ticks=ticks, fermata=last.fermata or written.fermata
            )
        elif written in notes[-8:]:
            continue
        else:
            place = len(notes)
            notes.append(written)
        if continues:
            tied[written.pitch] = place
    return tuple(notes)


def _ticks(quarters: Fraction, what: str, measure: Any, part: Any) -> int:
    ticks = quarters * TICKS_PER_QUARTER
    if ticks.denominator != 1:
        raise FormatError(
            f"measure {_measure_number(measure)} of part {_part_name(part)!r} has a {what} at quarter {float(quarters):g} of the piece, "
            f"off the grid of {TICKS_PER_QUARTER} ticks a quarter note"
        )
    return ticks.numerator


def _measure_number(measure: Any) -> str:
    return f"{getattr(measure, 'number', 1)}{getattr(measure, 'numberSuffix', None) or ''}"


def _marks_at_start(parts: list[Any], kind: type) -> Iterator[Any]:
    """Marks of one kind that stand at the very beginning of a part."""
    for part in parts:
        for place in (part, _measures(part)[0]):
            yield from (
                mark
                for mark in place.elements
                if isinstance(mark, kind) and place.elementOffset(mark) == 0
            )


def _key(parts: list[Any]) -> Key | None:
    """The key signature at the beginning, with its mode if it is said, there or beside it."""
    found = [mark for mark in _marks_at_start(parts, key.KeySignature) if mark.sharps is not None]
    modes = [
        mark.mode for mark in found if isinstance(mark, key.Key) and mark.mode in ("major", "minor")
    ]
    return Key(found[0].sharps, modes[0] if modes else "") if found else None


def _tempo(parts: list[Any]) -> float | None:
    for mark in _marks_at_start(parts, tempo.MetronomeMark):
        beats = mark.numberSounding if mark.number is None or mark.numberImplicit else mark.number
        if beats:
            return float(beats * mark.referent.quarterLength)
    return None


def _metadata(parsed: Any, name: str) -> str:
    found = parsed.metadata[name] if parsed.metadata else ()
    return str(found[0]).strip() if found else ""


def _custom_field(parsed: Any, name: str) -> str:
    found = parsed.metadata.getCustom(name) if parsed.metadata else ()
    return str(found[0]) if found else ""


def _stored_voice_names(parsed: Any) -> list[str]:
    try:
        names = json.loads(_custom_field(parsed, VOICES_FIELD) or "[]")
    except ValueError:
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []
