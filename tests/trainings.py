"""Trainings on a few works with a tiny model, and as processes of their own what a test cannot do in its own."""

from __future__ import annotations

import contextlib
import math
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from seqmusic.cli import main
from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.training_corpus import training_corpus_of
from seqmusic.model.transformer import ModelSettings
from seqmusic.runs import train as run
from seqmusic.runs.configuration import Configuration, configuration_text
from seqmusic.tokens.tokenizer import Trace
from seqmusic.training.settings import TrainingSettings

TINY = Configuration(
    model=ModelSettings(width=16, layers=2, heads=2, dropout=0.1),
    training=TrainingSettings(steps=9, batch_size=2, evaluate_every=2, averaging=0.9),
)
NO_DROPOUT = replace(
    TINY,
    model=replace(TINY.model, dropout=0.0),
    training=replace(TINY.training, steps=4, batch_size=5),
)
_POLL_SECONDS = 0.002  # seconds


def small_dataset() -> Dataset:
    """The shortest chorales."""
    chorales = load_chorales()
    parts = {
        name: sorted(chorales.works_in(name), key=lambda work: work.score.n_notes)
        for name in ("train", "valid", "test")
    }
    return Dataset((*parts["train"][:6], *parts["valid"][:3], *parts["test"][:1]))


def patch_small_dataset() -> None:
    works = training_corpus_of(small_dataset())
    run.load_training_corpus = lambda corpus: works  # type: ignore[assignment, misc]


def train(out: Path, configuration: Configuration = TINY, **how: bool) -> None:
    """A run, resumed where there is one, that says nothing."""
    resume = (out / "config.toml").is_file()
    run.train_run(configuration, out, device="cpu", resume=resume, **how)


@contextlib.contextmanager
def signal_at_step(number: signal.Signals, step: int) -> Iterator[None]:
    """Trainings in it send a signal to their own process when they draw a batch."""
    draw = run.draw_batch

    def signalling(
        data: run.TrainingData, settings: TrainingSettings, own_step: int
    ) -> list[Trace]:
        if own_step == step:
            os.kill(os.getpid(), number)
        return draw(data, settings, own_step)

    run.draw_batch = signalling
    try:
        yield
    finally:
        run.draw_batch = draw


def kill_at_random(out: Path, n_kills: int) -> None:
    """Run without a break into out/whole, and into out/broken with `n_kills` kills, sooner each time it ends before them all."""
    patch_small_dataset()
    configuration = replace(TINY, training=replace(TINY.training, steps=4 * n_kills + 2))
    begun, child = time.monotonic(), _fork(lambda: train(out / "whole", configuration))
    while not (out / "whole" / "config.toml").is_file():
        time.sleep(_POLL_SECONDS)
    first = time.monotonic() - begun  # until the first batch
    os.waitpid(child, 0)
    chance, kills, rest = random.Random(0), 0, time.monotonic() - begun - first
    while kills < n_kills:
        child = _fork(lambda: train(out / "broken", configuration))
        until = time.monotonic() + chance.uniform(first / 2, first + 0.9 * rest / n_kills)
        while (status := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if kills < n_kills and time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
                kills, until = kills + 1, math.inf
            time.sleep(_POLL_SECONDS)
        assert status[1] in (0, signal.SIGKILL), status
        if status[1] == 0 and kills < n_kills:
            shutil.rmtree(out / "broken")
            kills, first, rest = 0, first * 0.9, rest * 0.8
    train(out / "broken", configuration)


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        with (
            open(os.devnull, "w") as nowhere,
            contextlib.redirect_stderr(nowhere),
            contextlib.redirect_stdout(nowhere),
        ):
            work()
        os._exit(0)
    return child


def train_distributed(out: Path) -> None:
    """As one of several processes: each with all weights, then each with its part of them."""
    patch_small_dataset()
    train(out / "together", NO_DROPOUT)
    train(out / "sharded", NO_DROPOUT, shard=True)


def train_with_dying_rank(out: Path) -> int:
    """The command, in several processes of which the last one dies before the fourth batch."""
    patch_small_dataset()
    (out / "tiny.toml").write_text(configuration_text(NO_DROPOUT), encoding="utf-8")
    with signal_at_step(signal.SIGKILL, 5 if os.environ["RANK"] == "1" else -1):
        return main(
            [
                "train",
                str(out / "tiny.toml"),
                "--out",
                str(out / "run"),
                "--device",
                "cpu",
                "--training.steps",
                "9",
            ]
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    name, folder = sys.argv[1], Path(sys.argv[2])
    if name == "kill":
        kill_at_random(folder, int(sys.argv[3]))
    elif name == "several":
        train_distributed(folder)
    else:
        sys.exit(train_with_dying_rank(folder))
