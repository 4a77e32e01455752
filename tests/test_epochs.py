"""An epoch uses each piece at most once, sorts pieces by length, and depends on no other epoch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.training.epochs import BatchOrder
from seqmusic.training.settings import TrainingSettings


@given(
    st.lists(st.integers(1, 999), min_size=1, max_size=40), st.integers(1, 12), st.integers(0, 5)
)
def test_an_epoch_uses_each_piece_at_most_once(lengths: list[int], size: int, epoch: int) -> None:
    order = BatchOrder(np.array(lengths), TrainingSettings(batch_size=size))
    n_batches = max(1, len(lengths) // size)
    steps = range(epoch * n_batches, (epoch + 1) * n_batches)
    batches = [order.draw(step).pieces for step in steps]
    assert {len(batch) for batch in batches} == {min(size, len(lengths))}
    pieces = [piece for batch in batches for piece in batch]
    assert len(set(pieces)) == len(pieces)
    assert set(pieces) <= set(range(len(lengths)))


def test_pieces_of_a_batch_are_of_similar_length() -> None:
    lengths = np.geomspace(10, 1000, 60).astype(int)
    order = BatchOrder(lengths, TrainingSettings(batch_size=5, seed=3))
    for step in range(24):
        drawn = lengths[order.draw(step).pieces]
        assert drawn.max() < 1.9 * drawn.min()  # four neighbors: 1.37 times; noise: 1.22 times


@pytest.mark.parametrize("step", [0, 4, 5, 23])
def test_a_batch_does_not_depend_on_those_before(step: int) -> None:
    lengths, settings = np.arange(1, 18), TrainingSettings(batch_size=3, seed=7)
    used = BatchOrder(lengths, settings)
    for earlier in range(step):
        used.draw(earlier)
    drawn, alone = used.draw(step), BatchOrder(lengths, settings).draw(step)
    assert drawn.pieces == alone.pieces
    assert drawn.rng.random() == alone.rng.random()


def test_no_piece_is_always_left_out() -> None:
    """Lengths differ by more than the noise, so that the order of the pieces never changes."""
    order = BatchOrder(2 ** np.arange(5), TrainingSettings(batch_size=3))
    assert {piece for step in range(30) for piece in order.draw(step).pieces} == set(range(5))
