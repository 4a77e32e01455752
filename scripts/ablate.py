"""What each idea of the recipe is worth: the JSB model with one of them taken away, the same small budget, two seeds.

python scripts/ablate.py Jsb16thSeparated.json --batches 400
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from seqmusic.checkpoints import MAX_VOICES, VOCABULARY, make_masks
from seqmusic.configuration import read_configuration
from seqmusic.corpus.sources import benchmark_dataset
from seqmusic.drawing import TrainingData, draw_batch, training_data
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.run import cells, likelihood
from seqmusic.tokens.context import context_columns
from seqmusic.tokens.encoding import trace_tiles
from seqmusic.tokens.tiles import tiles_of
from seqmusic.tokens.tokenizer import Trace, normalized
from seqmusic.training.loop import TrainingSettings, new_state, train

Change = Callable[[ModelSettings, TrainingSettings], tuple[ModelSettings, TrainingSettings]]
_PARALLELS = [index for index, name in enumerate(context_columns(MAX_VOICES)) if name.startswith(("parallel", "before"))]
VARIANTS: dict[str, Change] = {
    "the recipe": lambda model, training: (model, training),
    "nothing hidden of the input": lambda model, training: (replace(model, input_dropout=0.0), training),
    "no dropout": lambda model, training: (replace(model, dropout=0.0), training),
    "no tasks: every piece as a whole": lambda model, training: (model, replace(training, given_share=0.0)),
    "the last weights, not their average": lambda model, training: (model, replace(training, averaging=0.0)),
    "no weight decay": lambda model, training: (model, replace(training, weight_decay=0.0)),
    "twice as deep": lambda model, training: (replace(model, layers=4), training),
    "not told what would be parallel": lambda model, training: (model, training),
    "not transposed": lambda model, training: (model, training),
}


def main() -> None:
    """Train every variant and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dataset = benchmark_dataset(arguments.data)
    data = training_data(dataset.part("train"))
    held_out = [normalized(work.score) for work in dataset.part("valid")]
    print("| the recipe, changed | " + " | ".join(f"seed {seed}" for seed in arguments.seeds) + " | mean | against the recipe |")
    print("|---" * (len(arguments.seeds) + 3) + "|")
    whole = float("nan")
    for name in VARIANTS:
        nats = [trained(name, data, held_out, arguments.batches, seed) for seed in arguments.seeds]
        mean = float(np.mean(nats))
        whole = mean if name == "the recipe" else whole
        print(f"| {name} | " + " | ".join(f"{own:.4f}" for own in nats) + f" | {mean:.4f} | {mean - whole:+.4f} |", flush=True)


def trained(name: str, data: TrainingData, held_out: Sequence, batches: int, seed: int) -> float:
    """The best nats a cell on the held-out pieces."""
    configuration = read_configuration(Path("jsb"), {})
    training = replace(configuration.training, steps=batches, seed=seed, evaluate_every=max(1, batches // 4))
    model, training = VARIANTS[name](configuration.model, training)
    if name == "not transposed":
        data = replace(data, shifts=[[0]] * len(data.shifts))
    seen = (lambda traces: [without_parallels(own) for own in traces]) if name == "not told what would be parallel" else list
    traces, masks = seen(trace_tiles(tiles_of(held_out), None, MAX_VOICES)), make_masks(torch.device("cpu"))
    torch.manual_seed(seed)
    state = new_state(Transformer(model, VOCABULARY), training)
    reports = train(
        state,
        training,
        lambda step: seen(draw_batch(data, training, step)),
        lambda own: likelihood(own.eval(), traces, masks, sum(map(cells, held_out))),
        masks,
    )
    return min(report.evaluation["nats_per_cell"] for report in reports if report.evaluation)


def without_parallels(trace: Trace) -> Trace:
    """The sequence without those columns of its context."""
    context = trace.context.copy()
    context[:, _PARALLELS] = 0
    return replace(trace, context=context)


if __name__ == "__main__":
    main()
