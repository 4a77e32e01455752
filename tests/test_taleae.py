"""Taleae: what is typed, what is named, and what is refused."""

from fractions import Fraction

import pytest

from seqmusic.errors import RequestError
from seqmusic.transformation.taleae import TALEAE, parse_sections, parse_talea


def test_a_typed_talea_is_that_of_the_motet_it_is_taken_from() -> None:
    typed = parse_talea("4 R2 2 2 1 R1")
    assert typed.steps == TALEAE["o-canenda"].steps
    assert (typed.n_notes, typed.units) == (4, 12)


@pytest.mark.parametrize(
    ("name", "n_notes", "units", "n_taleae"),
    [
        ("o-canenda", 4, 12, 4),
        ("impudenter", 6, 18, 5),
        ("vos-qui", 5, 15, 6),
        ("si-dolce", 15, 42, 3),
    ],
)
def test_named_taleae_have_the_counts_of_their_sources(
    name: str, n_notes: int, units: int, n_taleae: int
) -> None:
    talea = TALEAE[name]
    assert (talea.n_notes, talea.units) == (n_notes, units)
    assert talea.n_color_notes == n_taleae * n_notes
    assert talea.source


def test_rests_that_follow_each_other_are_one() -> None:
    assert str(parse_talea("2 R1 R1/2 .5")) == "2 R3/2 1/2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("o-candenda", "no talea 'o-candenda'; o-canenda is one of"),
        ("4 2x", "the talea has '2x'"),
        ("4 2/0", "the talea has '2/0'"),
        ("4 0", "the talea has '0'"),
        ("29 1", "up to 28"),
        ("R4 1", "needs two notes"),
        ("", "there is no talea ''"),
        ("1 " * 65, "at most 64 values, this one has 65"),
    ],
)
def test_other_texts_are_refused_with_what_would_work(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        parse_talea(text)


def test_proportions_are_divided_by_the_largest() -> None:
    assert parse_sections("9, 6, 4") == (1, Fraction(2, 3), Fraction(4, 9))
    assert parse_sections("1,1,1/2") == (1, 1, Fraction(1, 2))


@pytest.mark.parametrize("text", ["", "1,0", "1;2", "1/0", "1,,1", ",".join("111111111")])
def test_what_is_no_proportion_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="sections are 1 to 8 proportions"):
        parse_sections(text)
