"""Music composed with a trained run: it keeps the theme, and its files reproduce it."""

from __future__ import annotations

from pathlib import Path

import pytest
from trainings import TINY, corpus_replaced_by, small_dataset, train

from seqmusic.errors import FormatError, RequestError
from seqmusic.formats import read_score
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.composing import continuation
from seqmusic.generation.output import Task, compose_run, replay_run
from seqmusic.generation.request import Request
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import load_model
from seqmusic.score import Score


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tiny"
    with corpus_replaced_by(small_dataset()):
        train(out, TINY)
    return out


@pytest.fixture(scope="module")
def model(run: Path) -> Transformer:
    return load_model(run)


@pytest.mark.parametrize(("voices", "n_voices"), [("melody", 1), ("satb", 4)])
def test_a_continuation_keeps_its_theme_and_ends_with_the_bar(
    model: Transformer, voices: str, n_voices: int
) -> None:
    theme = parse_theme("E4:1/4 | F4 G4 A4 B4 | C5:1/2")
    (notes,) = (voice.notes for voice in theme.voices)
    for candidate in continuation(model, theme, Request(n=2), bars=3, voices=voices):
        score = candidate.score
        assert len(score.voices) == n_voices
        assert score.voices[0].notes[: len(notes)] == notes
        assert score.end_ticks <= 24 + 3 * 96
        assert score.pickup_ticks == 24


def test_candidates_do_not_depend_on_their_number(model: Transformer) -> None:
    def scores(n: int, seed: int) -> list[object]:
        request = Request(n=n, seed=seed)
        found = continuation(model, parse_theme("C4 D4"), request, bars=2, voices="melody")
        return [candidate.score for candidate in found]

    (alone,), (other,) = scores(1, seed=3), scores(1, seed=4)
    assert alone in scores(3, seed=3)
    assert alone != other


def test_a_result_is_reproduced_from_its_file(run: Path, tmp_path: Path) -> None:
    request = Request(n=2, seed=9, temperature=0.9)
    task, theme = Task(name="continue", bars=2, voices=("satb",)), parse_theme("G4 A4 B4")
    rows = compose_run(task, theme, run, request, tmp_path / "a")
    probabilities = [row["log_probability_per_note"] for row in rows]
    for name in ("1.mid", "1.musicxml"):
        again = replay_run(tmp_path / "a" / name, tmp_path / name)
        assert [row["log_probability_per_note"] for row in again] == probabilities
        assert read_score(tmp_path / name / "2.mid") == read_score(tmp_path / "a" / "2.mid")
    with pytest.raises(FormatError, match="exists already"):
        compose_run(task, theme, run, request, tmp_path / "a")


@pytest.mark.parametrize(
    ("theme", "bars", "message"),
    [
        (
            "C4 D4 E4 F4 | G4:1",
            {"bars": 2},
            "has 2 bars, which leaves none of 2 to compose; request more",
        ),
        ("C4; C3; C2", {}, "has 3 voices, and a melody has one"),
    ],
)
def test_requests_that_no_piece_can_meet_are_refused(
    model: Transformer, theme: str, bars: dict[str, int], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        continuation(model, parse_theme(theme), **bars, voices="melody")


@pytest.mark.parametrize(("name", "value"), [("bars", -1), ("bars", 65), ("voices", "x")])
def test_bad_arguments_of_a_continuation_are_refused(
    model: Transformer, name: str, value: object
) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        continuation(model, parse_theme("C4"), **{name: value})


def test_a_term_of_the_caller_decides_the_order_of_the_candidates(
    run: Path, tmp_path: Path
) -> None:
    def height(score: Score) -> float:
        return float(sum(note.pitch for note in score.voices[0].notes))

    task, theme = Task(name="continue", bars=2, voices=("melody",)), parse_theme("G4 A4")
    folder = tmp_path / "a"
    terms = [lambda candidate: 1000 * height(candidate.score)]
    rows = compose_run(task, theme, run, Request(n=5), folder, terms=terms)
    heights = [height(read_score(folder / f"{row['rank']}.mid")) for row in rows]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) > 1
