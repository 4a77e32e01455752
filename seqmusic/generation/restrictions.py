"""What a form demands of single voices: which sounds may begin at a tick, and how long they last.

The constraints of every request hold for whole chords; these hold for one voice at a time, such as
a rhythm that is prescribed, or a consonance with a given voice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from seqmusic.array_types import Ints, Mask
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.vocabulary import (
    FERMATA,
    HOLD,
    KEY,
    MAX_DURATION,
    N_DURATIONS,
    N_SOUNDS,
    PITCH,
    REST,
    voice_name,
)
from seqmusic.tokens.voice_line import VoiceLine

REST_COLUMN = 128
"""Column of the rest in a table of sounds; the others are MIDI numbers."""
_DURATIONS = np.arange(N_DURATIONS)
ALL_SOUNDS: Mask = np.ones(N_SOUNDS, dtype=bool)
ALL_DURATIONS: Mask = np.ones(N_DURATIONS, dtype=bool)
ALL_SOUNDS.flags.writeable = ALL_DURATIONS.flags.writeable = False


class Restriction(Protocol):
    """What one voice must obey; the answers depend on nothing but the state and its next line."""

    def sounds(self, state: GrammarState, line: VoiceLine) -> Mask:
        """(V,) sounds that may come next in the line."""

    def durations(self, state: GrammarState, line: VoiceLine, sound: int) -> Mask:
        """(97,) durations in ticks that a note, rest or tie may have there."""


def sounding_pitch(line: VoiceLine, sound: int) -> int | None:
    """The pitch of a note or of a tie; None for a rest."""
    if sound == REST:
        return None
    return line.composed[-1].code - PITCH_CODE if sound == HOLD else sound - PITCH


def restricted_sounds(line: VoiceLine, allowed: Mask) -> Mask:
    """(V,) sounds of a line, of whose notes only those in (129,) pitches and the rest are left."""
    mask = ALL_SOUNDS.copy()
    mask[REST] = allowed[REST_COLUMN]
    mask[PITCH:KEY] = allowed[:REST_COLUMN]
    held = line.composed[-1].code - PITCH_CODE if line.composed else -1
    mask[HOLD] = held < 0 or allowed[held]
    return mask


@dataclass(frozen=True, eq=False)
class VoiceTable:
    """What one voice may sound at each of T ticks, whatever the other voices do.

    Attributes:
        sounds: (T, 129) whether a pitch, or a rest in the last column, may sound at a tick.
        may_end: (T + 1,) whether a note or rest may end at a tick.
        longest: (T,) most ticks of a note or rest that begins at a tick.
        exact: (T,) ticks that a note or rest which begins at a tick must last; 0 for any number. Of
            more than one event can have, the longest is drawn.
        held: (T, 129) whether a pitch, or a rest, that began earlier may go on at a tick, where
            this is less than `sounds`; None where it is the same.
    """

    sounds: Mask
    may_end: Mask
    longest: Ints
    exact: Ints
    held: Mask | None = None

    @cached_property
    def _held_until(self) -> Ints:
        """(T + 1, 129) the first tick from each one on at which a pitch, or rest, is not held."""
        held = self.sounds if self.held is None else self.sounds & self.held
        n_ticks = len(held)
        blocked = np.full((n_ticks + 1, held.shape[1]), n_ticks)
        blocked[:-1] = np.where(held, n_ticks, np.arange(n_ticks)[:, None])
        found: Ints = np.minimum.accumulate(blocked[::-1], axis=0)[::-1]
        return found

    def beginning(self, tick: int, duration: int = 1) -> Mask:
        """(129,) whether a pitch, or the rest, may begin at a tick and last as long as it must.

        Args:
            tick: where.
            duration: least ticks that it must last, besides what `exact` says.
        """
        end = tick + max(duration, int(self.exact[tick]))
        return np.asarray(self.sounds[tick] & (self._held_until[tick + 1] >= end))

    def lasting(self, tick: int, column: int) -> Mask:
        """(97,) durations that a pitch or rest which begins at a tick may have."""
        ends = tick + _DURATIONS
        limit = min(int(self._held_until[tick + 1, column]), tick + int(self.longest[tick]))
        mask = (ends <= limit) & self.may_end[np.minimum(ends, len(self.may_end) - 1)]
        if exact := int(self.exact[tick]):
            mask &= min(exact, MAX_DURATION) == _DURATIONS
        mask[0] = False
        return np.asarray(mask)


@dataclass(frozen=True, eq=False)
class PrescribedSounds:
    """Voices, by name, that follow a table each, without fermatas and ties; the others are free.

    Every table must leave a choice at each tick at which a note or rest can end.
    """

    tables: Mapping[str, VoiceTable]

    def sounds(self, state: GrammarState, line: VoiceLine) -> Mask:
        """(V,) sounds that may come next in the line."""
        table = self.tables.get(voice_name(line.voice))
        if table is None:
            return ALL_SOUNDS
        mask = restricted_sounds(line, table.beginning(state.tick))
        mask[FERMATA] = mask[HOLD] = False
        return mask

    def durations(self, state: GrammarState, line: VoiceLine, sound: int) -> Mask:
        """(97,) durations that a note, rest or tie may have there."""
        table = self.tables.get(voice_name(line.voice))
        if table is None:
            return ALL_DURATIONS
        pitch = sounding_pitch(line, sound)
        return table.lasting(state.tick, REST_COLUMN if pitch is None else pitch)
