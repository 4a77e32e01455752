"""The section of a report on originality: how much samples copy from the training works."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqmusic.evaluation.sampling_settings import MODEL_ALONE
from seqmusic.evaluation.temperature_sweep import SweepPoint, TemperatureSweep
from seqmusic.report.charts import LineSeries, line_chart
from seqmusic.report.copying_curve import CopyingPoint, copying_charts, copying_table
from seqmusic.report.sections import Chart, Column, Section, Table, TableCell
from seqmusic.report.sweep_charts import WORKS_LABEL

_DRAWN_TEMPERATURES = (0.4, 0.8, 1.0, 1.3)  # of the model alone
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_PROSE = (
    "The longest passage of each piece that a training work has note for note, in all voices "
    "together and in any key. Held-out works share passages with the training works as well: the "
    "common turns of a style. A model that copies has more of the long ones than they have."
)
_CHART_CAPTION = "The share of pieces that copy a passage of this length or more (the model alone)."


def originality_section(
    sweep: TemperatureSweep, copying_curve: Sequence[CopyingPoint] = ()
) -> Section:
    """How much samples copy from the training works, beside what held-out works share with them.

    Args:
        sweep: with the samples.
        copying_curve: copying over a training like that of the model, if it was measured.
    """
    prose, charts, tables = [_PROSE], [_copy_lengths_chart(sweep)], [_copy_lengths_table(sweep)]
    if copying_curve:
        prose.append(_copying_curve_note(copying_curve))
        charts += copying_charts(copying_curve)
        tables.append(copying_table(copying_curve))
    return Section("originality", "Originality", tuple(prose), tuple(charts), tables=tuple(tables))


def _copy_lengths_chart(sweep: TemperatureSweep) -> Chart:
    lines = [
        LineSeries(f"temperature {p.setting.level:g}", *_share_of_pieces(p.copy_lengths))
        for p in sweep.points
        if _is_drawn(p)
    ]
    works = _share_of_pieces(sweep.works_copy_lengths)
    figure = line_chart(
        [*lines, LineSeries(WORKS_LABEL, *works, is_guide=True)],
        x_label="notes in the longest copy, or more",
        y_label="pieces, %",
    )
    return Chart(figure, _CHART_CAPTION)


def _copy_lengths_table(sweep: TemperatureSweep) -> Table:
    columns = (
        Column("setting", "setting"),
        Column("pieces", "pieces"),
        *(
            Column(f"notes_{round(100 * q)}", f"{100 * q:.0f} % of the pieces, notes up to", "g")
            for q in _QUANTILES
        ),
    )
    rows = (
        (WORKS_LABEL, *_quantile_cells(sweep.works_copy_lengths)),
        *((p.setting.name, *_quantile_cells(p.copy_lengths)) for p in sweep.points),
    )
    return Table("copies", "Notes of the longest copied passage.", columns, rows)


def _copying_curve_note(rows: Sequence[CopyingPoint]) -> str:
    epochs = max(row.epochs for row in rows)
    return (
        f"The curves over batches show two trainings of {epochs:.0f} epochs by seqmusic experiment "
        "copying, not that of this model: one as configured, and one without dropout, hidden "
        "input, weight decay and transposition."
    )


def _is_drawn(point: SweepPoint) -> bool:
    setting = point.setting
    is_chosen = setting.ladder == MODEL_ALONE and setting.level in _DRAWN_TEMPERATURES
    return is_chosen and point.pieces > 0


def _share_of_pieces(copy_lengths: Sequence[int]) -> tuple[list[int], list[float]]:
    """Numbers of notes, and the percentage of pieces whose longest copy has as many or more."""
    lengths, n_pieces = (
        list(range(0, max(copy_lengths, default=0) + 2, 2)),
        max(1, len(copy_lengths)),
    )
    return lengths, [100 * sum(n >= length for n in copy_lengths) / n_pieces for length in lengths]


def _quantile_cells(copy_lengths: Sequence[int]) -> tuple[TableCell, ...]:
    if not copy_lengths:
        return 0, *(None for _ in _QUANTILES)
    return len(copy_lengths), *(float(np.quantile(copy_lengths, q)) for q in _QUANTILES)
