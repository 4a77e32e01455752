"""The sections that come from samples: what is drawn stands in the tables, and the recommendation is told."""

import math
from pathlib import Path

import pytest
import torch

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.evaluation.estimates import UNITS, Estimate
from seqmusic.evaluation.subject import Subject
from seqmusic.evaluation.sampling_settings import sampling_settings
from seqmusic.evaluation.temperature_sweep import SweepPoint, TemperatureSweep
from seqmusic.metrics.distributions import DISTRIBUTIONS
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.report.copies import COPYING_CSV, CopyingPoint, write_copying
from seqmusic.report.report_folder import write_report_folder
from seqmusic.report.sections import Report
from seqmusic.report.sweep import originality_section, sample_sections, temperature_section
from seqmusic.runs.pretrained import VOCABULARY
from seqmusic.score import Note, melody

ROW = CopyingPoint("as configured", 100, 1.5, 0.4, 0.5, 9.0, 8.0, 10.0, 12.0, 11.0, 14.0, 10.0)


def reading(value: float) -> Estimate:
    return Estimate(value, value - 0.1, value + 0.1)


def subject(model: Transformer, dataset: Dataset, folder: Path) -> Subject:
    return Subject(
        "a model", folder, model, dataset, "valid", tuple(dataset.works_in("valid")), frozenset(), True
    )


@pytest.fixture(scope="module")
def sweep() -> TemperatureSweep:
    """Temperature 1 with the default rules is closest; at the lowest temperature one measure has no value."""
    points = []
    for setting in sampling_settings((0.4, 1.0), (0.8, 1.0), (0.05,)):
        away = abs(setting.level - 1) + 0.3 * (setting.request.lenience == 1)
        estimates = {name: reading(1 + away) for name in UNITS}
        if setting.level == 0.4:
            estimates["pitch class in minor"] = Estimate(math.nan, math.nan, math.nan)
        points.append(SweepPoint(setting, 4, estimates, (5, 8, 9, 12)))
    return TemperatureSweep(
        tuple(points),
        {name: reading(1) for name in UNITS},
        (6, 8, 10),
        dict.fromkeys(DISTRIBUTIONS, 0.5),
    )


def test_the_dial_tells_its_setting_and_everything_that_it_draws(sweep: TemperatureSweep) -> None:
    section = temperature_section(sweep)
    assert "Recommended: temperature 1, default rules." in " ".join(section.prose)
    assert len(section.charts) == 1 + len(UNITS)
    tables = {table.name: table.records() for table in section.tables}
    assert len(tables["dial"]) == (len(sweep.points) + 1) * len(UNITS)
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


def test_copies_are_told_by_their_quantiles(sweep: TemperatureSweep) -> None:
    section = originality_section(sweep)
    works, first, *_ = section.tables[0].records()
    assert (works["setting"], works["pieces"], works["notes_50"], works["notes_100"]) == (
        "held-out works",
        3,
        8,
        10,
    )
    assert (first["notes_50"], first["notes_100"]) == (8.5, 12)
    assert len(section.charts) == 1
    over_training = originality_section(sweep, [ROW, ROW._replace(step=200)])
    assert len(over_training.charts) == 3
    assert over_training.tables[1].records()[1]["step"] == 200


def test_a_report_is_written_of_samples_of_a_real_model(chorales: Dataset, tmp_path: Path) -> None:
    works = sorted(
        (work.score for work in chorales.works_in("valid")), key=lambda score: score.end_ticks
    )[:6]
    torch.manual_seed(0)
    model = Transformer(
        ModelSettings(width=32, layers=1, heads=2, context_length=1024), VOCABULARY
    ).eval()
    write_copying(tmp_path / COPYING_CSV, [ROW])
    settings = sampling_settings((1.0,), (1.0,), ())
    few = Dataset(
        tuple(
            Work(work.title, work, "valid" if place < 3 else "train")
            for place, work in enumerate(works)
        )
    )
    sections = sample_sections(subject(model, few, tmp_path), n=4, settings=settings)
    page = write_report_folder(tmp_path / "report", Report("a model", (), "", sections)).read_text(
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
