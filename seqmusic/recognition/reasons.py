"""Why a class was recognized: the n-grams that speak most for it and against it, and where."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from seqmusic.recognition.linear import LinearExpert
from seqmusic.recognition.lines import Line
from seqmusic.recognition.ngrams import kind_of, ngram_text
from seqmusic.score import Score

N_REASONS = 5


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place of an n-gram.

    Attributes:
        voice: index of the voice in the score.
        first_tick, end_ticks: from the onset of its first note to the end of its last.
        bars: first and last, as printed; None without a meter.
    """

    voice: int
    first_tick: int
    end_ticks: int
    bars: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Reason:
    """An n-gram that speaks for a class, or against it.

    Attributes:
        text: the n-gram in words.
        weight: what it adds to the logit of the class beyond the mean of all classes, over all
            lines; negative where it speaks against the class.
        occurrences: all of them, line by line.
    """

    text: str
    weight: float
    occurrences: tuple[Occurrence, ...]


def reasons_for(
    score: Score, lines: Sequence[Line], expert: LinearExpert, class_index: int
) -> tuple[list[Reason], list[Reason]]:
    """The five n-grams that speak most for a class, and the five that speak most against it."""
    weights: dict[int, float] = defaultdict(float)
    found: dict[int, list[tuple[Line, int]]] = defaultdict(list)
    for line in lines:
        ngrams, evidence = expert.evidence(line, class_index)
        rows = zip(
            ngrams.codes.tolist(), ngrams.first_notes.tolist(), evidence.tolist(), strict=True
        )
        for code, first, weight in rows:
            if weight:
                weights[code] += weight / len(lines)
                found[code].append((line, first))
    bars = _BarFinder(score)
    order = sorted(weights, key=lambda code: -weights[code])
    strongest = [code for code in order[:N_REASONS] if weights[code] > 0]
    weakest = [code for code in order[::-1][:N_REASONS] if weights[code] < 0]

    def reason(code: int) -> Reason:
        n_notes = kind_of(code).n_notes
        occurrences = tuple(bars.occurrence(line, first, n_notes) for line, first in found[code])
        return Reason(ngram_text(code), weights[code], occurrences)

    return [reason(code) for code in strongest], [reason(code) for code in weakest]


class _BarFinder:
    """Finds the bars of notes."""

    def __init__(self, score: Score) -> None:
        self._bars = score.bars()
        self._onsets = [bar.onset_ticks for bar in self._bars]

    def occurrence(self, line: Line, first: int, n_notes: int) -> Occurrence:
        last = first + n_notes - 1
        first_tick, last_tick = int(line.onsets[first]), int(line.onsets[last])
        end_ticks = last_tick + int(line.durations[last])
        return Occurrence(line.voice, first_tick, end_ticks, self._numbers(first_tick, last_tick))

    def _numbers(self, first_tick: int, last_tick: int) -> tuple[int, int] | None:
        if not self._bars:
            return None
        first, last = (
            self._bars[max(0, bisect_right(self._onsets, tick) - 1)].number
            for tick in (first_tick, last_tick)
        )
        return first, last
