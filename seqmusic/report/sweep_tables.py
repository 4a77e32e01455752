"""The tables of a temperature sweep: every number that its charts show."""

from __future__ import annotations

from seqmusic.evaluation.estimates import UNITS, Estimate
from seqmusic.evaluation.temperature_sweep import TemperatureSweep
from seqmusic.report.sections import Column, Table, TableCell
from seqmusic.report.sweep_charts import WORKS_LABEL


def measure_table(sweep: TemperatureSweep) -> Table:
    """Each measure of the works, at the recommended setting, and where it is closest."""
    recommended = next(point for point in sweep.points if point.setting == sweep.recommended())
    estimates = {point.setting.name: point.estimates for point in sweep.points}
    best = sweep.best()
    rows: list[tuple[TableCell, ...]] = []
    for name, works in sweep.works.items():
        closest = best.get(name)
        rows.append(
            (
                name,
                UNITS[name],
                *_value_and_interval(works),
                recommended.estimates[name].value,
                closest or "none",
                estimates[closest][name].value if closest else None,
                sweep.floors.get(name),
            )
        )
    columns = (
        Column("measure", "measure"),
        Column("unit", "unit"),
        Column("works", WORKS_LABEL, ".3g"),
        Column("works_low", "from", ".3g"),
        Column("works_high", "to", ".3g"),
        Column("recommended", recommended.setting.name, ".3g"),
        Column("closest_setting", "closest setting"),
        Column("closest", "its value", ".3g"),
        Column("floor", "floor", ".3g"),
    )
    caption = "Each measure at the recommended setting, and where it is closest."
    return Table("dial_measures", caption, columns, tuple(rows))


def gap_table(sweep: TemperatureSweep) -> Table:
    """The mean gap of each setting."""
    mean_gaps = sweep.mean_gaps()
    rows = tuple(
        (point.setting.name, point.pieces, mean_gaps[point.setting.name]) for point in sweep.points
    )
    columns = (
        Column("setting", "setting"),
        Column("pieces", "pieces"),
        Column("mean_gap", "mean gap", ".3f"),
    )
    caption = "The mean gap of each setting."
    return Table("dial_gaps", caption, columns, rows, is_collapsed=True)


def sweep_table(sweep: TemperatureSweep) -> Table:
    """Every measure at every setting, and of the works."""
    gaps = sweep.gaps()
    rows: list[tuple[TableCell, ...]] = []
    for point in sweep.points:
        setting = point.setting
        for name, estimate in point.estimates.items():
            measure = name, UNITS[name], *_value_and_interval(estimate)
            gap = gaps[setting.name].get(name)
            rows.append((setting.name, setting.ladder, setting.level, *measure, gap))
    for name, estimate in sweep.works.items():
        measure = name, UNITS[name], *_value_and_interval(estimate)
        rows.append((WORKS_LABEL, "", None, *measure, None))
    columns = (
        Column("setting", "setting"),
        Column("ladder", "ladder"),
        Column("at", "at", "g"),
        Column("measure", "measure"),
        Column("unit", "unit"),
        Column("value", "value", ".4g"),
        Column("low", "from", ".4g"),
        Column("high", "to", ".4g"),
        Column("gap", "gap", ".3f"),
    )
    caption = "Every measure at every setting."
    return Table("dial", caption, columns, tuple(rows), is_collapsed=True)


def _value_and_interval(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high
