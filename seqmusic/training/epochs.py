"""Which pieces form a batch: a new order in each epoch, with pieces of similar length together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqmusic.training.settings import TrainingSettings


class BatchDraw(NamedTuple):
    """The pieces of a batch.

    Attributes:
        pieces: their numbers.
        rng: for everything else that is random about the batch.
    """

    pieces: list[int]
    rng: np.random.Generator


class BatchOrder:
    """The batches of a training, each a function of the lengths, the settings and its number alone.

    An epoch uses each piece at most once. Pieces are sorted by length, with 10 percent of noise;
    those that fill no batch are the shortest, the longest or some of both.

    >>> order = BatchOrder(np.array([9, 3, 8, 2]), TrainingSettings(batch_size=2))
    >>> [sorted(order.draw(step).pieces) for step in range(4)]
    [[1, 3], [0, 2], [0, 2], [1, 3]]
    """

    def __init__(self, lengths: NDArray[Any], settings: TrainingSettings) -> None:
        self._lengths, self._seed, self._size = lengths, settings.seed, settings.batch_size
        self._n_batches = max(1, len(lengths) // settings.batch_size)
        self._epoch, self._batches = -1, np.empty((0, 0), np.int64)

    def draw(self, step: int) -> BatchDraw:
        """The pieces of batch number `step`."""
        epoch, position = divmod(step, self._n_batches)
        if epoch != self._epoch:  # sorting a large corpus takes longer than a batch
            self._epoch, self._batches = epoch, self._epoch_batches(epoch)
        pieces = self._batches[position].tolist()
        return BatchDraw(pieces, np.random.default_rng([self._seed, epoch, position]))

    def _epoch_batches(self, epoch: int) -> NDArray[np.int64]:
        """(batch, piece) numbers of the pieces of an epoch."""
        rng, n_pieces = np.random.default_rng([self._seed, epoch]), len(self._lengths)
        order = np.argsort(self._lengths * rng.uniform(0.9, 1.1, n_pieces), kind="stable")
        n_used = min(n_pieces, self._n_batches * self._size)
        n_skipped = int(rng.integers(n_pieces - n_used + 1))
        batches = order[n_skipped : n_skipped + n_used].reshape(self._n_batches, -1)
        return batches[rng.permutation(self._n_batches)]
