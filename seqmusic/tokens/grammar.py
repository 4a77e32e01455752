"""The grammar as a state machine: which events may follow, and where in the music they go.

The next note always goes to the voice whose line ends first, so neither the voice nor the onset of
a note is written. Of lines that end together the outer ones come first: soprano, bass, alto, tenor.
In GIVEN the lines hold what is known, with holes; BODY fills the holes and, where a line was left
open, goes on.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import TICKS_PER_QUARTER, Note, Score, TimeSignature, Voice
from seqmusic.tokens import rules
from seqmusic.tokens.context import (
    KEY_COLUMN,
    PITCH_CODE,
    SECTION_COLUMN,
    TO_END_COLUMN,
    VOICE_COLUMN,
    first_column,
)
from seqmusic.tokens.context_rows import clipped_contexts, write_fermatas, write_lines, write_meter
from seqmusic.tokens.fermatas import FermataTicks
from seqmusic.tokens.meters import max_pickup_ticks, meter_at
from seqmusic.tokens.vocabulary import (
    BODY,
    EOS,
    FERMATA,
    GIVEN,
    HOLE,
    KEY,
    MAX_DURATION,
    PHRASES,
    PICKUP,
    TIMESIG,
    VOICE,
    id_to_key,
    id_to_timesig,
    is_note_event,
    is_style,
    is_voice,
    sound_name,
    voice_column,
    voice_name,
)
from seqmusic.tokens.voice_line import NEVER, Segment, VoiceLine, outer_first

HEADER_SECTION, GIVEN_SECTION, BODY_SECTION, END_SECTION = range(4)


class GrammarState:
    """The state of the grammar after some events, BOS first.

    `sound_rule`, then `duration_rule(sound)`, say which event may come next (as ids of `rules`);
    `context` describes the state to a model; `push` adds an event.
    """

    def __init__(self, max_voices: int = 4) -> None:
        self.max_voices = max_voices
        self.section = HEADER_SECTION
        self.sound_rule = rules.FIRST_VOICE
        self.lines: list[VoiceLine] = []
        self.style: int | None = None
        self.marks_phrases = False
        self.key_sound = KEY
        self.meters: list[tuple[int, int]] = []  # (tick, TIMESIG id)
        self.pickup = 0
        self.end: int | None = None  # of the music, where it is known
        self.longest_ticks = MAX_DURATION  # of an event that fits where the next one goes
        self.tick = 0
        self._ordered_lines: list[VoiceLine] = []  # the outer ones first
        self._next_line: VoiceLine | None = None
        self._has_given = False  # whether BODY has given notes around it
        self._earliest_meter_change = NEVER  # where the time signature may change again
        self.fermatas = FermataTicks()
        self._is_after_fermata = False

    def copy(self) -> GrammarState:
        """An independent copy."""
        other = copy(self)
        other.meters = list(self.meters)
        other.fermatas = self.fermatas.copy()
        other.lines = [line.copy() for line in self.lines]
        other._ordered_lines = outer_first(other.lines)
        if self._next_line is not None:
            other._next_line = other.lines[self.lines.index(self._next_line)]
        return other

    @property
    def is_finished(self) -> bool:
        """Whether the sequence has ended with EOS."""
        return self.section == END_SECTION

    def duration_rule(self, sound: int) -> int:
        """Rule id of the durations that may follow `sound` here."""
        if self.section == HEADER_SECTION:
            longest = max_pickup_ticks(self.meters[0][1]) if sound == PICKUP else 0
            return rules.ZERO_TO + longest
        if is_note_event(sound):
            return self.longest_ticks
        if sound == HOLE:
            goes_on = self._next_line is not None and self._next_line.last_event[0] == HOLE
            return MAX_DURATION if goes_on else rules.ZERO_TO + MAX_DURATION
        if sound >= TIMESIG:
            return rules.ZERO_TO + min(self.tick - self._earliest_meter_change, MAX_DURATION)
        return rules.ONLY_ZERO

    @property
    def voice(self) -> int | None:
        """VOICE id of the voice that the next note belongs to; None where no note can come."""
        return None if self._next_line is None else self._next_line.voice

    @property
    def line(self) -> VoiceLine | None:
        """The line that the next note goes to; None outside BODY."""
        return self._next_line if self.section == BODY_SECTION else None

    def push(self, sound: int, duration: int) -> None:
        """Add an event.

        Raises:
            ValueError: the grammar does not allow it here.
        """
        problem, tick = f"the grammar does not allow {sound_name(sound)}", f"(tick {self.tick})"
        if sound not in rules.sound_sets(self.max_voices)[self.sound_rule]:
            raise ValueError(f"{problem} here {tick}")
        if duration not in rules.DURATIONS[self.duration_rule(sound)]:
            raise ValueError(f"{problem} to last {duration} ticks here {tick}")
        self.advance(sound, duration)

    def advance(self, sound: int, duration: int) -> None:
        """Add an event without checking it; it must be one that the rules allow."""
        self._is_after_fermata = sound == FERMATA
        if self.section == HEADER_SECTION:
            self._advance_header(sound, duration)
        elif sound == FERMATA:
            self.fermatas.written.append(self.tick)
            self._begin_chord()
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
        if is_voice(sound):
            self.lines.append(VoiceLine(sound, first_column(voice_column(sound))))
            self._ordered_lines = outer_first(self.lines)
            self.sound_rule = rules.AFTER_VOICE + sound - VOICE
        elif is_style(sound):
            self.style, self.sound_rule = sound, rules.AFTER_STYLE
        elif sound == PHRASES:
            self.marks_phrases, self.sound_rule = True, rules.AFTER_PHRASES
        elif sound >= TIMESIG:
            self.meters, self.sound_rule = [(0, sound)], rules.AFTER_METER
        elif sound == PICKUP:
            self.pickup, self.sound_rule = duration, rules.AFTER_PICKUP
            if self.meters[0][1] != TIMESIG:
                self._earliest_meter_change = max(1, duration)
        elif sound == GIVEN:
            self.section = GIVEN_SECTION
        elif sound == BODY:
            for line in self.lines:
                line.is_open, line.holes = True, [(0, NEVER)]
            self._enter_body()
        else:
            self.key_sound, self.sound_rule = sound, rules.AFTER_KEY

    def _advance_line(self, sound: int, duration: int) -> None:
        line = self._next_line
        assert line is not None
        self._begin_chord()
        if self.section == BODY_SECTION:
            line.append(line.composed, sound, duration)
            if line.end_ticks == line.hole_end:
                line.move_to_next_hole()
        elif sound == HOLE:
            line.append_hole(duration)
        else:
            line.append(line.given, sound, duration)

    def _begin_chord(self) -> None:
        """After its first event a tick takes no change of meter and no fermata."""
        self.fermatas.earliest = self.tick + 1
        if self._earliest_meter_change <= self.tick:
            self._earliest_meter_change = self.tick + 1

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
        self.fermatas.begin_section()

    def _update_next(self) -> None:
        """Find the next line and its tick, and the rule of the sounds that may follow there."""
        is_body, line, tick = self.section == BODY_SECTION, None, NEVER
        for other in self._ordered_lines:
            if other.end_ticks < tick and (is_body or not other.is_open):
                line, tick = other, other.end_ticks
        if line is None:
            tick = self.end or 0
        self._next_line, self.tick = line, tick
        bits = 0 if line is None else rules.note_bits(*line.last_event, in_given=not is_body)
        if tick >= self._earliest_meter_change and (line is not None or is_body):
            bits |= rules.TIMESIG_BIT
        if is_body:
            hole_ticks = MAX_DURATION if line is None else line.hole_end - tick
            self.longest_ticks = min(hole_ticks, MAX_DURATION)
            self._pass_given(tick)
        if self.marks_phrases and line is not None and self.fermatas.may_come(tick):
            bits |= rules.FERMATA_BIT
        if self._may_leave_section():
            bits |= rules.EOS_BIT if is_body else rules.BODY_BIT
        self.sound_rule = rules.IN_SECTION + bits

    def _pass_given(self, tick: int) -> None:
        """Count what is given at or before the tick as past."""
        for line in self.lines if self._has_given else ():
            while line.upcoming and line.upcoming[-1].onset <= tick:
                line.past.append(line.upcoming.pop())

    def _may_leave_section(self) -> bool:
        """Whether the section may end at the tick of the next event."""
        tick = self.tick
        if self._is_after_fermata:
            return False
        if self._next_line is None:
            return True
        if self.section == GIVEN_SECTION:
            return tick > 0 and all(line.end_ticks <= tick for line in self.lines)
        # Music whose end is not given may end where all its lines do.
        may_end = self.end is None and tick > 0
        return may_end and all(
            line.end_ticks == tick and line.hole_end == NEVER for line in self.lines
        )

    def context(self) -> NDArray[np.int32]:
        """(K,) the state in the columns of `context.context_columns`."""
        row: NDArray[np.int32] = clipped_contexts([self.context_row()], self.max_voices)[0]
        return row

    def context_row(self) -> list[int]:
        """(K,) `context` before each column is clipped to its largest value."""
        row = [0] * first_column(self.max_voices)
        if self.section in (GIVEN_SECTION, BODY_SECTION):
            self._write_global_columns(row)
            is_body, key = self.section == BODY_SECTION, self.key_sound - KEY
            write_lines(row, self.lines, self._next_line, self.tick, key, is_body=is_body)
        return row

    def _write_global_columns(self, row: list[int]) -> None:
        line, tick = self._next_line, self.tick
        write_meter(row, self.meters, self.pickup, tick)
        row[SECTION_COLUMN] = self.section
        row[VOICE_COLUMN] = 0 if line is None else 1 + line.voice - VOICE
        row[KEY_COLUMN] = self.key_sound - KEY
        if self.end is not None:
            row[TO_END_COLUMN] = 1 + (self.end - tick) // TICKS_PER_QUARTER
        if self.marks_phrases:
            write_fermatas(row, self.fermatas, tick)

    def meter_at(self, tick: int) -> tuple[TimeSignature | None, int]:
        """The time signature in force at a tick, and ticks since its bar line."""
        sound, position = meter_at(self.meters, self.pickup, tick)
        return id_to_timesig(sound), position

    def bar_position(self) -> int:
        """Ticks from the last bar line to the next event."""
        return meter_at(self.meters, self.pickup, self.tick)[1]

    def note(self, segment: Segment) -> Note:
        """A segment of a line as a note of the score."""
        onset, has_fermata = segment.onset, self.fermatas.covers(segment.onset)
        return Note(onset, segment.end - onset, segment.code - PITCH_CODE, has_fermata)

    def score(self) -> Score:
        """The score of all events so far."""
        meters = [(tick, id_to_timesig(sound)) for tick, sound in self.meters]
        signatures = tuple((tick, meter) for tick, meter in meters if meter is not None)
        voices = []
        for line in self.lines:
            segments = (one for one in line.all_segments() if one.code >= PITCH_CODE)
            voices.append(Voice(voice_name(line.voice), tuple(map(self.note, segments))))
        return Score(tuple(voices), signatures, self.pickup, id_to_key(self.key_sound))
