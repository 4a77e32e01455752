"""A rule of the engine that leads the voices of a motet to what the form wants on the whole.

Tables say what is forbidden; this says what is preferred, and the more the further a voice lags
behind: perfect sonorities above the tenor, and a motion that is faster than the tenor's.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seqmusic.generation.sampling import LogProbabilities
from seqmusic.score import Key, Note
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.vocabulary import KEY, N_DURATIONS, PITCH, REST, voice_name
from seqmusic.tokens.voice_line import VoiceLine
from seqmusic.tonality import scale_pitch_classes
from seqmusic.transformation.sonorities import KINDS, interval_kinds

_REPEATED_PITCH_WEIGHT = 0.3  # the usual odds make half the notes of an upper voice repetitions
_FOREIGN_PITCH_WEIGHT = 0.1
_NATS_PER_SONORITY, _MOST_NATS = 2.5, 6.0
_NATS_PER_NOTE = 0.6  # that a voice lags behind, on the usual duration
_NATS_PER_SEMITONE = 0.4  # away from a goal
_PITCHES = np.arange(KEY - PITCH)
_DURATIONS = np.arange(N_DURATIONS)


class Goal(NamedTuple):
    """A pitch to which a voice draws near from one tick to another."""

    start_ticks: int
    end_ticks: int
    pitch: int


class MotetRule:
    """Preferences for the voices that are composed around a tenor.

    No voice rests while all others do. Pitches are seldom repeated, and seldom foreign to the key.

    Args:
        tenor_name: name of the tenor in the engine.
        tenor: its notes.
        key: of the piece.
        perfect_share: share of perfect sonorities to aim at, 0..1; None for no preference.
        speed: notes to one of the tenor to aim at; 0 for no preference.
        goals: of the voices, by their names in the engine.
    """

    def __init__(
        self,
        tenor_name: str,
        tenor: Sequence[Note],
        key: Key,
        perfect_share: float | None,
        speed: float = 0.0,
        goals: Mapping[str, Sequence[Goal]] | None = None,
    ) -> None:
        self._goals = goals or {}
        self._tenor_name = tenor_name
        self._tenor, self._share, self._speed = tuple(tenor), perfect_share, speed
        is_foreign = ~np.isin(_PITCHES % 12, list(scale_pitch_classes(key)))
        self._pitch_nats = np.where(is_foreign, np.log(_FOREIGN_PITCH_WEIGHT), 0.0)
        self._onsets = [note.onset_ticks for note in tenor]
        span = (tenor[-1].end_ticks - tenor[0].onset_ticks) / len(tenor)
        self._usual_ticks = span / max(1.0, speed)

    def __call__(
        self, log_probabilities: LogProbabilities, state: GrammarState
    ) -> LogProbabilities:
        """Log-probabilities of the next sound, or of its duration, with the preferences."""
        line = state.line
        if line is None:
            return log_probabilities
        ruled: LogProbabilities = log_probabilities.copy()
        lag = self._lag(state.tick, line)
        if len(ruled) == N_DURATIONS:
            return ruled - lag * _NATS_PER_NOTE * _DURATIONS / self._usual_ticks
        ruled[REST] -= lag * _NATS_PER_NOTE
        ruled[PITCH:KEY] += self._pitch_nats
        self._prefer_sonorities(ruled, state)
        for goal in self._goals.get(voice_name(line.voice), ()):
            if goal.start_ticks <= state.tick < goal.end_ticks:
                ruled[PITCH:KEY] -= _NATS_PER_SEMITONE * np.abs(_PITCHES - goal.pitch)
        if (pitch := line.pitch_at(state.tick - 1)) is not None:
            ruled[PITCH + pitch] += np.log(_REPEATED_PITCH_WEIGHT)
        others = (other for other in state.lines if other is not line)
        is_alone = all(other.pitch_at(state.tick) is None for other in others)
        if is_alone and np.isfinite(ruled[PITCH:KEY]).any():
            ruled[REST] = -np.inf
        return ruled

    def _lag(self, tick: int, line: VoiceLine) -> float:
        """Notes by which a line lags behind the wanted speed, 0 or more."""
        n_notes = sum(segment.code >= PITCH_CODE for segment in line.composed)
        return max(0.0, self._speed * bisect.bisect_right(self._onsets, tick) - n_notes)

    def _prefer_sonorities(self, ruled: LogProbabilities, state: GrammarState) -> None:
        """Raise perfect sonorities at an onset of the tenor, or lower them if there are enough."""
        index = bisect.bisect_left(self._onsets, state.tick)
        is_onset = index < len(self._onsets) and self._onsets[index] == state.tick
        if self._share is None or not is_onset:
            return
        kinds = [
            kind
            for line in state.lines
            if voice_name(line.voice) != self._tenor_name
            for kind in interval_kinds(self._tenor[:index], _notes(line))
        ]
        missing = self._share * (len(kinds) + 1) - kinds.count("perfect") - 0.5
        nats = np.clip(_NATS_PER_SONORITY * missing, -_MOST_NATS, _MOST_NATS)
        intervals = np.abs(_PITCHES - self._tenor[index].pitch) % 12
        ruled[PITCH:KEY] += nats * np.isin(intervals, KINDS["perfect"])


def _notes(line: VoiceLine) -> Iterator[Note]:
    for one in line.all_segments():
        if one.code >= PITCH_CODE:
            yield Note(one.onset, one.end - one.onset, one.code - PITCH_CODE)
