"""A report in a folder: page, JSON and CSV say the same, and the page needs nothing else."""

import base64
import csv
import hashlib
import json
import re
import shutil
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

HOSTILE_HTML = "<script>window.owned = 1</script>"
SWEEP_TABLE = Table(
    "dial",
    "What the dial does & undoes.",
    (
        Column("temperature", "temperature", "g"),
        Column("held", "held, % of steps", ".1%"),
        Column("said", "in words"),
    ),
    ((0.8, 0.7871234, "calm"), (1, None, HOSTILE_HTML), (1.2, float("nan"), "wild, or so")),
)
LONG_TABLE = Table(
    "works",
    "All works.",
    (Column("work", "work"), Column("nats", "nats a cell", ".3f")),
    (("a", 1 / 3),),
    is_collapsed=True,
)
# Two bars of whole notes in 2/2 at 480 quarters a minute: one second in all.
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
        ExplainedEvent(v, at, 96, 72 - 5 * v - at // 96, sound_bits=float(v))
        for at in (0, 96)
        for v in range(len(SATB))
    )
)


def report() -> Report:
    from seqmusic.report.charts import LineSeries, line_chart

    line = LineSeries("model", (0.8, 1.2), (0.78, 0.7))
    charts = tuple(
        Chart(
            line_chart([line], x_label="temperature", y_label="held"), f"The {word} voice <holds>."
        )
        for word in ("first", "next")
    )
    music = tuple(Excerpt(f"work {n}", "Four bits a note.", PIECE, SURPRISES) for n in (1, 2))
    sections = (
        Section("dial", "The dial", (f"Prose {HOSTILE_HTML}.",), charts, (), (SWEEP_TABLE,)),
        Section("music", "Music", (), (), music, (LONG_TABLE,)),
    )
    return Report(
        "How it is <done>", ("In short.",), "1 of these 2 works were trained on", sections
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    return write_report_folder(made, report()).parent


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


class _TableParser(HTMLParser):
    """Collects, by the id of each table, the cells of its body: the value of a number, the text of anything else."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] = []
        self._is_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "table":
            self._rows = self.tables.setdefault(told["id"] or "", [])
        elif tag == "tr":
            self._rows.append([])
        elif tag == "td":
            self._rows[-1].append("")
            self._is_text = True
        elif tag == "data":
            self._rows[-1][-1] = told["value"] or ""
            self._is_text = False

    def handle_data(self, data: str) -> None:
        if self._is_text:
            self._rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._is_text = self._is_text and tag != "td"


def test_page_json_and_csv_say_the_same(folder: Path, text: str) -> None:
    told = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    assert told["label"] == "1 of these 2 works were trained on"
    assert told["sections"]["dial"]["dial"][0] == {
        "temperature": 0.8,
        "held": 0.7871234,
        "said": "calm",
    }
    assert told["sections"]["dial"]["dial"][2]["held"] is None, "JSON has no nan"
    assert told["sections"]["music"]["works"] == [{"work": "a", "nats": 1 / 3}]
    page = _TableParser()
    page.feed(text)
    for section in told["sections"].values():
        for name, records in section.items():
            with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            assert [list(row) for row in rows] == [list(record) for record in records]
            as_text = [
                ["" if value is None else str(value) for value in record.values()]
                for record in records
            ]
            assert [list(row.values()) for row in rows] == as_text
            assert [row for row in page.tables[name] if row] == [
                [cell or "–" for cell in row] for row in as_text
            ]
    assert sorted(path.name for path in folder.iterdir()) == [
        "dial.csv",
        "numbers.json",
        "report.html",
        "works.csv",
    ]


def test_the_page_holds_all_it_needs_and_lets_nothing_else_in(text: str) -> None:
    assert not re.findall(r'(?:href|src|srcset|action)="(?!#)|url\((?!#)|@import', text)
    assert set(re.findall(r"https?://[\w./]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{digest}';" in text
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', text)) <= set(ids), (
        "all that is pointed at is there"
    )
    assert "window.owned" not in script
    assert text.count("&lt;script&gt;window.owned") == 2


def test_what_must_be_known_stands_at_every_figure_and_table(text: str) -> None:
    label = '<strong class="label">1 of these 2 works were trained on</strong>'
    assert text.count(label) == 1 + 2 + 2  # on top, two charts, two tables
    for caption in re.findall(
        r"<figcaption>The.*?</figcaption>|<summary>.*?</summary>|<p class=\"caption\">.*?</p>", text
    ):
        assert label in caption


def test_names_that_stand_twice_are_refused(tmp_path: Path) -> None:
    twice = Section("a", "A", tables=(LONG_TABLE, LONG_TABLE))
    with pytest.raises(
        ValueError, match="each table of a report has a name of its own, got 'works' twice"
    ):
        write_report_folder(tmp_path, Report("", (), "", (twice,)))
    with pytest.raises(
        ValueError, match="each section of a report has a name of its own, got 'b' twice"
    ):
        write_report_folder(tmp_path, Report("", (), "", (Section("b", ""), Section("b", ""))))
    with pytest.raises(ValueError, match=r"table held: a row has 1 cells, got \(1, 2\)"):
        Table("held", "", (Column("a", "a"),), ((1, 2),))
    with pytest.raises(
        ValueError, match=r"a table is named in small letters, digits and _, got '\.\./a'"
    ):
        Table("../a", "", (), ())
    assert not list(tmp_path.iterdir())


@pytest.fixture
def open_page(folder: Path) -> Iterator[Any]:
    """Opens the page, and in the end sees that nothing went wrong in it and nothing was asked for but itself."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    wrong, asked = [], []
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_page(viewport={"width": 360, "height": 740})
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((folder / "report.html").as_uri())
        yield page
        browser.close()
    assert wrong == []
    assert asked == [(folder / "report.html").as_uri()]


def test_on_a_phone_nothing_is_wider_than_the_screen_and_music_plays_one_at_a_time(
    open_page: Any,
) -> None:
    assert open_page.evaluate("document.documentElement.scrollWidth") == 360
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
    assert second.inner_text() == "▶", "it ends by itself"
    assert open_page.locator(".sounding").count() == 0
