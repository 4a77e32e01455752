"""Running figures of an endless piece, beside those of Bach."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from seqmusic.metrics.harmony import dominant_tonic_motion, root_position_triads
from seqmusic.metrics.rates import Rate
from seqmusic.metrics.voice_leading import crossings, parallel_fifths_and_octaves, steps
from seqmusic.score import Score

N_RUNNING = 50  # segments
FIGURES: Mapping[str, Callable[[Score], Rate]] = {
    "parallels": parallel_fifths_and_octaves,
    "crossings": crossings,
    "steps": steps,
    "root_position": root_position_triads,
    "dominant_tonic": dominant_tonic_motion,
}
BACH: Mapping[str, float] = {
    "parallels": 0.00152,
    "crossings": 0.0294,
    "steps": 0.754,
    "root_position": 0.527,
    "dominant_tonic": 0.089,
}
"""Shares in held-out chorales, as the tables of results give them."""


def segment_figures(score: Score) -> dict[str, Rate]:
    """Each figure of a score: how often it happens, and how often it could."""
    return {name: count(score) for name, count in FIGURES.items()}


class RunningFigures:
    """The figures of the last fifty segments."""

    def __init__(self) -> None:
        self._rates: deque[Mapping[str, Rate]] = deque(maxlen=N_RUNNING)

    def add(self, score: Score) -> None:
        """Count a segment."""
        self._rates.append(segment_figures(score))

    def shares(self) -> dict[str, float]:
        """Each figure over those segments together, 0..1; 0 without opportunities."""
        return {name: self._share(name) for name in FIGURES}

    def _share(self, name: str) -> float:
        rates = [rates[name] for rates in self._rates]
        n = sum(rate.opportunities for rate in rates)
        return sum(rate.hits for rate in rates) / n if n else 0.0
