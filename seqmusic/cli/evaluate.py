"""seqmusic evaluate: how well a model predicts, in figures and as a report."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated, Literal

from seqmusic.cli.arguments import require_empty_folder
from seqmusic.cli.options import Flag


def evaluate(
    run: Path | None = None,
    /,
    *,
    split: Literal["train", "valid", "test"] = "test",
    data: Path | None = None,
    report: Path | None = None,
    samples: int = 100,
    json: Annotated[bool, Flag] = False,
) -> None:
    """Measure how well a model predicts works, beside an n-gram and persistence.

    Prints a short table; --report writes a page, with the passages that surprise the model most and
    least, engraved and played.

    For example: seqmusic evaluate runs/first --split valid --report reports/first

    Args:
        run: The folder of a run, or the name of a model that comes with seqmusic; by default the
            default model.
        split: Which part of the works.
        data: Another corpus than that of the run: a folder made by seqmusic data prepare --out, or
            a benchmark .json.
        report: A new folder for report.html, one self-contained page, and for every number as CSV
            and JSON.
        samples: How many pieces the model composes for the report at each temperature and setting;
            0 for none.
        json: Print all figures as one JSON object in the last line.
    """
    if samples < 0:
        raise ValueError(f"--samples must be 0 (none) or more, got {samples}")
    figures = _evaluate(run, split, data, report, samples)
    if json:
        print(json_text.dumps(figures))


def _evaluate(
    run: Path | None, split: str, data: Path | None, report: Path | None, samples: int
) -> dict[str, object]:
    """Print the table, write the report, and return all figures."""
    from seqmusic.evaluation.assessment import assess
    from seqmusic.evaluation.subject import load_subject
    from seqmusic.report.model_report import illustrated_report, metrics_report, metrics_text
    from seqmusic.report.report_folder import report_values, require_drawing, write_report_folder
    from seqmusic.report.sweep import sample_sections

    if report is not None:
        require_empty_folder(report)
        require_drawing()
    subject = load_subject(run, split, data)
    assessment = assess(subject)
    print(metrics_text(assessment))
    if report is None:
        return report_values(metrics_report(assessment))
    sections = sample_sections(subject, n=samples) if samples else ()
    illustrated = illustrated_report(assessment, *sections)
    print(f"report: {write_report_folder(report, illustrated)}")
    return report_values(illustrated)
