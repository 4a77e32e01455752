"""The split: whole families, the wanted shares, the same everywhere; and the table of works."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.corpus.dataset import SPLITS, Dataset, Work
from seqmusic.corpus.selection.split import Shares, split_works
from seqmusic.corpus.similarity.families import shared_tune_share
from seqmusic.corpus.works_table import read_works, with_table, works_table_text
from seqmusic.errors import CorpusError
from seqmusic.score import Note, Score, melody

NOTE = melody([Note(0, 24, 60)])


def works_of(families: list[int]) -> list[Work]:
    return [Work(f"work {i}", NOTE, family=family) for i, family in enumerate(families)]


@given(st.lists(st.integers(-1, 30), max_size=60), st.integers(0, 5))
def test_families_stay_whole(families: list[int], seed: int) -> None:
    split = split_works(works_of(families), seed=seed)
    homes: dict[int, set[str]] = {}
    for work in split:
        assert work.split in SPLITS
        if work.family >= 0:
            homes.setdefault(work.family, set()).add(work.split)
    assert all(len(splits) == 1 for splits in homes.values())


@given(st.permutations(range(23)))
def test_the_order_of_the_works_changes_nothing(order: list[int]) -> None:
    works = works_of([i // 2 for i in range(23)])
    expected = {work.name: work.split for work in split_works(works)}
    assert {work.name: work.split for work in split_works([works[i] for i in order])} == expected


def test_the_split_of_these_names_never_changes() -> None:
    # Recorded when it was written: figures are compared on it, so a change must not go unseen.
    split = split_works(works_of([0, 0, 0, 1, 1, 2, 3, 4, 5, 6]))
    assert [work.split for work in split] == ["train"] * 7 + ["test", "valid", "test"]


@pytest.mark.parametrize(("test", "valid"), [(0.2, 0.1), (0.25, 0.0), (0.0, 0.3), (0.5, 0.25)])
def test_single_works_make_the_shares_exact_to_one_work(test: float, valid: float) -> None:
    draw = random.Random(1)
    works = works_of([draw.randrange(20) for _ in range(70)] + list(range(100, 200)))
    counts = Counter(work.split for work in split_works(works, Shares(test=test, valid=valid)))
    assert abs(counts["test"] - 170 * test) <= 1
    assert abs(counts["valid"] - 170 * valid) <= 1


def test_seeds_differ_and_dropped_works_get_no_part() -> None:
    works = [*works_of(list(range(50))), Work("dropped", NOTE, reason="no meter")]
    a, b = split_works(works, seed=1), split_works(works, seed=2)
    assert a != b
    assert a[-1] == works[-1]


@pytest.mark.parametrize(("test", "valid"), [(0.5, 0.5), (-0.1, 0.1), (1.1, 0.0)])
def test_shares_that_leave_no_training_are_refused(test: float, valid: float) -> None:
    with pytest.raises(ValueError, match="leave some works for training"):
        Shares(test=test, valid=valid)


def test_the_split_of_the_chorales_has_the_wanted_shares_and_no_leak(chorales: Dataset) -> None:
    n = len(chorales.kept_works)
    assert abs(len(chorales.works_in("test")) - 0.2 * n) <= 1
    assert abs(len(chorales.works_in("valid")) - 0.1 * n) <= 1
    scores = {split: [work.score for work in chorales.works_in(split)] for split in SPLITS}
    for held_out, training in (("test", "train"), ("valid", "train"), ("test", "valid")):
        assert shared_tune_share(scores[held_out], scores[training]) == 0
        assert shared_tune_share(scores[held_out], scores[training], n_notes=12) == 0
    assert 170 <= len(chorales.families) <= 230


def test_a_random_split_of_the_chorales_would_leak(chorales: Dataset) -> None:
    shuffled = random.Random(0).sample(chorales.kept_works, len(chorales.kept_works))
    scores = [work.score for work in shuffled]
    assert shared_tune_share(scores[:77], scores[77:]) > 0.2


DATASET = Dataset((
    Work("a", Score(NOTE.voices, title="Ein' feste Burg, \"1\"\nline"), "train", 3),
    Work("b", NOTE, "test", 0),
    Work("c", Score(()), reason="unreadable (x, y)"),
))  # fmt: skip


def write_table(dataset: Dataset, path: Path) -> Path:
    path.write_text(works_table_text(dataset), encoding="utf-8", newline="")
    return path


def test_the_table_gives_the_split_back(tmp_path: Path) -> None:
    path = write_table(DATASET, tmp_path / "works.csv")
    header = "work,title,split,family,reason,notes,bars,key,meter,style"
    assert path.read_text("utf-8").splitlines()[0] == header
    unsplit = Dataset(tuple(Work(work.name, work.score) for work in DATASET.works))
    assert with_table(unsplit, path) == DATASET


def test_the_table_of_the_chorales_gives_their_split_back(
    tmp_path: Path, chorales: Dataset
) -> None:
    path = write_table(chorales, tmp_path / "works.csv")
    unsplit = Dataset(tuple(Work(work.name, work.score) for work in chorales.works))
    assert with_table(unsplit, path) == chorales


def test_a_table_may_be_short_and_may_come_from_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("\ufeffsplit,work\r\nvalid,a\r\n,b\r\n", encoding="utf-8")
    decided = with_table(DATASET, path)
    assert [(work.split, work.family, work.reason) for work in decided.works] == [
        ("valid", -1, ""),
        ("", -1, "no split in the table"),
        ("", -1, "not in mine.csv"),
    ]


@pytest.mark.parametrize(("text", "complaint"), [
    ("work,split\na,train\nz,train\n", r"row 3: this corpus has no work 'z'"),
    ("work,split\na,train\nb,tset\n",
     r"row 3: split must be train, valid, test or empty, got 'tset' \(work 'b'\)"),
    ("work,split\na,train\na,test\n", r"row 3: work 'a' stands in the table twice"),
    ("work,split,reason\na,train,ugly\n",
     r"row 2: a work is dropped for a reason or has a split, got both"),
    ("work,split,family\na,train,x\n",
     r"row 2: family must be a whole number or empty, got 'x'"),
    ("name,split\na,train\n", r"row 1: the column 'work' is missing"),
    ("", r"row 1: the column 'work' is missing"),
    ("work;split\na;train\n", r"row 1: the column 'work' is missing"),
    (b"work,split\n\xff,train\n", r"not a table in UTF-8 \(byte 11\)"),
])  # fmt: skip
def test_a_wrong_table_is_refused_with_its_row(
    tmp_path: Path, text: str | bytes, complaint: str
) -> None:
    path = tmp_path / "works.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CorpusError, match=rf"works.csv: {complaint}"):
        with_table(DATASET, path)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read: No such file"):
        read_works(tmp_path / "none.csv")
