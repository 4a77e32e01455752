"""The page of an alignment: what moved, what it cost, and which guards held."""

from __future__ import annotations

from pathlib import Path

from seqmusic.alignment.assessment import DIVERSITY, NATS, NOTES, TENDENCIES, UNITS
from seqmusic.alignment.results import WRITTEN, AlignmentResults, figures_table
from seqmusic.alignment.rounds import objectives_of
from seqmusic.report.charts import LineSeries, line_chart
from seqmusic.report.report_folder import write_report_folder
from seqmusic.report.sections import Chart, Column, Report, Section, Table

REPORT_FOLDER = "report"
_CHARTS = (TENDENCIES, "parallels", "phrases without cadence", NOTES, DIVERSITY, NATS)


def write_alignment_page(out: Path, results: AlignmentResults) -> Path:
    """Write the report of an alignment into its folder; returns the path of the page.

    Raises:
        MissingExtraError: matplotlib is not installed.
        FormatError: a file cannot be written.
    """
    return write_report_folder(out / REPORT_FOLDER, alignment_report(results))


def alignment_report(results: AlignmentResults) -> Report:
    """The report of an alignment.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    sections = (
        Section(
            "figures",
            "What moved",
            (
                "Each model continues two bars of held-out works at temperature 1 with masks off. "
                "Bach's own continuations of the same beginnings are the dashed line. Intervals "
                "are of 95 percent, by bootstrap over pieces.",
            ),
            tuple(_chart(results, name) for name in _CHARTS),
            tables=(figures_table(results, has_intervals=True),),
        ),
        Section(
            "rounds",
            "What each round learned from",
            (
                "The preferred passage may grow less likely although the margin grows; the "
                "change of its log-probability shows it.",
            ),
            tables=(_rounds_table(results),),
        ),
        Section(
            "guards",
            "Guards",
            ("The first guard that breaks ends the alignment; the round before is kept.",),
            tables=(_guards_table(results),),
        ),
    )
    return Report(f"Alignment of {results.model}", (_summary(results),), "", sections)


def _summary(results: AlignmentResults) -> str:
    kept = "No round kept all guards, so the base remains."
    if results.n_kept:
        after = results.kept_round.figures
        kept = (
            f"Round {results.n_kept} is kept: {TENDENCIES} went from "
            f"{results.base[TENDENCIES].value:.1f} to {after[TENDENCIES].value:.1f} percent, and "
            f"the loss on validation works from {results.base[NATS].value:.4f} to "
            f"{after[NATS].value:.4f} nats per cell."
        )
    return (
        f"{results.model} learned from these preferences: {results.source}, with "
        f"{results.settings.objective}. {kept}"
    )


def _chart(results: AlignmentResults, name: str) -> Chart:
    lines = []
    for objective in objectives_of(results.settings, 1):
        found = [one.figures for one in results.rounds if one.objective == objective]
        points = [figures[name] for figures in (results.base, *found)]
        lines.append(
            LineSeries(
                objective,
                range(len(points)),
                [point.value for point in points],
                [point.low for point in points],
                [point.high for point in points],
            )
        )
    written = results.written.get(name)
    references = [(WRITTEN, written.value)] if written else []
    figure = line_chart(
        lines, x_label="round, 0 is the base", y_label=UNITS[name], references=references
    )
    return Chart(figure, f"{name[:1].upper()}{name[1:]}, {UNITS[name]}.")


def _rounds_table(results: AlignmentResults) -> Table:
    columns = (
        Column("round", "round"),
        Column("pairs", "pairs"),
        Column("chosen", "change of the preferred, nats", "+.1f"),
        Column("rejected", "change of the others, nats", "+.1f"),
        Column("accuracy", "margins that rose", ".0%"),
        Column("seconds", "seconds", ".0f"),
    )
    rows = tuple(
        (
            one.name,
            one.n_pairs,
            one.chosen_change,
            one.rejected_change,
            one.accuracy,
            one.seconds,
        )
        for one in results.rounds
    )
    return Table("rounds", "The pairs of each round.", columns, rows)


def _guards_table(results: AlignmentResults) -> Table:
    columns = (
        Column("round", "round"),
        Column("guard", "guard"),
        Column("unit", "unit"),
        Column("value", "value", ".4g"),
        Column("low", "at least", ".4g"),
        Column("high", "at most", ".4g"),
        Column("state", "state"),
    )
    rows = tuple(
        (
            number,
            guard.name,
            guard.unit,
            guard.value,
            guard.low,
            guard.high,
            "holds" if guard.holds else "broken",
        )
        for number, guards in enumerate(results.guards, start=1)
        for guard in guards
    )
    return Table("guards", "The guards of each round, in their order.", columns, rows)
