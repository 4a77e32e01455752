"""A report in a folder: page, JSON and CSV agree, and the page needs nothing else."""

import base64
import csv
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from seqmusic.report.explanation import ExplainedEvent, Explanation
from seqmusic.report.report_folder import write_report_folder
from seqmusic.report.sections import Chart, Column, Excerpt, Report, Section, Table
from seqmusic.score import SATB, Note, Score, TimeSignature, Voice

pytest.importorskip("matplotlib")
pytest.importorskip("verovio")

HOSTILE_HTML = "<script>window.hostile = 1</script>"
SWEEP_TABLE = Table(
    "dial",
    "What the temperature does & undoes.",
    (
        Column("temperature", "temperature", "g"),
        Column("held", "held, % of steps", ".1%"),
        Column("remark", "remark"),
    ),
    ((0.8, 0.7871234, "calm"), (1, None, HOSTILE_HTML), (1.2, float("nan"), "wild, or so")),
)
LONG_TABLE = Table(
    "works",
    "All works.",
    (Column("work", "work"), Column("nats", "nats per cell", ".3f")),
    (("a", 1 / 3),),
    is_collapsed=True,
)
# Two bars of whole notes in 2/2 at 480 quarters per minute: one second in all.
PIECE = Score(
    tuple(
        Voice(name, (Note(0, 96, 72 - 5 * v), Note(96, 96, 71 - 5 * v)))
        for v, name in enumerate(SATB)
    ),
    ((0, TimeSignature(2, 2)),),
    tempo_bpm=480,
)
SURPRISES = Explanation(
    tuple(
        ExplainedEvent(v, onset, 96, 72 - 5 * v - onset // 96, sound_bits=float(v))
        for onset in (0, 96)
        for v in range(len(SATB))
    )
)


def report() -> Report:
    from seqmusic.report.charts import LineSeries, line_chart

    line = LineSeries("model", (0.8, 1.2), (0.78, 0.7))
    charts = tuple(
        Chart(line_chart([line], x_label="temperature", y_label="held"), f"The {n} voice <holds>.")
        for n in ("first", "next")
    )
    excerpts = tuple(Excerpt(f"work {n}", "Four bits per note.", PIECE, SURPRISES) for n in (1, 2))
    prose = (f"Prose {HOSTILE_HTML}.",)
    sections = (
        Section("dial", "Temperature", prose, charts=charts, tables=(SWEEP_TABLE,)),
        Section("music", "Music", excerpts=excerpts, tables=(LONG_TABLE,)),
    )
    label = "1 of these 2 works were trained on"
    return Report("How it is <done>", ("In short.",), label, sections)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report_folder(tmp_path_factory.mktemp("report"), report()).parent


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


class _TableParser(HTMLParser):
    """Collects the cells of each table by its id: the value of a number, or the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] = []
        self._is_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "table":
            self._rows = self.tables.setdefault(attributes["id"] or "", [])
        elif tag == "tr":
            self._rows.append([])
        elif tag == "td":
            self._rows[-1].append("")
            self._is_text = True
        elif tag == "data":
            self._rows[-1][-1] = attributes["value"] or ""
            self._is_text = False

    def handle_data(self, data: str) -> None:
        if self._is_text:
            self._rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._is_text = self._is_text and tag != "td"


def test_json_holds_the_label_and_all_digits(folder: Path) -> None:
    numbers = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    assert numbers["label"] == "1 of these 2 works were trained on"
    first, _, last = numbers["sections"]["dial"]["dial"]
    assert first == {"temperature": 0.8, "held": 0.7871234, "remark": "calm"}
    assert last["held"] is None, "JSON has no nan"
    assert numbers["sections"]["music"]["works"] == [{"work": "a", "nats": 1 / 3}]


def test_page_json_and_csv_agree(folder: Path, text: str) -> None:
    numbers = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    page = _TableParser()
    page.feed(text)
    tables = {k: v for section in numbers["sections"].values() for k, v in section.items()}
    for name, records in tables.items():
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [list(row) for row in rows] == [list(record) for record in records]
        cells = [["" if v is None else str(v) for v in record.values()] for record in records]
        assert [list(row.values()) for row in rows] == cells
        on_page = [row for row in page.tables[name] if row]  # the head has no td
        assert on_page == [[cell or "–" for cell in row] for row in cells]
    files = {path.name for path in folder.iterdir()}
    assert files == {"dial.csv", "numbers.json", "report.html", "works.csv"}


def test_the_page_loads_nothing_and_runs_only_its_script(text: str) -> None:
    assert not re.findall(r'(?:href|src|srcset|action)="(?!#)|url\((?!#)|@import', text)
    namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r"https?://[\w./]+", text)) <= namespaces
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{digest}';" in text
    assert "window.hostile" not in script
    assert text.count("&lt;script&gt;window.hostile") == 2


def test_ids_are_unique_and_every_reference_has_its_id(text: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', text)) <= set(ids)


def test_the_label_stands_at_every_figure_and_table(text: str) -> None:
    label = '<strong class="label">1 of these 2 works were trained on</strong>'
    assert text.count(label) == 1 + 2 + 2  # on top, two charts, two tables
    for caption in re.findall(
        r"<figcaption>The.*?</figcaption>|<summary>.*?</summary>|<p class=\"caption\">.*?</p>", text
    ):
        assert label in caption


def test_repeated_and_unsuitable_names_are_refused(tmp_path: Path) -> None:
    tables_twice = (Section("a", "A", tables=(LONG_TABLE, LONG_TABLE)),)
    sections_twice = (Section("b", ""), Section("b", ""))
    for sections, message in (
        (tables_twice, "each table of a report has a name of its own, got 'works' twice"),
        (sections_twice, "each section of a report has a name of its own, got 'b' twice"),
    ):
        with pytest.raises(ValueError, match=message):
            write_report_folder(tmp_path, Report("", (), "", sections))
    with pytest.raises(ValueError, match=r"table held: a row has 1 cells, got \(1, 2\)"):
        Table("held", "", (Column("a", "a"),), ((1, 2),))
    with pytest.raises(
        ValueError, match=r"a table is named in small letters, digits and _, got '\.\./a'"
    ):
        Table("../a", "", (), ())
    assert not list(tmp_path.iterdir())


@pytest.fixture
def open_page(folder: Path, browser: Any) -> Iterator[Any]:
    """The page on a phone; at the end it has logged no error, and requested nothing but itself."""
    errors, requests = [], []
    address = (folder / "report.html").as_uri()
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    yield page
    page.close()
    assert errors == []
    assert requests == [address]


def test_on_a_phone_nothing_is_wider_than_the_screen(open_page: Any) -> None:
    assert open_page.evaluate("document.documentElement.scrollWidth") == 360


def test_one_excerpt_plays_at_a_time_and_ends_by_itself(open_page: Any) -> None:
    first, second = open_page.locator(".excerpt button").all()
    first.click()
    open_page.wait_for_timeout(300)
    assert open_page.locator(".sounding").count() == 4, "the first whole notes"
    second.click()
    assert (first.inner_text(), second.inner_text()) == ("▶", "■")
    for _ in range(100):
        if second.inner_text() == "▶":
            break
        open_page.wait_for_timeout(50)
    assert second.inner_text() == "▶", "the excerpt has not ended"
    assert open_page.locator(".sounding").count() == 0
