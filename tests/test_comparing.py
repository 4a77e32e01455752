"""What a person compares, and how the answers are kept and composed again."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from seqmusic.alignment import comparing
from seqmusic.alignment.comparing import (
    ComparedModel,
    Comparison,
    answered_pairs,
    compose_answers,
    compose_comparison,
    draw_comparison,
    load_compared_model,
    model_checksum,
    read_taste,
    record_answer,
)
from seqmusic.alignment.preferences import Answer, read_preferences
from seqmusic.cli import main
from seqmusic.errors import PreferenceError


@pytest.fixture(scope="module")
def compared() -> ComparedModel:
    return load_compared_model()


def answer_to(comparison: Comparison, person: str = "Anna", choice: str = "A") -> Answer:
    seeds = comparison.seed_a, comparison.seed_b
    return Answer(person, "c0ffee12", comparison.head, *seeds, choice, 1.0)


def draw_all(compared: ComparedModel, n: int) -> list[Comparison]:
    answers: list[Answer] = []
    found = []
    for _ in range(n):
        found.append(draw_comparison(answers, compared, "Anna"))
        answers.append(answer_to(found[-1]))
    return found


def test_every_tenth_pair_is_an_earlier_one_exchanged_and_each_repeats_once(
    compared: ComparedModel,
) -> None:
    drawn = draw_all(compared, 30)
    for number, again in ((9, drawn[0]), (19, drawn[1]), (29, drawn[2])):
        assert drawn[number] == Comparison(again.head, again.seed_b, again.seed_a)
    rest = [one for number, one in enumerate(drawn) if number % 10 != 9]
    assert len(set(rest)) == 27


def test_what_is_compared_next_follows_from_the_answers_so_far(compared: ComparedModel) -> None:
    first = draw_comparison([], compared, "Anna")
    assert draw_comparison([], compared, "Anna") == first
    assert draw_comparison([], compared, "Ben") != first
    assert draw_comparison([answer_to(first, "Ben")], compared, "Anna") == first


def test_the_same_seeds_compose_the_same_music(compared: ComparedModel) -> None:
    comparison = draw_comparison([], compared, "Anna")
    a, b = compose_comparison(compared, comparison)
    assert compose_comparison(compared, comparison)[0].score == a.score != b.score
    assert len([bar for bar in a.score.bars() if bar.number]) == 8
    ((preferred, other),) = compose_answers(compared, [answer_to(comparison, choice="B")])
    assert (preferred.score, other.score) == (b.score, a.score)
    (pair,) = answered_pairs([(preferred, other)])
    assert pair.chosen is preferred.sequence


def test_an_unknown_work_is_refused(compared: ComparedModel) -> None:
    with pytest.raises(PreferenceError, match=r"long enough beginning is called 'opus 1'"):
        compose_comparison(compared, Comparison("opus 1", 1, 2))


def test_answers_are_added_to_the_file(tmp_path: Path) -> None:
    first = Answer("Anna", "c0ffee12", "bwv1.6", 3, 8, "A", 2.0)
    second = replace(first, choice="skip")
    record_answer(tmp_path / "a.csv", first)
    assert record_answer(tmp_path / "a.csv", second) == [first, second]
    assert read_preferences(tmp_path / "a.csv") == [first, second]


@pytest.fixture
def small_heads(compared: ComparedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "load_compared_model", lambda run, data=None: compared)


def test_the_command_asks_records_and_stops(
    small_heads: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("what?\nb\ne\nq\n"))
    out = tmp_path / "preferences.csv"
    command = ["compare", "--out", str(out), "--folder", str(tmp_path / "now"), "--person", "Anna"]
    assert main(command) == 0
    answers = read_preferences(out)
    assert [answer.choice for answer in answers] == ["B", "equal"]
    assert {answer.model for answer in answers} == {model_checksum(None)}
    assert (tmp_path / "now" / "A.mid").is_file()


def test_a_taste_needs_ten_answers(small_heads: None, tmp_path: Path) -> None:
    answer = Answer("Anna", model_checksum(None), "bwv1.6", 3, 8, "A", 2.0)
    record_answer(tmp_path / "a.csv", answer)
    with pytest.raises(PreferenceError, match=r"hold 1 answers .* 10 are needed"):
        read_taste([tmp_path / "a.csv"], None)


def test_candidates_are_ranked_by_what_was_preferred(
    small_heads: None,
    compared: ComparedModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "a.csv"
    for comparison in draw_all(compared, 9):
        seeds = comparison.seed_a, comparison.seed_b
        record_answer(out, Answer("Anna", compared.checksum, comparison.head, *seeds, "A", 1.0))
    command = ["continue", "G4 A4", "--voices", "melody", "--bars", "2", "--prefer", str(out)]
    assert main([*command, "--out", str(tmp_path / "music")]) == 2
    assert "hold 9 answers" in capsys.readouterr().err
    assert not (tmp_path / "music").exists()
    record_answer(out, Answer("Ben", compared.checksum, comparison.head, *seeds, "B", 1.0))
    assert main([*command, "--out", str(tmp_path / "music")]) == 0
    assert "rank  log-probability" in capsys.readouterr().out
