"""The report on a model: its figures alone, or with pictures, passages and whatever sections come after."""

from __future__ import annotations

from dataclasses import replace

from seqmusic.evaluation.assessment import Assessment, PredictorTotal
from seqmusic.report.confidence import calibration_charts, calibration_section
from seqmusic.report.predictions import passage_sections, prediction_charts, prediction_section
from seqmusic.report.sections import Report, Section


def metrics_report(assessment: Assessment) -> Report:
    """Prediction and calibration in prose and tables: no optional part is needed for it."""
    subject, pieces = assessment.subject, assessment.pieces
    part = {"train": "training", "valid": "validation", "test": "test"}[subject.split]
    summary = (
        f"The model “{subject.name}” was asked to predict the {len(subject.works)} {part} works, note by note: "
        f"{sum(pieces.notes):,} notes, {sum(pieces.cells):,} cells.",
    )
    sections = (prediction_section(assessment), calibration_section(assessment))
    return Report(f"What the model “{subject.name}” knows", summary, subject.label, sections)


def illustrated_report(assessment: Assessment, *more: Section) -> Report:
    """The same with charts and passages, and more sections at the end; shows progress.

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
        f"{subject.name} on {len(subject.works)} {subject.split} works: {sum(pieces.notes):,} notes, {sum(pieces.cells):,} cells",
        *([f"{subject.label}."] if subject.label else []),
        f"{'':<12} nats a cell  95 percent        a note  right at once: sound  length  perplexity: of 130 sounds  of 96 lengths",
        *map(_total_line, assessment.totals),
    ]
    for own in assessment.calibrations:
        fitted = (
            f"; at temperature {own.temperature:.3f}, fitted to the validation works, {own.after.error:.4f}"
            if own.after is not None
            else "; no validation works to fit a temperature to"
        )
        lines.append(f"calibration error of the {own.kind}: {own.before.error:.4f}{fitted}")
    return "\n".join(lines)


def _total_line(own: PredictorTotal) -> str:
    low, high = own.interval
    start = f"{own.predictor:<12} {own.nats_per_cell:>11.4f}  {low:.4f}..{high:.4f}  {own.nats_per_note:>8.3f}"
    known = own.prediction_accuracy
    if known is None:
        return start
    right = f"  {known.sound_top_k[0]:>20.1%}  {known.duration_top_k[0]:>6.1%}"
    return f"{start}{right}  {known.sound_perplexity:>25.2f}  {known.duration_perplexity:>13.2f}"
