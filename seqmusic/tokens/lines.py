"""The line of one voice while a sequence is walked: what is known of it, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass, field

from seqmusic.score import Note
from seqmusic.tokens.context import SOUND_PITCH, SOUND_REST
from seqmusic.tokens.vocabulary import HOLD, PITCH, REST


@dataclass(slots=True)
class Tile:
    """A stretch of one line: a pitch (2 + MIDI number) or a rest (1)."""

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
    column: int
    given: list[Tile] = field(default_factory=list)
    made: list[Tile] = field(default_factory=list)
    holes: list[list[int | None]] = field(default_factory=list)  # [start, end], end None while open
    at: int | None = 0  # where the next event goes; None once nothing is missing
    is_open: bool = False
    last: tuple[int, int] | None = None  # sound and duration of the event that ends at `at`
    n_past: int = 0  # given tiles that start at or before now

    def tile_at(self, tick: int) -> Tile | None:
        """What is known to sound at a tick, made or given; None for nothing."""
        for tile in reversed(self.made):
            if tile.onset <= tick:
                if tick < tile.end:
                    return tile
                break
        index = self.n_past
        while index < len(self.given) and self.given[index].onset <= tick:
            index += 1
        while index and self.given[index - 1].onset > tick:
            index -= 1
        return self.given[index - 1] if index and tick < self.given[index - 1].end else None

    def pitch_at(self, tick: int) -> int | None:
        """The pitch that sounds at a tick; None for a rest, or where nothing is known."""
        tile = self.tile_at(tick)
        return tile.code - SOUND_PITCH if tile is not None and tile.code >= SOUND_PITCH else None

    def copy(self) -> Line:
        given, made = ([Tile(t.onset, t.end, t.code) for t in part] for part in (self.given, self.made))
        holes = [list(hole) for hole in self.holes]
        return Line(self.voice, self.column, given, made, holes, self.at, self.is_open, self.last, self.n_past)


def extend(tiles: list[Tile], onset: int, sound: int, duration: int) -> None:
    """Add an event to a line; HOLD, and a rest after a rest, make the last tile longer."""
    code = SOUND_REST if sound == REST else SOUND_PITCH + sound - PITCH
    joins = tiles and tiles[-1].end == onset and (sound == HOLD or (code == SOUND_REST and tiles[-1].code == SOUND_REST))
    if joins:
        tiles[-1].end = onset + duration
    else:
        tiles.append(Tile(onset, onset + duration, code))
