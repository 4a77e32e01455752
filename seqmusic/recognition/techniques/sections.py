"""The sections of an isorhythmic voice: which talea is stated how often, and at which speed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from seqmusic.recognition.techniques.lines import Line
from seqmusic.recognition.techniques.rhythm_runs import RhythmRun
from seqmusic.recognition.techniques.talea import (
    SCALES,
    Statement,
    Talea,
    TaleaChain,
    talea_at,
    talea_ticks,
)

MIN_FURTHER_BITS = 40.0
"""Information in a run of a second talea of a voice."""
MIN_JOINED_BITS = 12.0
"""Information in a run whose cycle another voice of the piece has."""
_N_CANDIDATES = 6
_NEARLY_BEST = 0.9


@dataclass(frozen=True, slots=True)
class TaleaSection:
    """Statements of one talea at one speed.

    Attributes:
        label: "A" for the first talea of the voice, "B" for a second one.
        talea: its rhythm in the values of this section.
        onsets: first ticks of the statements.
        end_ticks: first tick after the last statement, or the end of the voice within it.
        proportion: durations here divided by those of the first section of this talea.
        n_taleae: number of statements; a last one that is cut short counts as its share.
    """

    label: str
    talea: Talea
    onsets: tuple[int, ...]
    end_ticks: int
    proportion: Fraction
    n_taleae: Fraction

    @property
    def onset_ticks(self) -> int:
        """Where the first statement begins."""
        return self.onsets[0]

    @property
    def talea_ticks(self) -> int:
        """Length of a complete statement."""
        return talea_ticks(self.talea)


@dataclass(frozen=True, slots=True)
class _Chain:
    line: Line
    talea: Talea
    statements: list[Statement]

    @property
    def bits(self) -> float:
        """What the talea explains: all its statements but one."""
        bits = [statement.bits for statement in self.statements]
        return sum(bits) - max(bits)

    @property
    def span(self) -> tuple[int, int]:
        last = self.statements[-1]
        return self.statements[0].onset_ticks, _end_ticks(last)


def find_sections(
    line: Line, runs: Sequence[RhythmRun], cycles: set[int], *, is_called: bool
) -> list[TaleaSection]:
    """The sections of a voice in order.

    Args:
        line: the voice.
        runs: its runs, the strongest first.
        cycles: lengths in ticks of the taleae of other voices.
        is_called: whether the voice is isorhythmic by itself; if not, only taleae of those
            lengths are searched for.
    """
    chains: list[_Chain] = []
    spans = [(0, line.end_ticks)]
    while spans:
        span = spans.pop()
        min_bits = MIN_FURTHER_BITS if chains or not is_called else 0.0
        scaled = {cycle * scale for cycle in cycles for scale in SCALES}
        usable = (
            run
            for run in runs
            if (is_called and run.bits >= min_bits)
            or (run.cycle_ticks in scaled and run.bits >= MIN_JOINED_BITS)
        )
        chain = _best_chain(line, usable, span)
        if chain is None:
            continue
        chains.append(chain)
        cycles = cycles | {talea_ticks(chain.talea)}
        spans += [(span[0], chain.span[0]), (chain.span[1], span[1])]
    chains.sort(key=lambda chain: chain.span)
    ends = [*(chain.span[0] for chain in chains[1:]), line.end_ticks]
    return _labeled_sections([_completed(*pair) for pair in zip(chains, ends, strict=False)])


def _best_chain(line: Line, runs: Iterable[RhythmRun], span: tuple[int, int]) -> _Chain | None:
    """The chain that explains most; of those nearly as good the one with the shortest talea."""
    inside = (run for run in runs if _is_inside(line, run, span))
    chains = [
        chain
        for run in itertools.islice(inside, _N_CANDIDATES)
        for chain in _chains_of_run(line, run, span)
    ]
    best = max((chain.bits for chain in chains), default=0.0)
    good = [chain for chain in chains if chain.bits >= _NEARLY_BEST * best > 0]
    return min(good, key=lambda chain: (talea_ticks(chain.talea), -chain.bits), default=None)


def _is_inside(line: Line, run: RhythmRun, span: tuple[int, int]) -> bool:
    last = min(run.start + run.lag + run.length - 1, len(line.onsets) - 1)
    return bool(span[0] <= line.onsets[run.start] and line.onsets[last] < span[1])


def _chains_of_run(line: Line, run: RhythmRun, span: tuple[int, int]) -> Iterator[_Chain]:
    """Chains with the phase of the run's beginning, and with that of the span's beginning."""
    onset, cycle = int(line.onsets[run.start]), run.cycle_ticks
    starts = (span[0], max(span[0], line.first_note_ticks))
    phases = (onset, *(onset + (start - onset) % cycle for start in starts))
    for phase in dict.fromkeys(phases):
        talea = talea_at(line, phase, cycle)
        if talea is None:
            continue
        chain = _Chain(line, talea, TaleaChain(line, talea, span).statements(phase))
        chain = _completed(chain, span[1])
        if len(chain.statements) > 1:
            yield chain


def _completed(chain: _Chain, end_ticks: int) -> _Chain:
    """The chain with the statement that `end_ticks` cuts short, if there is one."""
    last = chain.statements[-1]
    if last.share < 1:
        return chain
    remainder = TaleaChain(chain.line, chain.talea, (0, end_ticks)).remainder(last, end_ticks)
    return replace(chain, statements=[*chain.statements, *([remainder] if remainder else [])])


def _labeled_sections(chains: Sequence[_Chain]) -> list[TaleaSection]:
    """Sections of all chains; a talea that is an earlier one at another speed has its letter."""
    sections: list[TaleaSection] = []
    firsts: list[Talea] = []  # the first section of each letter
    for chain in chains:
        for scale, group in itertools.groupby(chain.statements, key=lambda one: one.scale):
            talea = _scaled(chain.talea, scale)
            index = next((i for i, first in enumerate(firsts) if _ratio(talea, first)), len(firsts))
            if index == len(firsts):
                firsts.append(talea)
            statements = list(group)
            sections.append(
                TaleaSection(
                    label=chr(ord("A") + index),
                    talea=talea,
                    onsets=tuple(statement.onset_ticks for statement in statements),
                    end_ticks=_end_ticks(statements[-1]),
                    proportion=_ratio(talea, firsts[index]) or Fraction(1),
                    n_taleae=sum((statement.share for statement in statements), Fraction(0)),
                )
            )
    return sections


def _end_ticks(statement: Statement) -> int:
    return statement.onset_ticks + int(statement.duration_ticks * statement.share)


def _scaled(talea: Talea, scale: Fraction) -> Talea:
    return tuple(
        replace(value, duration_ticks=int(value.duration_ticks * scale)) for value in talea
    )


def _ratio(talea: Talea, other: Talea) -> Fraction | None:
    """By what the durations of `other` are multiplied in `talea`; None if the rhythm differs."""
    ratio = Fraction(talea_ticks(talea), talea_ticks(other))
    return ratio if _scaled(other, ratio) == talea else None
