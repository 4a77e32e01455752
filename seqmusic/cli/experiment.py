"""seqmusic experiment ... and seqmusic improve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App

if TYPE_CHECKING:
    from seqmusic.runs.configuration import Configuration

app = App(
    name="experiment",
    help="Train many small models, and learn from all of them together; each experiment can be stopped and gone on with.\n\n"
    "For example: seqmusic experiment learning-curve --out experiments/works",
    help_format="plaintext",
)

_Table = dict[str, str] | None


@app.command
def learning_curve(
    config: Path | None = None,
    /,
    *,
    out: Path,
    data: Path | None = None,
    seeds: int = 3,
    model: _Table = None,
    training: _Table = None,
) -> None:
    """Train on 1/16, 1/8 ... all of the training works, and tell what twice as many would bring.

    For example: seqmusic experiment learning-curve configs/chorales.toml --out experiments/works --seeds 5

    Args:
        config: What is trained; without it the small model of configs/trial.toml.
        out: The folder of the experiment; where it is one already, it goes on.
        data: Another corpus than the chorales, as for train.
        seeds: How often each part is drawn and trained on.
        model: Any key of the table [model], such as --model.width 128.
        training: Any key of the table [training], such as --training.steps 2000.
    """
    from seqmusic.corpus.loading import load_corpus
    from seqmusic.experiments.data_curve import data_curve_study

    configuration = _configuration(config, model, training)
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
    model: _Table = None,
    training: _Table = None,
) -> None:
    """Train models of several sizes for the same processor time, and tell which size the corpus wants.

    For example: seqmusic experiment scaling --out experiments/sizes --cpu-seconds 600 --seeds 2

    Args:
        config: What is trained, but for its width; without it configs/trial.toml.
        out: The folder of the experiment; where it is one already, it goes on.
        data: Another corpus than the chorales, as for train.
        widths: Embedding sizes, three or more.
        cpu_seconds: Processor time of each training; the smaller budgets are a half, a quarter and an eighth of it.
        seeds: How often each size is trained.
        model: Any other key of the table [model], such as --model.layers 3.
        training: Any key of the table [training], such as --training.batch-size 8.
    """
    from seqmusic.corpus.loading import load_corpus
    from seqmusic.experiments.scaling import scaling_study

    configuration = _configuration(config, model, training)
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
    """Compare an n-gram, decision trees, an LSTM and a transformer: how well they predict, and what they cost.

    For example: seqmusic experiment compare --out experiments/families --cpu-seconds 600

    Args:
        out: The folder of the experiment; where it is one already, it goes on.
        data: Another corpus than the chorales, as for train.
        split: The part that is predicted. The networks stop where the validation works are predicted best.
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
    model: _Table = None,
    training: _Table = None,
) -> None:
    """Tell how much a model copies from its training works as it learns, beside what it loses on others.

    Trains twice, as configured and without all that keeps a model from learning works by heart, and lets it continue works at every
    evaluation. Put copying.csv into the folder of a run, and the report of seqmusic evaluate shows it.

    For example: seqmusic experiment copying configs/quick.toml --out experiments/copying --training.steps 2000

    Args:
        config: What is trained; without it the small model of configs/quick.toml, for all its steps.
        out: The folder of the experiment; where it is one already, it goes on.
        data: Another corpus than the chorales, as for train.
        samples: Continuations of validation works, and as many of training works, at every evaluation.
        model: Any key of the table [model], such as --model.width 64.
        training: Any key of the table [training], such as --training.evaluate-every 50.
    """
    from seqmusic.corpus.loading import load_corpus
    from seqmusic.experiments.copying import copying_study

    configuration = _configuration(config or Path("quick"), model, training)
    copying_study(configuration, load_corpus(data), out, n_samples=samples)


def improve(run: Path, /, *, out: Path, data: Path | None = None, minutes: float = 10.0) -> None:
    """Try what may make a trained model better, keep what the validation works confirm, and write the result as a new run.

    A few more epochs at a low rate, with less and with more dropout; averaged weights; calibrated temperatures. The test works are
    looked at once, at the end. Stopped, the same command goes on.

    For example: seqmusic improve runs/first --out runs/better --minutes 20

    Args:
        run: The folder of a trained model, or the name of one that comes with seqmusic; it is left as it is.
        out: The folder of the new run; where such a one was begun, it goes on.
        data: The corpus it was trained on, if not the chorales, as for train.
        minutes: How long to train in all, in minutes of processor time.
    """
    from seqmusic.corpus.loading import load_corpus
    from seqmusic.experiments.improvement import improve as improve_run

    improve_run(run, load_corpus(data), out, minutes=minutes)


def _configuration(config: Path | None, model: _Table, training: _Table) -> Configuration:
    from seqmusic.runs.configuration import read_configuration

    tables = {"model": model or {}, "training": training or {}}
    overrides = {
        f"{table}.{key}": text for table, keys in tables.items() for key, text in keys.items()
    }
    return read_configuration(config or Path("trial"), overrides)
