"""The measures of all parts of a music21 score side by side, and their bar lines."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any, NamedTuple

from music21 import meter, note, stream

from seqmusic.errors import FormatError
from seqmusic.formats.measures import PrintedMeasure
from seqmusic.score import TICKS_PER_QUARTER, TimeSignature

_MAX_TICKS = 100_000 * 4 * TICKS_PER_QUARTER


class AlignedMeasures(NamedTuple):
    """The measures of all parts that sound together.

    Attributes:
        onset: quarter notes from the beginning of the piece.
        duration: quarter notes.
        measures: one for each part.
    """

    onset: Fraction
    duration: Fraction
    measures: tuple[Any, ...]


def part_name(part: Any) -> str:
    """The name of a part, "" where it has none."""
    return " ".join((part.partName or "").split())


def measure_number(measure: Any) -> str:
    """The number of a measure as printed, for instance "12a"."""
    return f"{getattr(measure, 'number', 1)}{getattr(measure, 'numberSuffix', None) or ''}"


def measures_of(part: Any) -> list[Any]:
    """The measures of a part; the part itself where it has none."""
    return [element for element in part.elements if isinstance(element, stream.Measure)] or [part]


def aligned_measures(parts: list[Any]) -> list[AlignedMeasures]:
    """The measures of the parts side by side, each as long as its longest part that has notes.

    (The length of a rest for a whole bar is not that of a pickup: music21 makes it a full bar.)

    Raises:
        FormatError: the parts have different numbers of measures.
    """
    rows = [measures_of(part) for part in parts]
    for part, row in zip(parts, rows, strict=True):
        if len(row) != len(rows[0]):
            lengths = f"{len(row)} measures, the first part {len(rows[0])}"
            raise FormatError(f"part {part_name(part)!r} has {lengths}")
    durations = [_measure_durations(part, row) for part, row in zip(parts, rows, strict=True)]
    bars, onset = [], Fraction(0)
    for measures, offered in zip(
        zip(*rows, strict=True), zip(*durations, strict=True), strict=True
    ):
        sounding = [d for m, d in zip(measures, offered, strict=True) if _has_notes(m)]
        bars.append(AlignedMeasures(onset, max(sounding or offered), measures))
        onset += bars[-1].duration
    return bars


def _measure_durations(part: Any, measures: list[Any]) -> list[Fraction]:
    onsets = [Fraction(0 if m is part else part.elementOffset(m)) for m in measures]
    until_next = [after - before for before, after in itertools.pairwise(onsets)]
    return [*until_next, Fraction(measures[-1].highestTime)]


def _has_notes(measure: Any) -> bool:
    voices = (element for element in measure.elements if isinstance(element, stream.Voice))
    return any(
        isinstance(element, note.NotRest)
        for line in (measure, *voices)
        for element in line.elements
    )


def printed_measures(bars: list[AlignedMeasures], parts: list[Any]) -> list[PrintedMeasure]:
    """The measures with their onsets and durations in ticks and their time signatures.

    Raises:
        FormatError: a bar line is off the grid, the piece is too long, or the parts have different
            time signatures.
    """
    found = []
    for bar in bars:
        first = bar.measures[0]
        onset = _bar_line_ticks(bar.onset, first, parts[0])
        end = _bar_line_ticks(bar.onset + bar.duration, first, parts[0])
        if end > _MAX_TICKS:
            raise FormatError(f"is longer than {_MAX_TICKS // TICKS_PER_QUARTER} quarter notes")
        signature = _time_signature(bar, parts)
        found.append(PrintedMeasure(onset, end - onset, getattr(first, "number", 1), signature))
    return found


def _bar_line_ticks(quarters: Fraction, measure: Any, part: Any) -> int:
    ticks = quarters * TICKS_PER_QUARTER
    if ticks.denominator != 1:
        location = f"measure {measure_number(measure)} of part {part_name(part)!r}"
        raise FormatError(
            f"{location} has a bar line at quarter {float(quarters):g} of the piece, "
            f"off the grid of {TICKS_PER_QUARTER} ticks a quarter note"
        )
    return ticks.numerator


def _time_signature(bar: AlignedMeasures, parts: list[Any]) -> TimeSignature | None:
    found: TimeSignature | None = None
    for measure, part in zip(bar.measures, parts, strict=True):
        location = f"measure {measure_number(measure)} of part {part_name(part)!r}"
        for element in measure.elements:
            if not isinstance(element, meter.TimeSignature):
                continue
            signature = TimeSignature(element.numerator, element.denominator)
            if measure.elementOffset(element):
                problem = f"{location} changes to {signature} before it ends"
                raise FormatError(f"{problem}; write the change at a bar line")
            if found and found != signature:
                problem = f"{location} has time signature {signature}"
                raise FormatError(f"{problem}, and another part has {found}")
            found = signature
    return found
