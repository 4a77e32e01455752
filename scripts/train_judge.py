"""Train the judge of a model's compositions on the training works of the chorales.

    python scripts/train_judge.py chorales
    python scripts/train_judge.py runs/chorales

The judge is written into the folder of the model. It learns from the works that the model was
trained on and from what the model composes for parts of them; its accuracy is reported on
validation works.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import asdict
from pathlib import Path

from seqmusic.benchmarks.held_out_tasks import four_part_chorales
from seqmusic.cli.messages import shown_messages
from seqmusic.corpus.chorales import load_chorales
from seqmusic.experiments.judge_music import train_judge_in_rounds
from seqmusic.experiments.judge_training import JudgeSettings
from seqmusic.generation.request import Request
from seqmusic.runs.judge_weights import write_judge_weights
from seqmusic.runs.pretrained import load_array_model, model_folder

SEARCH_EFFORT = 1  # at which the model composes from the second round on
logger = logging.getLogger("seqmusic.train_judge")


def main() -> None:
    """Train the judge and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="the folder of a run, or the name of a model")
    parser.add_argument("--rounds", type=int, default=1, help="of composing and training")
    parser.add_argument("-n", type=int, default=4, help="compositions of each work in round one")
    parser.add_argument("--temperature", type=float, default=Request.temperature)
    parser.add_argument("--steps", type=int, default=JudgeSettings.steps, help="of each training")
    arguments = parser.parse_args()
    settings = JudgeSettings(steps=arguments.steps)
    with shown_messages():
        requests = requests_of_rounds(arguments.rounds, arguments.n, arguments.temperature)
        train(arguments.model, settings, requests)


def requests_of_rounds(n_rounds: int, n: int, temperature: float) -> list[Request]:
    """How the model composes in each round: without a search in the first one."""
    first = Request(n=n, effort=0, temperature=temperature)
    later = Request(n=1, effort=SEARCH_EFFORT, temperature=temperature)
    return [first, *[later] * (n_rounds - 1)]


def train(model: Path, settings: JudgeSettings, requests: list[Request]) -> None:
    """Train a judge in rounds, and write it after each."""
    folder = model_folder(model)
    array_model, dataset = load_array_model(folder, compiled=False), load_chorales()
    works, held_out = (four_part_chorales(dataset, (split,)) for split in ("train", "valid"))
    rounds = train_judge_in_rounds(array_model, works, held_out, requests, settings)
    for number, (judge, accuracies) in enumerate(rounds, start=1):
        figures = ", ".join(f"{task} {auc:.3f}" for task, auc in accuracies.items())
        logger.info(f"round {number}: AUC on validation works: {figures}")
        origin = {"settings": asdict(settings), "round": number, "auc": accuracies}
        logger.info(f"wrote {write_judge_weights(judge.arrays(), folder, origin)}")


if __name__ == "__main__":
    main()
