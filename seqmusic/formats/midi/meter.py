"""Time signatures and pickup of a score as events of a MIDI file, and back.

A pickup is a bar of its own length, such as one of 1/4 before bars of 4/4.
"""

from __future__ import annotations

from seqmusic.formats.time_grid import fraction_of_whole
from seqmusic.score import TimeSignature

Meter = tuple[tuple[int, TimeSignature], ...]
"""(tick, time signature) pairs, ticks rising."""
DEFAULT_METER: Meter = ((0, TimeSignature(4, 4)),)
_MAX_NUMERATOR = 64


def meter_to_events(signatures: Meter, pickup_ticks: int) -> Meter:
    """The time signatures as events, 4/4 where there are none.

    The pickup is a bar of its own where a time signature is as long as it.

    >>> four = TimeSignature(4, 4)
    >>> [(tick, str(signature)) for tick, signature in meter_to_events(((0, four),), 36)]
    [(0, '3/8'), (36, '4/4')]
    """
    if not pickup_ticks:
        return signatures or DEFAULT_METER
    fraction = fraction_of_whole(pickup_ticks, signatures[0][1].denominator)
    if not fraction or fraction[0] > _MAX_NUMERATOR:
        return signatures
    events = {0: TimeSignature(*fraction), pickup_ticks: signatures[0][1]}
    return tuple((events | {tick: signature for tick, signature in signatures if tick}).items())


def events_to_meter(events: Meter) -> tuple[Meter, int]:
    """Time signatures and pickup in ticks; a first bar that is shorter than the next is a pickup.

    >>> events_to_meter(((0, TimeSignature(1, 4)), (24, TimeSignature(4, 4))))
    (((0, TimeSignature(numerator=4, denominator=4)),), 24)
    """
    pickup = 0
    if len(events) > 1:
        (_, first), (tick, second) = events[:2]
        if tick <= first.bar_ticks and tick < second.bar_ticks:
            pickup, events = tick, ((0, second), *events[2:])
    return _without_redundant_signatures(events, pickup), pickup


def _without_redundant_signatures(events: Meter, pickup_ticks: int) -> Meter:
    """Without the time signatures that equal the one before them and are on a bar line."""
    kept, onset = [events[0]], pickup_ticks
    for tick, signature in events[1:]:
        if signature != kept[-1][1] or (tick - onset) % signature.bar_ticks:
            kept.append((tick, signature))
            onset = tick
    return tuple(kept)
