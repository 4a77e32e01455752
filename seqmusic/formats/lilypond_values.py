"""How a bar is written in LilyPond: values, dots, ties and triplets that show where the beats are.

A position counts from where a whole bar would begin, so that the notes of a pickup stand where
they stand in their bar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from seqmusic.formats.measures import beat_ticks, is_compound
from seqmusic.formats.printed_events import Span
from seqmusic.formats.written_values import BREVE, STRAIGHT_VALUES, TRIPLET_VALUES, WrittenValue
from seqmusic.score import Note, TimeSignature

_SHORTEST_TICKS = STRAIGHT_VALUES[-1].duration_ticks
_TRIPLET_LENGTHS = (3, 6, 12, 24, 48, 96)  # ticks that three equal notes fill


class WrittenNote(NamedTuple):
    """One written note or rest.

    Attributes:
        value: how it is written.
        note: None for a rest.
        ends_here: whether the note ends here; if not, it is tied to the next one.
    """

    value: WrittenValue
    note: Note | None
    ends_here: bool


class ValueGroup(NamedTuple):
    """Written notes in order; those of a triplet are played in two thirds of their values."""

    is_triplet: bool
    notes: tuple[WrittenNote, ...]


def notate_bar(spans: Sequence[Span], signature: TimeSignature) -> list[ValueGroup]:
    """What is written for spans that follow each other and fill a bar or a part of it.

    >>> half = Span(24, 72, Note(0, 48, 60))
    >>> value_name(notate_bar([half], TimeSignature(4, 4))[0].notes[0].value)
    '2'
    """
    edges = sorted({position for span in spans for position in span[:2]})
    groups, position = [], spans[0].start
    for start, end in _triplet_stretches(spans, edges, signature):
        straight = _write_straight(_clip_spans(spans, position, start), signature)
        triplet = _write_triplet(_clip_spans(spans, start, end))
        groups += [ValueGroup(False, tuple(straight)), ValueGroup(True, tuple(triplet))]
        position = end
    rest = _write_straight(_clip_spans(spans, position, spans[-1].end), signature)
    groups.append(ValueGroup(False, tuple(rest)))
    return [group for group in groups if group.notes]


def value_name(value: WrittenValue) -> str:
    """A value in LilyPond's language: "4" for a quarter, "8." for a dotted eighth."""
    return r"\breve" if value.denominator == BREVE else f"{value.denominator}{'.' * value.dots}"


def straight_value(ticks: int) -> WrittenValue | None:
    """The one value outside triplets that lasts so many ticks; None where there is none."""
    return next((value for value in STRAIGHT_VALUES if value.duration_ticks == ticks), None)


def _clip_spans(spans: Iterable[Span], start: int, end: int) -> list[tuple[Span, bool]]:
    """The spans within [start, end), each with whether it ends there rather than being cut."""
    clipped = [
        (Span(max(span.start, start), min(span.end, end), span.note), span.end <= end)
        for span in spans
    ]
    return [(span, ends_here) for span, ends_here in clipped if span.start < span.end]


def _triplet_stretches(
    spans: Sequence[Span], edges: Sequence[int], signature: TimeSignature
) -> Iterator[tuple[int, int]]:
    """Stretches to be written in triplets: they hold every edge off the grid of thirty-seconds."""
    covered = 0
    for edge in edges:
        if edge % _SHORTEST_TICKS == 0 or edge < covered:
            continue
        starts = [(edge // length * length, length) for length in _TRIPLET_LENGTHS]
        stretches = [(start, start + length) for start, length in starts]
        fitting = [(a, b) for a, b in stretches if a >= covered and b <= signature.bar_ticks]
        start, covered = min(fitting, key=lambda stretch: _triplet_cost(spans, *stretch))
        yield max(start, spans[0].start), min(covered, spans[-1].end)


def _triplet_cost(spans: Sequence[Span], start: int, end: int) -> int:
    """How badly a triplet reads over a stretch: ties, and notes that begin off its thirds."""
    third = (end - start) // 3
    inside = [span for span, _ in _clip_spans(spans, start, end)]
    ties = sum(span.start < edge < span.end for edge in (start, end) for span in spans)
    ties += sum(len(_triplet_values(span.end - span.start)) - 1 for span in inside)
    return ties + sum((span.start - start) % third != 0 for span in inside)


def _write_triplet(clipped: Iterable[tuple[Span, bool]]) -> Iterator[WrittenNote]:
    for span, ends_here in clipped:
        *tied, last = _triplet_values(span.end - span.start)
        for value in tied:
            yield WrittenNote(value, span.note, False)
        yield WrittenNote(last, span.note, ends_here)


def _triplet_values(ticks: int) -> list[WrittenValue]:
    values = []
    for value in TRIPLET_VALUES:
        n_times, ticks = divmod(ticks, value.duration_ticks)
        values += [value] * n_times
    return values


def _write_straight(
    clipped: Iterable[tuple[Span, bool]], signature: TimeSignature
) -> Iterator[WrittenNote]:
    for span, ends_here in clipped:
        fits = _rest_fits if span.note is None else _note_fits
        position = span.start
        while position < span.end:
            value = next(
                value
                for value in STRAIGHT_VALUES
                if value.duration_ticks <= span.end - position and fits(position, value, signature)
            )
            position += value.duration_ticks
            yield WrittenNote(value, span.note, ends_here and position == span.end)


def _note_fits(position: int, value: WrittenValue, signature: TimeSignature) -> bool:
    """Whether one value from a position on shows where the beats are.

    A note may begin half its undotted value early, or half the longest beat that it hides.
    """
    ticks, end = value.duration_ticks, position + value.duration_ticks - 1
    undotted = ticks * 2 // 3 if value.dots else ticks
    step = max(undotted // 2, _SHORTEST_TICKS)
    beat = beat_ticks(signature)
    if is_compound(signature):
        if position % beat == 0 and ticks in (beat, 2 * beat, 4 * beat):
            return True
        return position // beat == end // beat and position % beat % step == 0
    levels = _metrical_levels(signature, beat)
    crossed = (level for level in levels if end // level > position // level)
    hidden = next(crossed, _SHORTEST_TICKS)
    return position % max(hidden // 2, _SHORTEST_TICKS) == 0 and position % step == 0


def _rest_fits(position: int, value: WrittenValue, signature: TimeSignature) -> bool:
    """Whether a rest begins on a multiple of its value, or is a dotted rest for a compound beat."""
    ticks, end = value.duration_ticks, position + value.duration_ticks - 1
    is_plain = not value.dots and value.denominator != BREVE
    if not is_compound(signature):
        return is_plain and position % ticks == 0
    beat = beat_ticks(signature)
    if position % beat == 0 and ticks == beat:
        return True
    return is_plain and position // beat == end // beat and position % beat % ticks == 0


def _metrical_levels(signature: TimeSignature, beat: int) -> list[int]:
    """Distances between bar, half bar, beat, half beat ..., the longest first."""
    levels, n_beats = [beat], signature.numerator
    while n_beats % 2 == 0:
        n_beats //= 2
        levels.insert(0, levels[0] * 2)
    while levels[-1] % 2 == 0 and levels[-1] > _SHORTEST_TICKS:
        levels.append(levels[-1] // 2)
    return levels
