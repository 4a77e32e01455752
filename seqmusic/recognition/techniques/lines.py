"""A voice as arrays of notes and rests, with what each is worth in bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.array_types import Floats, Ints, Mask
from seqmusic.score import Voice


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Notes and rests of a voice in order; one that enters later begins with a rest.

    Attributes:
        values: (N,) durations in ticks; those of rests are negative.
        pitches: (N,) MIDI numbers; -1 for rests.
        onsets: (N,) ticks.
    """

    values: Ints
    pitches: Ints
    onsets: Ints

    @property
    def is_note(self) -> Mask:
        """(N,) whether an event is a note."""
        return self.values > 0

    @property
    def end_ticks(self) -> int:
        """First tick after the last note; 0 without one."""
        return int(self.onsets[-1] + abs(self.values[-1])) if len(self.values) else 0

    @property
    def first_note_ticks(self) -> int:
        """Where the first note begins; 0 without one."""
        return int(self.onsets[self.is_note][0]) if len(self.values) else 0

    @property
    def duration_ticks(self) -> int:
        """From the first note to the end of the last."""
        return self.end_ticks - self.first_note_ticks


def voice_line(voice: Voice) -> Line:
    """The notes and rests of a voice.

    >>> from seqmusic.score import Note
    >>> voice_line(Voice("Tenor", (Note(24, 12, 60), Note(72, 12, 62)))).values.tolist()
    [-24, 12, -36, 12]
    """
    notes = np.array(
        [(note.onset_ticks, note.duration_ticks, note.pitch) for note in voice.notes], np.int64
    ).reshape(-1, 3)
    onsets, durations, pitches = notes.T
    ends_before = np.concatenate(([0], onsets + durations))[:-1]
    gaps = np.flatnonzero(onsets > ends_before)
    return Line(
        values=np.insert(durations, gaps, ends_before[gaps] - onsets[gaps]),
        pitches=np.insert(pitches, gaps, -1),
        onsets=np.insert(onsets, gaps, ends_before[gaps]),
    )


def information_bits(symbols: Ints) -> Floats:
    """The information in each symbol, -log2 of its relative frequency in the sequence.

    Source: C. E. Shannon, A mathematical theory of communication, 1948. What repeats in a sequence
    of equal symbols is worth nothing.

    Returns:
        Shape of `symbols`, in bits.

    >>> information_bits(np.array([24, 24, 12, 48])).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    _, inverse, counts = np.unique(symbols, return_inverse=True, return_counts=True)
    return np.asarray(np.log2(len(symbols)) - np.log2(counts[inverse]), np.float64)
