"""A composed voice that takes up its rhythm again later, in the same or in proportional values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from seqmusic.array_types import Mask
from seqmusic.generation.restrictions import (
    ALL_DURATIONS,
    ALL_SOUNDS,
    REST_COLUMN,
    VoiceTable,
    restricted_sounds,
)
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.vocabulary import N_DURATIONS, voice_name
from seqmusic.tokens.voice_line import VoiceLine


@dataclass(frozen=True, slots=True)
class Repeat:
    """A span that has the rhythm of an earlier one, of which no note is held into or out of it.

    Attributes:
        source_ticks: where the earlier span begins.
        onset_ticks: where this one begins.
        end_ticks: its end.
        ratio: of its values to the earlier ones.
    """

    source_ticks: int
    onset_ticks: int
    end_ticks: int
    ratio: Fraction


@dataclass(frozen=True, eq=False)
class RepeatedRhythm:
    """The rhythm of some voices is drawn freely once, and taken up in each of the repeats.

    Attributes:
        repeats: in order of onset.
        tables: what each of the voices may sound, by its name.
    """

    repeats: tuple[Repeat, ...]
    tables: Mapping[str, VoiceTable]

    def sounds(self, state: GrammarState, line: VoiceLine) -> Mask:
        """(V,) a rest where the rhythm has one, else pitches that can last as long as they must."""
        table, event = self.tables.get(voice_name(line.voice)), self._event(state, line)
        if table is None or event is None:
            return ALL_SOUNDS
        is_rest, duration = event
        allowed = table.beginning(state.tick, duration)
        allowed[:REST_COLUMN] &= not is_rest
        allowed[REST_COLUMN] &= is_rest
        return restricted_sounds(line, allowed)

    def durations(self, state: GrammarState, line: VoiceLine, sound: int) -> Mask:
        """(97,) the one duration that the rhythm prescribes, or all outside of the repeats."""
        event = self._event(state, line) if voice_name(line.voice) in self.tables else None
        if event is None:
            return ALL_DURATIONS
        return np.asarray(np.arange(N_DURATIONS) == event[1])

    def _event(self, state: GrammarState, line: VoiceLine) -> tuple[bool, int] | None:
        """Whether a rest is prescribed at the next tick, and for how many ticks; None if free."""
        tick = state.tick
        repeat = next(
            (one for one in self.repeats if one.onset_ticks <= tick < one.end_ticks), None
        )
        if repeat is None:
            return None
        source = repeat.source_ticks + (tick - repeat.onset_ticks) / repeat.ratio
        segment = next(one for one in line.composed if one.end > source)
        ticks = int((segment.end - source) * repeat.ratio)
        return segment.code < PITCH_CODE, min(ticks, repeat.end_ticks - tick)
