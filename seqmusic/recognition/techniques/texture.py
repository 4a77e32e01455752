"""Texture: how often the voices begin their notes together.

Source: D. Huron, Tone and voice, Music Perception 19, 2001, on onset synchrony.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.score import Score

MIN_HOMOPHONIC = 0.55
MAX_POLYPHONIC = 0.35


@dataclass(frozen=True, slots=True)
class Texture:
    """The texture of a score of two voices or more.

    Attributes:
        common_onsets: share of the onsets at which at least three voices begin a note, or both of
            two, 0..1.
    """

    common_onsets: float

    @property
    def name(self) -> str:
        """Homophony, polyphony, or mixed where neither prevails."""
        if self.common_onsets >= MIN_HOMOPHONIC:
            return "homophony"
        return "polyphony" if self.common_onsets <= MAX_POLYPHONIC else "mixed"


def texture_of(score: Score) -> Texture | None:
    """The texture; None where fewer than two voices have notes.

    >>> from seqmusic.formats.theme import parse_theme
    >>> texture_of(parse_theme("C5:1/4 D E F; C4:1/2 D")).common_onsets
    0.5
    """
    voices = [voice for voice in score.voices if voice.notes]
    if len(voices) < 2:
        return None
    onsets = np.array([note.onset_ticks for voice in voices for note in voice.notes])
    counts = np.unique(onsets, return_counts=True)[1]
    return Texture(float((counts >= min(3, len(voices))).mean()))
