"""The line of one voice while a sequence is walked: what is known of it, and what is still missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TypeVar

from seqmusic.score import Note
from seqmusic.tokens.context import PITCH_CODE, REST_CODE
from seqmusic.tokens.vocabulary import HOLD, HOLE, PAD, PITCH, REST

NEVER = 1 << 40  # later than any tick
_NO_EVENT = (PAD, 0)
_T = TypeVar("_T")


def in_turn_order(voices: Sequence[_T]) -> list[_T]:
    """The voices in the order in which they speak at one tick: the first, the last, then the others from high to low.

    >>> in_turn_order(("Soprano", "Alto", "Tenor", "Bass"))
    ['Soprano', 'Bass', 'Alto', 'Tenor']
    """
    return [*voices[:1], *voices[1:][-1:], *voices[1:-1]]


@dataclass(slots=True)
class Segment:
    """A stretch of one line: a pitch (2 + MIDI number) or a rest (1); a value, never changed."""

    onset: int
    end: int
    code: int

    @property
    def note(self) -> Note:
        """The same as a note of a score, where it is one."""
        return Note(self.onset, self.end - self.onset, self.code - PITCH_CODE)


@dataclass(slots=True)
class VoiceLine:
    """One voice: what was given, what was made, and the holes still to be filled."""

    voice: int
    first_column: int  # the first column of the context that is its own
    given: list[Segment] = field(default_factory=list)
    composed: list[Segment] = field(default_factory=list)
    past: list[Segment] = field(
        default_factory=list
    )  # what is known up to now; in GIVEN, since the last hole
    upcoming: list[Segment] = field(
        default_factory=list
    )  # in BODY, what is given after now, the last first
    holes: list[tuple[int, int]] = field(default_factory=list)  # start and end, NEVER while open
    end_ticks: int = 0  # where the next event goes; NEVER once nothing is missing
    hole_end: int = NEVER  # in BODY, the end of the hole that it goes to
    is_open: bool = False
    last_event: tuple[int, int] = (
        _NO_EVENT  # sound and duration of the event that ends at `end_ticks`
    )

    def append(self, segments: list[Segment], sound: int, duration: int) -> None:
        """Add an event to what is given or made; HOLD, and a rest after a rest, make the last tile longer."""
        onset, end = self.end_ticks, self.end_ticks + duration
        code = REST_CODE if sound == REST else PITCH_CODE + sound - PITCH
        before = segments[-1] if segments and sound < PITCH else None
        if (
            before is not None
            and before.end == onset
            and (sound == HOLD or before.code == REST_CODE)
        ):
            segments[-1] = self.past[-1] = Segment(before.onset, end, before.code)
        else:
            segment = Segment(onset, end, code)
            segments.append(segment)
            self.past.append(segment)
        self.end_ticks, self.last_event = end, (sound, duration)

    def append_hole(self, duration: int) -> None:
        """Add a hole to what is given, or make the last one longer; 0 ticks leave the line open."""
        start, end = self.end_ticks, self.end_ticks + duration
        if self.last_event[0] == HOLE:
            start, _ = self.holes.pop()
        self.holes.append((start, end if duration else NEVER))
        self.is_open, self.past, self.end_ticks, self.last_event = (
            not duration,
            [],
            end,
            (HOLE, duration),
        )

    def move_to_next_hole(self) -> None:
        """Go where something is missing."""
        self.end_ticks, self.hole_end = self.holes.pop(0) if self.holes else (NEVER, NEVER)
        self.last_event = _NO_EVENT

    def all_segments(self) -> list[Segment]:
        """All that was given and made, in order of time."""
        return (
            sorted(self.given + self.composed, key=attrgetter("onset"))
            if self.given
            else self.composed
        )

    def segment_at(self, tick: int) -> Segment | None:
        """What is known to sound at a tick, made or given; None for nothing."""
        latest: Segment | None = None
        for latest in reversed(self.past):
            if latest.onset <= tick:
                break
        if self.upcoming and self.upcoming[-1].onset <= tick:
            for segment in reversed(self.upcoming):
                if segment.onset > tick:
                    break
                latest = segment
        return latest if latest is not None and latest.onset <= tick < latest.end else None

    def pitch_at(self, tick: int) -> int | None:
        """The pitch that sounds at a tick; None for a rest, or where nothing is known."""
        segment = self.segment_at(tick)
        return (
            segment.code - PITCH_CODE
            if segment is not None and segment.code >= PITCH_CODE
            else None
        )

    def copy(self) -> VoiceLine:
        """An independent line at the same place."""
        given, composed, past, upcoming = (
            list(segments) for segments in (self.given, self.composed, self.past, self.upcoming)
        )
        return replace(
            self,
            given=given,
            composed=composed,
            past=past,
            upcoming=upcoming,
            holes=list(self.holes),
        )
