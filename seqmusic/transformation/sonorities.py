"""What sounds above a tenor at its onsets: perfect, imperfect, fourth, dissonance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Floats
from seqmusic.generation.sampling import LogProbabilities
from seqmusic.score import Note, Voice
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.vocabulary import KEY, N_SOUNDS, PITCH, REST

KINDS = {"perfect": (0, 7), "imperfect": (3, 4, 8, 9), "fourth": (5,), "dissonant": (1, 2, 6, 10, 11)}
"""Intervals in semitones, without their octaves, by kind."""
TRECENTO_SHARES = {"perfect": 0.55, "imperfect": 0.31, "fourth": 0.07, "dissonant": 0.06}
"""Shares of the other voices' notes above the tenor at its onsets, in ten motets of the trecento
collection of music21."""
_REPEATED_PITCH_WEIGHT = 0.3  # the usual odds make half the notes of an upper voice repetitions


def sonority_shares(tenor: Sequence[Note], others: Sequence[Voice]) -> dict[str, float]:
    """Share of each kind among the intervals between a tenor and other voices at its onsets.

    >>> tenor = [Note(0, 24, 50), Note(24, 24, 52)]
    >>> sonority_shares(tenor, [Voice("Triplum", (Note(0, 24, 57), Note(24, 24, 55)))])["perfect"]
    0.5
    """
    counts = dict.fromkeys(KINDS, 0)
    for note in tenor:
        for voice in others:
            for other in voice.notes:
                if other.onset_ticks <= note.onset_ticks < other.end_ticks:
                    interval = abs(other.pitch - note.pitch) % 12
                    counts[next(kind for kind in KINDS if interval in KINDS[kind])] += 1
    total = max(1, sum(counts.values()))
    return {kind: count / total for kind, count in counts.items()}


def perfect_weight(share: float, prescribed: float, usual: float = 0.3) -> float:
    """Odds by which perfect sonorities must gain where they are free, to reach a share of all.

    Args:
        share: the wanted one, 0..1.
        prescribed: share of the onsets at which a perfect one is prescribed.
        usual: what the model does where it is free.

    >>> perfect_weight(0.65, 0.5)  # free ones must be perfect as often as the model makes them
    1.0
    """
    wanted = min(0.95, max(0.05, (share - prescribed) / max(1e-9, 1 - prescribed)))
    return round(wanted * (1 - usual) / ((1 - wanted) * usual), 6)


class UpperVoiceRule:
    """A rule of the engine that makes the upper voices of a motet what they are.

    It prefers perfect sonorities at the onsets of the tenor, seldom repeats a pitch, and lets no
    voice rest while all others do.

    Args:
        tenor: its notes.
        weight: by which the odds of perfect sonorities gain.
    """

    def __init__(self, tenor: Sequence[Note], weight: float) -> None:
        self._bias: dict[int, Floats] = {}
        pitches = np.arange(KEY - PITCH)
        for note in tenor:
            is_perfect = np.isin(np.abs(pitches - note.pitch) % 12, KINDS["perfect"])
            self._bias[note.onset_ticks] = np.where(is_perfect, np.log(weight), 0.0)

    def __call__(self, log_probabilities: LogProbabilities, state: GrammarState) -> LogProbabilities:
        """Log-probabilities of the next sound with the preferences; durations as they are."""
        line = state.line
        if len(log_probabilities) not in (KEY, N_SOUNDS) or line is None:
            return log_probabilities
        ruled: NDArray[np.float64] = log_probabilities.copy()
        bias = self._bias.get(state.tick)
        if bias is not None:
            ruled[PITCH:KEY] += bias
        pitch = line.pitch_at(state.tick - 1)
        if pitch is not None:
            ruled[PITCH + pitch] += np.log(_REPEATED_PITCH_WEIGHT)
        others = [other for other in state.lines if other is not line]
        is_alone = all(other.pitch_at(state.tick) is None for other in others)
        if is_alone and np.isfinite(ruled[PITCH:KEY]).any():
            ruled[REST] = -np.inf
        return ruled


