"""The voices of a score as plain lines of notes, without what betrays an edition.

Nothing of bar lines, names, key or written note values is kept: a line is read by the intervals
and by the ratios of durations between neighboring notes alone, so a transposed score, or one in
halved values, has the same steps. A note lasts until the next one of its line begins: a rest
lengthens it, and staccato or the gaps of a MIDI file change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import Score, Voice

MIN_NOTES = 8
MAX_INTERVAL = 13  # semitones; larger leaps count as this one
MAX_RATIO = 6  # in half octaves of duration: an eighth to eight times as long
N_INTERVALS, N_RATIOS = 2 * MAX_INTERVAL + 1, 2 * MAX_RATIO + 1
N_STEPS = N_INTERVALS * N_RATIOS
_MIN_SHARE = 0.2  # of the notes of the longest line; shorter ones are pieces of chords
_KEYBOARD = re.compile(
    r"pian|klavier|clavier|keyboard|harpsi|cembalo|organ|orgel|harp\b|guitar|lute", re.I
)

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The notes of one voice, N of them.

    Attributes:
        voice: index of the voice in the score.
        onsets: (N,) ticks.
        durations: (N,) ticks until the next note begins; of the last note, its own.
        pitches: (N,) MIDI numbers.
        is_keyboard: whether the name of the voice is that of a keyboard or a plucked instrument.
    """

    voice: int
    onsets: Integers
    durations: Integers
    pitches: Integers
    is_keyboard: bool = False

    def __len__(self) -> int:
        return len(self.pitches)

    def excerpt(self, start: int, end: int) -> Line:
        """The notes from number `start` up to and without number `end`."""
        part = slice(start, end)
        return Line(
            self.voice,
            self.onsets[part],
            self.durations[part],
            self.pitches[part],
            self.is_keyboard,
        )


def line_of(voice: Voice, number: int = 0) -> Line:
    """A voice as a line."""
    rows = [(note.onset_ticks, note.duration_ticks, note.pitch) for note in voice.notes]
    onsets, durations, pitches = np.array(rows, np.int64).reshape(-1, 3).T.copy()
    durations[:-1] = np.diff(onsets)
    return Line(number, onsets, durations, pitches, bool(_KEYBOARD.search(voice.name)))


def lines_of(score: Score) -> list[Line]:
    """The lines of a score from high to low; the longest of them where none is long enough.

    A voice with less than a fifth of the notes of the longest one is left out: it is a piece of a
    part whose chords were taken apart.

    >>> from seqmusic.score import Note
    >>> long = Voice("Alto", tuple(Note(24 * i, 24, 60) for i in range(60)))
    >>> [line.voice for line in lines_of(Score((Voice("Soprano", long.notes[:9]), long)))]
    [1]
    """
    lines = [line_of(voice, i) for i, voice in enumerate(score.voices) if voice.notes]
    longest = max(map(len, lines), default=0)
    least = min(longest, max(MIN_NOTES, _MIN_SHARE * longest))
    return [line for line in lines if len(line) >= least]


def melodic_lines(lines: Sequence[Line]) -> list[Line]:
    """The lines that are not of a keyboard instrument, all of them where there are no others."""
    return [line for line in lines if not line.is_keyboard] or list(lines)


def intervals(line: Line) -> Integers:
    """(N - 1,) semitones from each note to the next, from 0 for -13 or less to 26.

    >>> from seqmusic.formats.theme import parse_theme
    >>> intervals(line_of(parse_theme("C4 D4 C3").voices[0])).tolist()
    [15, 0]
    """
    moves = np.clip(np.diff(line.pitches), -MAX_INTERVAL, MAX_INTERVAL)
    return np.asarray(moves + MAX_INTERVAL)


def duration_ratios(line: Line) -> Integers:
    """(N - 1,) twice the binary logarithm of each ratio of durations, rounded, from 0 to 12.

    Equal durations are 6, a note twice as long as the one before is 8.

    >>> from seqmusic.formats.theme import parse_theme
    >>> duration_ratios(line_of(parse_theme("C4:1/4 D4:1/2 E4:1/2 F4:1/8").voices[0])).tolist()
    [8, 6, 2]
    """
    ratios = np.rint(2 * np.log2(line.durations[1:] / line.durations[:-1])).astype(np.int64)
    return np.asarray(np.clip(ratios, -MAX_RATIO, MAX_RATIO) + MAX_RATIO)


def steps(line: Line) -> Integers:
    """(N - 1,) interval and ratio of durations in one number, 0 to 350."""
    return intervals(line) * N_RATIOS + duration_ratios(line)
