"""Notes and rests as printed: cut at bar lines and into values, with beams and accidentals."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from seqmusic.formats.measures import beam_ticks, position_in_bar
from seqmusic.formats.written_values import WrittenValue, written_values
from seqmusic.score import TICKS_PER_QUARTER, TICKS_PER_WHOLE, Bar, Note, Voice
from seqmusic.tonality import STEPS, Spelling


class Span(NamedTuple):
    """A note or part of one, or a rest (None), from one tick to another."""

    start: int
    end: int
    note: Note | None


class PrintedEvent(NamedTuple):
    """One printed note or rest, which has one value.

    Attributes:
        onset_ticks: from the beginning of the score.
        value: how it is written.
        note: the note that it is, or is a part of; None for a rest.
        tied_from_previous: whether it continues the printed note before it.
        tied_to_next: whether the next printed note continues it.
    """

    onset_ticks: int
    value: WrittenValue
    note: Note | None
    tied_from_previous: bool = False
    tied_to_next: bool = False


def voice_spans(voice: Voice, start: int, end: int) -> Iterator[Span]:
    """The notes and rests of a voice that fill [start, end), one after the other, cut at both ends.

    >>> [(a, b) for a, b, _ in voice_spans(Voice("Soprano", (Note(0, 24, 60),)), 12, 48)]
    [(12, 24), (24, 48)]
    """
    now = start
    first = bisect.bisect_right(voice.notes, start, key=lambda note: note.end_ticks)
    for note in voice.notes[first:]:
        if note.onset_ticks >= end:
            break
        if note.onset_ticks > now:
            yield Span(now, note.onset_ticks, None)
        now = min(note.end_ticks, end)
        yield Span(max(note.onset_ticks, start), now, note)
    if now < end:
        yield Span(now, end, None)


def printed_events_by_bar(voice: Voice, bars: Sequence[Bar]) -> list[list[PrintedEvent]]:
    """What is printed of a voice in each bar."""
    return [list(_printed_events(voice, bar)) for bar in bars]


def _printed_events(voice: Voice, bar: Bar) -> Iterator[PrintedEvent]:
    for start, end, note in voice_spans(voice, bar.onset_ticks, bar.end_ticks):
        if note is None:
            yield from _printed_rests(start, end, bar)
        else:
            yield from _printed_notes(start, end, note)


def _printed_notes(onset: int, end: int, note: Note) -> Iterator[PrintedEvent]:
    for value in _beat_aligned(written_values(end - onset), onset):
        after = onset + value.duration_ticks
        yield PrintedEvent(onset, value, note, onset > note.onset_ticks, after < note.end_ticks)
        onset = after


def _printed_rests(onset: int, end: int, bar: Bar) -> Iterator[PrintedEvent]:
    """Rests; a whole rest stands for a bar of any length, so only a bar of that length gets one."""
    is_whole = bar.time_signature.bar_ticks == TICKS_PER_WHOLE
    longest = TICKS_PER_WHOLE if is_whole else TICKS_PER_WHOLE // 2
    for value in _beat_aligned(written_values(end - onset, longest), onset):
        yield PrintedEvent(onset, value, None)
        onset += value.duration_ticks


def _beat_aligned(values: list[WrittenValue], onset: int) -> list[WrittenValue]:
    """Longest first from a beat, shortest first from inside one, so that most begin on beats."""
    return values if onset % TICKS_PER_QUARTER == 0 else values[::-1]


def shown_accidentals(spellings: Iterable[tuple[Spelling, bool]], sharps: int) -> list[bool]:
    """Whether each note of a measure on one staff needs its sharp, flat or natural printed.

    An accidental holds to the end of the measure, in its octave; a note that is tied over from the
    measure before needs none.

    >>> g, g_sharp = Spelling("G", 0, 4), Spelling("G", 1, 4)
    >>> spellings = [(g, False), (g_sharp, False), (g_sharp, False), (g, False), (g, False)]
    >>> shown_accidentals(spellings, sharps=0)
    [False, True, False, True, False]

    Args:
        spellings: each note's spelling and whether it is tied over, in order of time.
        sharps: the key signature.
    """
    signature = {STEPS[fifth % 7]: 1 for fifth in range(sharps)}
    signature |= {STEPS[6 - fifth]: -1 for fifth in range(-sharps)}
    current: dict[tuple[str, int], int] = {}
    shown = []
    for spelling, tied_from_previous in spellings:
        line = (spelling.step, spelling.octave)
        in_force = current.get(line, signature.get(spelling.step, 0))
        shown.append(not tied_from_previous and in_force != spelling.alter)
        if shown[-1]:
            current[line] = spelling.alter
    return shown


def beams(events: Sequence[PrintedEvent], bar: Bar) -> list[list[str]]:
    """The beams of each event of a bar, the eighth beam first.

    A beam is "start", "continue", "stop", "partial-left" or "partial-right". Notes shorter than a
    quarter are beamed within a beat, see `beam_ticks`.
    """
    found: list[list[str]] = [[] for _ in events]
    for group in _beam_groups(events, bar):
        n_beams = [events[index].value.denominator.bit_length() - 3 for index in group]
        for level in range(1, max(n_beams) + 1):
            for i, index in enumerate(group):
                if n_beams[i] >= level:
                    before = i > 0 and n_beams[i - 1] >= level
                    after = i + 1 < len(group) and n_beams[i + 1] >= level
                    found[index].append(_beam(before, after, is_first=i == 0))
    return found


def _beam(before: bool, after: bool, *, is_first: bool) -> str:
    if before:
        return "continue" if after else "stop"
    if after:
        return "start"
    return "partial-right" if is_first else "partial-left"


def _beam_groups(events: Sequence[PrintedEvent], bar: Bar) -> Iterator[list[int]]:
    """Indices of two or more neighbors in one beat that are beamed together."""
    beat = beam_ticks(bar.time_signature)
    groups: dict[tuple[int, int], list[int]] = {}
    n_interruptions = 0
    for index, event in enumerate(events):
        if event.note is None or event.value.denominator < 8:
            n_interruptions += 1
        else:
            beat_index = position_in_bar(bar, event.onset_ticks) // beat
            groups.setdefault((beat_index, n_interruptions), []).append(index)
    return (group for group in groups.values() if len(group) > 1)
