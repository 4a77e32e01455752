"""What sounds above a tenor at its onsets: perfect, imperfect, fourth, dissonance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from seqmusic.score import Note, Voice

KINDS = {
    "perfect": (0, 7),
    "imperfect": (3, 4, 8, 9),
    "fourth": (5,),
    "dissonant": (1, 2, 6, 10, 11),
}
"""Intervals in semitones, without their octaves, by kind."""
TRECENTO_SHARES = {"perfect": 0.55, "imperfect": 0.31, "fourth": 0.07, "dissonant": 0.06}
"""Shares of the other voices' notes above the tenor at its onsets, in ten motets of the trecento
collection of music21."""


def sonority_shares(tenor: Sequence[Note], others: Sequence[Voice]) -> dict[str, float]:
    """Share of each kind among the intervals between a tenor and other voices at its onsets.

    >>> tenor = [Note(0, 24, 50), Note(24, 24, 52)]
    >>> sonority_shares(tenor, [Voice("Triplum", (Note(0, 24, 57), Note(24, 24, 55)))])["perfect"]
    0.5
    """
    counts = Counter(kind for voice in others for kind in interval_kinds(tenor, voice.notes))
    total = max(1, sum(counts.values()))
    return {kind: counts[kind] / total for kind in KINDS}


def interval_kinds(tenor: Sequence[Note], line: Iterable[Note]) -> Iterator[str]:
    """The kind of each interval of a line with a tenor, at those of its onsets where both sound.

    >>> list(interval_kinds([Note(0, 24, 50), Note(24, 24, 52)], [Note(0, 48, 57)]))
    ['perfect', 'fourth']
    """
    notes = iter(line)
    other = next(notes, None)
    for note in tenor:
        while other is not None and other.end_ticks <= note.onset_ticks:
            other = next(notes, None)
        if other is not None and other.onset_ticks <= note.onset_ticks:
            interval = abs(other.pitch - note.pitch) % 12
            yield next(kind for kind in KINDS if interval in KINDS[kind])
