"""The report on a model: tables alone, or with charts, passages and further sections."""

from __future__ import annotations

from dataclasses import replace

from seqmusic.evaluation.assessment import Assessment, Calibration, PredictorTotal
from seqmusic.report.confidence import calibration_charts, calibration_section
from seqmusic.report.passages import passage_sections
from seqmusic.report.predictions import prediction_charts, prediction_section
from seqmusic.report.sections import Report, Section

_SPLIT_NAMES = {"train": "training", "valid": "validation", "test": "test"}


def metrics_report(assessment: Assessment) -> Report:
    """Prediction and calibration in prose and tables; no extra is needed for it."""
    subject, pieces = assessment.subject, assessment.pieces
    summary = (
        f"The model “{subject.name}” predicts the {len(subject.works)} "
        f"{_SPLIT_NAMES[subject.split]} works, note by note: "
        f"{sum(pieces.notes):,} notes, {sum(pieces.cells):,} cells.",
    )
    sections = (prediction_section(assessment), calibration_section(assessment))
    return Report(f"What the model “{subject.name}” knows", summary, subject.label, sections)


def illustrated_report(assessment: Assessment, *more: Section) -> Report:
    """The same with charts and passages, followed by more sections.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    bare = metrics_report(assessment)
    prediction, calibration = bare.sections
    sections = (
        replace(prediction, charts=prediction_charts(assessment)),
        *passage_sections(assessment),
        replace(calibration, charts=calibration_charts(assessment)),
        *more,
    )
    return replace(bare, sections=sections)


def metrics_text(assessment: Assessment) -> str:
    """The main figures as text for a terminal."""
    subject, pieces = assessment.subject, assessment.pieces
    lines = [
        f"{subject.name} on {len(subject.works)} {subject.split} works: "
        f"{sum(pieces.notes):,} notes, {sum(pieces.cells):,} cells",
        *([f"{subject.label}."] if subject.label else []),
        f"{'':<12} nats per cell  95 percent      per note  top-1 accuracy: sound  length  "
        "perplexity: of 130 sounds  of 96 lengths",
        *map(_total_line, assessment.totals),
        *map(_calibration_line, assessment.calibrations),
    ]
    return "\n".join(lines)


def _total_line(total: PredictorTotal) -> str:
    low, high = total.interval
    line = (
        f"{total.predictor:<12} {total.nats_per_cell:>13.4f}  {low:.4f}..{high:.4f}  "
        f"{total.nats_per_note:>8.3f}"
    )
    accuracy = total.prediction_accuracy
    if accuracy is None:
        return line
    return (
        f"{line}  {accuracy.sound_top_k[0]:>21.1%}  {accuracy.duration_top_k[0]:>6.1%}  "
        f"{accuracy.sound_perplexity:>25.2f}  {accuracy.duration_perplexity:>13.2f}"
    )


def _calibration_line(calibration: Calibration) -> str:
    line = f"calibration error of the {calibration.kind}: {calibration.before.error:.4f}"
    if calibration.after is None:
        return f"{line}; no validation works to fit a temperature to"
    return (
        f"{line}; at temperature {calibration.temperature:.3f}, fitted to the validation works, "
        f"{calibration.after.error:.4f}"
    )
