"""The sections of a report that come from samples: what the temperature does, and how much is copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from seqmusic.evaluation.samples import HEAD_BARS, MOST_BARS, heads
from seqmusic.evaluation.subject import Subject
from seqmusic.evaluation.temperature_sweep import (
    ALONE,
    LADDERS,
    MIN_P,
    RULED,
    UNITS,
    Dial,
    DialPoint,
    Reading,
    Setting,
    ladders,
    turn_dial,
)
from seqmusic.report.charts import Line, line_chart
from seqmusic.report.copies import FILE, Copying, copying_charts, copying_table, read_copying
from seqmusic.report.figures import COLORS, GRAY, new_figure
from seqmusic.report.figures import settings as drawn_with
from seqmusic.report.sections import Cell, Chart, Column, Section, Table

_SIZE = 5.2, 3.3  # inches
_STYLE: dict[str, object] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
_DRAWN = {
    ALONE: (COLORS[0], "o", "-"),
    RULED: (COLORS[1], "s", "--"),
    MIN_P: (COLORS[2], "D", "-."),
}  # color, point, line
_SAID = {ALONE: ALONE, RULED: RULED, MIN_P: "min-p, model alone at temperature 1"}
_WORKS = "held-out works"
_NOTHING_SAMPLED = (
    f"Samples go on from the first {HEAD_BARS} bars of held-out works. Either none of these works has more bars and at most "
    f"{MOST_BARS}, or there are no training works to compare with; so nothing was sampled."
)
_COPIED_AT = (0.4, 0.8, 1.0, 1.3)  # temperatures of the model alone whose copies are drawn
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def sample_sections(
    subject: Subject, *, n: int = 100, settings: Sequence[Setting] | None = None
) -> tuple[Section, ...]:
    """The temperature dial and the originality of a model; shows progress, and takes minutes.

    Where no held-out work can be continued, one section that says so.

    Args:
        subject: a model, and the works whose beginnings it goes on from; copying over its training is shown where its folder holds
            a table of it.
        n: about how many samples at each setting.
        settings: how they are drawn; all of `ladders` when None.

    Raises:
        FormatError: the table in the folder is damaged.
    """
    path, model = subject.folder / FILE, subject.model
    over_training = read_copying(path) if path.is_file() else ()
    held_out, training = (
        [work.score for work in works] for works in (subject.works, subject.dataset.part("train"))
    )
    is_fit = heads(
        held_out,
        context_length=model.settings.context_length,
        max_voices=model.vocabulary.max_voices,
    )
    if len(training) < 2 or not is_fit:
        return (Section("dial", "The temperature dial", (_NOTHING_SAMPLED,)),)
    settings = ladders() if settings is None else settings
    with tqdm(total=n * len(settings), desc="sampling", unit="piece") as bar:
        dial = turn_dial(model, held_out, training, settings, n=n, tick=bar.update)
    return dial_section(dial), copy_section(dial, over_training)


def dial_section(dial: Dial) -> Section:
    """Every measure as a curve over the settings, and the setting that comes closest to the works."""
    means, recommended = dial.mean_gaps(), dial.recommended()
    closest = ", ".join(
        f"{name} {mean:.2f}" for name, mean in sorted(means.items(), key=lambda item: item[1])[:3]
    )
    n_pieces = max(point.pieces for point in dial.points)
    rules = " ".join(f"“{_upper(name)}” is {words}." for name, words in LADDERS.items())
    prose = (
        f"The model was given the first {HEAD_BARS} bars of held-out works in all voices, and composed the rest, to the same "
        f"length: about {n_pieces} pieces at each setting. What follows the same {HEAD_BARS} bars in the held-out works was "
        f"measured alike; it is the dashed line, with its interval (95 percent, by bootstrap over pieces). {rules}",
        f"Recommended: {recommended.name}. Rule: the smallest mean gap over all {len(dial.works)} measures, where a gap is how far "
        "a value lies outside the interval of the held-out works, divided by the farthest of all settings. "
        f"The smallest mean gaps: {closest}. What is closest in each single measure stands in the table.",
        "Distances are those of Jensen and Shannon to the training works, 0 for equal shares and 1 where nothing is shared; the "
        "dotted line is how far two halves of the training works are apart, and below it a distance says nothing.",
    )
    charts = (
        Chart(
            _mean_gap_figure(dial),
            "How far each setting is from the held-out works, all measures together: lower is closer.",
        ),
        *(Chart(_measure_figure(dial, name), _caption(dial, name)) for name in UNITS),
    )
    return Section(
        "dial",
        "The temperature dial",
        prose,
        charts,
        tables=(_best_table(dial), _gap_table(dial), _dial_table(dial)),
    )


def copy_section(dial: Dial, over_training: Sequence[Copying] = ()) -> Section:
    """How much samples copy from the training works, beside what held-out works have in common with them.

    Args:
        dial: where the samples come from.
        over_training: copying beside the loss, over a training like that of the model, where it was measured.
    """
    prose: tuple[str, ...] = (
        "The longest passage of each piece that a training work has note for note, in all voices together and in whatever key. "
        "Held-out works share passages with the training works as well: the figures of speech of a style. A model that copies has "
        "more of the long ones than they have.",
    )
    lines = [
        _share_line(f"temperature {p.setting.at:g}", p.copies) for p in dial.points if _is_drawn(p)
    ]
    written = _share_line(_WORKS, dial.works_copies)
    guide = Line(_WORKS, written.x, written.y, is_guide=True)
    shares = line_chart(
        [*lines, guide], x_label="notes in the longest copy, or more", y_label="pieces, %"
    )
    rows = [(p.setting.name, *_copy_cells(p.copies)) for p in dial.points]
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
        ((_WORKS, *_copy_cells(dial.works_copies)), *rows),
    )
    charts = [
        Chart(shares, "Of the pieces, how many copy a passage so long or longer (the model alone).")
    ]
    tables = [table]
    if over_training:
        charts += copying_charts(over_training)
        tables.append(copying_table(over_training))
        prose = (*prose, _about_training(over_training))
    return Section("originality", "Originality", prose, tuple(charts), tables=tuple(tables))


def _about_training(rows: Sequence[Copying]) -> str:
    epochs = max(row.epochs for row in rows)
    return (
        f"Over the batches stand two trainings of {epochs:.0f} epochs that seqmusic experiment copying made, not that of this "
        "model: one as configured, and one without dropout, hidden input, weight decay and transposition."
    )


def _is_drawn(point: DialPoint) -> bool:
    return point.setting.ladder == ALONE and point.setting.at in _COPIED_AT and point.pieces > 0


def _share_line(label: str, copies: Sequence[int]) -> Line:
    """The share of pieces, in percent, whose longest copy has so many notes or more."""
    lengths = list(range(0, max(copies, default=0) + 2, 2))
    return Line(
        label,
        lengths,
        [100 * sum(own >= length for own in copies) / max(1, len(copies)) for length in lengths],
    )


def _copy_cells(copies: Sequence[int]) -> tuple[Cell, ...]:
    return len(copies), *(float(np.quantile(copies, q)) if copies else None for q in _QUANTILES)


def _caption(dial: Dial, name: str) -> str:
    best = dial.best().get(name)
    written = dial.works[name]
    says = f"{_upper(name)}, {UNITS[name]}. Held-out works: {written.value:.3g} [{written.low:.3g}..{written.high:.3g}]"
    return f"{says}; closest: {best}." if best else f"{says}."


def _measure_figure(dial: Dial, name: str) -> Any:
    """One measure over the temperatures, and over min-p beside them."""
    with drawn_with(_STYLE):
        figure, (left, right) = _two_panels(f"{name}, {UNITS[name]}")
        for ladder in LADDERS:
            points = [point for point in dial.points if point.setting.ladder == ladder]
            panel = right if ladder == MIN_P else left
            _draw_ladder(
                panel,
                ladder,
                [point.setting.at for point in points],
                [point.readings[name] for point in points],
            )
        written = dial.works[name]
        for panel in (left, right):
            panel.axhspan(written.low, written.high, color="black", alpha=0.07, linewidth=0)
            panel.axhline(
                written.value,
                color="black",
                linestyle=(0, (5, 3)),
                linewidth=1,
                label=_WORKS if panel is left else None,
            )
            if name in dial.floors:
                own = "halves of the training works" if panel is left else None
                panel.axhline(
                    dial.floors[name], color=GRAY, linestyle=":", linewidth=1.2, label=own
                )
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
        return figure


def _mean_gap_figure(dial: Dial) -> Any:
    means = dial.mean_gaps()
    with drawn_with(_STYLE):
        figure, (left, right) = _two_panels("mean gap to the held-out works, 0 to 1")
        for ladder in LADDERS:
            own = [point.setting for point in dial.points if point.setting.ladder == ladder]
            gaps = [Reading(*(means[setting.name],) * 3) for setting in own]
            _draw_ladder(
                right if ladder == MIN_P else left, ladder, [setting.at for setting in own], gaps
            )
        best = dial.recommended()
        place = (best.at, means[best.name])
        style = {"s": 170, "facecolors": "none", "edgecolors": "black", "linewidths": 1.3}
        (right if best.ladder == MIN_P else left).scatter(*place, **style, label="recommended")
        left.set_ylim(bottom=0)
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
        return figure


def _two_panels(title: str) -> tuple[Any, Any]:
    """A figure with a panel for temperatures and one for min-p, which have their heights in common."""
    figure = new_figure(*_SIZE)
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    figure.suptitle(_upper(title), x=0.01, ha="left", fontsize=11)
    for panel, label in zip(panels, ("temperature", "min-p"), strict=True):
        panel.set_xlabel(label)
        panel.grid(axis="y", color="#e4e4e4", linewidth=0.8)
        panel.set_axisbelow(True)
    return figure, panels


def _draw_ladder(panel: Any, ladder: str, at: Sequence[float], readings: Sequence[Reading]) -> None:
    color, point, line = _DRAWN[ladder]
    values, low, high = (
        [getattr(own, end) for own in readings] for end in ("value", "low", "high")
    )
    panel.fill_between(at, low, high, color=color, alpha=0.18, linewidth=0)
    panel.plot(
        at, values, color=color, marker=point, linestyle=line, markersize=4.5, label=_SAID[ladder]
    )


def _best_table(dial: Dial) -> Table:
    """Each measure: of the works, at the recommended setting, and where it is closest."""
    recommended = next(point for point in dial.points if point.setting == dial.recommended())
    by_name = {point.setting.name: point for point in dial.points}
    rows = []
    for name, written in dial.works.items():
        best = dial.best().get(name)
        closest = (best, by_name[best].readings[name].value) if best else ("none", None)
        own = recommended.readings[name].value
        rows.append(
            (
                name,
                UNITS[name],
                written.value,
                written.low,
                written.high,
                own,
                *closest,
                dial.floors.get(name),
            )
        )
    columns = (
        *(Column("measure", "measure"), Column("unit", "unit"), Column("works", _WORKS, ".3g")),
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


def _gap_table(dial: Dial) -> Table:
    means = dial.mean_gaps()
    rows = [(point.setting.name, point.pieces, means[point.setting.name]) for point in dial.points]
    columns = (
        Column("setting", "setting"),
        Column("pieces", "pieces"),
        Column("mean_gap", "mean gap", ".3f"),
    )
    return Table("dial_gaps", "The mean gap of each setting.", columns, tuple(rows), is_folded=True)


def _dial_table(dial: Dial) -> Table:
    """Everything that is drawn."""
    gaps = dial.gaps()
    rows: list[tuple[Cell, ...]] = [
        (
            p.setting.name,
            p.setting.ladder,
            p.setting.at,
            name,
            UNITS[name],
            *_ends(own),
            gaps[p.setting.name].get(name),
        )
        for p in dial.points
        for name, own in p.readings.items()
    ]
    rows += [
        (_WORKS, "", None, name, UNITS[name], *_ends(own), None) for name, own in dial.works.items()
    ]
    columns = (
        *(Column("setting", "setting"), Column("ladder", "ladder"), Column("at", "at", "g")),
        *(Column("measure", "measure"), Column("unit", "unit"), Column("value", "value", ".4g")),
        *(Column("low", "from", ".4g"), Column("high", "to", ".4g"), Column("gap", "gap", ".3f")),
    )
    return Table("dial", "Every measure at every setting.", columns, tuple(rows), is_folded=True)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ends(own: Reading) -> tuple[float, float, float]:
    return own.value, own.low, own.high
