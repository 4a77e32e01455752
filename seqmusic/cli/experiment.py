"""seqmusic experiment and seqmusic improve: many small trainings, and what they show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App

from seqmusic.cli.options import ConfigurationOptions

if TYPE_CHECKING:
    from seqmusic.runs.configuration import Configuration

app = App(
    name="experiment",
    help="Train many small models, and compare them; each experiment can be stopped and resumed."
    "\n\n"
    "For example: seqmusic experiment learning-curve --out experiments/works",
    help_format="markdown",
)


@app.command
def learning_curve(
    config: Path | None = None,
    /,
    *,
    out: Path,
    data: Path | None = None,
    seeds: int = 3,
    options: ConfigurationOptions | None = None,
) -> None:
    """Train on 1/16, 1/8 ... all of the works, and estimate the loss with twice as many.

    For example: seqmusic experiment learning-curve configs/chorales.toml --out experiments/works

    Args:
        config: What is trained; by default the small model of configs/trial.toml.
        out: The folder of the experiment; if it is one already, it is resumed.
        data: Another corpus than the chorales, as for train.
        seeds: How often each fraction is drawn and trained on.
    """
    from seqmusic.corpus.loading import load_corpus
    from seqmusic.experiments.data_curve import data_curve_study

    configuration = _configuration(config or Path("trial"), options)
    data_curve_study(configuration, load_corpus(data), out, n_seeds=seeds)


@app.command
def scaling(
    config: Path | None = None,
    /,
    *,
    out: Path,
    data: Path | None = None,
    widths: tuple[int, ...] = (16, 32, 64, 128, 256),
    cpu_seconds: float = 60.0,
    seeds: int = 1,
    options: ConfigurationOptions | None = None,
) -> None:
    """Train models of several sizes for the same processor time, and report the best size.

    For example: seqmusic experiment scaling --out experiments/sizes --cpu-seconds 600 --seeds 2

    Args:
        config: What is trained, except for its width; by default configs/trial.toml.
        out: The folder of the experiment; if it is one already, it is resumed.
        data: Another corpus than the chorales, as for train.
        widths: Embedding sizes, three or more.
        cpu_seconds: Processor time of each training; the smaller budgets are a half, a quarter and
            an eighth of it.
        seeds: How often each size is trained.
    """
    from seqmusic.corpus.loading import load_corpus
    from seqmusic.experiments.scaling import scaling_study

    configuration = _configuration(config or Path("trial"), options)
    scaling_study(
        configuration, load_corpus(data), out, widths=widths, cpu_seconds=cpu_seconds, n_seeds=seeds
    )


@app.command
def compare(
    *,
    out: Path,
    data: Path | None = None,
    split: Literal["valid", "test"] = "valid",
    cpu_seconds: float = 120.0,
) -> None:
    """Compare an n-gram, decision trees, an LSTM and a transformer: their losses and their costs.

    For example: seqmusic experiment compare --out experiments/families --cpu-seconds 600

    Args:
        out: The folder of the experiment; if it is one already, it is resumed.
        data: Another corpus than the chorales, as for train.
        split: The part that is predicted. The networks stop where they predict the validation works
            best.
        cpu_seconds: Processor time to train each network.
    """
    from seqmusic.corpus.loading import load_corpus
    from seqmusic.experiments.comparison import comparison_study

    comparison_study(load_corpus(data), out, split=split, cpu_seconds=cpu_seconds)


@app.command
def copying(
    config: Path | None = None,
    /,
    *,
    out: Path,
    data: Path | None = None,
    samples: int = 24,
    options: ConfigurationOptions | None = None,
) -> None:
    """Measure how much a model copies from its training works as it learns, and its loss on others.

    Trains twice, as configured and without anything that keeps a model from memorizing works, and
    lets it continue works at every evaluation. Put copying.csv into the folder of a run, and the
    report of seqmusic evaluate shows it.

    For example: seqmusic experiment copying --out experiments/copying --training.steps 2000

    Args:
        config: What is trained; by default the small model of configs/quick.toml.
        out: The folder of the experiment; if it is one already, it is resumed.
        data: Another corpus than the chorales, as for train.
        samples: Continuations of validation works, and as many of training works, at every
            evaluation.
    """
    from seqmusic.corpus.loading import load_corpus
    from seqmusic.experiments.copying import copying_study

    configuration = _configuration(config or Path("quick"), options)
    copying_study(configuration, load_corpus(data), out, n_samples=samples)


@app.command
def recognition(data: Path, /, *, out: Path) -> None:
    """Train recognizers on 5, 10, 20 ... works of each class, and draw how precision grows.

    For example: seqmusic experiment recognition data/repertories --out experiments/recognition

    Args:
        data: A folder of scores, CLASS/[SOURCE/[GROUP/]]FILE, or one made from it by data prepare.
        out: The folder of the experiment; if it is one already, it is resumed.
    """
    from seqmusic.experiments.recognition import recognition_study

    recognition_study(data, out)


def improve(run: Path, /, *, out: Path, data: Path | None = None, minutes: float = 10.0) -> None:
    """Try to improve a trained model, and write a new run with what the validation works confirm.

    The attempts are some more epochs at a low rate, with less and with more dropout; averaged
    weights; calibrated temperatures. The test works are used once, at the end. The same command
    resumes after a stop.

    For example: seqmusic improve runs/first --out runs/better --minutes 20

    Args:
        run: The folder of a trained model, or the name of one that comes with seqmusic; it is not
            changed.
        out: The folder of the new run; if one was begun there, it is resumed.
        data: The corpus it was trained on, if not the chorales, as for train.
        minutes: How long to train in all, in minutes of processor time.
    """
    from seqmusic.corpus.loading import load_corpus
    from seqmusic.experiments.improvement import improve as improve_run

    improve_run(run, load_corpus(data), out, minutes=minutes)


def _configuration(config: Path, options: ConfigurationOptions | None) -> Configuration:
    from seqmusic.runs.configuration import read_configuration

    return read_configuration(config, (options or ConfigurationOptions()).overrides())
