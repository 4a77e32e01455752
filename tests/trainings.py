"""Short trainings of a tiny model on a few works, and the processes that their tests need."""

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
from unittest.mock import patch

import torch

from seqmusic.cli import main
from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.training_corpus import training_corpus_of
from seqmusic.model.settings import ModelSettings
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
STATE_FILE = Path("resume") / "state.safetensors"
_POLL_SECONDS = 0.002


def small_dataset() -> Dataset:
    """The shortest chorales: 6 for training, 3 for validation, 1 for the test."""
    chorales = load_chorales()
    splits = {
        name: sorted(chorales.works_in(name), key=lambda work: work.score.n_notes)
        for name in ("train", "valid", "test")
    }
    return Dataset((*splits["train"][:6], *splits["valid"][:3], *splits["test"][:1]))


@contextlib.contextmanager
def corpus_replaced_by(dataset: Dataset) -> Iterator[None]:
    """Trainings in this context train on a data set, whatever corpus they name."""
    corpus = training_corpus_of(dataset)
    with patch.object(run, "load_training_corpus", lambda path: corpus):
        yield


def train(out: Path, configuration: Configuration = TINY, *, shard: bool = False) -> None:
    """Train into a folder on the small data set, and resume the run that the folder holds."""
    resume = (out / "config.toml").is_file()
    run.train_run(configuration, out, device="cpu", resume=resume, shard=shard)


def metrics_rows(out: Path) -> list[list[str]]:
    """The table of evaluations without the seconds."""
    lines = (out / "metrics.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines]
    return [[row[0], *row[2:]] for row in rows]


@contextlib.contextmanager
def signal_at_step(number: signal.Signals, step: int) -> Iterator[None]:
    """Trainings in this context send a signal to their process when they draw batch `step`."""
    draw = run.draw_batch

    def draw_with_signal(
        data: run.TrainingData, settings: TrainingSettings, drawn_step: int
    ) -> list[Trace]:
        if drawn_step == step:
            os.kill(os.getpid(), number)
        return draw(data, settings, drawn_step)

    with patch.object(run, "draw_batch", draw_with_signal):
        yield


def train_with_kills(out: Path, n_kills: int) -> None:
    """Train without a break into out/whole, and with `n_kills` kills into out/broken.

    A training that ends before all kills is repeated with earlier kills.
    """
    configuration = replace(TINY, training=replace(TINY.training, steps=4 * n_kills + 2))
    started, child = time.monotonic(), _fork(lambda: train(out / "whole", configuration))
    while not (out / "whole" / "config.toml").is_file():
        time.sleep(_POLL_SECONDS)
    before_first_batch = time.monotonic() - started
    os.waitpid(child, 0)
    batches = time.monotonic() - started - before_first_batch
    rng, n_killed = random.Random(0), 0
    while n_killed < n_kills:
        latest = before_first_batch + 0.9 * batches / n_kills
        seconds = rng.uniform(before_first_batch / 2, latest)
        child = _fork(lambda: train(out / "broken", configuration))
        if _kill_after(child, seconds):
            n_killed += 1
        else:
            shutil.rmtree(out / "broken")
            n_killed, before_first_batch, batches = 0, before_first_batch * 0.9, batches * 0.8
    train(out / "broken", configuration)


def _kill_after(child: int, seconds: float) -> bool:
    """Whether the child was killed; otherwise it has ended by itself."""
    deadline = time.monotonic() + seconds
    while (status := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            deadline = math.inf
        time.sleep(_POLL_SECONDS)
    assert status[1] in (0, signal.SIGKILL), status
    return status[1] == signal.SIGKILL


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        with (
            open(os.devnull, "w") as null,
            contextlib.redirect_stderr(null),
            contextlib.redirect_stdout(null),
        ):
            work()
        os._exit(0)
    return child


def train_distributed(out: Path) -> None:
    """Train as one of several processes, first with all weights and then with a part of them."""
    train(out / "together", NO_DROPOUT)
    train(out / "sharded", NO_DROPOUT, shard=True)


def train_with_dying_rank(out: Path) -> int:
    """The exit status of the command in processes of which the last one dies before batch 5."""
    (out / "tiny.toml").write_text(configuration_text(NO_DROPOUT), encoding="utf-8")
    command = ["train", str(out / "tiny.toml"), "--out", str(out / "run"), "--device", "cpu"]
    with signal_at_step(signal.SIGKILL, 5 if os.environ["RANK"] == "1" else -1):
        return main([*command, "--training.steps", "9"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    name, folder = sys.argv[1], Path(sys.argv[2])
    with corpus_replaced_by(small_dataset()):
        if name == "kill":
            train_with_kills(folder, int(sys.argv[3]))
        elif name == "several":
            train_distributed(folder)
        else:
            sys.exit(train_with_dying_rank(folder))
