"""What each idea of the recipe is worth: the JSB model with one of them taken away, the same small budget, two seeds.

python scripts/ablate.py Jsb16thSeparated.json --batches 400
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
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

Change = Callable[[ModelSettings, TrainingSettings], tuple[ModelSettings, TrainingSettings]]
_PARALLEL_COLUMNS = [
    index
    for index, name in enumerate(context_columns(DEFAULT_MAX_VOICES))
    if name.startswith(("parallel", "before"))
]
VARIANTS: dict[str, Change] = {
    "the recipe": lambda model, training: (model, training),
    "nothing hidden of the input": lambda model, training: (
        replace(model, input_dropout=0.0),
        training,
    ),
    "no dropout": lambda model, training: (replace(model, dropout=0.0), training),
    "no tasks: every piece as a whole": lambda model, training: (
        model,
        replace(training, given_share=0.0),
    ),
    "the last weights, not their average": lambda model, training: (
        model,
        replace(training, averaging=0.0),
    ),
    "no weight decay": lambda model, training: (model, replace(training, weight_decay=0.0)),
    "twice as deep": lambda model, training: (replace(model, layers=4), training),
    "not told what would be parallel": lambda model, training: (model, training),
    "not transposed": lambda model, training: (model, training),
}


def main() -> None:
    """Train every variant and print the table."""
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
    print(
        "| the recipe, changed | "
        + " | ".join(f"seed {seed}" for seed in arguments.seeds)
        + " | mean | against the recipe |"
    )
    print("|---" * (len(arguments.seeds) + 3) + "|")
    whole = float("nan")
    for name in VARIANTS:
        nats = [
            train_variant(name, data, pieces, arguments.batches, seed) for seed in arguments.seeds
        ]
        mean = float(np.mean(nats))
        whole = mean if name == "the recipe" else whole
        print(
            f"| {name} | "
            + " | ".join(f"{own:.4f}" for own in nats)
            + f" | {mean:.4f} | {mean - whole:+.4f} |",
            flush=True,
        )


def train_variant(
    name: str, data: TrainingData, pieces: EncodedPieces, batches: int, seed: int
) -> float:
    """The best nats a cell on the held-out pieces."""
    configuration = read_configuration(Path("jsb"), {})
    training = replace(
        configuration.training, steps=batches, seed=seed, evaluate_every=max(1, batches // 4)
    )
    model, training = VARIANTS[name](configuration.model, training)
    if name == "not transposed":
        data = replace(data, is_transposed=False)
    seen = (
        (lambda traces: [without_parallel_columns(own) for own in traces])
        if name == "not told what would be parallel"
        else list
    )
    torch.manual_seed(seed)
    own = EncodedPieces(pieces.scores, tuple(seen(pieces.traces)))
    done = train_trial(
        Transformer(model, VOCABULARY),
        training,
        lambda step: seen(draw_batch(data, training, step)),
        own,
    )
    return done.best.nats_per_cell


def without_parallel_columns(trace: Trace) -> Trace:
    """The sequence without those columns of its context."""
    context = trace.context.copy()
    context[:, _PARALLEL_COLUMNS] = 0
    return replace(trace, context=context)


if __name__ == "__main__":
    main()
