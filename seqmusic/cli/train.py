"""seqmusic train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from seqmusic.cli.options import Flag, TrainOptions


def train(
    config: Path | None = None,
    /,
    *,
    out: Path,
    data: Path | None = None,
    start: Path | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    resume: Annotated[bool, Flag] = False,
    shard: Annotated[bool, Flag] = False,
    options: TrainOptions | None = None,
) -> None:
    """Train a model on the chorales, or on another corpus with --data.

    For example: seqmusic train configs/quick.toml --out runs/first --model.dropout 0.3

    Args:
        config: A configuration in TOML; quick and tiny name those that come with seqmusic.
        out: The folder of the run.
        data: Another corpus: a folder made by seqmusic data prepare --out, or a benchmark .json
            with its own split.
        start: Begin with a trained model (fine-tuning): the folder of a run, or chorales for the
            one that comes with seqmusic. Its sizes are kept; choose a lower rate, such as
            --training.learning_rate 0.0003.
        device: Where to compute; auto takes the best one available.
        resume: Continue the run in the folder.
        shard: Under torchrun, let each process keep only a part of the weights, for models that do
            not fit into memory.
    """
    from seqmusic.runs.configuration import read_configuration
    from seqmusic.runs.train import train_run

    overrides = (options or TrainOptions()).overrides()
    configuration = read_configuration(config, overrides)
    train_run(
        configuration, out, corpus=data, start=start, device=device, resume=resume, shard=shard
    )
