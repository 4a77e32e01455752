"""Measures as printed: arithmetic between the bar grid of a score and the bar lines of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from seqmusic.score import TICKS_PER_QUARTER, TICKS_PER_WHOLE, Bar, Score, TimeSignature


class PrintedMeasure(NamedTuple):
    """What stands between two bar lines of a page.

    Attributes:
        onset_ticks: from the beginning of the score.
        duration_ticks: length up to the next bar line, which need not be a whole bar.
        number: as printed; a pickup is often 0.
        time_signature: the one written at its start, if any.
    """

    onset_ticks: int
    duration_ticks: int
    number: int
    time_signature: TimeSignature | None


def printed_bars(score: Score) -> list[Bar]:
    """The bars to print, at least one; the last one ends with the music, unless it is a pickup.

    Where no meter is known, each lasts a whole note.
    """
    signatures = score.time_signatures
    if signatures:
        bars = score.bars(max(score.end_ticks, signatures[-1][0] + 1))
    else:
        whole, n_bars = TICKS_PER_WHOLE, max(1, -(-score.end_ticks // TICKS_PER_WHOLE))
        bars = [Bar(i + 1, i * whole, whole, TimeSignature(4, 4)) for i in range(n_bars)]
    last = bars[-1]
    if last.number and last.onset_ticks < score.end_ticks < last.end_ticks:
        bars[-1] = replace(last, duration_ticks=score.end_ticks - last.onset_ticks)
    return bars


def position_in_bar(bar: Bar, onset_ticks: int) -> int:
    """Ticks from the beginning of the bar; a pickup counts as the end of a whole bar.

    >>> position_in_bar(Bar(0, 0, 24, TimeSignature(3, 4)), 12)
    60
    """
    missing = bar.time_signature.bar_ticks - bar.duration_ticks if bar.number == 0 else 0
    return onset_ticks - bar.onset_ticks + missing


def is_compound(signature: TimeSignature) -> bool:
    """Whether three units make a beat, as in 6/8, 9/8 and 6/4; in 3/8 each unit is a beat."""
    return signature.numerator > 3 and signature.numerator % 3 == 0


def beat_ticks(signature: TimeSignature) -> int:
    """How long a beat is: one unit of the time signature, or three in a compound meter."""
    n_units = 3 if is_compound(signature) else 1
    return n_units * TICKS_PER_WHOLE // signature.denominator


def beam_ticks(signature: TimeSignature) -> int:
    """How long the stretches are that share beams: a quarter, or three units of 3/8, 6/8 or 6/16.

    In 6/4 a beat is longer than that, and in 3/8 the three beats of a bar share their beams.

    >>> [beam_ticks(TimeSignature(n, d)) for n, d in ((4, 4), (6, 4), (3, 8), (12, 8), (6, 16))]
    [24, 24, 36, 36, 18]
    """
    if signature.denominator >= 8 and signature.numerator % 3 == 0:
        return 3 * TICKS_PER_WHOLE // signature.denominator
    return TICKS_PER_QUARTER


def meter_from_measures(
    measures: Sequence[PrintedMeasure],
) -> tuple[int, tuple[tuple[int, TimeSignature], ...]]:
    """Pickup, and time signatures with their ticks, whose bar grid has the bar lines of the page.

    They are 0 and () where no time signature is written. A first measure shorter than a bar is a
    pickup. Later measures that fill one bar together, as around a repeat sign, are one bar. After
    a measure that leaves its bar incomplete otherwise, the same time signature is set again, which
    cuts the bar short. A time signature repeated where a bar begins anyway is dropped.

    Raises:
        ValueError: the first time signature comes after the first measure.
    """
    if all(measure.time_signature is None for measure in measures):
        return 0, ()
    if measures[0].time_signature is None:
        raise ValueError("the first measure has no time signature, and a later one has")
    pickup = _pickup_ticks(measures)
    signatures = [(0, measures[0].time_signature)]
    signatures.extend(_later_signatures(measures[1 if pickup else 0 :], measures[0].time_signature))
    return pickup, tuple(signatures)


def _pickup_ticks(measures: Sequence[PrintedMeasure]) -> int:
    first = measures[0]
    assert first.time_signature
    if not 0 < first.duration_ticks < first.time_signature.bar_ticks:
        return 0
    is_cut_short = len(measures) == 1 or measures[1].time_signature is not None
    return first.duration_ticks if first.number == 0 or not is_cut_short else 0


def _later_signatures(
    measures: Sequence[PrintedMeasure], current: TimeSignature
) -> Iterator[tuple[int, TimeSignature]]:
    inside = 0  # ticks since the last bar line of the grid
    is_overlong = False  # whether the measure before crossed a bar line of the grid
    for measure in measures:
        written = measure.time_signature or current
        is_broken = inside and (
            measure.time_signature
            or is_overlong
            or inside + measure.duration_ticks > current.bar_ticks
        )
        if written != current or is_broken:
            yield measure.onset_ticks, written
            current, inside = written, 0
        is_overlong = inside + measure.duration_ticks > current.bar_ticks
        inside = (inside + measure.duration_ticks) % current.bar_ticks
