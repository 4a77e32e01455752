"""Runs of a rhythm that return in the same voice, in equal or proportional values.

A run counts as isorhythm only where the pitches are others: the same melody again is a plain
repetition, and the same melody on another degree a transposed one, as in a recapitulation.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from seqmusic.array_types import Floats, Ints
from seqmusic.recognition.techniques.lines import Line, information_bits
from seqmusic.recognition.techniques.repetitions import Repetition, repetitions
from seqmusic.score import TICKS_PER_QUARTER

MIN_LAG = 5
"""Fewest notes and rests in a talea."""
MIN_CYCLE_TICKS = 9 * TICKS_PER_QUARTER
MAX_PITCH_AGREEMENT = 0.6
"""Share of equal pitches from which a run is a plain repetition."""
MAX_INTERVAL_AGREEMENT = 0.75
"""Share of intervals equal within a semitone from which a run is a transposed repetition."""
MIN_BITS_PER_EVENT = 1.5
"""Least information in a note or rest of a run; that of an accompaniment has less."""
RATIOS = tuple(Fraction(n, d) for n, d in ((1, 1), (2, 1), (3, 1), (3, 2), (4, 3)))
_ALLOWED_RATIOS = {*RATIOS, *(1 / ratio for ratio in RATIOS)}
MIN_COVERAGE = 0.15
_MAX_RUNS = 400
_MIN_BITS = 12.0
_MIN_SAME_PITCHES = 0.9


@dataclass(frozen=True, slots=True)
class RhythmRun:
    """Events start..start + length - 1 return `lag` events later, their values divided by `ratio`.

    Attributes:
        start: index of the first event.
        length: in events.
        lag: in events.
        ratio: earlier duration divided by the later one.
        cycle_ticks: from the first event to its return.
        bits: information in the rhythm and, where the ratio is not 1, in the pitches that are
            the same.
    """

    start: int
    length: int
    lag: int
    ratio: Fraction
    cycle_ticks: int
    bits: float


def rhythm_runs(line: Line, min_ticks: int = 0) -> Iterator[RhythmRun]:
    """All runs of a voice that last so long and are neither plain nor transposed repetitions.

    >>> from seqmusic.formats.theme import parse_theme
    >>> from seqmusic.recognition.techniques.lines import voice_line
    >>> theme = "C4:1 D4:3/2 E:1/2 G:1/4 R:1 F:2 A4:1 G:3/2 F:1/2 D:1/4 R:1 C:2"
    >>> line = voice_line(parse_theme(theme).voices[0])
    >>> [(run.start, run.length, run.lag, str(run.ratio)) for run in rhythm_runs(line)]
    [(0, 6, 6, '1')]
    """
    if len(line.values) < 2 * MIN_LAG:
        return
    bits = information_bits(line.values)
    # Equal quotients of neighboring values mean equal rhythms at any ratio: one pass for all.
    steps = _rhythm_steps(line)
    weights = bits[:-1]
    ends = line.onsets + np.abs(line.values)
    spans = np.stack((line.onsets[:-1], ends[1:]), axis=1)
    for found in repetitions(
        steps, weights, min_lag=MIN_LAG, min_bits=_MIN_BITS, min_span=min_ticks, spans=spans
    ):
        run = _rhythm_run(line, found, bits)
        if run is not None:
            yield run


def strong_runs(line: Line) -> list[RhythmRun]:
    """The runs that cover at least 15 % of the voice, the strongest first; at most 400."""
    min_ticks = math.ceil(MIN_COVERAGE * line.duration_ticks)
    covering = rhythm_runs(line, min_ticks)
    return heapq.nlargest(_MAX_RUNS, covering, key=lambda run: run.bits)


def _rhythm_steps(line: Line) -> Ints:
    """(N - 1,) one number for each different pair of kinds and quotient of neighboring values."""
    before, after = line.values[:-1], line.values[1:]
    divisor = np.gcd(before, after)
    quotients = np.stack((before // divisor, after // divisor), axis=1)
    return np.unique(quotients, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _rhythm_run(line: Line, found: Repetition, bits: Floats) -> RhythmRun | None:
    earlier = np.arange(found.start, found.start + found.length + 1)
    later = earlier + found.lag
    ratio = Fraction(int(line.values[earlier[0]]), int(line.values[later[0]]))
    cycle_ticks = int(line.onsets[later[0]] - line.onsets[earlier[0]])
    if ratio not in _ALLOWED_RATIOS or cycle_ticks < MIN_CYCLE_TICKS:
        return None
    notes = earlier[line.is_note[earlier]]
    if len(notes) < 2:
        return None
    is_same = line.pitches[notes] == line.pitches[notes + found.lag]
    value = float(bits[earlier].sum())
    if value < MIN_BITS_PER_EVENT * len(earlier):
        return None
    if ratio != 1:
        if is_same.mean() >= _MIN_SAME_PITCHES:
            value += float(_pitch_bits(line)[notes].sum())
    elif is_same.mean() >= MAX_PITCH_AGREEMENT or _is_transposed(line, notes, found.lag):
        return None
    return RhythmRun(found.start, len(earlier), found.lag, ratio, cycle_ticks, value)


def _is_transposed(line: Line, notes: Ints, lag: int) -> bool:
    intervals, others = np.diff(line.pitches[notes]), np.diff(line.pitches[notes + lag])
    return bool((np.abs(intervals - others) <= 1).mean() >= MAX_INTERVAL_AGREEMENT)


def _pitch_bits(line: Line) -> Floats:
    """(N,) information in the pitch of each note; 0 for rests."""
    bits = np.zeros(len(line.pitches))
    bits[line.is_note] = information_bits(line.pitches[line.is_note])
    return bits
