"""The events of a section: the lines of a score as segments, cut at the holes and put in order."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from seqmusic.score import Score, TimeSignature, Voice
from seqmusic.tokens.vocabulary import (
    FERMATA,
    HOLD,
    HOLE,
    MAX_DURATION,
    PITCH,
    REST,
    timesig_to_id,
)
from seqmusic.tokens.voice_line import outer_first

Event = tuple[int, int]
Hole = tuple[int, int | None]  # start and end in ticks; end None: open, the line goes on from there
MeterChange = tuple[int, TimeSignature]
REST_PITCH = -1
_HOLE_PITCH = -2


class SegmentRow(NamedTuple):
    """A note, rest or hole of a line; rows sort in the order of the grammar."""

    onset: int
    rank: int  # of its voice among those with a note at one tick
    end: int
    pitch: int  # MIDI number, or a negative number for a rest or a hole


def segment_rows(
    score: Score, holes: Sequence[Sequence[Hole]], line_ends: Sequence[int]
) -> tuple[list[SegmentRow], list[SegmentRow]]:
    """The segments of a normalized score, divided by what is to be composed.

    Args:
        score: the music.
        holes: the holes of each voice.
        line_ends: the tick at which the line of each voice ends, with rests where it has no notes.

    Returns:
        The segments outside the holes together with the holes themselves, and the segments inside.
    """
    known: list[SegmentRow] = []
    missing: list[SegmentRow] = []
    order = outer_first(range(len(score.voices)))
    for index, (voice, gaps, end_ticks) in enumerate(
        zip(score.voices, holes, line_ends, strict=True)
    ):
        rank = order.index(index)
        for row in _line_segments(voice, rank, end_ticks, gaps):
            (missing if _is_inside(row.onset, gaps) else known).append(row)
        for start, end in gaps:
            hole_end = start if end is None else end
            known.append(SegmentRow(start, rank, hole_end, _HOLE_PITCH))
    return known, missing


def section_events(
    rows: Iterable[SegmentRow], changes: list[MeterChange], fermatas: Collection[int] = ()
) -> Iterator[Event]:
    """The events of segments in the order of the grammar, each at most a whole note long.

    Args:
        rows: the segments; an open hole ends where it starts.
        changes: changes of meter in order; those that the section contains are taken out.
        fermatas: the onsets under a fermata that this section holds.
    """
    parts = []
    for onset, rank, end, pitch in rows:
        for shift in range(0, end - onset, MAX_DURATION) if end > onset else (0,):
            sound = HOLD if shift and pitch >= 0 else _sound_id(pitch)
            duration = min(MAX_DURATION, end - onset - shift)
            parts.append((onset + shift, rank, duration, sound))
    previous_onset = -1
    for onset, _, duration, sound in sorted(parts):
        while changes and changes[0][0] <= onset:
            tick, signature = changes.pop(0)
            yield timesig_to_id(signature), onset - tick
        if onset in fermatas and onset > previous_onset:
            yield FERMATA, 0
        previous_onset = onset
        yield sound, duration


def note_onsets(rows: Iterable[SegmentRow]) -> set[int]:
    """The onsets of the notes among the segments."""
    return {row.onset for row in rows if row.pitch >= 0}


def drop_final_holes(holes: Sequence[Sequence[Hole]], end_ticks: int) -> list[list[Hole]]:
    """The holes, without those that open at the end of the music where that end is known.

    It is known where one line has no open hole; an open hole that starts there misses nothing.
    """
    has_end = any(all(end is not None for _, end in line) for line in holes)
    if not has_end:
        return [list(line) for line in holes]
    return [
        [(start, end) for start, end in line if end is not None or start < end_ticks]
        for line in holes
    ]


def _line_segments(
    voice: Voice, rank: int, end_ticks: int, holes: Sequence[Hole]
) -> list[SegmentRow]:
    """The notes and rests of a line; rests are cut where a hole begins or ends."""
    cuts = sorted(
        {tick for start, end in holes for tick in (start, end_ticks if end is None else end)}
    )
    rows: list[SegmentRow] = []
    line_end = 0
    for note in voice.notes:
        rows += _rests(line_end, note.onset_ticks, rank, cuts)
        rows.append(SegmentRow(note.onset_ticks, rank, note.end_ticks, note.pitch))
        line_end = note.end_ticks
    return rows + _rests(line_end, end_ticks, rank, cuts)


def _rests(start: int, end: int, rank: int, cuts: Sequence[int]) -> list[SegmentRow]:
    ticks = [start, *(cut for cut in cuts if start < cut < end), end]
    return [SegmentRow(a, rank, b, REST_PITCH) for a, b in itertools.pairwise(ticks) if a < b]


def _is_inside(tick: int, holes: Sequence[Hole]) -> bool:
    return any(start <= tick and (end is None or tick < end) for start, end in holes)


def _sound_id(pitch: int) -> int:
    if pitch >= 0:
        return PITCH + pitch
    return REST if pitch == REST_PITCH else HOLE
