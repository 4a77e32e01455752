"""Measures as printed and values as written: pure arithmetic between a score's bar grid and the page, for any notation format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from seqmusic.score import (
    TICKS_PER_QUARTER,
    TICKS_PER_WHOLE,
    Bar,
    Note,
    Score,
    TimeSignature,
    Voice,
)
from seqmusic.tonality import STEPS, Spelling


class PrintedMeasure(NamedTuple):
    """What stands between two bar lines of a page.

    Attributes:
        onset_ticks: from the beginning of the score.
        duration_ticks: length up to the next bar line, which need not be a whole bar.
        number: as printed; a pickup is often 0.
        time_signature: the one written at its start, if any.
    """

    onset_ticks: int
    duration_ticks: int
    number: int
    time_signature: TimeSignature | None


class WrittenValue(NamedTuple):
    """One note value: a power of two of a whole note, dotted once or not, in a triplet or not.

    Attributes:
        duration_ticks: its length.
        denominator: 1 for a whole note .. 64 for a sixty-fourth.
        dots: 0 or 1.
        is_triplet: whether three of it take the time of two.
    """

    duration_ticks: int
    denominator: int
    dots: int
    is_triplet: bool


def _representable_values() -> list[WrittenValue]:
    found: dict[int, WrittenValue] = {}
    for is_triplet, dots in ((False, 0), (False, 1), (True, 0)):
        for denominator in (1, 2, 4, 8, 16, 32, 64)[is_triplet:]:
            ticks, rest = divmod(
                TICKS_PER_WHOLE * (3 if dots else 2) * (2 if is_triplet else 3), denominator * 6
            )
            if not rest:
                found.setdefault(ticks, WrittenValue(ticks, denominator, dots, is_triplet))
    return sorted(found.values(), reverse=True)


_VALUES = _representable_values()  # longest first; down to one tick, a sixty-fourth in a triplet


def written_values(duration_ticks: int, longest_ticks: int = TICKS_PER_WHOLE) -> list[WrittenValue]:
    """The values whose sum is a duration, longest first: one where one is enough, tied ones otherwise; none above `longest_ticks`.

    >>> [(value.denominator, value.dots) for value in written_values(60)]
    [(2, 0), (8, 0)]
    """
    values = []
    while duration_ticks:
        value = next(v for v in _VALUES if v.duration_ticks <= min(duration_ticks, longest_ticks))
        values.append(value)
        duration_ticks -= value.duration_ticks
    return values


def printed_bars(score: Score) -> list[Bar]:
    """The bars to print, at least one; the last one ends with the music, unless it is a pickup.

    Where no meter is known, each holds a whole note.
    """
    signatures = score.time_signatures
    if not signatures:
        n_bars = max(1, -(-score.end_ticks // TICKS_PER_WHOLE))
        bars = [
            Bar(i + 1, i * TICKS_PER_WHOLE, TICKS_PER_WHOLE, TimeSignature(4, 4))
            for i in range(n_bars)
        ]
    else:
        bars = score.bars(max(score.end_ticks, signatures[-1][0] + 1))
    last = bars[-1]
    if last.number and last.onset_ticks < score.end_ticks < last.end_ticks:
        bars[-1] = Bar(
            last.number, last.onset_ticks, score.end_ticks - last.onset_ticks, last.time_signature
        )
    return bars


def meter_from_measures(
    measures: Sequence[PrintedMeasure],
) -> tuple[int, tuple[tuple[int, TimeSignature], ...]]:
    """Pickup, and time signatures with their ticks, whose bar grid has the bar lines of the page; 0 and () where none is written.

    A first measure shorter than a bar is a pickup. Later measures that fill one bar together, as around a repeat sign, are one bar.
    A measure that leaves the bar incomplete otherwise is cut short by writing the time signature again after it. A time signature
    repeated where a bar begins anyway says nothing and is dropped.

    Raises:
        ValueError: the first time signature comes after the first measure.
    """
    if all(measure.time_signature is None for measure in measures):
        return 0, ()
    if measures[0].time_signature is None:
        raise ValueError("the first measure has no time signature, and a later one has")
    pickup = _pickup(measures)
    signatures = [(0, measures[0].time_signature)]
    signatures.extend(_later_signatures(measures[1 if pickup else 0 :], measures[0].time_signature))
    return pickup, tuple(signatures)


def _pickup(measures: Sequence[PrintedMeasure]) -> int:
    first = measures[0]
    assert first.time_signature
    if not 0 < first.duration_ticks < first.time_signature.bar_ticks:
        return 0
    cut_short = len(measures) == 1 or measures[1].time_signature is not None
    return first.duration_ticks if first.number == 0 or not cut_short else 0


def _later_signatures(
    measures: Sequence[PrintedMeasure], current: TimeSignature
) -> Iterator[tuple[int, TimeSignature]]:
    inside, overlong = (
        0,
        False,
    )  # ticks since the last bar line of the grid; whether the measure before ran over one
    for measure in measures:
        written = measure.time_signature or current
        broken = inside and (
            measure.time_signature
            or overlong
            or inside + measure.duration_ticks > current.bar_ticks
        )
        if written != current or broken:
            yield measure.onset_ticks, written
            current, inside = written, 0
        overlong = inside + measure.duration_ticks > current.bar_ticks
        inside = (inside + measure.duration_ticks) % current.bar_ticks


class PrintedEvent(NamedTuple):
    """One printed note or rest: a note of a voice, or what one bar and one value hold of it.

    Attributes:
        onset_ticks: from the beginning of the score.
        value: how it is written.
        note: None for a rest.
        tied_from_previous: whether it goes on from the piece before it.
        tied_to_next: whether the next piece goes on from it.
    """

    onset_ticks: int
    value: WrittenValue
    note: Note | None
    tied_from_previous: bool = False
    tied_to_next: bool = False


def printed_events_by_bar(voice: Voice, bars: Sequence[Bar]) -> list[list[PrintedEvent]]:
    """What is printed of a voice in each bar: notes cut at bar lines and into writable values, and rests in the gaps."""
    found: list[list[PrintedEvent]] = []
    notes = iter(voice.notes)
    current = next(notes, None)
    for bar in bars:
        tick = bar.onset_ticks
        pieces: list[PrintedEvent] = []
        while tick < bar.end_ticks:
            if current and current.end_ticks <= tick:
                current = next(notes, None)
                continue
            sounding = current if current and current.onset_ticks <= tick else None
            edge = (
                bar.end_ticks
                if current is None
                else current.end_ticks
                if sounding
                else current.onset_ticks
            )
            end = min(edge, bar.end_ticks)
            pieces.extend(
                _printed_notes(tick, end, sounding) if sounding else _printed_rests(tick, end, bar)
            )
            tick = end
        found.append(pieces)
    return found


def _printed_notes(onset: int, end: int, note: Note) -> Iterator[PrintedEvent]:
    for value in _beat_aligned(written_values(end - onset), onset):
        after = onset + value.duration_ticks
        yield PrintedEvent(onset, value, note, onset > note.onset_ticks, after < note.end_ticks)
        onset = after


def _printed_rests(onset: int, end: int, bar: Bar) -> Iterator[PrintedEvent]:
    """Rests; a whole rest stands for a bar of any length, so it is written only where a bar is as long as that."""
    longest = (
        TICKS_PER_WHOLE if bar.time_signature.bar_ticks == TICKS_PER_WHOLE else TICKS_PER_WHOLE // 2
    )
    for value in _beat_aligned(written_values(end - onset, longest), onset):
        yield PrintedEvent(onset, value, None)
        onset += value.duration_ticks


def _beat_aligned(values: list[WrittenValue], onset: int) -> list[WrittenValue]:
    """Longest first from a beat on, shortest first from inside a beat, so that most of it stands on beats."""
    return values if onset % TICKS_PER_QUARTER == 0 else values[::-1]


def shown_accidentals(written: Iterable[tuple[Spelling, bool]], sharps: int) -> list[bool]:
    """Whether each note of a measure on one staff needs its sharp, flat or natural printed.

    A sign holds to the end of the measure, at its own octave; a note tied over from the measure before needs none.

    >>> g, g_sharp = Spelling("G", 0, 4), Spelling("G", 1, 4)
    >>> shown_accidentals([(g, False), (g_sharp, False), (g_sharp, False), (g, False), (g, False)], sharps=0)
    [False, True, False, True, False]

    Args:
        written: in order of time, each note's spelling and whether it is tied over.
        sharps: the key signature.
    """
    signature = {STEPS[fifth % 7]: 1 for fifth in range(sharps)} | {
        STEPS[6 - fifth]: -1 for fifth in range(-sharps)
    }
    current: dict[tuple[str, int], int] = {}
    shown = []
    for spelling, tied_from_previous in written:
        place = (spelling.step, spelling.octave)
        shown.append(
            not tied_from_previous
            and current.get(place, signature.get(spelling.step, 0)) != spelling.alter
        )
        if shown[-1]:
            current[place] = spelling.alter
    return shown


def beams(pieces: Sequence[PrintedEvent], bar: Bar) -> list[list[str]]:
    """The beams of each piece of a bar, longest value first: "start", "continue", "stop", "partial-left" or "partial-right".

    Notes shorter than a quarter are beamed within a beat: a quarter note, or three eighths in a time signature such as 6/8.
    """
    found: list[list[str]] = [[] for _ in pieces]
    for group in _beat_groups(pieces, bar):
        levels = [pieces[index].value.denominator.bit_length() - 3 for index in group]
        for level in range(1, max(levels) + 1):
            for place, index in enumerate(group):
                if levels[place] >= level:
                    before = place > 0 and levels[place - 1] >= level
                    after = place + 1 < len(group) and levels[place + 1] >= level
                    found[index].append(_beam(before, after, place == 0))
    return found


def _beam(before: bool, after: bool, first: bool) -> str:
    if before:
        return "continue" if after else "stop"
    return "start" if after else "partial-right" if first else "partial-left"


def _beat_groups(pieces: Sequence[PrintedEvent], bar: Bar) -> Iterator[list[int]]:
    """Indices of two or more neighbors in one beat that are beamed together."""
    signature = bar.time_signature
    beat = (
        TICKS_PER_QUARTER * 3 // 2
        if signature.denominator == 8 and signature.numerator % 3 == 0
        else TICKS_PER_QUARTER
    )
    skipped = signature.bar_ticks - bar.duration_ticks if bar.number == 0 else 0
    groups: dict[tuple[int, int], list[int]] = {}
    interruptions = 0
    for index, piece in enumerate(pieces):
        if piece.note is None or piece.value.denominator < 8:
            interruptions += 1
        else:
            groups.setdefault(
                ((piece.onset_ticks - bar.onset_ticks + skipped) // beat, interruptions), []
            ).append(index)
    return (group for group in groups.values() if len(group) > 1)
