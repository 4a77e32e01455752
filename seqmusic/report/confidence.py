"""The section of a report on calibration: whether the confidence of a model equals its accuracy."""

from __future__ import annotations

from collections.abc import Iterator

from seqmusic.evaluation.assessment import Assessment, Calibration, Confidence
from seqmusic.report.charts import LineSeries, line_chart
from seqmusic.report.sections import Chart, Column, Section, Table

_MIN_BIN_SIZE = 20  # choices in a bin that is drawn
_PROSE = (
    "A model is calibrated if, of the choices to which it gives 80 percent, 80 in 100 are right. "
    "Its first choices are divided into 15 bins by their probability (the confidence), and each "
    "bin shows how many of them were right (the accuracy). The expected calibration error is the "
    "mean distance between the two, in percentage points: 0 is perfect.",
    "A single number can remove much of the error: all logits are divided by a temperature (Guo "
    "and others, On Calibration of Modern Neural Networks, 2017). Above 1 it lowers the "
    "confidence of the model, below 1 it raises it, and the order of its choices stays. There is "
    "one temperature for sounds and one for lengths, each with the smallest loss on the "
    "validation works.",
)
_FITTED_HERE = (
    "Here the temperatures were fitted to the very works on which they are tested, so their gain "
    "is overestimated."
)
_NOT_FITTED = "This corpus has no validation works, so no temperature was fitted."
_ERROR_CAPTION = (
    "As the model is (temperature 1), and at the temperature that fits the validation works best; "
    "events without a choice do not count."
)
_DIAGRAM_CAPTION = (
    "On the dashed line confidence equals accuracy; below it the model is overconfident, above it "
    f"underconfident. Bins of fewer than {_MIN_BIN_SIZE} choices are not drawn."
)


def calibration_section(assessment: Assessment) -> Section:
    """Errors before and after temperature scaling, and all bins; without charts."""
    prose: tuple[str, ...] = _PROSE
    if assessment.subject.split == "valid":
        prose = (*prose, _FITTED_HERE)
    elif any(calibration.after is None for calibration in assessment.calibrations):
        prose = (*prose, _NOT_FITTED)
    tables = (_error_table(assessment), _bin_table(assessment))
    return Section("calibration", "Calibration", prose, tables=tables)


def calibration_charts(assessment: Assessment) -> tuple[Chart, ...]:
    """Reliability diagrams of sounds and of lengths.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    return tuple(_reliability_diagram(calibration) for calibration in assessment.calibrations)


def _before_and_after_scaling(calibration: Calibration) -> Iterator[tuple[float, Confidence]]:
    """Each temperature, 1 first, with the confidence at it."""
    yield 1.0, calibration.before
    if calibration.temperature is not None and calibration.after is not None:
        yield calibration.temperature, calibration.after


def _error_table(assessment: Assessment) -> Table:
    columns = (
        Column("kind", "choice of"),
        Column("temperature", "temperature", ".3f"),
        Column("calibration_error", "calibration error", ".2%"),
        Column("nats", "nats per choice", ".4f"),
    )
    rows = tuple(
        (calibration.kind, temperature, confidence.error, confidence.nats)
        for calibration in assessment.calibrations
        for temperature, confidence in _before_and_after_scaling(calibration)
    )
    return Table("calibration", _ERROR_CAPTION, columns, rows)


def _bin_table(assessment: Assessment) -> Table:
    columns = (
        Column("kind", "choice of"),
        Column("temperature", "temperature", ".3f"),
        Column("low", "confidence from", ".1%"),
        Column("high", "to", ".1%"),
        Column("choices", "choices", ","),
        Column("confidence", "mean confidence", ".1%"),
        Column("accuracy", "accuracy", ".1%"),
    )
    rows = tuple(
        (calibration.kind, temperature, b.low, b.high, b.n, b.confidence, b.accuracy)
        for calibration in assessment.calibrations
        for temperature, confidence in _before_and_after_scaling(calibration)
        for b in confidence.bins
    )
    return Table("reliability", "All bins of the diagrams.", columns, rows, is_collapsed=True)


def _reliability_diagram(calibration: Calibration) -> Chart:
    lines = [LineSeries("perfect calibration", (0, 100), (0, 100), is_guide=True)]
    for temperature, confidence in _before_and_after_scaling(calibration):
        is_scaled = confidence is not calibration.before
        label = f"at temperature {temperature:.2f}" if is_scaled else "as it is"
        bins = [b for b in confidence.bins if b.n >= _MIN_BIN_SIZE]
        confidences = [100 * b.confidence for b in bins]
        lines.append(LineSeries(label, confidences, [100 * b.accuracy for b in bins]))
    figure = line_chart(
        lines,
        x_label="confidence of the first choice, %",
        y_label="accuracy, %",
        title=f"Reliability of the {calibration.kind}",
    )
    return Chart(figure, _DIAGRAM_CAPTION)
