"""From music21 streams to scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from music21 import key, stream, tempo

from seqmusic.errors import FormatError
from seqmusic.formats.measures import meter_from_measures
from seqmusic.formats.notation.aligned_measures import (
    aligned_measures,
    measures_of,
    part_name,
    printed_measures,
)
from seqmusic.formats.notation.note_reading import monophonic_lines
from seqmusic.formats.notation.unread import count_unread
from seqmusic.formats.read_report import ReadReport, Tally
from seqmusic.formats.time_grid import Shifts
from seqmusic.formats.voice_names import distinct_voice_names
from seqmusic.score import Key, Score, Voice


def report_from_music21(parsed: Any) -> ReadReport:
    """The score in a music21 Score, Part, or Opus of one score, with what is left out of it.

    Raises:
        FormatError: it holds what a score cannot; the text names measure and part.
    """
    parts, shifts, left_out = _parts(parsed), Shifts(), Tally()
    score = _score_from_parts(parts, shifts, left_out)
    if not score.voices:
        raise FormatError("holds nothing but percussion; notes with a pitch are read")
    title = _metadata(parsed, "title") or _metadata(parsed, "movementName")
    score = replace(score, title=title)
    count_unread(parts, parsed, left_out)
    return ReadReport(score, losses=left_out.messages() + shifts.messages(score.n_notes))


def _parts(parsed: Any) -> list[Any]:
    if isinstance(parsed, stream.Opus):
        if len(parsed.scores) != 1:
            raise FormatError(f"holds {len(parsed.scores)} scores; split it into one file a score")
        parsed = parsed.scores[0]
    parts = list(parsed.parts) if isinstance(parsed, stream.Score) else [parsed]
    if not parts:
        raise FormatError("holds no parts")
    return parts


def _score_from_parts(parts: list[Any], shifts: Shifts, left_out: Tally) -> Score:
    """The score of some parts, without title and source."""
    _transpose_to_sounding_pitch(parts, left_out)
    try:
        bars = aligned_measures(parts)
        pickup, signatures = meter_from_measures(printed_measures(bars, parts))
        named_lines = [
            (part_name(part), line)
            for i, part in enumerate(parts)
            for line in monophonic_lines(part, i, bars, shifts, left_out)
        ]
        defaults = [f"Voice {number}" for number in range(1, len(named_lines) + 1)]
        names = distinct_voice_names([name for name, _ in named_lines], defaults)
        voices = tuple(Voice(n, line) for n, (_, line) in zip(names, named_lines, strict=True))
        return Score(voices, signatures, pickup, _key(parts), _tempo(parts))
    except ValueError as error:
        raise FormatError(str(error)) from error


def _transpose_to_sounding_pitch(parts: list[Any], left_out: Tally) -> None:
    for part in parts:
        if part.atSoundingPitch is not False:
            continue
        if any(instrument.transposition for instrument in part.getInstruments(recurse=True)):
            part.toSoundingPitch(inPlace=True)
            message = "parts for transposing instruments read as they sound"
            left_out.add(message, f"part {part_name(part)!r}")


def _marks_at_start(parts: list[Any], mark_type: type) -> Iterator[Any]:
    """Marks of one type at the very beginning of a part."""
    for part in parts:
        for container in (part, measures_of(part)[0]):
            for mark in container.elements:
                if isinstance(mark, mark_type) and container.elementOffset(mark) == 0:
                    yield mark


def _key(parts: list[Any]) -> Key | None:
    """The key signature at the beginning, with its mode if one is given there."""
    found = [mark for mark in _marks_at_start(parts, key.KeySignature) if mark.sharps is not None]
    if not found:
        return None
    keys = (mark for mark in found if isinstance(mark, key.Key))
    modes = [mark.mode for mark in keys if mark.mode in ("major", "minor")]
    return Key(found[0].sharps, modes[0] if modes else "")


def _tempo(parts: list[Any]) -> float | None:
    for mark in _marks_at_start(parts, tempo.MetronomeMark):
        is_implicit = mark.number is None or mark.numberImplicit
        beats = mark.numberSounding if is_implicit else mark.number
        if beats:
            return float(beats * mark.referent.quarterLength)
    return None


def _metadata(parsed: Any, name: str) -> str:
    found = parsed.metadata[name] if parsed.metadata else ()
    return str(found[0]).strip() if found else ""
