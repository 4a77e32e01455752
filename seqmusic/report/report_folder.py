"""A report as a folder: the page report.html, numbers.json, and each table as CSV.

The page opens offline: its content security policy forbids the browser to load anything from
elsewhere, and to run any script but its own.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.works_table import table_text
from seqmusic.formats.image import score_svg
from seqmusic.progress import track
from seqmusic.report.figures import figure_svg, require_matplotlib
from seqmusic.report.html_page import html_page
from seqmusic.report.sections import Chart, Column, Excerpt, Report, Section, Table, TableCell
from seqmusic.report.shading import shaded_svg
from seqmusic.score import TICKS_PER_QUARTER, Note, melody

PAGE_FILE, NUMBERS_FILE = "report.html", "numbers.json"
_EXCERPT_PX = (560, 3000)  # width of a full line of music, and largest height


def require_drawing() -> None:
    """Return if charts and scores can be drawn; to be called before long work.

    Raises:
        MissingExtraError: matplotlib or verovio is not installed.
    """
    require_matplotlib()
    score_svg(melody([Note(0, TICKS_PER_QUARTER, 60)]))


def write_report_folder(folder: Path, report: Report) -> Path:
    """Write the page, numbers.json and a CSV of each table; returns the path of the page.

    Args:
        folder: created if it is missing.
        report: what is written.

    Raises:
        MissingExtraError: matplotlib or verovio is not installed.
        FormatError: a file cannot be written.
        ValueError: two tables or two sections have the same name.
    """
    _require_unique("table", [table.name for table in report.tables])
    _require_unique("section", [section.name for section in report.sections])
    page = page_text(report)
    for table in report.tables:
        write_atomic(folder / f"{table.name}.csv", table_csv(table))
    numbers = json.dumps(report_values(report), ensure_ascii=False, indent=1)
    write_atomic(folder / NUMBERS_FILE, numbers + "\n")
    return write_atomic(folder / PAGE_FILE, page)


def report_values(report: Report) -> dict[str, object]:
    """The rows of all tables, by section and table; an unknown value is None."""
    sections = {
        section.name: {table.name: table.records() for table in section.tables}
        for section in report.sections
    }
    return {"title": report.title, "label": report.label, "sections": sections}


def table_csv(table: Table) -> str:
    """The table as CSV with all digits; an unknown value is empty.

    >>> columns = (Column("at", "at"), Column("held", "held", ".1f"))
    >>> table_csv(Table("held", "", columns, ((0.8, 0.25), (1, None))))
    'at,held\\n0.8,0.25\\n1,\\n'
    """
    return table_text([column.name for column in table.columns], table.rows)


def page_text(report: Report) -> str:
    """The page as HTML.

    Raises:
        MissingExtraError: matplotlib or verovio is not installed.
    """
    excerpts = [excerpt for section in report.sections for excerpt in section.excerpts]
    names = (f"figure{number}" for number in itertools.count(1))
    sections = track(report.sections, "writing the report", "section")
    parts = {
        "title": escape(report.title),
        "summary": _paragraphs_html(report.summary),
        "label": _label_html(report.label),
        "contents": "".join(
            f'<li><a href="#section-{section.name}">{escape(section.title)}</a></li>'
            for section in report.sections
        ),
        "sections": "\n".join(_section_html(section, report.label, names) for section in sections),
    }
    return html_page("report", [_player_data(excerpt) for excerpt in excerpts], parts)


def _require_unique(kind: str, names: list[str]) -> None:
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(
            f"each {kind} of a report has a name of its own, got {sorted(twice)[0]!r} twice"
        )


def _section_html(section: Section, label: str, names: Iterator[str]) -> str:
    charts = "\n".join(_chart_html(chart, label, next(names)) for chart in section.charts)
    excerpts = "\n".join(_excerpt_html(excerpt, next(names)) for excerpt in section.excerpts)
    parts = (
        f'<section id="section-{section.name}">\n<h2>{escape(section.title)}</h2>',
        _paragraphs_html(section.prose),
        f'<div class="charts">{charts}</div>' if charts else "",
        f'<div class="excerpts">{excerpts}</div>' if excerpts else "",
        *(_table_html(table, label) for table in section.tables),
        "</section>",
    )
    return "\n".join(part for part in parts if part)


def _paragraphs_html(texts: tuple[str, ...]) -> str:
    return "\n".join(f"<p>{escape(text)}</p>" for text in texts)


def _label_html(label: str) -> str:
    return f'<strong class="label">{escape(label)}</strong>' if label else ""


def _chart_html(chart: Chart, label: str, name: str) -> str:
    svg = _prefix_ids(figure_svg(chart.figure), name).replace(
        "<svg", f'<svg role="img" aria-label="{escape(chart.caption)}"', 1
    )
    caption = f"<figcaption>{escape(chart.caption)} {_label_html(label)}</figcaption>"
    return f"<figure>{svg}{caption}</figure>"


def _prefix_ids(svg: str, name: str) -> str:
    """The picture with ids that are unique on the page, without those that nothing refers to."""
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    svg = re.sub(
        r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg
    )
    return re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)


def _excerpt_html(excerpt: Excerpt, name: str) -> str:
    svg = "\n".join(shaded_svg(excerpt.score, excerpt.explanation, _EXCERPT_PX, name))
    title = escape(excerpt.title)
    return (
        f'<figure class="excerpt"><h3><button aria-label="Play {title}">▶</button> {title}</h3>'
        f"<div>{svg}</div><figcaption>{escape(excerpt.caption)}</figcaption></figure>"
    )


def _player_data(excerpt: Excerpt) -> dict[str, object]:
    """What the script plays: events as [voice, MIDI number or None, onset, end], in ticks.

    They are in the order of the explanation.
    """
    events = excerpt.explanation.events
    return {
        "secondsPerTick": excerpt.score.seconds_per_tick,
        "voiceCount": len(excerpt.score.voices),
        "notes": [
            (event.voice, event.pitch, event.onset_ticks, event.onset_ticks + event.duration_ticks)
            for event in events
        ],
    }


def _table_html(table: Table, label: str) -> str:
    head = "".join(f"<th>{escape(column.heading)}</th>" for column in table.columns)
    rows = "\n".join(
        f"<tr>{''.join(map(_cell_html, table.columns, row))}</tr>" for row in table.rows
    )
    caption = f"{escape(table.caption)} {_label_html(label)}"
    body = (
        f'<div class="scrolls"><table id="{table.name}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )
    if table.is_collapsed:
        return f"<details><summary>{caption}</summary>{body}</details>"
    return f'<div class="table"><p class="caption">{caption}</p>{body}</div>'


def _cell_html(column: Column, cell: TableCell) -> str:
    """A cell; a number carries all its digits, for programs that read the page."""
    text = escape(column.formatted(cell))
    if cell is None or isinstance(cell, str):
        return f"<td>{text}</td>"
    return f'<td class="n"><data value="{cell}">{text}</data></td>'
