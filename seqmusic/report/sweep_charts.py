"""The figures of a temperature sweep: one panel over temperatures, and one over min-p beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqmusic.evaluation.estimates import UNITS, Estimate
from seqmusic.evaluation.sampling_settings import DEFAULT_RULES, LADDERS, MIN_P, MODEL_ALONE
from seqmusic.evaluation.temperature_sweep import TemperatureSweep
from seqmusic.report.charts import BAND_ALPHA, CHART_STYLE, add_horizontal_grid
from seqmusic.report.figures import COLORS, GRAY, matplotlib_settings, new_figure

WORKS_LABEL = "held-out works"
_SIZE = 5.2, 3.3  # inches
_STYLE = {**CHART_STYLE, "font.size": 10}
# Color, marker and dashes of each ladder.
_LADDER_STYLES = {
    MODEL_ALONE: (COLORS[0], "o", "-"),
    DEFAULT_RULES: (COLORS[1], "s", "--"),
    MIN_P: (COLORS[2], "D", "-."),
}
_MIN_P_LABEL = "min-p, model alone at temperature 1"


def measure_figure(sweep: TemperatureSweep, name: str) -> Any:
    """One measure over the settings, beside that of the works."""
    with matplotlib_settings(_STYLE):
        figure, (left, right) = _two_panels(f"{name}, {UNITS[name]}")
        for ladder in LADDERS:
            points = [point for point in sweep.points if point.setting.ladder == ladder]
            levels = [point.setting.level for point in points]
            panel = right if ladder == MIN_P else left
            _draw_ladder(panel, ladder, levels, [point.estimates[name] for point in points])
        floor = sweep.floors.get(name)
        _draw_works(left, sweep.works[name], floor, is_labeled=True)
        _draw_works(right, sweep.works[name], floor, is_labeled=False)
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
        return figure


def mean_gap_figure(sweep: TemperatureSweep) -> Any:
    """The mean gap over the settings, with the recommended one in a circle."""
    mean_gaps, recommended = sweep.mean_gaps(), sweep.recommended()
    with matplotlib_settings(_STYLE):
        figure, (left, right) = _two_panels("mean gap to the held-out works, 0 to 1")
        for ladder in LADDERS:
            settings = [point.setting for point in sweep.points if point.setting.ladder == ladder]
            gaps = [mean_gaps[setting.name] for setting in settings]
            panel = right if ladder == MIN_P else left
            levels = [setting.level for setting in settings]
            _draw_ladder(panel, ladder, levels, [Estimate(gap, gap, gap) for gap in gaps])
        (right if recommended.ladder == MIN_P else left).scatter(
            recommended.level,
            mean_gaps[recommended.name],
            s=170,
            facecolors="none",
            edgecolors="black",
            linewidths=1.3,
            label="recommended",
        )
        left.set_ylim(bottom=0)
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
        return figure


def capitalized(text: str) -> str:
    """The text with a capital first letter; all others stay as they are."""
    return text[:1].upper() + text[1:]


def _two_panels(title: str) -> tuple[Any, Any]:
    """A figure with a panel for temperatures and one for min-p, both with the same y axis."""
    figure = new_figure(*_SIZE)
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    figure.suptitle(capitalized(title), x=0.01, ha="left", fontsize=11)
    for panel, label in zip(panels, ("temperature", "min-p"), strict=True):
        panel.set_xlabel(label)
        add_horizontal_grid(panel)
    return figure, panels


def _draw_ladder(
    panel: Any, ladder: str, levels: Sequence[float], estimates: Sequence[Estimate]
) -> None:
    color, marker, dashes = _LADDER_STYLES[ladder]
    low, high = [e.low for e in estimates], [e.high for e in estimates]
    panel.fill_between(levels, low, high, color=color, alpha=BAND_ALPHA, linewidth=0)
    panel.plot(
        levels,
        [estimate.value for estimate in estimates],
        color=color,
        marker=marker,
        linestyle=dashes,
        markersize=4.5,
        label=_MIN_P_LABEL if ladder == MIN_P else ladder,
    )


def _draw_works(panel: Any, works: Estimate, floor: float | None, *, is_labeled: bool) -> None:
    """Draw the value of the works with its interval, and the floor of a distance."""
    panel.axhspan(works.low, works.high, color="black", alpha=0.07, linewidth=0)
    label = WORKS_LABEL if is_labeled else None
    panel.axhline(works.value, color="black", linestyle=(0, (5, 3)), linewidth=1, label=label)
    if floor is not None:
        label = "halves of the training works" if is_labeled else None
        panel.axhline(floor, color=GRAY, linestyle=":", linewidth=1.2, label=label)
