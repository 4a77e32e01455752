"""Batches of training pieces, each piece transposed at random and with a random task.

A batch is a function of the data, the settings and its number alone: a run can resume at any batch.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from seqmusic.corpus.dataset import Work
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES
from seqmusic.tokens.augmentation import transpose_pieces
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.pieces import Pieces, pack_scores
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.training_tasks import draw_task
from seqmusic.training.epochs import BatchOrder
from seqmusic.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Pieces to draw batches from.

    Attributes:
        pieces: the pieces.
        max_voices: the number of voices that the context has room for.
        is_transposed: whether each piece is transposed when it is drawn.
    """

    pieces: Pieces
    max_voices: int = DEFAULT_MAX_VOICES
    is_transposed: bool = True


def training_data(works: Sequence[Work]) -> TrainingData:
    """The works as pieces in memory."""
    pieces = pack_scores([work.score for work in works])
    return TrainingData(pieces, max(DEFAULT_MAX_VOICES, pieces.max_voices))


def draw_batch(data: TrainingData, settings: TrainingSettings, step: int) -> list[Trace]:
    """The sequences of batch number `step`: transposed pieces, each with a random task."""
    numbers, rng = _batch_order(data.pieces, settings).draw(step)
    shifts = [
        int(rng.choice(data.pieces.shifts(piece) if data.is_transposed else [0]))
        for piece in numbers
    ]
    pieces = transpose_pieces(data.pieces.take(numbers), shifts)
    notes, mask = draw_task(pieces, rng, settings.given_share)
    return trace_batch(notes, mask, data.max_voices)


@functools.lru_cache(maxsize=2)
def _batch_order(pieces: Pieces, settings: TrainingSettings) -> BatchOrder:
    return BatchOrder(pieces.n_notes, settings)
