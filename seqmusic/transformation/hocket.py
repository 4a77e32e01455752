"""Hocket: the two upper voices take turns, note against rest, before the last note of a talea."""

from __future__ import annotations

from collections.abc import Iterator

from seqmusic.transformation.cadences import cadences
from seqmusic.transformation.contratenor import RhythmEvent
from seqmusic.transformation.motet_plan import MotetPlan

_N_NOTES = 8  # notes of the two voices together
_FIRST = "Triplum"


def hocket_spans(plan: MotetPlan) -> Iterator[tuple[int, int, int]]:
    """Onset, end and value in ticks of each hocket.

    It has eight notes of a third of the largest value, or as many as there is room for since the
    talea began. It ends before the leading tones of a cadence; where a cadence is in the way, the
    talea has no hocket.
    """
    layout, arrivals = plan.layout, list(cadences(plan))
    for span in layout.taleae:
        indices = layout.talea_notes(span)
        if not indices:
            continue
        last = layout.notes[indices[-1]]
        value = max(3, plan.largest_value(layout.ratio_at(last.onset_ticks)) // 3)
        end = last.onset_ticks - 2 * value
        start = max(span.onset_ticks, end - _N_NOTES * value)
        n_notes = (end - start) // value // 2 * 2
        is_cut = layout.ratio_at(start) != layout.ratio_at(end)
        cuts = any(start <= one.arrival_ticks and one.approach_ticks < end for one in arrivals)
        if n_notes >= 4 and not is_cut and not cuts:
            yield end - n_notes * value, end, value


def hocket_events(plan: MotetPlan, role: str) -> Iterator[RhythmEvent]:
    """Notes and rests of an upper voice in all hockets."""
    for start, end, value in hocket_spans(plan):
        for number, onset in enumerate(range(start, end, value)):
            yield RhythmEvent(onset, onset + value, number % 2 == (role == _FIRST))
