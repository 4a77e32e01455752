"""What a model is shown in training: pieces in a new order each epoch, each moved, with a task drawn for it.

Batch `step` is a function of the data, the settings and `step` alone, so that a run can go on at any batch.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.corpus.dataset import Work
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES
from seqmusic.tokens.augmentation import transpose_pieces
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.pieces import Pieces, pack_scores
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.training_tasks import draw_task
from seqmusic.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Pieces ready to be drawn.

    Attributes:
        pieces: of which a batch is drawn.
        max_voices: how many voices the context has room for.
        is_transposed: whether each is transposed when it is drawn.
    """

    pieces: Pieces
    max_voices: int = DEFAULT_MAX_VOICES
    is_transposed: bool = True


def training_data(works: Sequence[Work]) -> TrainingData:
    """The works as pieces in memory."""
    pieces = pack_scores([work.score for work in works])
    return TrainingData(pieces, max(DEFAULT_MAX_VOICES, pieces.max_voices))


def draw_batch(data: TrainingData, settings: TrainingSettings, step: int) -> list[Trace]:
    """The sequences of batch `step`: pieces in a new order each epoch, each moved within its compass, with a task each."""
    batches = max(1, len(data.pieces) // settings.batch_size)
    epoch, place = divmod(step, batches)
    rng = np.random.default_rng([settings.seed, epoch, place])
    order, firsts = _epoch_order(data.pieces, settings.seed, settings.batch_size, epoch)
    chosen = order[firsts[place] : firsts[place] + settings.batch_size].tolist()
    shifts = [
        int(rng.choice(data.pieces.shifts(piece) if data.is_transposed else [0]))
        for piece in chosen
    ]
    notes, mask = draw_task(
        transpose_pieces(data.pieces.take(chosen), shifts), rng, settings.given_share
    )
    return trace_batch(notes, mask, data.max_voices)


@functools.lru_cache(maxsize=2)
def _epoch_order(
    pieces: Pieces, seed: int, batch_size: int, epoch: int
) -> tuple[NDArray[np.int64], list[int]]:
    """The pieces in the order of an epoch, and where in it each batch begins; pieces of a batch are alike in length."""
    n_pieces, shuffled = len(pieces), np.random.default_rng([seed, epoch])
    batches = max(1, n_pieces // batch_size)
    order = np.argsort(pieces.n_notes * shuffled.uniform(0.9, 1.1, n_pieces), kind="stable")
    left_over = int(shuffled.integers(max(0, n_pieces - batches * batch_size) + 1))
    return order, (left_over + shuffled.permutation(batches) * batch_size).tolist()
