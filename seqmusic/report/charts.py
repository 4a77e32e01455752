"""Charts of a report: lines and bars with their intervals, drawn small enough to be read on a phone (extra ``[report]``).

They are matplotlib figures; `figures.figure_svg` makes text of one for a page, `figures.write_figure` a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqmusic.report.figures import COLORS, GRAY, new_figure, settings

_WIDTH, _HEIGHT = (
    5.2,
    3.6,
)  # inches; at 11 points a phone shows the letters as large as its own small print
_STYLE: dict[str, object] = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
_MARKERS = "osD^v"
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_BAND_ALPHA = 0.18  # how much of its color the band of an interval has

ReferenceLine = tuple[str, float]
"""What a dashed line is named, and where it stands."""


@dataclass(frozen=True, slots=True)
class LineSeries:
    """One line of N points, with the interval of each where it is known.

    Attributes:
        label: what the legend calls it; "" keeps it out of the legend.
        x: (N,) where the points stand.
        y: (N,) their values.
        low, high: (N,) lower and upper end of each interval.
        is_guide: drawn gray and dashed without points, such as the diagonal of a reliability diagram.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    is_guide: bool = False


@dataclass(frozen=True, slots=True)
class BarSeries:
    """One bar for each of N names, with the interval of each where it is known: label, (N,) values, (N,) low and high ends."""

    label: str
    values: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def line_chart(
    lines: Sequence[LineSeries],
    *,
    x_label: str,
    y_label: str,
    title: str = "",
    log_x: bool = False,
    references: Sequence[ReferenceLine] = (),
) -> Any:
    """A figure of lines with their points and intervals; references are dashed lines across, named at their right end.

    Args:
        lines: at most five that are no guides; they differ in color, in the shape of their points and in their dashes.
        x_label: with the unit.
        y_label: with the unit.
        title: above the chart; "" for none.
        log_x: whether x is logarithmic; the ticks then stand where the points are.
        references: such as ("Bach", 0.72).

    Raises:
        MissingExtraError: matplotlib is not installed.
        ValueError: too many lines.
    """
    if (n := sum(not line.is_guide for line in lines)) > len(COLORS):
        raise ValueError(f"a chart tells {len(COLORS)} lines apart, got {n}; draw two charts")
    with settings(_STYLE):
        figure = new_figure(_WIDTH, _HEIGHT)
        panel = figure.subplots()
        if log_x:
            panel.set_xscale("log")
        for number, line in enumerate(line for line in lines if not line.is_guide):
            color = COLORS[number]
            if line.low is not None and line.high is not None:
                panel.fill_between(
                    line.x, line.low, line.high, color=color, alpha=_BAND_ALPHA, linewidth=0
                )
            style = {
                "color": color,
                "marker": _MARKERS[number],
                "markersize": 5,
                "linestyle": _DASHES[number],
            }
            panel.plot(line.x, line.y, label=line.label or None, **style)
        for line in lines:
            if line.is_guide:
                panel.plot(
                    line.x,
                    line.y,
                    label=line.label or None,
                    color=GRAY,
                    linestyle=(0, (2, 2)),
                    linewidth=1,
                )
        if log_x:
            ticks = sorted({x for line in lines if not line.is_guide for x in line.x})
            panel.set_xticks(ticks, [f"{x:g}" for x in ticks])
            panel.minorticks_off()
        for name, value in references:
            panel.axhline(value, color="black", linestyle=(0, (5, 3)), linewidth=1)
            panel.annotate(
                name,
                (1, value),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
            )
        panel.set(xlabel=x_label, ylabel=y_label)
        panel.grid(axis="y", color="#e4e4e4", linewidth=0.8)
        panel.set_axisbelow(True)
        _add_title_and_legend(figure, panel, title, len([line for line in lines if line.label]) > 1)
        return figure


def bar_chart(
    names: Sequence[str],
    bars: Sequence[BarSeries],
    *,
    x_label: str,
    title: str = "",
    format_value: str = "{:.3g}",
    references: Sequence[ReferenceLine] = (),
) -> Any:
    """A figure of horizontal bars from zero, the first name on top, each with its value; more sets of bars stand below each other.

    Args:
        names: N names.
        bars: at most five sets of N.
        x_label: with the unit.
        title: above the chart; "" for none.
        format_value: how the value at the end of a bar is written; "" for no values.
        references: dashed lines from top to bottom, named above.

    Raises:
        MissingExtraError: matplotlib is not installed.
        ValueError: too many sets.
    """
    if len(bars) > len(COLORS):
        raise ValueError(
            f"a chart tells {len(COLORS)} sets of bars apart, got {len(bars)}; draw two charts"
        )
    thickness = 0.8 / len(bars)
    with settings(_STYLE):
        figure = new_figure(_WIDTH, 1.1 + len(names) * max(0.28, 0.2 * len(bars)))
        panel = figure.subplots()
        for number, own in enumerate(bars):
            places = [row - 0.4 + (number + 0.5) * thickness for row in range(len(names))]
            panel.barh(
                places, own.values, thickness * 0.92, color=COLORS[number], label=own.label or None
            )
            ends = list(own.values)
            if own.low is not None and own.high is not None:
                panel.hlines(places, own.low, own.high, color="black", linewidth=1)
                ends = [max(end, high) for end, high in zip(ends, own.high, strict=True)]
            for place, end, value in zip(places, ends, own.values, strict=True):
                text = format_value.format(value)
                paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
                panel.annotate(
                    text,
                    (end, place),
                    xytext=(4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=9,
                    bbox=paper,
                )
        for name, value in references:
            panel.axvline(value, color="black", linestyle=(0, (5, 3)), linewidth=1)
            panel.annotate(
                name,
                (value, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
            )
        panel.set_yticks(range(len(names)), names)
        panel.tick_params(axis="y", length=0)
        panel.set(xlabel=x_label, ylim=(len(names) - 0.5, -0.5))
        panel.margins(x=0.14)
        _add_title_and_legend(figure, panel, title, len(bars) > 1)
        return figure


def _add_title_and_legend(figure: Any, panel: Any, title: str, has_legend: bool) -> None:
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    if has_legend:
        figure.legend(loc="outside lower center", ncols=2, fontsize=10)
