"""Files of preferences: kept, joined, and refused where nothing can be learned from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seqmusic.alignment.preferences import (
    Answer,
    check_preferences,
    consistency,
    decisive,
    join_preferences,
    read_preferences,
    write_preferences,
)
from seqmusic.errors import PreferenceError

FIRST = Answer("Anna", "c0ffee12", "bwv1.6", 3, 8, "A", 20.5)


def swapped(answer: Answer, choice: str) -> Answer:
    return replace(answer, seed_a=answer.seed_b, seed_b=answer.seed_a, choice=choice)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    answers = [FIRST, replace(FIRST, choice="equal"), replace(FIRST, person="Zoë, B")]
    assert read_preferences(write_preferences(tmp_path / "a.csv", answers)) == answers


def test_joined_files_hold_each_answer_once_and_name_their_people(tmp_path: Path) -> None:
    other = replace(FIRST, person="", head="bwv2.6")
    write_preferences(tmp_path / "anna.csv", [FIRST])
    write_preferences(tmp_path / "ben.csv", [FIRST, other])
    joined = join_preferences([tmp_path / "anna.csv", tmp_path / "ben.csv"])
    assert joined == [FIRST, replace(other, person="ben")]


def test_only_a_and_b_are_decisive() -> None:
    answers = [replace(FIRST, choice=choice) for choice in ("A", "B", "equal", "skip")]
    assert [answer.preferred_seed for answer in decisive(answers)] == [3, 8]
    assert [answer.other_seed for answer in decisive(answers)] == [8, 3]


def test_consistency_counts_a_pair_in_either_order_and_each_person_alone() -> None:
    ben = replace(FIRST, person="Ben", choice="B")
    assert consistency([FIRST, swapped(FIRST, "B"), ben]) == (1, 1)
    assert consistency([FIRST, swapped(FIRST, "A"), ben, swapped(ben, "A")]) == (1, 2)
    assert consistency([FIRST, swapped(FIRST, "equal")]) == (0, 0)


@pytest.mark.parametrize("n_same", [6, 7])
def test_a_person_who_agrees_with_themself_on_too_few_pairs_is_refused(n_same: int) -> None:
    answers = []
    for number in range(10):
        answer = replace(FIRST, head=f"bwv{number}")
        answers += [answer, swapped(answer, "B" if number < n_same else "A")]
    if n_same == 7:
        assert check_preferences(answers, "c0ffee12", 20) == answers
    else:
        with pytest.raises(PreferenceError, match=r"Anna contradict themselves.* 10 .* in 6"):
            check_preferences(answers, "c0ffee12", 20)


def test_preferences_about_another_model_are_refused() -> None:
    with pytest.raises(PreferenceError, match=r"another model \(checksum c0ffee12, here 00000000"):
        check_preferences([FIRST], "00000000", 1)


def test_too_few_answers_are_refused_and_answers_for_neither_do_not_count() -> None:
    answers = [replace(FIRST, head=f"bwv{number}") for number in range(12)]
    answers.append(replace(FIRST, choice="skip"))
    with pytest.raises(PreferenceError, match=r"hold 12 answers .* 100 are needed; fewer can rank"):
        check_preferences(answers, "c0ffee12", 100)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no file of preferences"),
        ("onset,pitch\n0,60\n", "is no file of preferences"),
        ("HEAD\nAnna,c,bwv1,x,4,A,1\n", "line 2 is damaged"),
        ("HEAD\nAnna,c,bwv1,3\n", "line 2 is damaged"),
        ("HEAD\nAnna,c,bwv1,3,4,C,1\n", "line 2 must have .* got 'C'"),
        ("HEAD\nAnna,c,bwv1,-3,4,A,1\n", "line 2 must have seeds of 0 or more"),
    ],
)
def test_a_file_that_holds_no_preferences_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    head = "person,model,head,seed_a,seed_b,choice,seconds"
    (tmp_path / "a.csv").write_text(text.replace("HEAD", head), encoding="utf-8")
    with pytest.raises(PreferenceError, match=message):
        read_preferences(tmp_path / "a.csv")
