"""Written note values: how a span of ticks in a bar is written as notes, dots, ties and triplets.

A position counts from where a whole bar would begin, so that the notes of a pickup stand where they stand in their bar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from seqmusic.score import TICKS_PER_WHOLE, Note, TimeSignature

_SHORTEST_TICKS = 3  # ticks of a thirty-second, the shortest value that is not a triplet
_UNDOTTED = {96: "1", 48: "2", 24: "4", 12: "8", 6: "16", 3: "32"}
_VALUES = (
    {192: r"\breve"}
    | _UNDOTTED
    | {ticks * 3 // 2: f"{name}." for ticks, name in _UNDOTTED.items() if ticks > _SHORTEST_TICKS}
)
_LONGEST_FIRST = sorted(_VALUES, reverse=True)
# In a triplet three ticks are written as four and a half: in half ticks a sixty-fourth is 3, and every value a multiple of it.
_TRIPLET_VALUES = {2 * ticks: name for ticks, name in _VALUES.items()} | {3: "64", 9: "32."}
_TRIPLET_LENGTHS = (3, 6, 12, 24, 48, 96)  # ticks that three equal notes fill


class Span(NamedTuple):
    """A note, or a rest (None), from one position of a bar to another."""

    start: int
    end: int
    note: Note | None


class WrittenNote(NamedTuple):
    """One written note or rest.

    Attributes:
        value: in LilyPond's words: "4" a quarter, "8." a dotted eighth.
        note: None for a rest.
        ends_here: whether the note ends here; if not, it is tied to the next one.
    """

    value: str
    note: Note | None
    ends_here: bool


class ValueGroup(NamedTuple):
    """Written notes one after the other; those of a triplet are played in two thirds of their values."""

    is_triplet: bool
    written: tuple[WrittenNote, ...]


def notate_bar(spans: Sequence[Span], signature: TimeSignature) -> list[ValueGroup]:
    """What is written for spans that follow each other and fill a bar, or the part of it that there is.

    >>> half = Span(24, 72, Note(0, 48, 60))
    >>> notate_bar([half], TimeSignature(4, 4))[0].written[0].value
    '2'
    """
    edges = {position for span in spans for position in span[:2]}
    groups, at = [], spans[0].start
    for start, end in _triplet_stretches(spans, sorted(edges), signature):
        groups += [
            ValueGroup(False, tuple(_write_straight(_clip_spans(spans, at, start), signature))),
            ValueGroup(True, tuple(_write_triplet(_clip_spans(spans, start, end)))),
        ]
        at = end
    groups.append(
        ValueGroup(False, tuple(_write_straight(_clip_spans(spans, at, spans[-1].end), signature)))
    )
    return [group for group in groups if group.written]


def value_name(ticks: int) -> str | None:
    """The one value that lasts so many ticks, None where there is none."""
    return _VALUES.get(ticks)


def _clip_spans(spans: Iterable[Span], start: int, end: int) -> list[tuple[Span, bool]]:
    """The spans within [start, end), each with whether it ends there rather than being cut."""
    pieces = [
        (Span(max(span.start, start), min(span.end, end), span.note), span.end <= end)
        for span in spans
    ]
    return [piece for piece in pieces if piece[0].start < piece[0].end]


def _triplet_stretches(
    spans: Sequence[Span], edges: Sequence[int], signature: TimeSignature
) -> Iterator[tuple[int, int]]:
    """Stretches to be written in triplets: they hold every edge that is not on the grid of thirty-seconds."""
    covered = 0
    for edge in edges:
        if edge % _SHORTEST_TICKS == 0 or edge < covered:
            continue
        stretches = [
            (edge // length * length, edge // length * length + length)
            for length in _TRIPLET_LENGTHS
        ]
        fitting = [(a, b) for a, b in stretches if a >= covered and b <= signature.bar_ticks]
        start, covered = min(fitting, key=lambda stretch: _triplet_cost(spans, *stretch))
        yield max(start, spans[0].start), min(covered, spans[-1].end)


def _triplet_cost(spans: Sequence[Span], start: int, end: int) -> int:
    """What reads badly in a triplet over this stretch: ties, and notes that begin between its three."""
    ties = sum(span.start < edge < span.end for edge in (start, end) for span in spans)
    inside = _clip_spans(spans, start, end)
    ties += sum(len(_triplet_values(span.end - span.start)) - 1 for span, _ in inside)
    return ties + sum((span.start - start) % ((end - start) // 3) != 0 for span, _ in inside)


def _write_triplet(pieces: Iterable[tuple[Span, bool]]) -> Iterator[WrittenNote]:
    for span, ends_here in pieces:
        values = _triplet_values(span.end - span.start)
        for i, value in enumerate(values):
            yield WrittenNote(value, span.note, ends_here and i == len(values) - 1)


def _triplet_values(ticks: int) -> list[str]:
    values, left = [], 3 * ticks
    for length in sorted(_TRIPLET_VALUES, reverse=True):
        while length <= left:
            values.append(_TRIPLET_VALUES[length])
            left -= length
    return values


def _write_straight(
    pieces: Iterable[tuple[Span, bool]], signature: TimeSignature
) -> Iterator[WrittenNote]:
    for span, ends_here in pieces:
        at = span.start
        while at < span.end:
            fits = _rest_fits if span.note is None else _note_fits
            ticks = next(
                ticks
                for ticks in _LONGEST_FIRST
                if at + ticks <= span.end and fits(at, ticks, signature)
            )
            at += ticks
            yield WrittenNote(_VALUES[ticks], span.note, ends_here and at == span.end)


def _note_fits(at: int, ticks: int, signature: TimeSignature) -> bool:
    """Whether one value from here shows where the beats are; a note may begin half its value, or half the beat it hides, early."""
    beat = TICKS_PER_WHOLE // signature.denominator
    base = ticks if ticks in _UNDOTTED or ticks > TICKS_PER_WHOLE * 3 // 2 else ticks * 2 // 3
    if _is_compound(signature):
        beat *= 3
        if at % beat == 0 and ticks in (beat, 2 * beat, 4 * beat):
            return True
        return (
            at // beat == (at + ticks - 1) // beat
            and at % beat % max(base // 2, _SHORTEST_TICKS) == 0
        )
    hidden = next(
        (
            level
            for level in _metrical_levels(signature, beat)
            if (at + ticks - 1) // level > at // level
        ),
        _SHORTEST_TICKS,
    )
    return at % max(hidden // 2, _SHORTEST_TICKS) == 0 and at % max(base // 2, _SHORTEST_TICKS) == 0


def _rest_fits(at: int, ticks: int, signature: TimeSignature) -> bool:
    """Rests begin where their value begins anew, so that the beats can be seen; dotted ones are the beats of 6/8 and the like."""
    if _is_compound(signature):
        beat = 3 * TICKS_PER_WHOLE // signature.denominator
        if at % beat == 0 and ticks == beat:
            return True
        return (
            ticks in _UNDOTTED and at // beat == (at + ticks - 1) // beat and at % beat % ticks == 0
        )
    return ticks in _UNDOTTED and at % ticks == 0


def _is_compound(signature: TimeSignature) -> bool:
    return signature.numerator > 3 and signature.numerator % 3 == 0


def _metrical_levels(signature: TimeSignature, beat: int) -> list[int]:
    """Distances between bar, half bar, beat, half beat ..., the longest first."""
    levels, n_beats = [beat], signature.numerator
    while n_beats % 2 == 0:
        n_beats //= 2
        levels.insert(0, levels[0] * 2)
    while levels[-1] % 2 == 0 and levels[-1] > _SHORTEST_TICKS:
        levels.append(levels[-1] // 2)
    return levels
