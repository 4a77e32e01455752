"""Patterns of a window, counted: chords, melodic intervals, rhythm, and two voices together.

Each pattern is an occurrence of its group, such as the alto's moves; the share of a group that it
has does not depend on how much happens in a window.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from seqmusic.array_types import Floats
from seqmusic.metrics.harmony import STEPS_PER_BEAT
from seqmusic.metrics.two_sample.windows import Pitches, changed_cells
from seqmusic.pitch_grid import REST_CELL

CHORD, PROGRESSION, INTERVAL, INTERVALS, RHYTHM, TWO_VOICES = (
    *("chord", "progression", "interval", "intervals"),
    *("rhythm", "two voices"),
)
_OCTAVE = 12
_MIN_WINDOWS = 3  # in which a pattern occurs, or it is left out: it cannot be learned


class Pattern(NamedTuple):
    """Something that happens in a window.

    Attributes:
        family: CHORD, PROGRESSION, INTERVAL, INTERVALS, RHYTHM or TWO_VOICES.
        voice: 0 is the soprano; -1 where the pattern is of several voices.
        content: what it consists of, see the functions that count the families.
    """

    family: str
    voice: int
    content: tuple[object, ...]

    @property
    def group(self) -> tuple[str, int]:
        """What its share is a share of."""
        return self.family, self.voice


def count_patterns(pitches: Pitches) -> Counter[Pattern]:
    """All patterns of a window."""
    counts: Counter[Pattern] = Counter()
    for patterns in (_chords, _intervals, _rhythms, _pairs_of_voices):
        counts.update(patterns(pitches))
    return counts


def pattern_shares(counts: Sequence[Counter[Pattern]]) -> tuple[list[Pattern], Floats]:
    """Patterns that occur in three windows or more, and their shares of their groups.

    Returns:
        The patterns in the order of their text, and (window, pattern) shares, 0..1.

    >>> up, down = (Pattern(INTERVAL, 0, (step,)) for step in (2, -2))
    >>> pattern_shares([Counter({up: 3, down: 1})] * 3)[1][0].tolist()
    [0.25, 0.75]
    """
    occurrences = Counter(pattern for window in counts for pattern in window)
    kept = sorted((p for p, n in occurrences.items() if n >= _MIN_WINDOWS), key=repr)
    column = {pattern: number for number, pattern in enumerate(kept)}
    shares = np.zeros((len(counts), len(kept)))
    for row, window in zip(shares, counts, strict=True):
        totals = group_totals(window)
        for pattern, n in window.items():
            if pattern in column:
                row[column[pattern]] = n / totals[pattern.group]
    return kept, shares


def group_totals(counts: Counter[Pattern]) -> Counter[tuple[str, int]]:
    """How many patterns each group has."""
    totals: Counter[tuple[str, int]] = Counter()
    for pattern, n in counts.items():
        totals[pattern.group] += n
    return totals


def _chords(pitches: Pitches) -> Iterator[Pattern]:
    """The chord on each beat, and each pair of neighbors with the bass's step.

    A chord is its pitch classes above the lowest voice, in rising order.
    """
    columns = pitches[:, ::STEPS_PER_BEAT].T.tolist()
    chords = [None if REST_CELL in column else (min(column), _form(column)) for column in columns]
    for chord in filter(None, chords):
        yield Pattern(CHORD, -1, chord[1])
    for before, after in itertools.pairwise(chords):
        if before and after:
            yield Pattern(PROGRESSION, -1, (before[1], after[0] - before[0], after[1]))


def _form(column: list[int]) -> tuple[int, ...]:
    bass = min(column)
    return tuple(sorted({(pitch - bass) % _OCTAVE for pitch in column}))


def _intervals(pitches: Pitches) -> Iterator[Pattern]:
    """The melodic intervals of each voice in semitones, and each pair of them in a row."""
    for voice, line in enumerate(pitches.tolist()):
        notes = [pitch for pitch, _ in itertools.groupby(line)]
        moves = [None if REST_CELL in (a, b) else b - a for a, b in itertools.pairwise(notes)]
        for move in moves:
            if move is not None:
                yield Pattern(INTERVAL, voice, (move,))
        for first, second in itertools.pairwise(moves):
            if first is not None and second is not None:
                yield Pattern(INTERVALS, voice, (first, second))


def _rhythms(pitches: Pitches) -> Iterator[Pattern]:
    """Which sixteenths of each beat a voice changes on, from the second beat on."""
    changes = changed_cells(pitches)
    for voice, line in enumerate(changes):
        for beat in line.reshape(-1, STEPS_PER_BEAT)[1:].tolist():
            yield Pattern(RHYTHM, voice, tuple(np.flatnonzero(beat).tolist()))


def _pairs_of_voices(pitches: Pitches) -> Iterator[Pattern]:
    """Two voices that move at once: intervals before and after, and whether both go the same way.

    The intervals are in semitones without their octaves, from the written lower voice upwards.
    """
    changes = changed_cells(pitches)
    for upper, lower in itertools.combinations(range(len(pitches)), 2):
        for step in np.flatnonzero(changes[upper] & changes[lower]).tolist():
            high, next_high = pitches[upper, step - 1 : step + 1].tolist()
            low, next_low = pitches[lower, step - 1 : step + 1].tolist()
            if REST_CELL in (high, next_high, low, next_low):
                continue
            is_similar = (next_high > high) == (next_low > low)
            content = ((high - low) % _OCTAVE, (next_high - next_low) % _OCTAVE, is_similar)
            yield Pattern(TWO_VOICES, -1, content)
