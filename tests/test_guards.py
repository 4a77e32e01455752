"""Guards: which bounds a model must keep, and which of them is seen to break."""

from __future__ import annotations

import math

import pytest

from seqmusic.alignment.assessment import DIVERSITY, HELD, LONGEST_COPY, NATS, NOTES, UNITS, Figures
from seqmusic.alignment.guards import Guard, check_guards
from seqmusic.alignment.results import AlignmentResults
from seqmusic.alignment.settings import AlignmentSettings
from seqmusic.evaluation.estimates import Estimate
from seqmusic.metrics.two_sample.judges import LINEAR, TREES

BASE: Figures = {name: Estimate(10.0, 9.0, 11.0) for name in UNITS} | {
    "divergence from the base": Estimate(0.0, 0.0, 0.0)
}
BACH: Figures = {name: Estimate(14.0, 13.0, 15.0) for name in UNITS}


def broken(**changes: float) -> list[str]:
    """Names of the guards that a model breaks whose figures differ from the base in these."""
    chosen = changes.pop("chosen", 0.0)
    moved = {
        name.replace("_", " "): Estimate(value, value, value) for name, value in changes.items()
    }
    guards = check_guards(BASE | moved, BASE, BACH, chosen_change=chosen)
    return [guard.name for guard in guards if not guard.holds]


def test_the_base_keeps_all_guards() -> None:
    assert broken() == []


@pytest.mark.parametrize(
    ("name", "kept", "lost"),
    [
        (NATS, 10.3, 10.31),
        ("divergence from the base", 0.15, 0.16),
        (NOTES, 15.0, 15.1),  # the upper end of Bach's interval
        (NOTES, 9.0, 8.9),  # the lower end of the base's
        (HELD, 13.0, 15.2),
        (DIVERSITY, 9.5, 9.4),  # five percent less than that of the base
        (LONGEST_COPY, 0.0, 15.1),
        ("parallels", 0.0, 15.1),
        (LINEAR, 0.0, 11.1),
        (TREES, 0.0, 11.1),  # Bach's own figure is no measure for a judge
    ],
)
def test_each_guard_breaks_beyond_its_bound_alone(name: str, kept: float, lost: float) -> None:
    assert broken(**{name: kept}) == []
    assert broken(**{name: lost}) == [name]


def test_a_preferred_passage_that_grows_much_less_likely_breaks_a_guard() -> None:
    assert broken(chosen=-5.0) == []
    assert broken(chosen=-5.1) == ["change of the chosen"]


def test_what_is_unknown_breaks_nothing() -> None:
    assert broken(parallels=math.nan) == []


def test_rounds_are_kept_up_to_the_first_that_breaks_a_guard() -> None:
    good, bad = Guard("a", "", 1.0, 0.0, 2.0), Guard("b", "", 3.0, 0.0, 2.0)

    def n_kept(*guards: tuple[Guard, ...]) -> int:
        return AlignmentResults("m", "rules", AlignmentSettings(), {}, {}, (), guards).n_kept

    assert n_kept((good,), (good, good)) == 2
    assert n_kept((good,), (good, bad), (good,)) == 1
    assert n_kept((bad,)) == 0
