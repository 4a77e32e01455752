"""The sections that come from samples: what is drawn stands in the tables, and the recommendation is told."""

import math
from pathlib import Path

import pytest
import torch

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.evaluation.subject import Subject
from seqmusic.evaluation.temperature_sweep import UNITS, Dial, DialPoint, Reading, ladders
from seqmusic.metrics.distributions import DISTRIBUTIONS
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.report.copies import FILE, Copying, write_copying
from seqmusic.report.report_folder import write_report
from seqmusic.report.sections import Report
from seqmusic.report.temperature_sweep import copy_section, dial_section, sample_sections
from seqmusic.runs.pretrained import VOCABULARY
from seqmusic.score import Note, melody

ROW = Copying("as configured", 100, 1.5, 0.4, 0.5, 9.0, 8.0, 10.0, 12.0, 11.0, 14.0, 10.0)


def reading(value: float) -> Reading:
    return Reading(value, value - 0.1, value + 0.1)


def subject(model: Transformer, dataset: Dataset, folder: Path) -> Subject:
    return Subject(
        "a model", folder, model, dataset, "valid", tuple(dataset.part("valid")), frozenset(), True
    )


@pytest.fixture(scope="module")
def dial() -> Dial:
    """Temperature 1 with the default rules is closest; at the lowest temperature one measure has no value."""
    points = []
    for setting in ladders((0.4, 1.0), (0.8, 1.0), (0.05,)):
        away = abs(setting.at - 1) + 0.3 * (setting.request.lenience == 1)
        readings = {name: reading(1 + away) for name in UNITS}
        if setting.at == 0.4:
            readings["pitch class in minor"] = Reading(math.nan, math.nan, math.nan)
        points.append(DialPoint(setting, 4, readings, (5, 8, 9, 12)))
    return Dial(
        tuple(points),
        {name: reading(1) for name in UNITS},
        (6, 8, 10),
        dict.fromkeys(DISTRIBUTIONS, 0.5),
    )


def test_the_dial_tells_its_setting_and_everything_that_it_draws(dial: Dial) -> None:
    section = dial_section(dial)
    assert "Recommended: temperature 1, default rules." in " ".join(section.prose)
    assert len(section.charts) == 1 + len(UNITS)
    tables = {table.name: table.records() for table in section.tables}
    assert len(tables["dial"]) == (len(dial.points) + 1) * len(UNITS)
    assert {row["measure"] for row in tables["dial_measures"]} == set(UNITS)
    assert (
        min(tables["dial_gaps"], key=lambda row: row["mean_gap"])["setting"]
        == "temperature 1, default rules"
    )  # type: ignore[arg-type,return-value]
    (missing,) = [row for row in tables["dial"] if row["value"] is None]
    assert (missing["setting"], missing["measure"], missing["gap"]) == (
        "temperature 0.4, model alone",
        "pitch class in minor",
        None,
    )


def test_copies_are_told_by_their_quantiles(dial: Dial) -> None:
    section = copy_section(dial)
    works, first, *_ = section.tables[0].records()
    assert (works["setting"], works["pieces"], works["notes_50"], works["notes_100"]) == (
        "held-out works",
        3,
        8,
        10,
    )
    assert (first["notes_50"], first["notes_100"]) == (8.5, 12)
    assert len(section.charts) == 1
    over_training = copy_section(dial, [ROW, ROW._replace(step=200)])
    assert len(over_training.charts) == 3
    assert over_training.tables[1].records()[1]["step"] == 200


def test_a_report_is_written_of_samples_of_a_real_model(chorales: Dataset, tmp_path: Path) -> None:
    works = sorted(
        (work.score for work in chorales.part("valid")), key=lambda score: score.end_ticks
    )[:6]
    torch.manual_seed(0)
    model = Transformer(
        ModelSettings(width=32, layers=1, heads=2, context_length=1024), VOCABULARY
    ).eval()
    write_copying(tmp_path / FILE, [ROW])
    settings = ladders((1.0,), (1.0,), ())
    few = Dataset(
        tuple(
            Work(work.title, work, "valid" if place < 3 else "train")
            for place, work in enumerate(works)
        )
    )
    sections = sample_sections(subject(model, few, tmp_path), n=4, settings=settings)
    page = write_report(tmp_path / "report", Report("a model", (), "", sections)).read_text(
        encoding="utf-8"
    )
    assert [section.name for section in sections] == ["dial", "originality"]
    for words in (
        "The temperature dial",
        "Originality",
        "Recommended: temperature 1",
        "Copying over a training",
    ):
        assert words in page
    for name in ("dial", "dial_measures", "dial_gaps", "copies", "copying"):
        assert (tmp_path / "report" / f"{name}.csv").is_file()


def test_without_anything_to_continue_that_is_said(tmp_path: Path) -> None:
    model = Transformer(
        ModelSettings(width=32, layers=1, heads=2, context_length=1024), VOCABULARY
    ).eval()
    long, short = (melody([Note(96 * bar, 96, 60) for bar in range(n)]) for n in (17, 8))
    for parts in (
        (("valid", long), ("train", short), ("train", short)),
        (("valid", short), ("train", short)),
    ):
        few = Dataset(
            tuple(Work(str(place), score, split) for place, (split, score) in enumerate(parts))
        )
        (section,) = sample_sections(subject(model, few, tmp_path))
        assert section.name == "dial"
        assert "nothing was sampled" in section.prose[0]
