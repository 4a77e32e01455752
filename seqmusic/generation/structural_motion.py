"""Parallel motion with one given voice, from each of its notes to the next.

Fourteenth-century counterpoint binds each voice to the tenor, note against note: no two equal
perfect consonances in succession. What happens between two notes of the tenor, and between the
other voices, is free.

Source: Optima introductio in contrapunctum, 14th century (Thesaurus Musicarum Latinarum).
"""

from __future__ import annotations

import bisect
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from seqmusic.array_types import Ints, Mask
from seqmusic.counterpoint import perfect_parallels
from seqmusic.generation.restrictions import (
    ALL_DURATIONS,
    ALL_SOUNDS,
    REST_COLUMN,
    restricted_sounds,
    sounding_pitch,
)
from seqmusic.generation.voice_masks import PITCHES
from seqmusic.score import Note
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.vocabulary import N_DURATIONS, voice_name
from seqmusic.tokens.voice_line import VoiceLine


@dataclass(frozen=True)
class StructuralMotion:
    """No voice moves in parallel with the reference from one of its notes to the next.

    Two notes with a rest between them do not count as successive.

    Attributes:
        voices: names of the composed voices that obey.
        reference: the notes of the given voice.
    """

    voices: Collection[str]
    reference: tuple[Note, ...]

    @cached_property
    def _onsets(self) -> list[int]:
        return [note.onset_ticks for note in self.reference]

    def sounds(self, state: GrammarState, line: VoiceLine) -> Mask:
        """(V,) all sounds, at an onset of the reference without those reached in parallel."""
        index = bisect.bisect_left(self._onsets, state.tick)
        is_onset = index < len(self._onsets) and self._onsets[index] == state.tick
        if voice_name(line.voice) not in self.voices or not is_onset:
            return ALL_SOUNDS
        start = self._pitch_before(index, line)
        if start is None:
            return ALL_SOUNDS
        allowed = np.ones(REST_COLUMN + 1, dtype=bool)
        allowed[:REST_COLUMN] = ~self._parallel(index, start, PITCHES)
        return restricted_sounds(line, allowed)

    def durations(self, state: GrammarState, line: VoiceLine, sound: int) -> Mask:
        """(97,) durations with which a note is not held into a note of the reference in parallel.

        A pitch that sounds from one onset of the reference to the next does not move.
        """
        pitch = sounding_pitch(line, sound)
        index = bisect.bisect_right(self._onsets, state.tick)
        is_bound = voice_name(line.voice) in self.voices and 0 < index < len(self._onsets)
        if not is_bound or pitch is None or self._onsets[index - 1] == state.tick:
            return ALL_DURATIONS
        start = self._pitch_before(index, line)
        if start is None or not self._parallel(index, start, pitch):
            return ALL_DURATIONS
        return np.asarray(np.arange(N_DURATIONS) <= self._onsets[index] - state.tick)

    def _pitch_before(self, index: int, line: VoiceLine) -> int | None:
        """What the line sounds at the note before, if it and the reference lead on from there."""
        before = self.reference[index - 1] if index else None
        if before is None or before.end_ticks < self._onsets[index]:
            return None
        return line.pitch_at(before.onset_ticks)

    def _parallel(self, index: int, start: int, end: Ints | int) -> Mask:
        """Whether the motion from `start` to `end` is parallel with that into a note."""
        before, after = self.reference[index - 1], self.reference[index]
        return perfect_parallels(start, end, before.pitch, after.pitch)
