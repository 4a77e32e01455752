"""seqmusic train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from seqmusic.cli.arguments import Flag

_Table = dict[str, str] | None


def train(
    config: Path | None = None,
    /,
    *,
    out: Path,
    data: Path | None = None,
    start: Path | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    minutes: str | None = None,
    resume: Annotated[bool, Flag] = False,
    shard: Annotated[bool, Flag] = False,
    model: _Table = None,
    training: _Table = None,
) -> None:
    """Train a model, of the chorales unless --data names another corpus.

    For example: seqmusic train configs/quick.toml --out runs/first --model.dropout 0.3

    Args:
        config: A configuration in TOML; quick and tiny name those that come with seqmusic.
        out: The folder of the run.
        data: Another corpus: a folder made by seqmusic data prepare --out, or a benchmark .json with its own split.
        start: Begin with a trained model (fine-tuning): the folder of a run, or chorales for the one that comes with seqmusic. Its
            sizes are kept; take a lower rate, such as --training.learning_rate 0.0003.
        device: Where to compute; auto takes the best that is there.
        minutes: Stop after so long; the same as --training.minutes.
        resume: Go on with the run in the folder.
        shard: Under torchrun, let each process keep a part of the weights alone, for models that do not fit.
        model: Any key of the table [model], such as --model.dropout 0.3.
        training: Any key of the table [training], such as --training.steps 900.
    """
    from seqmusic.runs.configuration import read_configuration
    from seqmusic.runs.train import train_run

    tables = {"model": model or {}, "training": training or {}}
    overrides = {
        f"{table}.{key}": text for table, keys in tables.items() for key, text in keys.items()
    }
    if minutes is not None:
        overrides["training.minutes"] = minutes
    train_run(
        read_configuration(config, overrides),
        out,
        corpus=data,
        start=start,
        device=device,
        resume=resume,
        shard=shard,
    )
