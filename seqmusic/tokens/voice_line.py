"""The line of one voice as a sequence is read: what is known of it, and what is still missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TypeVar

from seqmusic.tokens.context import PITCH_CODE, REST_CODE
from seqmusic.tokens.vocabulary import HOLD, HOLE, PAD, PITCH, REST

NEVER = 1 << 40  # later than any tick
_NO_EVENT = (PAD, 0)
_T = TypeVar("_T")


def outer_first(voices: Sequence[_T]) -> list[_T]:
    """The voices in the order of their notes at one tick: the first, the last, then the others.

    >>> outer_first(("Soprano", "Alto", "Tenor", "Bass"))
    ['Soprano', 'Bass', 'Alto', 'Tenor']
    """
    return [*voices[:1], *voices[1:][-1:], *voices[1:-1]]


@dataclass(slots=True)
class Segment:
    """A note or rest of one line: sound code 1 for a rest, 2 + MIDI number for a pitch.

    It is a value that nothing changes; it is not frozen because creating it is faster so.
    """

    onset: int
    end: int
    code: int


@dataclass(slots=True)
class VoiceLine:
    """One voice: its given and its composed segments, and the holes still to be filled.

    Attributes:
        voice: VOICE id.
        first_column: index of its first column in the context.
        given: what the GIVEN section holds.
        composed: what the BODY section holds.
        past: what is known up to now; in GIVEN, since the last hole.
        upcoming: in BODY, what is given after now, in reverse order.
        holes: start and end of each in ticks, NEVER for the end of an open one.
        end_ticks: where the next event goes; NEVER once nothing is missing.
        hole_end: in BODY, the end of the hole that the next event goes to.
        is_open: whether the line goes on from its last hole without a known end.
        last_event: sound and duration of the event that ends at `end_ticks`.
    """

    voice: int
    first_column: int
    given: list[Segment] = field(default_factory=list)
    composed: list[Segment] = field(default_factory=list)
    past: list[Segment] = field(default_factory=list)
    upcoming: list[Segment] = field(default_factory=list)
    holes: list[tuple[int, int]] = field(default_factory=list)
    end_ticks: int = 0
    hole_end: int = NEVER
    is_open: bool = False
    last_event: tuple[int, int] = _NO_EVENT

    def append(self, segments: list[Segment], sound: int, duration: int) -> None:
        """Add an event to `given` or `composed`.

        HOLD, and a rest after a rest, lengthen the last segment.
        """
        onset, end = self.end_ticks, self.end_ticks + duration
        code = REST_CODE if sound == REST else PITCH_CODE + sound - PITCH
        before = segments[-1] if segments and sound < PITCH else None
        joins = before is not None and before.end == onset
        if before is not None and joins and (sound == HOLD or before.code == REST_CODE):
            segments[-1] = self.past[-1] = Segment(before.onset, end, before.code)
        else:
            segment = Segment(onset, end, code)
            segments.append(segment)
            self.past.append(segment)
        self.end_ticks, self.last_event = end, (sound, duration)

    def append_hole(self, duration: int) -> None:
        """Add a hole, or lengthen the last one; a duration of 0 leaves the line open."""
        start, end = self.end_ticks, self.end_ticks + duration
        if self.last_event[0] == HOLE:
            start, _ = self.holes.pop()
        self.holes.append((start, end if duration else NEVER))
        self.is_open, self.past = not duration, []
        self.end_ticks, self.last_event = end, (HOLE, duration)

    def move_to_next_hole(self) -> None:
        """Go to the start of the next hole, or to NEVER after the last one."""
        self.end_ticks, self.hole_end = self.holes.pop(0) if self.holes else (NEVER, NEVER)
        self.last_event = _NO_EVENT

    def all_segments(self) -> list[Segment]:
        """All segments, given and composed, in order of onset."""
        if not self.given:
            return self.composed
        return sorted(self.given + self.composed, key=attrgetter("onset"))

    def segment_at(self, tick: int) -> Segment | None:
        """The given or composed segment that sounds at a tick; None where nothing is known."""
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
        """MIDI number that sounds at a tick; None for a rest, or where nothing is known."""
        segment = self.segment_at(tick)
        if segment is None or segment.code < PITCH_CODE:
            return None
        return segment.code - PITCH_CODE

    def copy(self) -> VoiceLine:
        """An independent copy of the line in its state."""
        return replace(
            self,
            given=list(self.given),
            composed=list(self.composed),
            past=list(self.past),
            upcoming=list(self.upcoming),
            holes=list(self.holes),
        )
