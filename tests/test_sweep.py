"""The sections made from samples: all that is drawn stands in tables, and one setting is chosen."""

from pathlib import Path

import pytest
import torch
from sweeps import COPYING_POINT, small_sweep

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.evaluation.estimates import UNITS
from seqmusic.evaluation.sampling_settings import sampling_settings
from seqmusic.evaluation.subject import Subject
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer
from seqmusic.report.copying_curve import COPYING_CSV, write_copying
from seqmusic.report.report_folder import write_report_folder
from seqmusic.report.sections import Report
from seqmusic.report.sweep import sample_sections, temperature_section
from seqmusic.runs.pretrained import VOCABULARY
from seqmusic.score import Note, Score, melody


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(0)
    settings = ModelSettings(width=32, layers=1, heads=2, context_length=1024)
    return Transformer(settings, VOCABULARY).eval()


def subject_of(model: Transformer, dataset: Dataset, folder: Path) -> Subject:
    works = tuple(dataset.works_in("valid"))
    return Subject("a model", folder, model, dataset, "valid", works, frozenset(), True)


def test_all_that_is_drawn_stands_in_tables() -> None:
    sweep = small_sweep()
    section = temperature_section(sweep)
    best = "temperature 1, default rules"
    assert f"Recommended: {best}." in " ".join(section.prose)
    assert len(section.charts) == 1 + len(UNITS)
    tables = {table.name: table.records() for table in section.tables}
    assert len(tables["dial"]) == (len(sweep.points) + 1) * len(UNITS)
    assert {row["measure"] for row in tables["dial_measures"]} == set(UNITS)
    gaps = {row["setting"]: row["mean_gap"] for row in tables["dial_gaps"]}
    assert min(gaps, key=lambda setting: float(gaps[setting] or 0)) == best
    (unknown,) = [row for row in tables["dial"] if row["value"] is None]
    assert (unknown["setting"], unknown["measure"], unknown["gap"]) == (
        "temperature 0.4, model alone",
        "pitch class in minor",
        None,
    )


def test_a_report_is_written_on_samples_of_a_model(
    chorales: Dataset, model: Transformer, tmp_path: Path
) -> None:
    shortest = sorted((w.score for w in chorales.works_in("valid")), key=lambda s: s.end_ticks)[:6]
    works = [
        Work(score.title, score, "valid" if number < 3 else "train")
        for number, score in enumerate(shortest)
    ]
    write_copying(tmp_path / COPYING_CSV, [COPYING_POINT])
    subject = subject_of(model, Dataset(tuple(works)), tmp_path)
    sections = sample_sections(subject, n=4, settings=sampling_settings((1.0,), (1.0,), ()))
    assert [section.name for section in sections] == ["dial", "originality"]
    page = write_report_folder(tmp_path / "report", Report("a model", (), "", sections))
    text = page.read_text(encoding="utf-8")
    for phrase in ("The temperature sweep", "Originality", "Recommended: temperature 1"):
        assert phrase in text
    assert "Copying over a training" in text
    for name in ("dial", "dial_measures", "dial_gaps", "copies", "copying"):
        assert (tmp_path / "report" / f"{name}.csv").is_file()


def whole_notes(n_bars: int) -> Score:
    return melody([Note(96 * bar, 96, 60) for bar in range(n_bars)])


@pytest.mark.parametrize(
    "sizes",
    [
        (("valid", 17), ("train", 8), ("train", 8)),  # bars: no held-out work is short enough
        (("valid", 8), ("train", 8)),  # too few training works to compare with
    ],
)
def test_a_section_says_that_nothing_can_be_sampled(
    sizes: tuple[tuple[str, int], ...], model: Transformer, tmp_path: Path
) -> None:
    works = [
        Work(str(number), whole_notes(n_bars), split)
        for number, (split, n_bars) in enumerate(sizes)
    ]
    (section,) = sample_sections(subject_of(model, Dataset(tuple(works)), tmp_path))
    assert section.name == "dial"
    assert "nothing was sampled" in section.prose[0]
