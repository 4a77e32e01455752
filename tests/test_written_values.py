"""Written values: their sums, and some by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.formats.written_values import written_values


@given(st.integers(1, 2000))
def test_written_values_add_up(duration):
    assert sum(value.duration_ticks for value in written_values(duration)) == duration


@pytest.mark.parametrize(
    ("ticks", "written"),
    [
        (24, [(4, 0, False)]),
        (36, [(4, 1, False)]),
        (3, [(32, 0, False)]),
        (8, [(8, 0, True)]),
        (16, [(4, 0, True)]),
        (60, [(2, 0, False), (8, 0, False)]),
        (84, [(2, 1, False), (8, 0, False)]),
        (1, [(64, 0, True)]),
    ],
)
def test_written_values_by_hand(ticks, written):
    assert [
        (value.denominator, value.dots, value.is_triplet) for value in written_values(ticks)
    ] == written
