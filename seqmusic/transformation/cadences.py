"""The cadences of a motet: where the tenor falls to its final, and where the other voices go.

Over the final sound fifth and octave, in four voices also the twelfth. Before it the third and the
sixth over the tenor's last note but one are major, so that one voice rises to the octave and one to
the fifth or twelfth, each by semitone: the double leading tone. Where the tenor itself falls by a
semitone, they rise by a tone.

Source: the final cadences of ten isorhythmic motets in the trecento collection of music21; five of
the seven in four voices have both leading tones, and all end so.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from seqmusic.transformation.motet_plan import MotetPlan

_MAJOR_THIRD, _MAJOR_SIXTH, _FIFTH, _OCTAVE, _TWELFTH = 4, 9, 7, 12, 19


class Cadence(NamedTuple):
    """The end of a color.

    Attributes:
        before: index of the tenor's last note but one.
        approach_ticks: from where to the arrival the leading tones sound.
        arrival_ticks: where the final begins.
    """

    before: int
    approach_ticks: int
    arrival_ticks: int


def cadences(plan: MotetPlan) -> Iterator[Cadence]:
    """The cadence of each color; the last one is that of the piece.

    The leading tones last as long as the largest value without its dot. They leave the beginning
    of the tenor's note before the final free where a perfect sonority belongs there.
    """
    notes = plan.layout.notes
    for index in plan.layout.color_ends:
        arrival, before = notes[index].onset_ticks, notes[index - 1].onset_ticks
        ratio = plan.layout.ratio_at(before)
        approach = max(before, arrival - leading_tone_ticks(plan, ratio))
        if approach == before and index - 1 in plan.layout.joints:
            grid = plan.grid_ticks(ratio)
            approach += max(1, (arrival - before) // (2 * grid)) * grid
        yield Cadence(index - 1, approach, arrival)


def leading_tone_ticks(plan: MotetPlan, ratio: Fraction) -> int:
    """How long a leading tone lasts at most in a section: the largest value without its dot."""
    return plan.largest_value(ratio) * 2 // 3


def arrival_pitches(plan: MotetPlan) -> dict[str, int]:
    """The pitch of each composed voice over the final, by its role."""
    final = plan.color.pitches[-1]
    if plan.settings.voices == 3:
        return {"Motetus": final + _FIFTH, "Triplum": final + _OCTAVE}
    return {
        "Contratenor": final + _FIFTH,
        "Motetus": final + _OCTAVE,
        "Triplum": final + _TWELFTH,
    }


def leading_tones(plan: MotetPlan) -> dict[str, int]:
    """The pitch of the two upper voices before the final, by their role."""
    before = plan.color.pitches[-2]
    if plan.settings.voices == 3:
        return {"Motetus": before + _MAJOR_THIRD, "Triplum": before + _MAJOR_SIXTH}
    return {
        "Motetus": before + _MAJOR_SIXTH,
        "Triplum": before + _MAJOR_THIRD + _OCTAVE,
    }


def contratenor_classes(plan: MotetPlan) -> frozenset[int]:
    """Pitch classes of the contratenor under the leading tones: those of the other voices."""
    before = plan.color.pitches[-2]
    return frozenset((before + interval) % 12 for interval in (0, _MAJOR_THIRD, _MAJOR_SIXTH))
