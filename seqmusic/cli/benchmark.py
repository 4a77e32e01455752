"""seqmusic benchmark: models compared in the units of the literature."""

from __future__ import annotations

import json as json_text
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from seqmusic.cli.options import Flag
from seqmusic.generation.request import Request

app = App(
    name="benchmark",
    help="Measure models in the units of the literature.\n\n"
    "For example: seqmusic benchmark jsb --data Jsb16thSeparated.json",
    help_format="markdown",
    result_action="return_value",
)


@app.command
def jsb(
    *,
    data: Path,
    model: list[Path] | None = None,
    config: Path | None = None,
    out: Path | None = None,
    allow_overlap: Annotated[bool, Flag] = False,
) -> None:
    """Score models on the usual chorale benchmark, beside baselines that count.

    The last line is one JSON object.

    For example: seqmusic benchmark jsb --data Jsb16thSeparated.json --model runs/jsb

    Args:
        data: The file of the benchmark, Jsb16thSeparated.json: 229, 76 and 77 chorales on a
            sixteenth grid.
        model: The folder of a trained model, or of several, which are averaged; by default those
            that come with seqmusic.
        config: Train a model with this configuration first, and score it.
        out: The folder of that run; by default runs/NAME of the configuration.
        allow_overlap: Score a model on pieces it was trained on, too, and report how many they are.
    """
    from seqmusic.benchmarks.jsb import benchmark_jsb
    from seqmusic.runs.pretrained import BENCHMARK_MODELS

    if config is not None:
        from seqmusic.runs.configuration import read_configuration
        from seqmusic.runs.train import train_run

        model = [out or Path("runs") / config.stem]
        train_run(read_configuration(config, {}), model[0], corpus=data)
    figures = benchmark_jsb(data, model or BENCHMARK_MODELS, allow_overlap=allow_overlap)
    print(json_text.dumps(figures))


@app.command
def rivals(*, data: Path, cpu_seconds: float = 120.0) -> None:
    """Train the transformer, an LSTM and a sixteenth-grid transformer alike, and compare them.

    The last line is one JSON object.

    For example: seqmusic benchmark rivals --data Jsb16thSeparated.json --cpu-seconds 300

    Args:
        data: The file of the benchmark, Jsb16thSeparated.json.
        cpu_seconds: Processor time of each training.
    """
    from seqmusic.benchmarks.rivals import train_contenders

    if not cpu_seconds > 0:
        raise ValueError(f"--cpu-seconds must be more than 0, got {cpu_seconds}")
    print(json_text.dumps(train_contenders(data, cpu_seconds)))


@app.command
def harmony(
    *,
    model: Path = Path("chorales"),
    split: Literal["test", "valid"] = "test",
    n: Annotated[int, Parameter(name="-n")] = 256,
    works: int | None = None,
) -> None:
    """Harmonize the sopranos of held-out chorales, and compare with Bach.

    Measures the loss of alto, tenor and bass with the whole soprano known and with its past alone;
    how many of their cells are predicted, drawn and likeliest, beside the n-gram; and how often
    harmonizations move in parallel, cross and hold, with and without --strict. The last line is
    one JSON object.

    For example: seqmusic benchmark harmony --split valid --works 8 -n 16

    Args:
        model: The folder of a trained model, or the name of one that comes with seqmusic.
        split: Which part of the chorales.
        n: How many harmonizations are measured for their style, and as many with --strict.
        works: Only the first works, this many.
    """
    from seqmusic.benchmarks.harmony import benchmark_harmony

    if n < 1 or (works is not None and works < 1):
        raise ValueError("-n and --works must be 1 or more")
    print(json_text.dumps(benchmark_harmony(model, split=split, n=n, works=works)))


@app.command
def recognition(
    *,
    data: Path,
    split: Literal["test", "valid"] = "test",
    sources: bool = True,
    json: Annotated[bool, Flag] = False,
) -> None:
    """Train a recognizer of the classes of a folder, and measure it on held-out works.

    Prints balanced accuracy, calibration, confusion and the share of answers for all voices, single
    voices and a few notes; classifiers that see a shortcut alone; whether transformations change
    the class; the accuracy on sources that were left out. Needs scikit-learn.

    For example: seqmusic benchmark recognition --data data/repertories --no-sources

    Args:
        data: A folder of scores, CLASS/[SOURCE/[GROUP/]]FILE, or one made from it by data prepare.
        split: Which works are recognized.
        sources: Also train four times more, each time without a quarter of the sources.
        json: Print all figures as one JSON object in the last line.
    """
    from seqmusic.benchmarks.recognition import benchmark_recognition, figures_values
    from seqmusic.benchmarks.recognition_text import recognition_text

    figures = benchmark_recognition(data, split=split, leave_sources_out=sources)
    print(recognition_text(figures))
    if json:
        print(json_text.dumps(figures_values(figures)))


@app.command
def techniques(*, data: Path) -> None:
    """Count the works of each class of a folder in which each technique is called.

    Works that are called isorhythmic are named, so that false calls can be looked at.

    For example: seqmusic benchmark techniques --data data/repertories

    Args:
        data: A folder of scores, CLASS/[SOURCE/[GROUP/]]FILE, or one made from it by data prepare.
    """
    from seqmusic.benchmarks.techniques import benchmark_techniques

    print("\n".join(benchmark_techniques(data)))


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Setting(Request):
    """A setting to compose with, beside the default one."""

    n: Annotated[int, Parameter(parse=False)] = 1
    scale: Annotated[bool, Flag] = False
    strict: Annotated[bool, Flag] = False
    compass: Annotated[tuple[str, ...], Flag] = ()

    def request(self) -> Request | None:
        """The same as the package knows it; None for the default setting."""
        values = {field.name: getattr(self, field.name) for field in fields(Request)}
        request = Request(**values)
        return None if replace(request, seed=0) == Request(n=1) else request


@app.command
def bach(
    *,
    model: Path | None = None,
    against: Path | None = None,
    split: Literal["held-out", "test", "valid"] = "held-out",
    works: int | None = None,
    setting: Setting | None = None,
    json: Annotated[bool, Flag] = False,
) -> None:
    """Measure how well a classifier separates a model's music from held-out Bach, and how.

    The model continues two bars, harmonizes sopranos and composes freely. Two
    judges, one linear and one of trees, tell windows of four bars by the model
    from windows by Bach, of tunes that they have not seen; 0.5 means that they
    cannot. Beside the model stands other Bach. A setting that is named, such as
    --temperature 1, is measured beside the default one. Needs scikit-learn.

    For example: seqmusic benchmark bach --split valid --works 8 --temperature 1

    Args:
        model: The folder of a trained model, or the name of one that comes with seqmusic.
        against: A peer's pieces, a file like js-fakes-16thSeparated.npz.
        split: Which part of the chorales; held-out is test and validation together.
        works: Only so many works, the first ones; they need five tunes.
        json: Print all figures as one JSON object in the last line.
    """
    from seqmusic.benchmarks.bach import benchmark_bach
    from seqmusic.benchmarks.bach_text import comparisons_text, comparisons_values

    setting = setting or Setting()
    request, seed = setting.request(), setting.seed
    comparisons = benchmark_bach(
        model, request=request, against=against, split=split, works=works, seed=seed
    )
    print(comparisons_text(comparisons))
    if json:
        print(json_text.dumps(comparisons_values(comparisons)))
