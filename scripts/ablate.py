"""Train the JSB model with one idea of its recipe removed at a time, and print what that costs.

python scripts/ablate.py Jsb16thSeparated.json --batches 400
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from seqmusic.corpus.loading import benchmark_dataset
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces
from seqmusic.experiments.trial import train_trial
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.configuration import read_configuration
from seqmusic.runs.data import TrainingData, draw_batch, training_data
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES, VOCABULARY
from seqmusic.tokens.context import context_columns
from seqmusic.tokens.tokenizer import Trace
from seqmusic.training.settings import TrainingSettings

Recipe = tuple[ModelSettings, TrainingSettings]
_PARALLEL_COLUMNS = [
    index
    for index, name in enumerate(context_columns(DEFAULT_MAX_VOICES))
    if name.startswith(("parallel", "before"))
]
NO_PARALLEL_COLUMNS, NO_TRANSPOSITION = "no columns for parallel motion", "no transposition"
CHANGES: dict[str, Callable[[ModelSettings, TrainingSettings], Recipe]] = {
    "none": lambda model, training: (model, training),
    "no input dropout": lambda model, training: (replace(model, input_dropout=0.0), training),
    "no dropout": lambda model, training: (replace(model, dropout=0.0), training),
    "no tasks: whole pieces only": lambda model, training: (
        model,
        replace(training, given_share=0.0),
    ),
    "the last weights, not their average": lambda model, training: (
        model,
        replace(training, averaging=0.0),
    ),
    "no weight decay": lambda model, training: (model, replace(training, weight_decay=0.0)),
    "twice as deep": lambda model, training: (replace(model, layers=4), training),
    NO_PARALLEL_COLUMNS: lambda model, training: (model, training),  # removed from the data
    NO_TRANSPOSITION: lambda model, training: (model, training),  # likewise
}


def main() -> None:
    """Train with every change and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dataset = benchmark_dataset(arguments.data)
    data = training_data(dataset.works_in("train"))
    pieces = encode_pieces([work.score for work in dataset.works_in("valid")])
    headings = ["change", *(f"seed {seed}" for seed in arguments.seeds), "mean", "difference"]
    print(_table_row(headings))
    print("|---" * len(headings) + "|")
    unchanged = math.nan
    for change in CHANGES:
        nats = [
            train_changed(change, data, pieces, arguments.batches, seed) for seed in arguments.seeds
        ]
        mean = float(np.mean(nats))
        unchanged = mean if change == "none" else unchanged
        figures = [*(f"{n:.4f}" for n in nats), f"{mean:.4f}", f"{mean - unchanged:+.4f}"]
        print(_table_row([change, *figures]), flush=True)


def train_changed(
    change: str, data: TrainingData, pieces: EncodedPieces, batches: int, seed: int
) -> float:
    """Nats per cell of the best evaluation on the held-out pieces."""
    configuration = read_configuration(Path("jsb"), {})
    model, training = CHANGES[change](
        configuration.model,
        replace(
            configuration.training, steps=batches, seed=seed, evaluate_every=max(1, batches // 4)
        ),
    )
    if change == NO_TRANSPOSITION:
        data = replace(data, is_transposed=False)

    def changed(traces: Sequence[Trace]) -> list[Trace]:
        if change == NO_PARALLEL_COLUMNS:
            return [without_parallel_columns(trace) for trace in traces]
        return list(traces)

    torch.manual_seed(seed)
    trial = train_trial(
        Transformer(model, VOCABULARY),
        training,
        lambda step: changed(draw_batch(data, training, step)),
        EncodedPieces(pieces.scores, tuple(changed(pieces.traces))),
    )
    return trial.best.nats_per_cell


def without_parallel_columns(trace: Trace) -> Trace:
    """The sequence with zeros in the context columns for parallel motion."""
    context = trace.context.copy()
    context[:, _PARALLEL_COLUMNS] = 0
    return replace(trace, context=context)


def _table_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
