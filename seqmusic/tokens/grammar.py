"""The grammar as a state machine: what may follow, and where we are.

The next note always belongs to the voice whose line ends earliest, so neither voice nor onset is written. Of several that end
together the outer voices come first: soprano, bass, alto, tenor, as harmony is taught.
In GIVEN the lines hold what is known, with holes; BODY fills the holes and, where a line was left open, goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import Score, TimeSignature, Voice
from seqmusic.tokens import rules
from seqmusic.tokens.context import (
    GLOBAL_COLUMNS,
    PITCH_CODE,
    VOICE_COLUMNS,
    context_columns,
    context_sizes,
    degree_rows,
    encode_interval,
    encode_parallel,
)
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
    PITCH,
    REST,
    STYLE,
    TIMESIG,
    VOICE,
    id_to_key,
    id_to_timesig,
    sound_name,
    voice_column,
    voice_name,
)
from seqmusic.tokens.voice_line import NEVER, VoiceLine, in_turn_order

HEADER_SECTION, GIVEN_SECTION, BODY_SECTION, END_SECTION = range(4)
WHOLE_NOTE_TICKS = 96
BAR_TICKS = tuple(
    s.bar_ticks if (s := id_to_timesig(TIMESIG + index)) else WHOLE_NOTE_TICKS
    for index in range(N_TIMESIGS)
)


class GrammarState:
    """One walk through the grammar, event by event, from BOS.

    Ask `sound_rule`, then `duration_rule(sound)`, for what may come next (masks: `rules`), `context` for where we are, and
    `push` an event to go on.
    """

    def __init__(self, max_voices: int = 4) -> None:
        self.max_voices = max_voices
        self.section = HEADER_SECTION
        self.sound_rule = rules.FIRST_VOICE
        self.lines: list[VoiceLine] = []
        self.style: int | None = None
        self.key_sound = KEY
        self.meters: list[tuple[int, int]] = []  # (tick, TIMESIG id)
        self.pickup = 0
        self.end: int | None = None  # of the music, where it is known
        self.longest_ticks = MAX_DURATION  # longest event that fits where the next one goes
        self.tick = 0
        self._turns: list[VoiceLine] = []  # the lines in the order of turns
        self._next_line: VoiceLine | None = None
        self._has_given = False  # whether something is given for BODY
        self._earliest_meter_change = NEVER  # where the time signature may change again

    def copy(self) -> GrammarState:
        """An independent walk at the same place."""
        other = copy(self)
        other.meters = list(self.meters)
        other.lines = [line.copy() for line in self.lines]
        other._turns = in_turn_order(other.lines)
        other._next_line = (
            None if self._next_line is None else other.lines[self.lines.index(self._next_line)]
        )
        return other

    @property
    def is_finished(self) -> bool:
        """Whether EOS was said."""
        return self.section == END_SECTION

    def duration_rule(self, sound: int) -> int:
        """Rule id of the durations that may follow `sound` here."""
        if self.section == HEADER_SECTION:
            return rules.ZERO_TO + self._max_pickup_ticks() if sound == PICKUP else rules.ONLY_ZERO
        if PITCH <= sound < KEY or sound in (REST, HOLD):
            return self.longest_ticks
        if sound == HOLE:
            goes_on = self._next_line is not None and self._next_line.last_event[0] == HOLE
            return MAX_DURATION if goes_on else rules.ZERO_TO + MAX_DURATION
        return (
            rules.ZERO_TO + min(self.tick - self._earliest_meter_change, MAX_DURATION)
            if sound >= TIMESIG
            else rules.ONLY_ZERO
        )

    @property
    def voice(self) -> int | None:
        """VOICE id of the voice that the next note belongs to; None where no note can come."""
        return None if self._next_line is None else self._next_line.voice

    @property
    def line(self) -> VoiceLine | None:
        """The line that the next note goes to, while music is composed."""
        return self._next_line if self.section == BODY_SECTION else None

    @property
    def can_end(self) -> bool:
        """Whether EOS may come next."""
        return self.sound_rule >= rules.IN_SECTION and bool(
            (self.sound_rule - rules.IN_SECTION) & rules.EOS_BIT
        )

    def push(self, sound: int, duration: int) -> None:
        """Go on by one event.

        Raises:
            ValueError: the grammar does not allow it here.
        """
        if sound not in rules.sound_sets(self.max_voices)[self.sound_rule]:
            raise ValueError(
                f"the grammar does not allow {sound_name(sound)} here (tick {self.tick})"
            )
        if duration not in rules.DURATIONS[self.duration_rule(sound)]:
            raise ValueError(
                f"the grammar does not allow {sound_name(sound)} to last {duration} ticks here (tick {self.tick})"
            )
        self.advance(sound, duration)

    def advance(self, sound: int, duration: int) -> None:
        """`push` without the check, for events that were drawn under the masks."""
        if self.section == HEADER_SECTION:
            self._advance_header(sound, duration)
        elif sound >= TIMESIG:
            self.meters.append((self.tick - duration, sound))
            self._earliest_meter_change = self.tick - duration + 1
        elif sound == EOS:
            self.section, self.sound_rule = END_SECTION, rules.NOTHING
        elif sound == BODY:
            self._enter_body()
        else:
            self._advance_line(sound, duration)
        if HEADER_SECTION < self.section < END_SECTION:
            self._update_next()

    def _advance_header(self, sound: int, duration: int) -> None:
        if VOICE <= sound < STYLE:
            self.lines.append(
                VoiceLine(sound, len(GLOBAL_COLUMNS) + len(VOICE_COLUMNS) * voice_column(sound))
            )
            self._turns = in_turn_order(self.lines)
            self.sound_rule = rules.AFTER_VOICE + sound - VOICE
        elif STYLE <= sound < TIMESIG:
            self.style, self.sound_rule = sound, rules.AFTER_STYLE
        elif sound >= TIMESIG:
            self.meters, self.sound_rule = [(0, sound)], rules.AFTER_METER
        elif sound == PICKUP:
            self.pickup, self.sound_rule = duration, rules.AFTER_PICKUP
            self._earliest_meter_change = (
                NEVER if self.meters[0][1] == TIMESIG else max(1, duration)
            )
        elif sound in (GIVEN, BODY):
            self.section = GIVEN_SECTION
            if sound == BODY:
                for line in self.lines:
                    line.is_open, line.holes = True, [(0, NEVER)]
                self._enter_body()
        else:
            self.key_sound, self.sound_rule = sound, rules.AFTER_KEY

    def _max_pickup_ticks(self) -> int:
        signature = id_to_timesig(self.meters[0][1])
        return 0 if signature is None else min(MAX_DURATION, signature.bar_ticks - 1)

    def _advance_line(self, sound: int, duration: int) -> None:
        line = self._next_line
        assert line is not None
        if self._earliest_meter_change <= self.tick:
            self._earliest_meter_change = self.tick + 1
        if self.section == BODY_SECTION:
            line.append(line.composed, sound, duration)
            if line.end_ticks == line.hole_end:
                line.move_to_next_hole()
        elif sound == HOLE:
            line.append_hole(duration)
        else:
            line.append(line.given, sound, duration)

    def _enter_body(self) -> None:
        self.end = max((line.end_ticks for line in self.lines if not line.is_open), default=None)
        for line in self.lines:
            if line.is_open and self.end is not None:
                start, _ = line.holes.pop()
                line.holes += [(start, self.end)] if start < self.end else []
            line.past, line.upcoming = [], line.given[::-1]
            self._has_given |= bool(line.given)
            line.move_to_next_hole()
        self.section = BODY_SECTION

    def _update_next(self) -> None:
        """Find the next voice and what it may say."""
        is_body, line, tick = self.section == BODY_SECTION, None, NEVER
        for other in self._turns:
            if other.end_ticks < tick and (is_body or not other.is_open):
                line, tick = other, other.end_ticks
        if line is None:
            tick = self.end or 0
        self._next_line, self.tick = line, tick
        bits = 0 if line is None else self._note_bits(*line.last_event)
        if tick >= self._earliest_meter_change and (line is not None or is_body):
            bits |= rules.TIMESIG_BIT
        if is_body:
            bits |= (
                rules.EOS_BIT
                if line is None or (self.end is None and tick > 0 and self._all_open_at(tick))
                else 0
            )
            self.longest_ticks = (
                MAX_DURATION
                if line is None or line.hole_end > tick + MAX_DURATION
                else line.hole_end - tick
            )
            for other in self.lines if self._has_given else ():
                while other.upcoming and other.upcoming[-1].onset <= tick:
                    other.past.append(other.upcoming.pop())
        elif line is None or (tick > 0 and all(other.end_ticks <= tick for other in self.lines)):
            bits |= rules.BODY_BIT
        self.sound_rule = rules.IN_SECTION + bits

    def _all_open_at(self, tick: int) -> bool:
        """Whether all lines go on from there, and may end."""
        return all(line.end_ticks == tick and line.hole_end == NEVER for line in self.lines)

    def _note_bits(self, sound: int, duration: int) -> int:
        """What may follow a note, rest or hole in its line, of notes, rests and holes."""
        bits = rules.NOTE_BIT
        bits |= rules.REST_BIT if sound != REST or duration == MAX_DURATION else 0
        bits |= rules.HOLD_BIT if duration == MAX_DURATION and sound not in (REST, HOLE) else 0
        if self.section == GIVEN_SECTION:
            bits |= rules.HOLE_BIT if sound != HOLE or duration == MAX_DURATION else 0
        return bits

    def context(self) -> NDArray[np.int32]:
        """(K,) where we are, in the columns of `context.context_columns`."""
        row: NDArray[np.int32] = clipped_contexts([self.context_row()], self.max_voices)[0]
        return row

    def context_row(self) -> list[int]:
        """The same before it is cut to what each column may hold."""
        row = [0] * len(context_columns(self.max_voices))
        if self.section not in (GIVEN_SECTION, BODY_SECTION):
            return row
        line, tick, is_body = self._next_line, self.tick, self.section == BODY_SECTION
        meter, position = self._meter_at(tick)
        to_end = 0 if self.end is None else 1 + (self.end - tick) // 24
        voice = 0 if line is None else 1 + line.voice - VOICE
        row[: len(GLOBAL_COLUMNS)] = (
            self.section,
            voice,
            position,
            meter - TIMESIG,
            self.key_sound - KEY,
            to_end,
        )
        own = line.past[-1].code if line is not None and line.past else 0
        degrees = degree_rows()[self.key_sound - KEY]
        for other in self.lines:
            start, past, upcoming, sound = other.first_column, other.past, other.upcoming, 0
            if past:
                segment = past[-1]
                sound, remaining = segment.code, segment.end - tick
                row[start : start + 3] = (
                    sound,
                    tick - segment.onset,
                    remaining if remaining > 0 else 0,
                )
                row[start + 5], row[start + 11] = encode_interval(own, sound), degrees[sound]
                if segment.onset == tick and is_body and len(past) > 1:
                    row[start + 9 : start + 11] = encode_parallel(own, past[-2].code, sound)
            if upcoming:
                segment = upcoming[-1]
                row[start + 3 : start + 5] = segment.code, 1 + segment.onset - tick
                row[start + 6] = encode_interval(sound, segment.code)
                row[start + 12] = degrees[segment.code]
                if len(upcoming) > 1:
                    row[start + 7 : start + 9] = (
                        encode_interval(segment.code, upcoming[-2].code),
                        1 + upcoming[-2].onset - segment.onset,
                    )
        return row

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
        return id_to_timesig(sound), position

    def bar_position(self) -> int:
        """Ticks from the last bar line to now."""
        return self._meter_at(self.tick)[1]

    def score(self) -> Score:
        """What was said so far, as a score."""
        signatures = tuple(
            (tick, signature)
            for tick, sound in self.meters
            if (signature := id_to_timesig(sound)) is not None
        )
        voices = tuple(
            Voice(
                voice_name(line.voice),
                tuple(
                    segment.note for segment in line.all_segments() if segment.code >= PITCH_CODE
                ),
            )
            for line in self.lines
        )
        return Score(voices, signatures, self.pickup, id_to_key(self.key_sound))


def clipped_contexts(rows: Sequence[Sequence[int]], max_voices: int) -> NDArray[np.int32]:
    """(N, K) what walks told as `context_row`, each column cut at its largest value."""
    columns = np.array(rows, np.int32)
    np.minimum(columns, _max_column_values(max_voices), out=columns)
    return columns


@cache
def _max_column_values(max_voices: int) -> NDArray[np.int32]:
    """(K,) the largest value of each column."""
    return np.array(context_sizes(max_voices), np.int32) - 1
