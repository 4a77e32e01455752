"""The contratenor's talea: a second slow rhythm, which lasts as long as the tenor's.

It is the talea of the tenor read backwards, cut where the tenor reaches the final of a color, so
that both arrive there together. Where that instant would be a rest, it is a note.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from seqmusic.transformation.layout import Layout
from seqmusic.transformation.taleae import Step, Talea, joined_rests


class RhythmEvent(NamedTuple):
    """A note or rest of a rhythm."""

    onset_ticks: int
    end_ticks: int
    is_rest: bool


def contratenor_talea(
    talea: Talea, layout: Layout, cuts: frozenset[Fraction] = frozenset()
) -> Talea:
    """The talea of the contratenor.

    Args:
        talea: of the tenor.
        layout: of the tenor.
        cuts: positions in units where notes are cut besides.

    >>> from seqmusic.transformation.layout import lay_out
    >>> from seqmusic.transformation.taleae import TALEAE
    >>> o_canenda = TALEAE["o-canenda"]
    >>> print(contratenor_talea(o_canenda, lay_out([60] * 16, o_canenda, o_canenda.sections)))
    R1 1 2 2 R2 2 2
    """
    onsets = [Fraction(0)]
    for step in talea.steps:
        onsets.append(onsets[-1] + step.units)
    finals = {onsets[layout.phases[index]] for index in layout.color_ends}
    return Talea(steps=tuple(joined_rests(_cut_steps(talea.steps[::-1], finals, cuts))))


def _cut_steps(
    steps: tuple[Step, ...], finals: set[Fraction], cuts: frozenset[Fraction]
) -> Iterator[Step]:
    now = Fraction(0)
    for step in steps:
        end = now + step.units
        inside = finals | cuts
        positions = [now, *sorted(one for one in inside if now < one < end), end]
        for start, stop in itertools.pairwise(positions):
            yield Step(stop - start, step.is_rest and start not in finals)
        now = end


def contratenor_rhythm(talea: Talea, contratenor: Talea, layout: Layout) -> list[RhythmEvent]:
    """The notes and rests of the contratenor from the first talea to the end of the piece.

    Args:
        talea: of the tenor.
        contratenor: of the contratenor, as long.
        layout: of the tenor.
    """
    events = []
    final = layout.notes[-1].onset_ticks
    for span, onsets in zip(layout.taleae, layout.step_onsets, strict=True):
        now = Fraction(0)
        for step in contratenor.steps:
            start = _tick(now, talea, onsets, span.end_ticks, layout)
            end = _tick(now + step.units, talea, onsets, span.end_ticks, layout)
            now += step.units
            if start < min(end, final):
                events.append(RhythmEvent(start, min(end, final), step.is_rest))
    return merged_rests([*events, RhythmEvent(final, layout.end_ticks, False)])


def merged_rests(events: Iterable[RhythmEvent]) -> list[RhythmEvent]:
    """The events, of which rests that follow each other are one."""
    merged: list[RhythmEvent] = []
    for event in events:
        before = merged[-1] if merged else None
        if before and before.is_rest and event.is_rest and before.end_ticks == event.onset_ticks:
            merged[-1] = before._replace(end_ticks=event.end_ticks)
        else:
            merged.append(event)
    return merged


def _tick(
    units: Fraction, talea: Talea, onsets: tuple[int, ...], end_ticks: int, layout: Layout
) -> int:
    """The tick of a position in a talea, whose steps may have different proportions."""
    start = Fraction(0)
    for step, onset in zip(talea.steps, onsets, strict=False):
        if units < start + step.units:
            ratio = layout.ratio_at(onset)
            return onset + int((units - start) * layout.unit_ticks * ratio)
        start += step.units
    return end_ticks
