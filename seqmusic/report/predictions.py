"""The section of a report on prediction: how likely the model finds the works, beside baselines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from seqmusic.evaluation.accuracy import Accuracy
from seqmusic.evaluation.assessment import Assessment, PredictorTotal
from seqmusic.evaluation.breakdown import Breakdown
from seqmusic.report.charts import BarSeries, LineSeries, bar_chart, line_chart
from seqmusic.report.prediction_tables import (
    breakdown_kind,
    breakdown_table,
    subject_table,
    totals_table,
    works_table,
)
from seqmusic.report.sections import Chart, Section

_PROSE = (
    "The model reads a work note after note. Before each note it gives a probability to every "
    "sound that may follow (a pitch, a rest, or a tie of the note before), and then to every "
    "length. The more it gives to what the composer wrote, the better it knows the style. Its "
    "surprise is measured in nats: what is certain costs 0, a probability of 37 percent costs 1, "
    "of 14 percent 2, of 5 percent 3. A nat is 1.44 bits.",
    "A cell is one voice during one sixteenth step, so nats per cell compare across all ways of "
    "writing music down; everything counts, also meter, key and the end. A prediction is one "
    "note, rest or tie. Perplexity expresses the same as a number of choices: a perplexity of 3 "
    "is the uncertainty of a blind choice among three. Sounds are chosen from 130 (128 pitches, a "
    "rest, a tie), lengths from 96.",
)
_TOTALS_CAPTION = (
    "The mean surprise of each predictor. The n-gram looks up what followed the last few notes in "
    "the training works; persistence only expects every voice to hold its note. The thin lines "
    "are 95 percent intervals: how far the figure may move with other works of the kind."
)
_ACCURACY_CAPTION = (
    "How often what is written is the predictor's first choice, or among its first three or five."
)
_ACCURACY_NAMES = ("sound, top 1", "top 3", "top 5", "length, top 1", "top 3", "top 5")
_BREAKDOWN_CAPTIONS = {
    "voice": "Which voice is hardest to predict. Of notes that begin together the highest is "
    "predicted first, so for the lower voices more of the chord is known.",
    "beat": "Where in the bar the surprises are; ½ is halfway to the next beat, “between” is "
    "everything finer.",
    "part": "Whether a piece grows easier to predict as it goes on, when the model has seen more "
    "of it.",
}
_TENTH_PERCENT = 10


def prediction_section(assessment: Assessment) -> Section:
    """The figures of the model beside those of the baselines; without charts."""
    tables = (
        totals_table(assessment.totals),
        *map(breakdown_table, assessment.breakdowns),
        works_table(assessment),
        subject_table(assessment),
    )
    return Section("prediction", "Prediction", _PROSE, tables=tables)


def prediction_charts(assessment: Assessment) -> tuple[Chart, ...]:
    """Charts of the same figures.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    return (
        _totals_chart(assessment.totals),
        _accuracy_chart(assessment.totals),
        *map(_breakdown_chart, assessment.breakdowns),
    )


def _totals_chart(totals: Sequence[PredictorTotal]) -> Chart:
    low, high = zip(*(total.interval for total in totals), strict=True)
    figure = bar_chart(
        [total.predictor for total in totals],
        [BarSeries("", [total.nats_per_cell for total in totals], low, high)],
        x_label="nats per cell (shorter is better)",
        title="Surprise of each predictor",
        format_value="{:.3f}",
    )
    return Chart(figure, _TOTALS_CAPTION)


def _accuracy_chart(totals: Sequence[PredictorTotal]) -> Chart:
    bars = [
        BarSeries(total.predictor, [100 * s for s in (*a.sound_top_k, *a.duration_top_k)])
        for total in totals
        if (a := total.prediction_accuracy)
    ]
    figure = bar_chart(
        _ACCURACY_NAMES,
        bars,
        x_label="accuracy, %",
        title="Top-1, top-3 and top-5 accuracy",
        format_value="{:.1f}",
    )
    return Chart(figure, _ACCURACY_CAPTION)


def _breakdown_chart(breakdown: Breakdown) -> Chart:
    kind = breakdown_kind(breakdown)
    is_over_time = kind == "part"
    figure = _breakdown_lines(breakdown) if is_over_time else _breakdown_bars(breakdown)
    return Chart(figure, _BREAKDOWN_CAPTIONS[kind])


def _breakdown_lines(breakdown: Breakdown) -> Any:
    middles = [float(group.split("–")[0]) + _TENTH_PERCENT / 2 for group in breakdown.groups]
    return line_chart(
        [
            LineSeries(predictor, middles, [accuracy.nats for accuracy in accuracies], low, high)
            for predictor, accuracies, low, high in _accuracies_and_intervals(breakdown)
        ],
        x_label="position in the piece, % of its length",
        y_label="nats per prediction",
        title=f"Surprise by {breakdown.name}",
    )


def _breakdown_bars(breakdown: Breakdown) -> Any:
    return bar_chart(
        breakdown.groups,
        [
            BarSeries(predictor, [accuracy.nats for accuracy in accuracies], low, high)
            for predictor, accuracies, low, high in _accuracies_and_intervals(breakdown)
        ],
        x_label="nats per prediction (shorter is better)",
        title=f"Surprise by {breakdown.name}",
        format_value="{:.2f}",
    )


def _accuracies_and_intervals(
    breakdown: Breakdown,
) -> Iterator[tuple[str, Sequence[Accuracy], Sequence[float], Sequence[float]]]:
    """Each predictor, its accuracy in each group, and the ends of the intervals of the nats."""
    for predictor, accuracies in breakdown.prediction_accuracy.items():
        low, high = zip(*(accuracy.interval for accuracy in accuracies), strict=True)
        yield predictor, accuracies, low, high
