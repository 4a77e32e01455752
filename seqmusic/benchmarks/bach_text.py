"""The comparisons with Bach as text for a reader, and as values for JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence

from seqmusic.benchmarks.bach import Comparison
from seqmusic.metrics.rates import RateEstimate
from seqmusic.metrics.two_sample.judges import Sign
from seqmusic.metrics.two_sample.separation import Separation
from seqmusic.metrics.two_sample.windows import WINDOW_STEPS


def comparisons_text(comparisons: Sequence[Comparison]) -> str:
    """A table of the AUCs, and for each comparison the measures of style and strongest signs."""
    return "\n".join(
        [
            f"separation from held-out Bach, {WINDOW_STEPS} steps at a time: AUC, 0.5 = none",
            f"  {'':<34}{'windows':>9}  {'linear judge':>20}  {'trees':>20}",
            *map(_separation_row, comparisons),
            *(line for comparison in comparisons for line in _details(comparison)),
        ]
    )


def comparisons_values(comparisons: Sequence[Comparison]) -> dict[str, object]:
    """All figures by the names of the comparisons, as JSON holds them."""
    return {one.name: _values(one) for one in comparisons}


def _separation_row(comparison: Comparison) -> str:
    cells = "".join(f"  {_interval(one):>20}" for one in comparison.separations.values())
    return f"  {comparison.name:<34}{comparison.n_windows[1]:>9}{cells}"


def _interval(one: Separation) -> str:
    return f"{one.auc:.3f} [{one.low:.2f}..{one.high:.2f}]"


def _details(comparison: Comparison) -> list[str]:
    measures = [
        f"  {f'{bach.name}, {bach.unit}':<64}{_figure(bach):>26}{_figure(other):>26}"
        for bach, other in zip(comparison.bach, comparison.other, strict=True)
        if not math.isnan(bach.value) and not math.isnan(other.value)
    ]
    return [
        "",
        f"{comparison.name}",
        f"  {'':<64}{'Bach':>26}{'here':>26}",
        *measures,
        "  what gives it away, strongest first:",
        *(f"  - {_sign_text(sign)}" for sign in comparison.signs),
    ]


def _figure(estimate: RateEstimate) -> str:
    return f"{estimate.value:.3g} [{estimate.low:.3g}..{estimate.high:.3g}]"


def _sign_text(sign: Sign) -> str:
    return f"{sign.name}: Bach {sign.share:.1%}, here {sign.other_share:.1%} {sign.unit}"


def _values(comparison: Comparison) -> dict[str, object]:
    return {
        "works": comparison.n_works,
        "tunes": comparison.n_tunes,
        "windows": list(comparison.n_windows),
        "judges": {
            name: {"auc": one.auc, "interval": [one.low, one.high]}
            for name, one in comparison.separations.items()
        },
        "signs": [
            {
                "name": sign.name,
                "unit": sign.unit,
                "bach": sign.share,
                "here": sign.other_share,
                "strength": sign.strength,
            }
            for sign in comparison.signs
        ],
        "measures": {
            bach.name: {"unit": bach.unit, "bach": _estimate(bach), "here": _estimate(other)}
            for bach, other in zip(comparison.bach, comparison.other, strict=True)
        },
    }


def _estimate(one: RateEstimate) -> dict[str, object] | None:
    """None where there was no opportunity: JSON has no nan."""
    if math.isnan(one.value):
        return None
    return {"value": one.value, "interval": [one.low, one.high]}
