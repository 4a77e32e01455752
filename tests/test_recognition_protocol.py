"""The protocol of recognition: figures, shortcuts, transformations, sources and subsets."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from seqmusic.benchmarks.recognition import figures_values, measure, source_folds
from seqmusic.benchmarks.recognition_text import recognition_text
from seqmusic.benchmarks.techniques import techniques_table
from seqmusic.experiments.recognition import nested_subset
from seqmusic.formats.theme import parse_theme
from seqmusic.recognition.assembly import train_recognizer
from seqmusic.recognition.audit import TRANSFORMATIONS, scaled
from seqmusic.recognition.inputs import input_lines
from seqmusic.recognition.lines import line_of, lines_of, melodic_lines
from seqmusic.recognition.measures import calibration_error
from seqmusic.recognition.works import LabeledWork, split_works
from seqmusic.score import Note, Score, TimeSignature, Voice


def labeled_works(n_per_class: int) -> list[LabeledWork]:
    """Works of two classes: steps in 3/4, leaps and steps in 4/4."""
    rng = np.random.default_rng(4)
    works: list[LabeledWork] = []
    for name, moves in {"a": [-4, -2, 2, 4], "b": [-2, -1, 1, 2]}.items():
        meter = ((0, TimeSignature(4 if name == "a" else 3, 4)),)
        for i in range(n_per_class):
            pitches = 60 + np.clip(np.cumsum(rng.choice(moves, 40)), -20, 20)
            notes = (Note(24 * k, 24, int(pitch)) for k, pitch in enumerate(pitches))
            score = Score((Voice("Alto", tuple(notes)),), meter)
            source = f"{name}/{i % 5}"
            lines = tuple(lines_of(score))
            works.append(LabeledWork(f"{source}/{i}", name, source, len(works), score, lines))
    return split_works(works)


def test_the_protocol_measures_and_tells_everything() -> None:
    pytest.importorskip("sklearn")
    works = labeled_works(15)
    figures = measure(train_recognizer(works), works)
    assert figures.n_works["a"] == (9, 3, 3)
    assert figures.shortcuts["first meter alone"].value == 1
    assert figures.shortcuts["number of voices alone"].value == 0.5
    n_works, share = figures.transformations["transposed up a fourth"]
    assert (n_works, share) == (6, 1)
    assert figures.inputs[0].classes.low <= figures.inputs[0].classes.value
    assert set(figures.sources) == {"all voices", "one voice", "32", "16"}
    text = recognition_text(figures)
    for part in ("balanced accuracy", "confusion, one voice", "shortcuts", "transformations"):
        assert part in text
    assert json.loads(json.dumps(figures_values(figures)))["classes"] == ["a", "b"]


def test_folds_share_no_source_and_hold_all_works() -> None:
    works = labeled_works(15)
    folds = source_folds(works)
    assert sorted(work.name for fold in folds for work in fold) == sorted(w.name for w in works)
    sources = [{work.source for work in fold} for fold in folds]
    assert sum(map(len, sources)) == len(set.union(*sources))
    only = [replace(work, source="a") if work.class_name == "a" else work for work in works]
    assert all(any(work.class_name == "a" for work in fold) for fold in source_folds(only))


def test_subsets_are_nested_and_no_larger_than_wanted() -> None:
    works = labeled_works(15)
    small, large = (nested_subset(works, n) for n in (3, 8))
    assert {work.name for work in small} < {work.name for work in large}
    assert [sum(work.class_name == name for work in large) for name in "ab"] == [8, 8]


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_each_transformation_keeps_the_intervals(name: str) -> None:
    score = labeled_works(5)[0].score
    changed = TRANSFORMATIONS[name](score)
    assert changed is not None
    before, after = (np.diff(line_of(one.voices[0]).pitches) for one in (score, changed))
    assert before[-len(after) :].tolist() == after.tolist()
    assert changed != score or name == "through MIDI"


def test_values_off_the_grid_are_not_halved() -> None:
    assert scaled(parse_theme("C4:1/96 D4"), 1, 2) is None
    doubled = scaled(parse_theme("C4:1/96 D4"), 2)
    assert doubled is not None
    assert doubled.end_ticks == 4


def test_single_voices_are_never_of_a_keyboard() -> None:
    notes = tuple(Note(24 * i, 24, 60 + i % 5) for i in range(20))
    score = Score(tuple(Voice(name, notes) for name in ("Gesang", "Pianoforte 1", "Piano 2")))
    lines = lines_of(score)
    assert [line.voice for line in melodic_lines(lines)] == [0]
    assert [line.voice for line in melodic_lines(lines[1:])] == [1, 2]
    work = LabeledWork("a/b", "a", "a", 0, score, tuple(lines))
    rng = np.random.default_rng(0)
    voices = {input_lines(work, "one voice", rng)[0].voice for _ in range(9)}
    assert voices == {0}
    assert len(input_lines(work, "all voices", rng)) == 3


def test_calibration_error_is_weighted() -> None:
    probabilities, targets = np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1])
    assert calibration_error(probabilities, targets, np.array([0.9, 0.1])) == pytest.approx(0)
    assert calibration_error(probabilities, targets, np.array([0.5, 0.5])) == pytest.approx(0.4)


def test_techniques_are_counted_by_class() -> None:
    canon = "C4:1/2 D4:1/4 E G:3/8 F:1/8 A:1/4 C5 B4:1/2 G:1/8 A B C5 D:1/2 A4:3/8 C5:1/8 F4:1/2 "
    scores = {"canons": parse_theme([f"{canon * 2} R:1", f"R:1 {canon * 2}"])}
    scores["scales"] = parse_theme(["C4 D4 E4 F4 G4 F4 E4 D4", "C3 B2 A2 G2 C3 B2 A2 G2"])
    works = [
        LabeledWork(f"{name}/1.csv", name, name, i, score, tuple(lines_of(score)))
        for i, (name, score) in enumerate(scores.items())
    ]
    _, canons, scales = techniques_table(works)  # class, works, then isorhythm, mensural, canon
    assert canons.split()[:5] == ["canons", "1", "0", "0", "1"]
    assert scales.split()[:5] == ["scales", "1", "0", "0", "0"]
