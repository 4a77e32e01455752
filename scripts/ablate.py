"""Train a model with one idea of its recipe removed at a time, and print what that costs.

    python scripts/ablate.py configs/chorales.toml --out runs/ablation --batches 400

Each training has a folder of its own in --out; a finished one is not repeated. All learn from the
same composed pieces: those of another run, or those of the first training.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import torch

from seqmusic.runs.card import CARD_FILE
from seqmusic.runs.configuration import read_configuration
from seqmusic.runs.folder import COMPOSED_FOLDER, read_metrics
from seqmusic.runs.train import train_run

UNCHANGED, NO_START = "none", "not begun with another model"
CHANGES: dict[str, dict[str, str]] = {
    UNCHANGED: {},
    "no teachers": {"distillation.teachers": "", "distillation.composed": "0"},
    "no composed pieces": {"distillation.composed": "0"},
    "teachers at temperature 1": {"distillation.temperature": "1.0"},
    NO_START: {},
    "no input dropout": {"model.input_dropout": "0.0"},
    "no dropout": {"model.dropout": "0.0"},
    "no tasks: whole pieces only": {"training.given_share": "0.0"},
    "the last weights, not their average": {"training.averaging": "0.0"},
    "no weight decay": {"training.weight_decay": "0.0"},
    "twice as deep": {"model.layers": "4"},
}


def main() -> None:
    """Train with every change and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("configuration", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="another corpus than the chorales")
    parser.add_argument("--start", type=Path, help="a trained model to begin with")
    parser.add_argument("--teachers", default="", help="trained models, separated by commas")
    parser.add_argument("--composed", type=Path, help="a run whose composed pieces are used again")
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--changes", nargs="+", choices=list(CHANGES), default=list(CHANGES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    headings = ["change", *(f"seed {seed}" for seed in arguments.seeds), "mean", "difference"]
    print(_table_row(headings))
    print("|---" * len(headings) + "|")
    unchanged = 0.0
    for change in dict.fromkeys([UNCHANGED, *arguments.changes]):
        nats = [best_nats(arguments, change, seed) for seed in arguments.seeds]
        mean = float(np.mean(nats))
        unchanged = unchanged or mean
        figures = [*(f"{n:.4f}" for n in nats), f"{mean:.4f}", f"{mean - unchanged:+.4f}"]
        print(_table_row([change, *figures]), flush=True)


def best_nats(arguments: argparse.Namespace, change: str, seed: int) -> float:
    """Nats per cell of the best evaluation on the validation pieces."""
    out = arguments.out / f"{list(CHANGES).index(change)}-{seed}"
    composer = arguments.composed or arguments.out / f"0-{arguments.seeds[0]}"
    overrides = {
        "distillation.teachers": arguments.teachers,
        **{"training.steps": str(arguments.batches), "training.seed": str(seed)},
        "training.evaluate_every": str(max(1, arguments.batches // 4)),
    }
    configuration = read_configuration(arguments.configuration, overrides | CHANGES[change])
    if not (out / CARD_FILE).is_file():
        shutil.rmtree(out, ignore_errors=True)
        if configuration.distillation.composed and (composer / COMPOSED_FOLDER).is_dir():
            shutil.copytree(composer / COMPOSED_FOLDER, out / COMPOSED_FOLDER)
        start = None if change == NO_START else arguments.start
        train_run(configuration, out, corpus=arguments.data, start=start)
    return min(row["nats_per_cell"] for row in read_metrics(out, configuration.training.steps))


def _table_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
