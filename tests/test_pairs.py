"""Which candidates are paired."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seqmusic.alignment.pairs import disjoint_pairs

CANDIDATES = st.lists(
    st.tuples(st.integers(-9, 9).map(float), st.integers(1, 60)), min_size=0, max_size=9
)


@given(CANDIDATES)
def test_pairs_are_disjoint_of_like_size_and_in_the_right_order(
    candidates: list[tuple[float, int]],
) -> None:
    scores, notes = [score for score, _ in candidates], [n for _, n in candidates]
    pairs = disjoint_pairs(scores, notes, max_difference=0.1)
    used = [number for pair in pairs for number in pair]
    assert len(used) == len(set(used))
    for better, worse in pairs:
        assert scores[better] > scores[worse]
        assert abs(notes[better] - notes[worse]) <= 0.1 * max(notes[better], notes[worse])


def test_the_largest_margin_comes_first() -> None:
    assert disjoint_pairs([1.0, 7.0, 3.0, 9.0], [5] * 4, 0.0) == [(3, 0), (1, 2)]
