"""Charts show what they are given, as the same bytes each time, and leave matplotlib unchanged."""

import re
import sys
from pathlib import Path

import pytest

from seqmusic.errors import FormatError, MissingExtraError
from seqmusic.report.charts import BarSeries, LineSeries, bar_chart, line_chart
from seqmusic.report.figures import COLORS, figure_svg, write_figure

matplotlib = pytest.importorskip("matplotlib")

SWEEP_SERIES = LineSeries(
    "model", (0.5, 1.0, 2.0), (9.0, 2.0, 1.8), low=(8.0, 1.9, 1.7), high=(10.0, 2.1, 1.9)
)
LABELS = {"x_label": "temperature", "y_label": "fifths per 1000 moves"}


def test_lines_have_points_intervals_guides_and_references() -> None:
    guide = LineSeries("even", (0.5, 2.0), (0.0, 1.0), is_guide=True)
    figure = line_chart(
        [SWEEP_SERIES, guide], **LABELS, title="Fifths", references=[("Bach", 0.72)]
    )
    (panel,) = figure.axes
    model, dashed, reference = panel.lines
    assert (model.get_xydata() == [[0.5, 9], [1, 2], [2, 1.8]]).all()
    assert (dashed.get_marker(), dashed.get_color()) == ("None", "#767676")
    assert reference.get_ydata()[0] == 0.72
    band = panel.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (1.7, 10.0)
    svg = figure_svg(figure)
    for text in ("Fifths", "Bach", "model", "even", "temperature", "fifths per 1000 moves"):
        assert f">{text}</text>" in svg, "text is not text"


def test_a_logarithmic_axis_has_its_ticks_at_the_points() -> None:
    (panel,) = line_chart([LineSeries("", (17, 68, 273), (3, 2, 1))], **LABELS, log_x=True).axes
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["17", "68", "273"]


def test_bars_begin_at_the_top_with_their_values_behind_their_intervals() -> None:
    figure = bar_chart(
        ["Alto", "Bass"],
        [BarSeries("a", (1.0, 2.0), (0.5, 1.5), (1.25, 2.5)), BarSeries("b", (3.0, 4.0))],
        x_label="nats",
    )
    (panel,) = figure.axes
    assert [bar.get_width() for bar in panel.patches] == [1, 2, 3, 4]
    assert panel.yaxis.get_inverted()
    values = [(text.get_text(), text.xy[0]) for text in panel.texts]
    assert values == [("1", 1.25), ("2", 2.5), ("3", 3), ("4", 4)]
    intervals = [segment[:, 0].tolist() for segment in panel.collections[0].get_segments()]
    assert intervals == [[0.5, 1.25], [1.5, 2.5]]


def test_the_users_settings_change_nothing_and_stay_unchanged() -> None:
    expected = figure_svg(line_chart([SWEEP_SERIES], **LABELS))
    matplotlib.rcParams["font.size"] = 31
    try:
        first, second = (figure_svg(line_chart([SWEEP_SERIES], **LABELS)) for _ in range(2))
        assert matplotlib.rcParams["font.size"] == 31
    finally:
        matplotlib.rcParams["font.size"] = matplotlib.rcParamsDefault["font.size"]
    assert first == second == expected


def test_svg_loads_nothing_and_styles_only_itself() -> None:
    svg = figure_svg(line_chart([SWEEP_SERIES], **LABELS))
    namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r"https?://[\w./]+", svg)) <= namespaces
    assert "<style" not in svg, "it would hold for the whole page"


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.pdf", b"%PDF"), ("a.svg", b"<?xml")]
)
def test_a_file_is_the_same_bytes_each_time(name: str, start: bytes, tmp_path: Path) -> None:
    first, second = (
        write_figure(line_chart([SWEEP_SERIES], **LABELS), tmp_path / name).read_bytes()
        for _ in range(2)
    )
    assert first == second
    assert first.startswith(start)


def test_what_cannot_be_drawn_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="tells 5 lines apart, got 6"):
        line_chart([SWEEP_SERIES] * (len(COLORS) + 1), **LABELS)
    with pytest.raises(ValueError, match="tells 5 sets of bars apart, got 6"):
        bar_chart(["x"], [BarSeries("", [1.0])] * (len(COLORS) + 1), x_label="nats")
    with pytest.raises(FormatError, match=r"a picture ends in .png, .svg, .pdf, got '.jpg'"):
        write_figure(line_chart([SWEEP_SERIES], **LABELS), tmp_path / "a.jpg")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'seqmusic\[report\]'"):
        line_chart([SWEEP_SERIES], **LABELS)
