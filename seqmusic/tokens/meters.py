"""Meters by their TIMESIG ids: the length of a bar, and the position of a tick in its bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqmusic.score import TICKS_PER_WHOLE
from seqmusic.tokens.vocabulary import MAX_DURATION, N_TIMESIGS, TIMESIG, id_to_timesig

_SIGNATURES = [id_to_timesig(TIMESIG + index) for index in range(N_TIMESIGS)]
BAR_TICKS = tuple(TICKS_PER_WHOLE if s is None else s.bar_ticks for s in _SIGNATURES)
"""Ticks in a bar of each meter; without a meter, those of a whole note."""
BAR_TICKS_ARRAY = np.array(BAR_TICKS)


def max_pickup_ticks(meter: int) -> int:
    """Ticks of the longest pickup of a TIMESIG id: less than a bar, none without a meter."""
    return 0 if meter == TIMESIG else min(MAX_DURATION, BAR_TICKS[meter - TIMESIG] - 1)


def meter_at(meters: Sequence[tuple[int, int]], pickup: int, tick: int) -> tuple[int, int]:
    """The meter in force at a tick, and where in its bar the tick falls.

    Args:
        meters: (tick, TIMESIG id) of the first meter and of each change, in order.
        pickup: ticks before the first bar line.
        tick: where.

    Returns:
        TIMESIG id, and ticks since the bar line.

    >>> from seqmusic.score import TimeSignature
    >>> from seqmusic.tokens.vocabulary import timesig_to_id
    >>> meter_at([(0, timesig_to_id(TimeSignature(3, 4)))], 24, 12)[1]  # 60 ticks into the bar
    60
    """
    bar_start, sound = pickup, meters[0][1]
    for change_tick, changed_sound in meters[1:]:
        if change_tick <= tick:
            bar_start, sound = change_tick, changed_sound
    return sound, (tick - bar_start) % BAR_TICKS[sound - TIMESIG]
