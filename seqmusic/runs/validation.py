"""The loss of a model on the validation pieces of a run, and that of simple baselines."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from seqmusic.baselines.ngram import ngram_nats
from seqmusic.baselines.persistence import persistence_nats
from seqmusic.model.transformer import Transformer
from seqmusic.runs.data import TrainingData
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.tokenizer import Trace, decode
from seqmusic.training.batches import GrammarMasks, make_batch, nll
from seqmusic.training.distributed import SINGLE_PROCESS, ProcessGroup

MAX_BASELINE_PIECES = 1000  # training pieces that the baselines count
_BATCH_SIZE = 16  # pieces per process


@torch.no_grad()
def validation_nats(
    model: Transformer,
    traces: Sequence[Trace],
    masks: GrammarMasks,
    n_cells: int,
    group: ProcessGroup = SINGLE_PROCESS,
) -> dict[str, float]:
    """Nats per cell of whole pieces: total, sounds, and durations given their sounds.

    Each process of the group scores its share of the pieces.

    Args:
        model: in evaluation mode.
        traces: of the pieces.
        masks: which tokens may follow which, on the device of the model.
        n_cells: of all pieces.
        group: the processes that hold the model.
    """
    device = next(model.parameters()).device
    sound = duration = 0.0
    by_length = sorted(traces, key=lambda trace: len(trace.events))
    for start in range(0, len(by_length), _BATCH_SIZE * group.size):
        batch = by_length[start : start + _BATCH_SIZE * group.size]
        share = group.rank_slice(batch)
        # An empty rank scores a dummy piece: FSDP needs every rank in the forward pass.
        sound_nats, duration_nats = nll(model, make_batch(share or batch[:1], device), masks)
        if share:
            sound += float(sound_nats.double().sum())
            duration += float(duration_nats.double().sum())
    sound, duration = group.sum_over_ranks(sound, duration)
    return {
        "nats_per_cell": (sound + duration) / n_cells,
        "sound_nats_per_cell": sound / n_cells,
        "duration_nats_per_cell": duration / n_cells,
    }


def baseline_nats(
    training: TrainingData, traces: Sequence[Trace], n_cells: int
) -> dict[str, float]:
    """Nats per cell of the persistence and n-gram baselines, by name.

    Args:
        training: the pieces to count; of many pieces, a random 1000.
        traces: of the pieces to predict.
        n_cells: of the pieces to predict.
    """
    counted = training.pieces.subsample(MAX_BASELINE_PIECES)
    training_traces = trace_batch(counted.take(range(len(counted))), None, training.max_voices)
    training_scores, scores = (
        [decode(trace.events.tolist(), training.max_voices) for trace in encoded]
        for encoded in (training_traces, traces)
    )
    return {
        "persistence": sum(persistence_nats(training_scores, scores)) / n_cells,
        "5-gram": sum(ngram_nats(training_traces, traces)) / n_cells,
    }
