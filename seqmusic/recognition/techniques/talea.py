"""Taleae: a rhythm laid end to end in a voice, in its own values or in proportion to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from seqmusic.recognition.techniques.lines import Line, information_bits

MIN_AGREEMENT = 0.6
"""Share of notes and rests that a statement has in common with its talea, at the same places."""
SCALES = tuple(
    Fraction(n, d)
    for n, d in (
        *((1, 1), (1, 2), (2, 3), (1, 3), (3, 4), (4, 9), (1, 4)),
        *((2, 1), (3, 2), (3, 1), (4, 3)),
    )
)
_MIN_MATCHES = 4
_MIN_AGREEMENT_AFTER_CUT = 0.8
_MAX_CUT_EVENTS = 64
_ALMOST_COMPLETE = Fraction(17, 20)


@dataclass(frozen=True, slots=True)
class RhythmicValue:
    """A note or a rest of a talea."""

    duration_ticks: int
    is_rest: bool = False


Talea = tuple[RhythmicValue, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a talea.

    Attributes:
        onset_ticks: where it begins.
        duration_ticks: of a complete statement at that scale.
        scale: its durations divided by those of the talea.
        share: how much of it there is, 0..1; less than 1 only where a voice ends within it.
        bits: information in the notes and rests that are those of the talea, less that in the
            others.
    """

    onset_ticks: int
    duration_ticks: int
    scale: Fraction
    share: Fraction
    bits: float


def talea_ticks(talea: Talea) -> int:
    """Length of a talea.

    >>> talea_ticks((RhythmicValue(24), RhythmicValue(48, is_rest=True)))
    72
    """
    return sum(value.duration_ticks for value in talea)


def talea_at(line: Line, onset_ticks: int, duration_ticks: int) -> Talea | None:
    """The rhythm of a voice from one tick on; None unless an event begins there and at its end."""
    first, last = np.searchsorted(line.onsets, (onset_ticks, onset_ticks + duration_ticks))
    values = line.values[first:last]
    begins_there = first < last and line.onsets[first] == onset_ticks
    if not begins_there or int(np.abs(values).sum()) != duration_ticks:
        return None
    return tuple(RhythmicValue(abs(value), value < 0) for value in values.tolist())


class TaleaChain:
    """Finds the statements of a talea before and after one of them."""

    def __init__(self, line: Line, talea: Talea, span: tuple[int, int]) -> None:
        """Search for `talea` in `line` within the ticks `span`."""
        self._line, self._span = line, span
        self._bits = information_bits(line.values)
        self._length = talea_ticks(talea)
        self._n_values = len(talea)
        durations = np.array([value.duration_ticks for value in talea], np.int64)
        signs = np.array([-1 if value.is_rest else 1 for value in talea], np.int64)
        self._talea = np.stack((np.cumsum(durations) - durations, signs * durations), axis=1)
        self._scaled: dict[Fraction, set[tuple[int, int]]] = {}

    def _events(self, scale: Fraction) -> set[tuple[int, int]]:
        """Onset and signed duration of each event of the talea at a scale, where both are whole."""
        if scale not in self._scaled:
            products = self._talea * scale.numerator
            is_whole = (products % scale.denominator == 0).all(axis=1)
            pairs = (products[is_whole] // scale.denominator).tolist()
            self._scaled[scale] = {(onset, value) for onset, value in pairs}
        return self._scaled[scale]

    def statements(self, onset_ticks: int) -> list[Statement]:
        """All statements that follow one another and include the one at `onset_ticks`."""
        forward = list(self._forward(onset_ticks))
        backward = list(self._backward(onset_ticks))
        return [*reversed(backward), *forward]

    def _forward(self, onset: int) -> Iterator[Statement]:
        statement = self._best({Fraction(1): onset})
        while statement:
            yield statement
            end = statement.onset_ticks + statement.duration_ticks
            following = self._best(dict.fromkeys((statement.scale, *SCALES), end))
            if following is None and (cut := self._cut(statement)):
                yield cut[0]
                following = cut[1]
            statement = following

    def _cut(self, last: Statement) -> tuple[Statement, Statement] | None:
        """A statement that another one at a new scale cuts short, and that one."""
        end = last.onset_ticks + last.duration_ticks
        length = int(self._length * last.scale)
        onsets = self._line.onsets
        first, after = np.searchsorted(onsets, (end + 1, end + length)).tolist()
        if after - first > _MAX_CUT_EVENTS:
            return None
        for onset in onsets[first:after].tolist():
            scales = {scale: onset for scale in SCALES if scale != last.scale}
            following = self._best(scales, _MIN_AGREEMENT_AFTER_CUT)
            cut = following and self.remainder(last, onset)
            if following and cut:
                return cut, following
        return None

    def _backward(self, onset: int) -> Iterator[Statement]:
        scale = Fraction(1)
        while True:
            onsets = {
                s: onset - int(self._length * s)
                for s in (scale, *SCALES)
                if onset - self._length * s >= self._span[0]
            }
            statement = self._best(onsets)
            if statement is None:
                return
            yield statement
            scale, onset = statement.scale, statement.onset_ticks

    def _best(
        self, onsets: dict[Fraction, int], min_agreement: float = MIN_AGREEMENT
    ) -> Statement | None:
        """The best of one statement a scale; the first one if it agrees."""
        best, best_agreement = None, min_agreement
        for scale, onset in onsets.items():
            length = self._length * scale
            if length.denominator != 1 or onset + length > self._span[1]:
                continue
            agreement, statement = self._compare(onset, int(length), scale)
            if statement and agreement >= best_agreement:
                best, best_agreement = statement, agreement + 1e-9
                if scale == next(iter(onsets)):
                    break
        return best

    def _compare(self, onset: int, length: int, scale: Fraction) -> tuple[float, Statement | None]:
        first, last = np.searchsorted(self._line.onsets, (onset, onset + length)).tolist()
        bits, n = self._matches(first, last, onset, self._events(scale))
        n_events = max(last - first, self._n_values)
        if n < _MIN_MATCHES:
            return 0.0, None
        return n / n_events, Statement(onset, length, scale, Fraction(1), bits)

    def _matches(
        self, first: int, last: int, onset: int, events: set[tuple[int, int]]
    ) -> tuple[float, int]:
        """Bits and number of the voice's events first..last - 1 that are among `events`."""
        onsets = (self._line.onsets[first:last] - onset).tolist()
        pairs = zip(onsets, self._line.values[first:last].tolist(), strict=True)
        is_match = np.array([pair in events for pair in pairs], bool)
        n = int(is_match.sum())
        bits = self._bits[first:last]
        return float(bits[is_match].sum() - bits[~is_match].sum()), n

    def remainder(self, after: Statement, end: int) -> Statement | None:
        """The statement after a complete one that the tick `end` cuts short."""
        onset, scale = after.onset_ticks + after.duration_ticks, after.scale
        length = int(self._length * scale)
        first, last = np.searchsorted(self._line.onsets, (onset, end)).tolist()
        if end <= onset or end - onset > length * 5 // 4:
            return None
        bits, n = self._matches(first, last, onset, self._events(scale))
        is_last_note_alone = last - first == 1 and end == self._line.end_ticks
        if is_last_note_alone or n < max(2, MIN_AGREEMENT * (last - first)):
            return None
        share = Fraction(end - onset, length)
        share = Fraction(1) if share >= _ALMOST_COMPLETE else share
        return Statement(onset, length, scale, share, bits)
