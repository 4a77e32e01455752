"""The sections of a report that come from samples: what the temperature does, and how much is copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqmusic.evaluation.estimates import UNITS, Estimate
from seqmusic.evaluation.samples import MAX_WORK_BARS, OPENING_BARS, find_openings
from seqmusic.evaluation.sampling_settings import (
    DEFAULT_RULES,
    LADDERS,
    MIN_P,
    MODEL_ALONE,
    SamplingSetting,
    sampling_settings,
)
from seqmusic.evaluation.subject import Subject
from seqmusic.evaluation.temperature_sweep import (
    SweepPoint,
    TemperatureSweep,
    sweep_temperatures,
)
from seqmusic.report.charts import LineSeries, line_chart
from seqmusic.report.copies import (
    COPYING_CSV,
    CopyingPoint,
    copying_charts,
    copying_table,
    read_copying,
)
from seqmusic.report.figures import COLORS, GRAY, new_figure
from seqmusic.report.figures import settings as drawn_with
from seqmusic.report.sections import Chart, Column, Section, Table, TableCell

_SIZE = 5.2, 3.3  # inches
_STYLE: dict[str, object] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
_LADDER_STYLES = {
    MODEL_ALONE: (COLORS[0], "o", "-"),
    DEFAULT_RULES: (COLORS[1], "s", "--"),
    MIN_P: (COLORS[2], "D", "-."),
}  # color, point, line
_LADDER_LABELS = {
    MODEL_ALONE: MODEL_ALONE,
    DEFAULT_RULES: DEFAULT_RULES,
    MIN_P: "min-p, model alone at temperature 1",
}
_WORKS_LABEL = "held-out works"
_NOTHING_SAMPLED = (
    f"Samples go on from the first {OPENING_BARS} bars of held-out works. Either none of these works has more bars and at most "
    f"{MAX_WORK_BARS}, or there are no training works to compare with; so nothing was sampled."
)
_COPY_TEMPERATURES = (0.4, 0.8, 1.0, 1.3)  # temperatures of the model alone whose copies are drawn
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def sample_sections(
    subject: Subject, *, n: int = 100, settings: Sequence[SamplingSetting] | None = None
) -> tuple[Section, ...]:
    """The temperature dial and the originality of a model; shows progress, and takes minutes.

    Where no held-out work can be continued, one section that says so.

    Args:
        subject: a model, and the works whose beginnings it goes on from; copying over its training is shown where its folder holds
            a table of it.
        n: about how many samples at each setting.
        settings: how they are drawn; all of `sampling_settings` when None.

    Raises:
        FormatError: the table in the folder is damaged.
    """
    path, model = subject.folder / COPYING_CSV, subject.model
    copying_curve = read_copying(path) if path.is_file() else ()
    held_out, training = (
        [work.score for work in works] for works in (subject.works, subject.dataset.works_in("train"))
    )
    openings = find_openings(
        held_out,
        context_length=model.settings.context_length,
        max_voices=model.vocabulary.max_voices,
    )
    if len(training) < 2 or not openings:
        return (Section("dial", "The temperature dial", (_NOTHING_SAMPLED,)),)
    settings = sampling_settings() if settings is None else settings
    sweep = sweep_temperatures(model, openings, training, settings, n=n)
    return temperature_section(sweep), originality_section(sweep, copying_curve)


def temperature_section(sweep: TemperatureSweep) -> Section:
    """Every measure as a curve over the settings, and the setting that comes closest to the works."""
    means, recommended = sweep.mean_gaps(), sweep.recommended()
    closest = ", ".join(
        f"{name} {mean:.2f}" for name, mean in sorted(means.items(), key=lambda item: item[1])[:3]
    )
    n_pieces = max(point.pieces for point in sweep.points)
    rules = " ".join(f"“{_capitalized(name)}” is {words}." for name, words in LADDERS.items())
    prose = (
        f"The model was given the first {OPENING_BARS} bars of held-out works in all voices, and composed the rest, to the same "
        f"length: about {n_pieces} pieces at each setting. What follows the same {OPENING_BARS} bars in the held-out works was "
        f"measured alike; it is the dashed line, with its interval (95 percent, by bootstrap over pieces). {rules}",
        f"Recommended: {recommended.name}. Rule: the smallest mean gap over all {len(sweep.works)} measures, where a gap is how far "
        "a value lies outside the interval of the held-out works, divided by the farthest of all settings. "
        f"The smallest mean gaps: {closest}. What is closest in each single measure stands in the table.",
        "Distances are those of Jensen and Shannon to the training works, 0 for equal shares and 1 where nothing is shared; the "
        "dotted line is how far two halves of the training works are apart, and below it a distance says nothing.",
    )
    charts = (
        Chart(
            _mean_gap_figure(sweep),
            "How far each setting is from the held-out works, all measures together: lower is closer.",
        ),
        *(Chart(_measure_figure(sweep, name), _caption(sweep, name)) for name in UNITS),
    )
    return Section(
        "dial",
        "The temperature dial",
        prose,
        charts,
        tables=(_measure_table(sweep), _gap_table(sweep), _sweep_table(sweep)),
    )


def originality_section(
    sweep: TemperatureSweep, copying_curve: Sequence[CopyingPoint] = ()
) -> Section:
    """How much samples copy from the training works, beside what held-out works have in common with them.

    Args:
        sweep: where the samples come from.
        copying_curve: copying beside the loss, over a training like that of the model, where it was measured.
    """
    prose: tuple[str, ...] = (
        "The longest passage of each piece that a training work has note for note, in all voices together and in whatever key. "
        "Held-out works share passages with the training works as well: the figures of speech of a style. A model that copies has "
        "more of the long ones than they have.",
    )
    lines = [
        _copy_length_curve(f"temperature {p.setting.level:g}", p.copy_lengths)
        for p in sweep.points
        if _is_plotted(p)
    ]
    written = _copy_length_curve(_WORKS_LABEL, sweep.works_copy_lengths)
    guide = LineSeries(_WORKS_LABEL, written.x, written.y, is_guide=True)
    shares = line_chart(
        [*lines, guide], x_label="notes in the longest copy, or more", y_label="pieces, %"
    )
    rows = [(p.setting.name, *_copy_quantile_cells(p.copy_lengths)) for p in sweep.points]
    columns = (
        Column("setting", "setting"),
        Column("pieces", "pieces"),
        *(
            Column(f"notes_{round(100 * q)}", f"{100 * q:.0f} % of the pieces, notes up to", "g")
            for q in _QUANTILES
        ),
    )
    table = Table(
        "copies",
        "Notes of the longest copied passage.",
        columns,
        ((_WORKS_LABEL, *_copy_quantile_cells(sweep.works_copy_lengths)), *rows),
    )
    charts = [
        Chart(shares, "Of the pieces, how many copy a passage so long or longer (the model alone).")
    ]
    tables = [table]
    if copying_curve:
        charts += copying_charts(copying_curve)
        tables.append(copying_table(copying_curve))
        prose = (*prose, _copying_curve_note(copying_curve))
    return Section("originality", "Originality", prose, tuple(charts), tables=tuple(tables))


def _copying_curve_note(rows: Sequence[CopyingPoint]) -> str:
    epochs = max(row.epochs for row in rows)
    return (
        f"Over the batches stand two trainings of {epochs:.0f} epochs that seqmusic experiment copying made, not that of this "
        "model: one as configured, and one without dropout, hidden input, weight decay and transposition."
    )


def _is_plotted(point: SweepPoint) -> bool:
    return (
        point.setting.ladder == MODEL_ALONE
        and point.setting.level in _COPY_TEMPERATURES
        and point.pieces > 0
    )


def _copy_length_curve(label: str, copy_lengths: Sequence[int]) -> LineSeries:
    """The share of pieces, in percent, whose longest copy has so many notes or more."""
    lengths = list(range(0, max(copy_lengths, default=0) + 2, 2))
    return LineSeries(
        label,
        lengths,
        [
            100 * sum(own >= length for own in copy_lengths) / max(1, len(copy_lengths))
            for length in lengths
        ],
    )


def _copy_quantile_cells(copy_lengths: Sequence[int]) -> tuple[TableCell, ...]:
    return len(copy_lengths), *(
        float(np.quantile(copy_lengths, q)) if copy_lengths else None for q in _QUANTILES
    )


def _caption(sweep: TemperatureSweep, name: str) -> str:
    best = sweep.best().get(name)
    written = sweep.works[name]
    says = f"{_capitalized(name)}, {UNITS[name]}. Held-out works: {written.value:.3g} [{written.low:.3g}..{written.high:.3g}]"
    return f"{says}; closest: {best}." if best else f"{says}."


def _measure_figure(sweep: TemperatureSweep, name: str) -> Any:
    """One measure over the temperatures, and over min-p beside them."""
    with drawn_with(_STYLE):
        figure, (left, right) = _two_panels(f"{name}, {UNITS[name]}")
        for ladder in LADDERS:
            points = [point for point in sweep.points if point.setting.ladder == ladder]
            panel = right if ladder == MIN_P else left
            _draw_ladder(
                panel,
                ladder,
                [point.setting.level for point in points],
                [point.estimates[name] for point in points],
            )
        written = sweep.works[name]
        for panel in (left, right):
            panel.axhspan(written.low, written.high, color="black", alpha=0.07, linewidth=0)
            panel.axhline(
                written.value,
                color="black",
                linestyle=(0, (5, 3)),
                linewidth=1,
                label=_WORKS_LABEL if panel is left else None,
            )
            if name in sweep.floors:
                own = "halves of the training works" if panel is left else None
                panel.axhline(
                    sweep.floors[name], color=GRAY, linestyle=":", linewidth=1.2, label=own
                )
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
        return figure


def _mean_gap_figure(sweep: TemperatureSweep) -> Any:
    means = sweep.mean_gaps()
    with drawn_with(_STYLE):
        figure, (left, right) = _two_panels("mean gap to the held-out works, 0 to 1")
        for ladder in LADDERS:
            own = [point.setting for point in sweep.points if point.setting.ladder == ladder]
            gaps = [Estimate(*(means[setting.name],) * 3) for setting in own]
            _draw_ladder(
                right if ladder == MIN_P else left, ladder, [setting.level for setting in own], gaps
            )
        best = sweep.recommended()
        place = (best.level, means[best.name])
        style = {"s": 170, "facecolors": "none", "edgecolors": "black", "linewidths": 1.3}
        (right if best.ladder == MIN_P else left).scatter(*place, **style, label="recommended")
        left.set_ylim(bottom=0)
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
        return figure


def _two_panels(title: str) -> tuple[Any, Any]:
    """A figure with a panel for temperatures and one for min-p, which have their heights in common."""
    figure = new_figure(*_SIZE)
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    figure.suptitle(_capitalized(title), x=0.01, ha="left", fontsize=11)
    for panel, label in zip(panels, ("temperature", "min-p"), strict=True):
        panel.set_xlabel(label)
        panel.grid(axis="y", color="#e4e4e4", linewidth=0.8)
        panel.set_axisbelow(True)
    return figure, panels


def _draw_ladder(
    panel: Any, ladder: str, level: Sequence[float], estimates: Sequence[Estimate]
) -> None:
    color, point, line = _LADDER_STYLES[ladder]
    values, low, high = (
        [getattr(own, end) for own in estimates] for end in ("value", "low", "high")
    )
    panel.fill_between(level, low, high, color=color, alpha=0.18, linewidth=0)
    panel.plot(
        level,
        values,
        color=color,
        marker=point,
        linestyle=line,
        markersize=4.5,
        label=_LADDER_LABELS[ladder],
    )


def _measure_table(sweep: TemperatureSweep) -> Table:
    """Each measure: of the works, at the recommended setting, and where it is closest."""
    recommended = next(point for point in sweep.points if point.setting == sweep.recommended())
    by_name = {point.setting.name: point for point in sweep.points}
    rows = []
    for name, written in sweep.works.items():
        best = sweep.best().get(name)
        closest = (best, by_name[best].estimates[name].value) if best else ("none", None)
        own = recommended.estimates[name].value
        rows.append(
            (
                name,
                UNITS[name],
                written.value,
                written.low,
                written.high,
                own,
                *closest,
                sweep.floors.get(name),
            )
        )
    columns = (
        *(
            Column("measure", "measure"),
            Column("unit", "unit"),
            Column("works", _WORKS_LABEL, ".3g"),
        ),
        *(Column("works_low", "from", ".3g"), Column("works_high", "to", ".3g")),
        Column("recommended", recommended.setting.name, ".3g"),
        *(
            Column("closest_setting", "closest setting"),
            Column("closest", "its value", ".3g"),
            Column("floor", "floor", ".3g"),
        ),
    )
    return Table(
        "dial_measures",
        "Each measure at the recommended setting, and where it is closest.",
        columns,
        tuple(rows),
    )


def _gap_table(sweep: TemperatureSweep) -> Table:
    means = sweep.mean_gaps()
    rows = [(point.setting.name, point.pieces, means[point.setting.name]) for point in sweep.points]
    columns = (
        Column("setting", "setting"),
        Column("pieces", "pieces"),
        Column("mean_gap", "mean gap", ".3f"),
    )
    return Table(
        "dial_gaps", "The mean gap of each setting.", columns, tuple(rows), is_collapsed=True
    )


def _sweep_table(sweep: TemperatureSweep) -> Table:
    """Everything that is drawn."""
    gaps = sweep.gaps()
    rows: list[tuple[TableCell, ...]] = [
        (
            p.setting.name,
            p.setting.ladder,
            p.setting.level,
            name,
            UNITS[name],
            *_value_and_interval(own),
            gaps[p.setting.name].get(name),
        )
        for p in sweep.points
        for name, own in p.estimates.items()
    ]
    rows += [
        (_WORKS_LABEL, "", None, name, UNITS[name], *_value_and_interval(own), None)
        for name, own in sweep.works.items()
    ]
    columns = (
        *(Column("setting", "setting"), Column("ladder", "ladder"), Column("at", "at", "g")),
        *(Column("measure", "measure"), Column("unit", "unit"), Column("value", "value", ".4g")),
        *(Column("low", "from", ".4g"), Column("high", "to", ".4g"), Column("gap", "gap", ".3f")),
    )
    return Table("dial", "Every measure at every setting.", columns, tuple(rows), is_collapsed=True)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _value_and_interval(own: Estimate) -> tuple[float, float, float]:
    return own.value, own.low, own.high
