"""seqmusic evaluate: what a model knows, in figures and as a report."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated, Literal

from seqmusic.cli.arguments import Flag, require_empty_folder


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
    """Measure how well a model predicts works, beside an n-gram and persistence, and whether it is as sure as it is right.

    Prints a short table; --report makes a page, with the passages that surprise the model most and least, engraved and played.

    For example: seqmusic evaluate runs/first --split valid --report reports/first

    Args:
        run: The folder of a run, or the name of a model that comes with seqmusic; without it, the default model.
        split: Which part of the works.
        data: Another corpus than the run's own: a folder made by seqmusic data prepare --out, or a benchmark .json.
        report: A new folder for report.html, one page that needs nothing else, and every number as CSV and JSON.
        samples: How many pieces the model composes for the report at each setting, temperature by temperature; 0 for none.
        json: Print all figures as one JSON object in the last line.
    """
    from seqmusic.evaluation.assessment import assess
    from seqmusic.evaluation.subject import load_subject
    from seqmusic.report.model_report import illustrated_report, metrics_report, metrics_text
    from seqmusic.report.report_folder import report_values, require_drawing, write_report_folder
    from seqmusic.report.sweep import sample_sections

    if samples < 0:
        raise ValueError(f"--samples must be 0 (none) or more, got {samples}")
    if report is not None:
        require_empty_folder(report)
        require_drawing()
    subject = load_subject(run, split, data)
    assessment = assess(subject)
    print(metrics_text(assessment))
    told = metrics_report(assessment)
    if report is not None:
        told = illustrated_report(
            assessment, *(sample_sections(subject, n=samples) if samples else ())
        )
        print(f"report: {write_report_folder(report, told)}")
    if json:
        print(json_text.dumps(report_values(told)))
