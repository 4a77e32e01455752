"""Meter: time signatures, and the bars that they divide a score into."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TICKS_PER_QUARTER = 24
TICKS_PER_SIXTEENTH = TICKS_PER_QUARTER // 4
TICKS_PER_WHOLE = TICKS_PER_QUARTER * 4


@dataclass(frozen=True, slots=True)
class TimeSignature:
    """A time signature such as 3/4: numerator 1..64 over a power of two up to 32.

    >>> TimeSignature(6, 8).bar_ticks
    72
    """

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        if not 1 <= self.numerator <= 64 or self.denominator not in (1, 2, 4, 8, 16, 32):
            raise ValueError(f"time signature must be 1..64 over 1, 2, 4, 8, 16 or 32, got {self}")

    @property
    def bar_ticks(self) -> int:
        """Length of a bar."""
        return self.numerator * TICKS_PER_WHOLE // self.denominator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"

    @classmethod
    def parse(cls, text: str) -> TimeSignature:
        """Read ``"3/4"``.

        Raises:
            ValueError: the text is not a time signature.
        """
        match = re.fullmatch(r"([0-9]+)/([0-9]+)", text.strip())
        if match is None:
            raise ValueError(f"a time signature is written like 3/4, got {text!r}")
        return cls(int(match[1]), int(match[2]))


TimeSignatures = tuple[tuple[int, TimeSignature], ...]
"""(tick, time signature) pairs, the first at tick 0, ticks rising; empty if no meter is known."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, numbered as on the printed page: a pickup is bar 0, the first full bar is bar 1."""

    number: int
    onset_ticks: int
    duration_ticks: int
    time_signature: TimeSignature

    @property
    def end_ticks(self) -> int:
        """First tick after the bar."""
        return self.onset_ticks + self.duration_ticks


def iterate_bars(signatures: TimeSignatures, pickup_ticks: int, end_ticks: int) -> Iterator[Bar]:
    """Bars from tick 0 until every tick before `end_ticks` is covered; none without a meter."""
    if not signatures:
        return
    onset, number = 0, 0 if pickup_ticks else 1
    current = 0
    while onset < end_ticks:
        while current + 1 < len(signatures) and signatures[current + 1][0] <= onset:
            current += 1
        signature = signatures[current][1]
        duration = pickup_ticks if number == 0 else signature.bar_ticks
        if current + 1 < len(signatures):
            duration = min(duration, signatures[current + 1][0] - onset)
        yield Bar(number, onset, duration, signature)
        onset, number = onset + duration, number + 1


def slice_meter(
    signatures: TimeSignatures, pickup_ticks: int, start: int, end: int
) -> tuple[TimeSignatures, int]:
    """Time signatures and pickup of the span from `start` to `end`, whose bar lines stay put.

    >>> slice_meter(((0, TimeSignature(3, 4)),), 0, start=24, end=96)
    (((0, TimeSignature(numerator=3, denominator=4)),), 48)
    """
    if not signatures:
        return (), 0
    bars = iterate_bars(signatures, pickup_ticks, max(end, start + 1))
    bar = next(bar for bar in bars if bar.onset_ticks <= start < bar.end_ticks)
    is_bar_line = start == bar.onset_ticks and bar.number > 0
    later = ((tick - start, signature) for tick, signature in signatures if start < tick < end)
    return ((0, bar.time_signature), *later), 0 if is_bar_line else bar.end_ticks - start
