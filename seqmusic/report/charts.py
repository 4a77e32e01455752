"""Charts of a report: lines and bars with their intervals, legible on a phone.

They are matplotlib figures (extra ``[report]``): `figures.figure_svg` turns one into text for a
page, `figures.write_figure` into a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqmusic.report.figures import COLORS, GRAY, matplotlib_settings, new_figure

_WIDTH, _HEIGHT = 5.2, 3.6  # inches: on a phone the letters are as large as its own small print
CHART_STYLE: dict[str, object] = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
"""The settings of matplotlib that all charts have in common."""
_MARKERS = "osD^v"
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_REFERENCE_STYLE: dict[str, Any] = {"color": "black", "linestyle": (0, (5, 3)), "linewidth": 1}
BAND_ALPHA = 0.18  # opacity of the band of an interval

ReferenceLine = tuple[str, float]
"""The name of a dashed line, and its value."""


@dataclass(frozen=True, slots=True)
class LineSeries:
    """One line of N points, with the interval of each where it is known.

    Attributes:
        label: its name in the legend; "" keeps it out of the legend.
        x: (N,) positions of the points.
        y: (N,) their values.
        low, high: (N,) lower and upper end of each interval.
        is_guide: drawn gray and dashed without points, such as the diagonal of a reliability
            diagram.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    is_guide: bool = False


@dataclass(frozen=True, slots=True)
class BarSeries:
    """One bar for each of N names, with the interval of each where it is known.

    Attributes:
        label: the name of the series in the legend.
        values: (N,) lengths of the bars.
        low, high: (N,) lower and upper end of each interval.
    """

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
    """A figure of lines with their points and intervals.

    Args:
        lines: at most five that are no guides; they differ in color, marker and dashes.
        x_label: with the unit.
        y_label: with the unit.
        title: above the chart; "" for none.
        log_x: whether x is logarithmic; the ticks then stand where the points are.
        references: horizontal dashed lines, such as ("Bach", 0.72), named at their right end.

    Raises:
        MissingExtraError: matplotlib is not installed.
        ValueError: there are too many lines.
    """
    measured = [line for line in lines if not line.is_guide]
    _require_distinguishable("lines", len(measured))
    with matplotlib_settings(CHART_STYLE):
        figure = new_figure(_WIDTH, _HEIGHT)
        panel = figure.subplots()
        if log_x:
            _make_logarithmic(panel, sorted({x for line in measured for x in line.x}))
        for number, line in enumerate(measured):
            _draw_line(panel, line, number)
        for guide in (line for line in lines if line.is_guide):
            _draw_guide(panel, guide)
        for name, value in references:
            _draw_horizontal_reference(panel, name, value)
        panel.set(xlabel=x_label, ylabel=y_label)
        add_horizontal_grid(panel)
        _add_title_and_legend(figure, title, has_legend=sum(bool(line.label) for line in lines) > 1)
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
    """A figure of horizontal bars that begin at zero, each followed by its value.

    Args:
        names: N names, the first on top.
        bars: at most five series of N; the bars of one name stand below each other.
        x_label: with the unit.
        title: above the chart; "" for none.
        format_value: how the value at the end of a bar is written; "" for no values.
        references: vertical dashed lines, named above.

    Raises:
        MissingExtraError: matplotlib is not installed.
        ValueError: there are too many series.
    """
    _require_distinguishable("sets of bars", len(bars))
    thickness = 0.8 / len(bars)
    with matplotlib_settings(CHART_STYLE):
        figure = new_figure(_WIDTH, 1.1 + len(names) * max(0.28, 0.2 * len(bars)))
        panel = figure.subplots()
        for number, series in enumerate(bars):
            rows = [row - 0.4 + (number + 0.5) * thickness for row in range(len(names))]
            _draw_bars(panel, series, rows, COLORS[number], 0.92 * thickness)
            _write_bar_values(panel, series, rows, format_value)
        for name, value in references:
            _draw_vertical_reference(panel, name, value)
        panel.set_yticks(range(len(names)), names)
        panel.tick_params(axis="y", length=0)
        panel.set(xlabel=x_label, ylim=(len(names) - 0.5, -0.5))
        panel.margins(x=0.14)
        _add_title_and_legend(figure, title, has_legend=len(bars) > 1)
        return figure


def add_horizontal_grid(panel: Any) -> None:
    """Draw light horizontal lines behind everything else."""
    panel.grid(axis="y", color="#e4e4e4", linewidth=0.8)
    panel.set_axisbelow(True)


def _require_distinguishable(kind: str, n_series: int) -> None:
    if n_series > len(COLORS):
        raise ValueError(
            f"a chart tells {len(COLORS)} {kind} apart, got {n_series}; draw two charts"
        )


def _make_logarithmic(panel: Any, ticks: Sequence[float]) -> None:
    panel.set_xscale("log")
    panel.set_xticks(ticks, [f"{x:g}" for x in ticks])
    panel.minorticks_off()


def _draw_line(panel: Any, line: LineSeries, number: int) -> None:
    color = COLORS[number]
    if line.low is not None and line.high is not None:
        panel.fill_between(line.x, line.low, line.high, color=color, alpha=BAND_ALPHA, linewidth=0)
    panel.plot(
        line.x,
        line.y,
        label=line.label or None,
        color=color,
        marker=_MARKERS[number],
        markersize=5,
        linestyle=_DASHES[number],
    )


def _draw_guide(panel: Any, line: LineSeries) -> None:
    label = line.label or None
    panel.plot(line.x, line.y, label=label, color=GRAY, linestyle=(0, (2, 2)), linewidth=1)


def _draw_bars(
    panel: Any, series: BarSeries, rows: Sequence[float], color: str, thickness: float
) -> None:
    panel.barh(rows, series.values, thickness, color=color, label=series.label or None)
    if series.low is not None and series.high is not None:
        panel.hlines(rows, series.low, series.high, color="black", linewidth=1)


def _write_bar_values(
    panel: Any, series: BarSeries, rows: Sequence[float], format_value: str
) -> None:
    """Write each value behind its bar and its interval, on white where lines pass."""
    ends = list(series.values)
    if series.low is not None and series.high is not None:
        ends = [max(end, high) for end, high in zip(ends, series.high, strict=True)]
    for row, end, value in zip(rows, ends, series.values, strict=True):
        panel.annotate(
            format_value.format(value),
            (end, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )


def _draw_horizontal_reference(panel: Any, name: str, value: float) -> None:
    panel.axhline(value, **_REFERENCE_STYLE)
    panel.annotate(
        name,
        (1, value),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
    )


def _draw_vertical_reference(panel: Any, name: str, value: float) -> None:
    panel.axvline(value, **_REFERENCE_STYLE)
    panel.annotate(
        name,
        (value, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
    )


def _add_title_and_legend(figure: Any, title: str, *, has_legend: bool) -> None:
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    if has_legend:
        figure.legend(loc="outside lower center", ncols=2, fontsize=10)
