"""What a model is shown in training: pieces in a new order each epoch, each moved, with a task drawn for it.

Batch `step` is a function of the data, the settings and `step` alone, so that a run can go on at any batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqmusic.checkpoints import MAX_VOICES
from seqmusic.corpus.dataset import Work
from seqmusic.tokens.encoding import trace_tiles
from seqmusic.tokens.tasks import drawn_task, legal_shifts, moved
from seqmusic.tokens.tiles import Tiles, tiles_of
from seqmusic.tokens.tokenizer import Trace
from seqmusic.training.loop import TrainingSettings


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Works ready to be drawn: their lines, how far each may be moved, how long each is in notes and rests, most voices."""

    tiles: Tiles
    shifts: Sequence[Sequence[int]]
    lengths: Sequence[int]
    max_voices: int = MAX_VOICES


def training_data(works: Sequence[Work]) -> TrainingData:
    """The works as lines."""
    tiles = tiles_of([work.score for work in works])
    most = max([MAX_VOICES, *(len(work.score.voices) for work in works)])
    return TrainingData(tiles, legal_shifts(tiles), np.bincount(tiles.piece, minlength=len(works)).tolist(), most)


def draw_batch(data: TrainingData, settings: TrainingSettings, step: int) -> list[Trace]:
    """The sequences of batch `step`: pieces in a new order each epoch, each moved within its compass, with a task each."""
    n_pieces = len(data.shifts)
    batches = max(1, n_pieces // settings.batch_size)
    epoch, place = divmod(step, batches)
    shuffled = np.random.default_rng([settings.seed, epoch])
    order = np.argsort(data.lengths * shuffled.uniform(0.9, 1.1, n_pieces), kind="stable")  # alike in length: little padding
    chance = np.random.default_rng([settings.seed, epoch, place])
    left_over = int(shuffled.integers(max(0, n_pieces - batches * settings.batch_size) + 1))
    first = left_over + int(shuffled.permutation(batches)[place]) * settings.batch_size
    chosen = order[first : first + settings.batch_size].tolist()
    shifts = [int(chance.choice(data.shifts[piece])) for piece in chosen]
    tiles, ask = drawn_task(moved(data.tiles.taken(chosen), shifts), chance, settings.given_share)
    return trace_tiles(tiles, ask, data.max_voices)
