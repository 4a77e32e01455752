"""Long scores split into passages that a model can follow, cut at bar lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from seqmusic.score import TICKS_PER_WHOLE, Score

MAX_EVENTS = 1000  # notes and rests; a model follows 1024 events by default


def split_long_score(score: Score, max_events: int = MAX_EVENTS) -> Iterator[Score]:
    """The score, if it has few enough events, else passages of it of about equal length.

    A note that is held over a cut ends there. A bar that holds more events than that is a passage
    by itself. Passages without a note are left out.

    >>> from seqmusic.score import Note, melody
    >>> tune = melody([Note(24 * i, 24, 60) for i in range(11)])
    >>> [part.n_notes for part in split_long_score(tune, 5)]
    [4, 4, 3]
    """
    onsets = np.sort([note.onset_ticks for voice in score.voices for note in voice.notes])
    n_events = len(onsets) + sum(_rest_counts(score))
    if n_events <= max_events:
        yield score
        return
    bar_lines = [bar.onset_ticks for bar in score.bars()]
    if not bar_lines:
        bar_lines = list(range(0, score.end_ticks, TICKS_PER_WHOLE))
    notes_before = np.searchsorted(onsets, [*bar_lines, score.end_ticks]).tolist()
    # Only notes are counted, so their share of the events is their share of the maximum.
    max_notes = max(1.0, len(onsets) / n_events * max_events)
    cuts = [bar_lines[bar] for bar in _cut_bars(notes_before, max_notes)]
    for start, end in itertools.pairwise([*cuts, score.end_ticks]):
        part = score.sliced(start, end)
        if part.n_notes:
            yield part


def _rest_counts(score: Score) -> Iterator[int]:
    """Number of rests in each voice."""
    for voice in score.voices:
        ends = [0, *(note.end_ticks for note in voice.notes)]
        starts = [*(note.onset_ticks for note in voice.notes), score.end_ticks]
        yield sum(end < start for end, start in zip(ends, starts, strict=True))


def _cut_bars(notes_before: Sequence[int], max_notes: float) -> list[int]:
    """The bars where passages begin, given the number of notes before each bar and at the end."""
    total = notes_before[-1]
    n_parts = -(-total // max_notes)
    cuts = [0]
    for bar in range(1, len(notes_before) - 1):
        n_here = notes_before[bar] - notes_before[cuts[-1]]
        n_with_next = notes_before[bar + 1] - notes_before[cuts[-1]]
        if n_here and (n_with_next > max_notes or n_here >= total / n_parts):
            cuts.append(bar)
    return cuts
