"""Packed pieces give the same columns as their scores."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from strategies import scores
from traces import assert_same_columns

from seqmusic.pitch_grid import count_cells
from seqmusic.score import Note, Score, melody
from seqmusic.tokens.augmentation import legal_shifts
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.pieces import pack_scores


@given(st.lists(scores(), min_size=1, max_size=5), st.data())
def test_packed_pieces_give_the_columns_of_their_scores(
    drawn: list[Score], data: st.DataObject
) -> None:
    pieces = pack_scores(drawn)
    numbers = data.draw(st.lists(st.integers(0, len(drawn) - 1), unique=True, max_size=4))
    assert_same_columns(pieces.take(numbers), note_columns(drawn).take(numbers))
    subset = pieces.subset(numbers)
    assert_same_columns(subset.take(range(len(numbers))), pieces.take(numbers))
    assert [pieces.shifts(piece) for piece in range(len(drawn))] == list(map(legal_shifts, drawn))
    assert pieces.n_cells == sum(map(count_cells, drawn))
    assert subset.n_cells == sum(count_cells(drawn[number]) for number in numbers)
    assert max(len(score.voices) for score in drawn) <= pieces.max_voices <= 16


def test_a_subsample_is_the_same_each_time() -> None:
    pieces = pack_scores([melody([Note(0, 24, 40 + n)]) for n in range(50)])
    assert pieces.subsample(7).checksum() == pieces.subsample(7).checksum()
    assert len(pieces.subsample(7)) == 7
    assert pieces.subsample(50) is pieces
