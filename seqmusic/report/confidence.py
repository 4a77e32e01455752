"""The section of a report that says whether a model is as sure as it is right."""

from __future__ import annotations

from seqmusic.evaluation.assessment import Assessment, Calibration, Confidence
from seqmusic.report.charts import LineSeries, line_chart
from seqmusic.report.sections import Chart, Column, Section, Table

_MIN_BIN_SIZE = 20  # choices in a bin that is drawn
_PROSE = (
    "A model is calibrated when what it holds 80 percent likely comes 80 times in 100. Each of its first choices is put into "
    "one of 15 bins by how sure it was, and each bin tells how often that choice came. The expected calibration error is the "
    "mean distance between the two, in percentage points: 0 is perfect.",
    "A single number can mend much of it: all logits are divided by a temperature (Guo and others, On Calibration of Modern "
    "Neural Networks, 2017). Above 1 it makes the model less sure, below 1 surer, and the order of its choices stays. There is "
    "one temperature for sounds and one for lengths, those that make the validation works likeliest.",
)


def calibration_section(assessment: Assessment) -> Section:
    """Errors before and after, and all bins; without pictures."""
    prose: tuple[str, ...] = _PROSE
    if assessment.subject.split == "valid":
        prose = (
            *prose,
            "Here the temperatures were fitted to the very works that they are tried on, so what they gain is flattered.",
        )
    elif any(own.after is None for own in assessment.calibrations):
        prose = (*prose, "This corpus has no validation works, so no temperature was fitted.")
    return Section(
        "calibration",
        "Calibration",
        prose,
        tables=(_error_table(assessment), _bin_table(assessment)),
    )


def calibration_charts(assessment: Assessment) -> tuple[Chart, ...]:
    """Reliability diagrams of sounds and of lengths.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    return tuple(_reliability_diagram(own) for own in assessment.calibrations)


def _before_and_after_scaling(own: Calibration) -> list[tuple[float, Confidence]]:
    """Temperature and what it makes, as the model is first."""
    after = (
        [(own.temperature, own.after)]
        if own.temperature is not None and own.after is not None
        else []
    )
    return [(1.0, own.before), *after]


def _error_table(assessment: Assessment) -> Table:
    columns = (
        Column("kind", "choice of"),
        Column("temperature", "temperature", ".3f"),
        Column("calibration_error", "calibration error", ".2%"),
        Column("nats", "nats a choice", ".4f"),
    )
    rows = tuple(
        (own.kind, at, made.error, made.nats)
        for own in assessment.calibrations
        for at, made in _before_and_after_scaling(own)
    )
    caption = "As the model is (temperature 1), and at the temperature that fits the validation works best; only real choices count."
    return Table("calibration", caption, columns, rows)


def _bin_table(assessment: Assessment) -> Table:
    columns = (
        Column("kind", "choice of"),
        Column("temperature", "temperature", ".3f"),
        Column("low", "sure from", ".1%"),
        Column("high", "to", ".1%"),
        Column("choices", "choices", ","),
        Column("confidence", "mean sureness", ".1%"),
        Column("accuracy", "came", ".1%"),
    )
    rows = tuple(
        (own.kind, at, each.low, each.high, each.n, each.confidence, each.accuracy)
        for own in assessment.calibrations
        for at, made in _before_and_after_scaling(own)
        for each in made.bins
    )
    return Table("reliability", "All bins of the diagrams.", columns, rows, is_collapsed=True)


def _reliability_diagram(own: Calibration) -> Chart:
    lines = [LineSeries("as sure as right", (0, 100), (0, 100), is_guide=True)]
    for at, made in _before_and_after_scaling(own):
        shown = [each for each in made.bins if each.n >= _MIN_BIN_SIZE]
        sure, right = (
            [100 * each.confidence for each in shown],
            [100 * each.accuracy for each in shown],
        )
        lines.append(
            LineSeries(
                "as it is" if made is own.before else f"at temperature {at:.2f}", sure, right
            )
        )
    drawn = line_chart(
        lines,
        x_label="how sure the first choice was, %",
        y_label="how often it came, %",
        title=f"Reliability of the {own.kind}",
    )
    caption = (
        "On the dashed line the model is as sure as it is right; below it, it is too sure, above it, too modest. "
        f"Bins of fewer than {_MIN_BIN_SIZE} choices are not drawn."
    )
    return Chart(drawn, caption)
