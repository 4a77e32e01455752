"""The line of one voice while a sequence is walked: what is known of it, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from operator import attrgetter

from seqmusic.score import Note
from seqmusic.tokens.context import SOUND_PITCH, SOUND_REST
from seqmusic.tokens.vocabulary import HOLD, HOLE, PAD, PITCH, REST

NEVER = 1 << 40  # later than any tick
_NOTHING_SAID = (PAD, 0)


@dataclass(slots=True)
class Tile:
    """A stretch of one line: a pitch (2 + MIDI number) or a rest (1); a value, never changed."""

    onset: int
    end: int
    code: int

    @property
    def note(self) -> Note:
        """The same as a note of a score, where it is one."""
        return Note(self.onset, self.end - self.onset, self.code - SOUND_PITCH)


@dataclass(slots=True)
class Line:
    """One voice: what was given, what was made, and the holes still to be filled."""

    voice: int
    start: int  # the first column of the context that is its own
    given: list[Tile] = field(default_factory=list)
    made: list[Tile] = field(default_factory=list)
    heard: list[Tile] = field(
        default_factory=list
    )  # what is known up to now; in GIVEN, since the last hole
    ahead: list[Tile] = field(
        default_factory=list
    )  # in BODY, what is given after now, the last first
    holes: list[tuple[int, int]] = field(default_factory=list)  # start and end, NEVER while open
    at: int = 0  # where the next event goes; NEVER once nothing is missing
    until: int = NEVER  # in BODY, the end of the hole that it goes to
    is_open: bool = False
    last: tuple[int, int] = _NOTHING_SAID  # sound and duration of the event that ends at `at`

    def say(self, tiles: list[Tile], sound: int, duration: int) -> None:
        """Add an event to what is given or made; HOLD, and a rest after a rest, make the last tile longer."""
        onset, end = self.at, self.at + duration
        code = SOUND_REST if sound == REST else SOUND_PITCH + sound - PITCH
        before = tiles[-1] if tiles and sound < PITCH else None
        if (
            before is not None
            and before.end == onset
            and (sound == HOLD or before.code == SOUND_REST)
        ):
            tiles[-1] = self.heard[-1] = Tile(before.onset, end, before.code)
        else:
            tile = Tile(onset, end, code)
            tiles.append(tile)
            self.heard.append(tile)
        self.at, self.last = end, (sound, duration)

    def leave_out(self, duration: int) -> None:
        """Add a hole to what is given, or make the last one longer; 0 ticks leave the line open."""
        start, end = self.at, self.at + duration
        if self.last[0] == HOLE:
            start, _ = self.holes.pop()
        self.holes.append((start, end if duration else NEVER))
        self.is_open, self.heard, self.at, self.last = not duration, [], end, (HOLE, duration)

    def go_to_hole(self) -> None:
        """Go where something is missing."""
        self.at, self.until = self.holes.pop(0) if self.holes else (NEVER, NEVER)
        self.last = _NOTHING_SAID

    def known(self) -> list[Tile]:
        """All that was given and made, in order of time."""
        return sorted(self.given + self.made, key=attrgetter("onset")) if self.given else self.made

    def tile_at(self, tick: int) -> Tile | None:
        """What is known to sound at a tick, made or given; None for nothing."""
        latest: Tile | None = None
        for latest in reversed(self.heard):
            if latest.onset <= tick:
                break
        if self.ahead and self.ahead[-1].onset <= tick:
            for tile in reversed(self.ahead):
                if tile.onset > tick:
                    break
                latest = tile
        return latest if latest is not None and latest.onset <= tick < latest.end else None

    def pitch_at(self, tick: int) -> int | None:
        """The pitch that sounds at a tick; None for a rest, or where nothing is known."""
        tile = self.tile_at(tick)
        return tile.code - SOUND_PITCH if tile is not None and tile.code >= SOUND_PITCH else None

    def copy(self) -> Line:
        """An independent line at the same place."""
        given, made, heard, ahead = (
            list(tiles) for tiles in (self.given, self.made, self.heard, self.ahead)
        )
        return replace(
            self, given=given, made=made, heard=heard, ahead=ahead, holes=list(self.holes)
        )
