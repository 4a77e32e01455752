"""The grammar as a state machine: what may follow, and where we are.

The next note always belongs to the voice whose line ends earliest (of several, the highest), so neither voice nor onset is written.
In GIVEN the lines hold what is known, with holes; BODY fills the holes and, where a line was left open, goes on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import Score, TimeSignature, Voice
from seqmusic.tokens import rules
from seqmusic.tokens.context import (
    GLOBAL,
    MAX_POSITION,
    MAX_TO_END,
    PER_VOICE,
    SOUND_PITCH,
    coded_interval,
    context_columns,
    parallel_to,
)
from seqmusic.tokens.lines import Line, Tile, extend
from seqmusic.tokens.vocabulary import (
    BODY,
    EOS,
    GIVEN,
    HOLD,
    HOLE,
    KEY,
    MAX_DURATION,
    N_TIMESIGS,
    PICKUP,
    REST,
    STYLE,
    TIMESIG,
    VOICE,
    id_key,
    id_timesig,
    sound_name,
    voice_column,
    voice_name,
)

HEADER_SECTION, GIVEN_SECTION, BODY_SECTION, END_SECTION = range(4)
WHOLE_GRID = 96
BAR_TICKS = tuple(s.bar_ticks if (s := id_timesig(TIMESIG + index)) else WHOLE_GRID for index in range(N_TIMESIGS))


class Walk:
    """One walk through the grammar, event by event, from BOS.

    Ask `sound_rule`, then `duration_rule(sound)`, for what may come next (masks: `rules`), `context` for where we are, and
    `push` an event to go on.
    """

    def __init__(self, max_voices: int = 4) -> None:
        self.max_voices = max_voices
        self.section = HEADER_SECTION
        self.sound_rule = rules.FIRST_VOICE
        self.lines: list[Line] = []
        self.style: int | None = None
        self.key_sound = KEY
        self.meters: list[tuple[int, int]] = []  # (tick, TIMESIG id)
        self.pickup = 0
        self.end: int | None = None  # of the music, where it is known
        self._floor = 0
        self._next: Line | None = None
        self.now = 0

    def copy(self) -> Walk:
        """An independent walk at the same place."""
        other = Walk(self.max_voices)
        for name in ("section", "sound_rule", "style", "key_sound", "pickup", "end", "_floor", "now"):
            setattr(other, name, getattr(self, name))
        other.meters = list(self.meters)
        other.lines = [line.copy() for line in self.lines]
        other._next = None if self._next is None else other.lines[self.lines.index(self._next)]
        return other

    @property
    def is_finished(self) -> bool:
        """Whether EOS was said."""
        return self.section == END_SECTION

    def duration_rule(self, sound: int) -> int:
        """Rule id of the durations that may follow `sound` here."""
        if self.section == HEADER_SECTION:
            return rules.ZERO_TO + self._longest_pickup() if sound == PICKUP else rules.ONLY_ZERO
        is_open = self._next is None or self._next.last is None or self._next.last[0] != HOLE
        return rules.line_duration_rule(sound, self.longest_ticks, self._meter_limit(), is_open)

    @property
    def longest_ticks(self) -> int:
        """Longest event that fits where the next one goes, in ticks, 96 at most."""
        line = self._next
        if self.section == BODY_SECTION and line is not None and line.at is not None and line.holes[0][1] is not None:
            return min(line.holes[0][1] - line.at, MAX_DURATION)
        return MAX_DURATION

    @property
    def voice(self) -> int | None:
        """VOICE id of the voice that the next note belongs to; None where no note can come."""
        return None if self._next is None else self._next.voice

    @property
    def line(self) -> Line | None:
        """The line that the next note goes to, while music is composed."""
        return self._next if self.section == BODY_SECTION else None

    @property
    def can_end(self) -> bool:
        """Whether EOS may come next."""
        return self.sound_rule >= rules.LINE and bool((self.sound_rule - rules.LINE) & rules.EOS_BIT)

    def push(self, sound: int, duration: int) -> None:
        """Go on by one event.

        Raises:
            ValueError: the grammar does not allow it here.
        """
        if (
            not 0 <= sound < rules.sound_masks(self.max_voices).shape[1]
            or not rules.sound_masks(self.max_voices)[self.sound_rule, sound]
        ):
            raise ValueError(f"the grammar does not allow {sound_name(sound)} here (tick {self.now})")
        if not 0 <= duration <= MAX_DURATION or not rules.duration_masks()[self.duration_rule(sound), duration]:
            raise ValueError(f"the grammar does not allow {sound_name(sound)} to last {duration} ticks here (tick {self.now})")
        self.advance(sound, duration)

    def advance(self, sound: int, duration: int) -> None:
        """`push` without the check, for events that were drawn under the masks."""
        if self.section == HEADER_SECTION:
            self._advance_header(sound, duration)
        elif sound >= TIMESIG:
            self.meters.append((self.now - duration, sound))
        elif sound == EOS:
            self.section, self.sound_rule = END_SECTION, rules.NOTHING
        elif sound == BODY:
            self._open_body()
        elif self.section == GIVEN_SECTION:
            self._give(sound, duration)
        else:
            self._make(sound, duration)
        if self.section in (GIVEN_SECTION, BODY_SECTION):
            self._settle()

    def _advance_header(self, sound: int, duration: int) -> None:
        if VOICE <= sound < STYLE:
            self.lines.append(Line(sound, voice_column(sound)))
            self.sound_rule = rules.AFTER_VOICE + sound - VOICE
        elif STYLE <= sound < TIMESIG:
            self.style, self.sound_rule = sound, rules.AFTER_STYLE
        elif sound >= TIMESIG:
            self.meters, self.sound_rule = [(0, sound)], rules.AFTER_METER
        elif sound == PICKUP:
            self.pickup, self.sound_rule = duration, rules.AFTER_PICKUP
        elif sound in (GIVEN, BODY):
            self.section = GIVEN_SECTION
            if sound == BODY:
                for line in self.lines:
                    line.is_open, line.holes = True, [[0, None]]
                self._open_body()
        else:
            self.key_sound, self.sound_rule = sound, rules.AFTER_KEY

    def _longest_pickup(self) -> int:
        signature = id_timesig(self.meters[0][1])
        return 0 if signature is None else min(MAX_DURATION, signature.bar_ticks - 1)

    def _give(self, sound: int, duration: int) -> None:
        line = self._next
        assert line is not None
        assert line.at is not None
        self._floor = max(self._floor, line.at)
        if sound != HOLE:
            extend(line.given, line.at, sound, duration)
        elif duration == 0:
            line.is_open = True
            line.holes.append([line.at, None])
        elif line.last and line.last[0] == HOLE:
            line.holes[-1][1] = line.at + duration
        else:
            line.holes.append([line.at, line.at + duration])
        line.at, line.last = line.at + duration, (sound, duration)

    def _open_body(self) -> None:
        ends = [line.at for line in self.lines if not line.is_open]
        self.end = max(end for end in ends if end is not None) if ends else None
        for line in self.lines:
            if line.is_open and self.end is not None:
                line.holes[-1][1] = self.end
                if line.holes[-1][0] == self.end:
                    line.holes.pop()
            line.at, line.last = line.holes[0][0] if line.holes else None, None
        self.section = BODY_SECTION

    def _make(self, sound: int, duration: int) -> None:
        line = self._next
        assert line is not None
        assert line.at is not None
        self._floor = max(self._floor, line.at)
        extend(line.made, line.at, sound, duration)
        line.at, line.last = line.at + duration, (sound, duration)
        if line.at == line.holes[0][1]:
            line.holes.pop(0)
            line.at, line.last = line.holes[0][0] if line.holes else None, None

    def _settle(self) -> None:
        """Find the next voice and what it may say."""
        is_body = self.section == BODY_SECTION
        waiting = [line for line in self.lines if line.at is not None and (is_body or not line.is_open)]
        line = min(waiting, key=lambda line: line.at or 0) if waiting else None
        self._next = line
        if line is not None:
            self.now = line.at or 0
        elif is_body:
            self.now = self.end or 0
        else:
            self.now = 0
        bits = self._note_bits(line) if line is not None else 0
        if self._meter_limit() >= 0 and (line is not None or is_body):
            bits |= rules.TIMESIG_BIT
        if is_body:
            all_together = self.end is None and self.now > 0 and all(self._is_open_at_now(other) for other in self.lines)
            bits |= rules.EOS_BIT if line is None or all_together else 0
            for other in self.lines:
                while other.n_past < len(other.given) and other.given[other.n_past].onset <= self.now:
                    other.n_past += 1
        else:
            starts = [other.at or 0 for other in self.lines if other.is_open]
            ready = all(other.at == self.now for other in waiting) and all(start <= self.now for start in starts)
            bits |= rules.BODY_BIT if line is None or (ready and self.now > 0) else 0
        self.sound_rule = rules.LINE + bits

    def _is_open_at_now(self, line: Line) -> bool:
        return line.at == self.now and line.holes[0][1] is None

    def _note_bits(self, line: Line) -> int:
        sound, duration = line.last or (HOLD, 0)
        bits = rules.NOTE_BIT
        bits |= rules.REST_BIT if sound != REST or duration == MAX_DURATION else 0
        bits |= rules.HOLD_BIT if duration == MAX_DURATION and sound not in (REST, HOLE) else 0
        if self.section == GIVEN_SECTION:
            bits |= rules.HOLE_BIT if sound != HOLE or duration == MAX_DURATION else 0
        return bits

    def _meter_limit(self) -> int:
        """How long ago the time signature may have changed; negative where it cannot have."""
        if self.meters[0][1] == TIMESIG:
            return -1
        return self.now - max(self._floor, self.meters[-1][0], self.pickup - 1) - 1

    def context(self) -> NDArray[np.int16]:
        """(K,) where we are, in the columns of `context.context_columns`."""
        if self.section in (GIVEN_SECTION, BODY_SECTION):
            return np.array(self._context(), dtype=np.int16)
        return np.zeros(len(context_columns(self.max_voices)), dtype=np.int16)

    def _context(self) -> list[int]:
        line, now, is_body = self._next, self.now, self.section == BODY_SECTION
        meter, position = self._meter_at(now)
        to_end = 1 + min((self.end - now) // 24, MAX_TO_END) if is_body and self.end is not None else 0
        voice = 0 if line is None else 1 + line.voice - VOICE
        row = [self.section, voice, min(position, MAX_POSITION - 1), meter - TIMESIG, self.key_sound - KEY, to_end]
        row += [0] * (len(PER_VOICE) * self.max_voices)
        own = None if line is None else self._sounding(line)
        for other in self.lines:
            tile = self._sounding(other)
            start = len(GLOBAL) + len(PER_VOICE) * other.column
            if tile is not None:
                row[start] = tile.code
                row[start + 1] = min(now - tile.onset, MAX_DURATION)
                row[start + 2] = min(max(tile.end - now, 0), MAX_DURATION)
                row[start + 5] = 0 if own is None else coded_interval(own.code, tile.code)
                row[start + 9 : start + 11] = self._parallel(other, tile, own)
            if is_body and other.n_past < len(other.given):
                ahead = other.given[other.n_past]
                row[start + 3] = ahead.code
                row[start + 4] = 1 + min(ahead.onset - now, MAX_DURATION)
                row[start + 6] = 0 if tile is None else coded_interval(tile.code, ahead.code)
                if other.n_past + 1 < len(other.given):
                    then = other.given[other.n_past + 1]
                    row[start + 7] = coded_interval(ahead.code, then.code)
                    row[start + 8] = 1 + min(then.onset - ahead.onset, MAX_DURATION)
        return row

    def _sounding(self, line: Line) -> Tile | None:
        """The latest known tile of a line that starts at or before now."""
        if self.section == GIVEN_SECTION:
            is_hole = line.last is not None and line.last[0] == HOLE
            return line.given[-1] if line.given and not is_hole else None
        given = line.given[line.n_past - 1] if line.n_past else None
        made = line.made[-1] if line.made else None
        if given is None or made is None:
            return given or made
        return given if given.onset > made.onset else made

    def _parallel(self, line: Line, tile: Tile, own: Tile | None) -> tuple[int, int]:
        """Where the next voice, from `own`, would move in parallel with a line that has just moved into a tile, and from what."""
        if self.section != BODY_SECTION or own is None or tile.onset != self.now:
            return 0, 0
        known = [*line.given[max(0, line.n_past - 2) : line.n_past], *line.made[-2:]]
        before = max((other for other in known if other.onset < tile.onset), key=lambda other: other.onset, default=None)
        if before is None:
            return 0, 0
        return parallel_to(own.code, before.code, tile.code)

    def _meter_at(self, tick: int) -> tuple[int, int]:
        """TIMESIG id in force, and ticks since the bar line."""
        start, sound = self.meters[0]
        start = self.pickup
        for change, changed in self.meters[1:]:
            if change <= tick:
                start, sound = change, changed
        return sound, (tick - start) % BAR_TICKS[sound - TIMESIG]

    def meter_at(self, tick: int) -> tuple[TimeSignature | None, int]:
        """The time signature in force at a tick, and ticks since its bar line."""
        sound, position = self._meter_at(tick)
        return id_timesig(sound), position

    def bar_position(self) -> int:
        """Ticks from the last bar line to now."""
        return self._meter_at(self.now)[1]

    def score(self) -> Score:
        """What was said so far, as a score."""
        signatures = tuple((tick, signature) for tick, sound in self.meters if (signature := id_timesig(sound)) is not None)
        voices = tuple(
            Voice(
                voice_name(line.voice),
                tuple(t.note for t in sorted(line.given + line.made, key=lambda tile: tile.onset) if t.code >= SOUND_PITCH),
            )
            for line in self.lines
        )
        return Score(voices, signatures, self.pickup, id_key(self.key_sound))
