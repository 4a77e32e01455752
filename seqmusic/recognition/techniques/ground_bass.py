"""Ground bass and ostinato: a passage that one voice repeats without a pause.

At least four statements in succession, each of 2 to 16 bars and with nine tenths of the same notes
in the same durations, are a ground bass in the lowest voice and an ostinato in another one.

Source: R. Hudson, "Ground", Grove Music Online.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.array_types import Ints, Mask
from seqmusic.recognition.techniques.lines import Line, information_bits, voice_line
from seqmusic.recognition.techniques.repetitions import Repetition, repetitions
from seqmusic.score import TICKS_PER_WHOLE, Score

MIN_STATEMENTS = 4
MIN_BARS, MAX_BARS = 2, 16
MIN_AGREEMENT = 0.9
MIN_STATEMENT_BITS = 20.0
_MIN_EVENTS = 4


@dataclass(frozen=True, slots=True)
class Ostinato:
    """A passage that a voice repeats.

    Attributes:
        voice: index of the voice.
        is_lowest: whether it is the lowest voice: a ground bass.
        first_tick: where the first statement begins.
        end_ticks: where the last one ends.
        cycle_ticks: length of a statement.
        n_statements: at least four.
        bits: information in one statement.
    """

    voice: int
    is_lowest: bool
    first_tick: int
    end_ticks: int
    cycle_ticks: int
    n_statements: int
    bits: float


def find_ostinatos(score: Score) -> tuple[Ostinato, ...]:
    """The longest ostinato of each voice that has one, from high to low.

    >>> from seqmusic.formats.theme import parse_theme
    >>> bass = "G2:1/2 F:1/4 E D:1/2 B1:1/4 C2 D:1/2 G1 "
    >>> (found,) = find_ostinatos(parse_theme(bass * 5))
    >>> found.is_lowest, found.n_statements, found.cycle_ticks
    (True, 5, 288)
    """
    lines = [voice_line(voice) for voice in score.voices]
    bar_ticks = score.time_signatures[0][1].bar_ticks if score.time_signatures else TICKS_PER_WHOLE
    means = [line.pitches[line.is_note].mean() if line.is_note.any() else 128.0 for line in lines]
    lowest = int(np.argmin(means)) if means else 0
    found = (
        _longest(index, line, bar_ticks, is_lowest=index == lowest)
        for index, line in enumerate(lines)
    )
    return tuple(one for one in found if one is not None)


def _longest(index: int, line: Line, bar_ticks: int, *, is_lowest: bool) -> Ostinato | None:
    if len(line.values) < MIN_STATEMENTS * _MIN_EVENTS:
        return None
    symbols = line.values * 128 + line.pitches + 1
    bits = information_bits(symbols)
    best: Ostinato | None = None
    for run in repetitions(symbols, bits, min_lag=_MIN_EVENTS, min_bits=MIN_STATEMENT_BITS):
        cycle = int(line.onsets[run.start + run.lag] - line.onsets[run.start])
        if run.length < run.lag or not MIN_BARS * bar_ticks <= cycle <= MAX_BARS * bar_ticks:
            continue
        first, n_statements = _statements(symbols[run.lag :] == symbols[: -run.lag], run)
        value = float(bits[run.start : run.start + run.lag].sum())
        if n_statements < MIN_STATEMENTS or value < MIN_STATEMENT_BITS:
            continue
        if best is None or n_statements * cycle > best.n_statements * best.cycle_ticks:
            onset = int(line.onsets[first])
            end = onset + n_statements * cycle
            best = Ostinato(index, is_lowest, onset, end, cycle, n_statements, value)
    return best


def _statements(returns: Mask, run: Repetition) -> tuple[int, int]:
    """The first event of the first statement, and how many statements there are.

    Args:
        returns: (N - lag,) whether each event returns after the lag of the run.
        run: an exact repetition.
    """
    sums: Ints = np.concatenate(([0], np.cumsum(returns)))
    first, last = run.start, run.start  # the statements first, first + lag, ... return
    while first >= run.lag and _agrees(sums, first - run.lag, run.lag):
        first -= run.lag
    while last + run.lag <= len(returns) and _agrees(sums, last, run.lag):
        last += run.lag
    return first, (last - first) // run.lag + 1


def _agrees(sums: Ints, start: int, lag: int) -> bool:
    return bool(sums[start + lag] - sums[start] >= MIN_AGREEMENT * lag)
