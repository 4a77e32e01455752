"""Faults counted per opportunity and per time."""

from __future__ import annotations

from seqmusic.alignment.faults import RULES, count_faults, scores_per_opportunity, scores_per_time
from seqmusic.formats.theme import parse_theme
from seqmusic.metrics.rates import Rate
from seqmusic.score import Score


def rates(hits: int, opportunities: int) -> list[Rate]:
    """The first rule alone."""
    return [Rate(hits, opportunities), *[Rate(0, 0)] * (len(RULES) - 1)]


def test_more_opportunities_at_the_average_rate_are_neither_reward_nor_penalty() -> None:
    scores = scores_per_opportunity([rates(1, 10), rates(2, 20), rates(4, 40)])
    assert scores.tolist() == [0.0, 0.0, 0.0]


def test_per_time_fewer_opportunities_are_rewarded() -> None:
    bar = parse_theme("C5:1/1")
    few, many = scores_per_time([rates(1, 10), rates(2, 20)], [bar, bar])
    assert few > many


def test_each_rule_sees_its_fault() -> None:
    seventh_stays_up = parse_theme("D5 E5 ; B4 C5 ; F4 G4 ; G3 C3")
    faults = dict(zip((rule.name for rule in RULES), count_faults(seventh_stays_up), strict=True))
    assert faults["unresolved sevenths"] == Rate(1, 1)
    assert faults["unresolved leading tones"] == Rate(0, 1)
    parallel: Score = parse_theme("G5 A5 ; C5 D5")
    assert count_faults(parallel)[0] == Rate(1, 1)
