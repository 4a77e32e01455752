"""What experience brings: the same model trained on ever more works, held-out nats a cell, and the law that they follow.

The parts are nested, and they grow by whole tune families, so that a part has about as many works a tune as the corpus has, and a
step to the right means more music rather than more settings of the same tunes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqmusic.evaluation.held_out import EncodedPieces
from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.errors import CorpusError
from seqmusic.experiments.laws import PowerLaw, bootstrap_means, fit_power_law
from seqmusic.experiments.study import (
    TrialRecord,
    common_settings,
    open_study,
    pieces_of_split,
    run_trials,
    write_results,
)
from seqmusic.experiments.trial import train_trial
from seqmusic.model.transformer import Transformer
from seqmusic.report.charts import LineSeries, line_chart
from seqmusic.report.figures import new_figure
from seqmusic.report.sections import Column, Table
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.data import draw_batch, training_data
from seqmusic.runs.pretrained import make_vocabulary

DATA_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
_AVERAGED_COLUMNS = ("families", "notes", "best_step", "cpu_seconds")
_COLUMNS = (
    Column("works", "works"),
    Column("seeds", "seeds"),
    Column("families", "tunes", ".0f"),
    Column("notes", "notes", ",.0f"),
    Column("nats_per_cell", "nats a cell", ".4f"),
    Column("lowest", "lowest", ".4f"),
    Column("highest", "highest", ".4f"),
    Column("law", "law", ".4f"),
    Column("best_step", "best after batches", ".0f"),
    Column("cpu_seconds", "processor s", ".0f"),
)
_N_RESAMPLES = 1000
_MIN_SUBSETS = 3
_CONFIDENCE_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """What the law says of a corpus twice as large.

    Attributes:
        law: fitted to the means over seeds.
        nats_per_cell: at twice the works.
        gain: nats a cell saved by them, against the law at all works.
        interval: where 95 percent of the gains lie when the seeds of each part are drawn again.
    """

    law: PowerLaw
    nats_per_cell: float
    gain: float
    interval: tuple[float, float]


def data_curve_study(
    configuration: Configuration,
    dataset: Dataset,
    folder: Path,
    *,
    n_seeds: int = 3,
    show: Callable[[str], None] = print,
) -> Extrapolation:
    """Train on 1/16, 1/8 ... all of the training works, and leave a table, a picture and the law in the folder.

    Every trial may train equally long, and counts with its best evaluation on the validation works: a small part is learned by
    heart before that, and would be charged for it.

    Args:
        configuration: of every trial; its seed is the first.
        dataset: its training works are divided.
        folder: new, or that of a study to go on with.
        n_seeds: each orders the works anew, and begins with other weights.
        show: takes lines for people.

    Raises:
        FormatError: the folder holds something else.
        CheckpointError: the folder holds another study.
        MissingExtraError: matplotlib is not installed.
        CorpusError: too few works for three parts, or none to validate.
        ValueError: no seed.
    """
    if n_seeds < 1:
        raise ValueError(f"n_seeds must be 1 or more, got {n_seeds}")
    new_figure(1, 1)
    works = dataset.works_in("train")
    pieces = pieces_of_split(dataset, "valid")
    sizes = sorted({max(1, round(share * len(works))) for share in DATA_SHARES})
    if len(sizes) < _MIN_SUBSETS:
        raise CorpusError(
            f"a learning curve needs {_MIN_SUBSETS} works to train on or more, the corpus has {len(works)}"
        )
    seeds = [configuration.training.seed + k for k in range(n_seeds)]
    open_study(folder, common_settings("learning-curve", configuration, dataset))
    trials = {
        f"works-{size}-seed-{seed}": partial(_trial, configuration, works, pieces, size, seed)
        for size in sizes
        for seed in seeds
    }
    rows = list(run_trials(folder, trials, show).values())
    found = extrapolate(
        [(size, [row["nats_per_cell"] for row in rows if row["works"] == size]) for size in sizes]
    )
    _write_data_curve(folder, rows, found, show)
    return found


def nested_subset(works: Sequence[Work], n_works: int, seed: int) -> list[Work]:
    """The first `n_works` works in an order of tune families that `seed` decides: what is smaller is contained in what is larger.

    A work without a family stands alone; of the last family that is taken there may be only a part.
    """
    families: dict[object, list[Work]] = {}
    for work in works:
        families.setdefault(work.family if work.family >= 0 else work.name, []).append(work)
    order = np.random.default_rng(seed).permutation(len(families))
    ordered = list(families.values())
    return [work for place in order for work in ordered[place]][:n_works]


def extrapolate(points: Sequence[tuple[int, Sequence[float]]]) -> Extrapolation:
    """The law through the means, and what twice the works would bring, from each part's size and the figures of its seeds."""
    sizes, figures = [size for size, _ in points], [values for _, values in points]
    law = fit_power_law(sizes, [float(np.mean(values)) for values in figures])
    gains = []
    for means in bootstrap_means(figures, _N_RESAMPLES):
        own = fit_power_law(sizes, means.tolist())
        gains.append(own.at(sizes[-1]) - own.at(2 * sizes[-1]))
    low, high = np.quantile(gains, [(1 - _CONFIDENCE_LEVEL) / 2, (1 + _CONFIDENCE_LEVEL) / 2])
    twice = law.at(2 * sizes[-1])
    return Extrapolation(law, twice, law.at(sizes[-1]) - twice, (float(low), float(high)))


def _trial(
    configuration: Configuration,
    works: Sequence[Work],
    pieces: EncodedPieces,
    n_works: int,
    seed: int,
) -> TrialRecord:
    part = nested_subset(works, n_works, seed)
    settings, words = replace(configuration.training, seed=seed), make_vocabulary(pieces.max_voices)
    data = replace(training_data(part), max_voices=words.max_voices)
    torch.manual_seed(seed)
    model = Transformer(configuration.model, words)
    done = train_trial(
        model,
        settings,
        lambda step: draw_batch(data, settings, step),
        pieces,
        name=f"{n_works} works, seed {seed}",
    )
    n_families = len({work.family if work.family >= 0 else work.name for work in part})
    about = {
        "works": n_works,
        "seed": seed,
        "families": n_families,
        "notes": sum(work.score.n_notes for work in part),
    }
    return {**about, **done.metrics()}


def _write_data_curve(
    folder: Path, rows: Sequence[TrialRecord], found: Extrapolation, show: Callable[[str], None]
) -> None:
    """Table, picture and law into the folder, and to people."""
    law, (low, high) = found.law, found.interval
    sizes = sorted({row["works"] for row in rows})
    table = Table(
        "learning_curve",
        "What the same model reaches with ever more works.",
        _COLUMNS,
        tuple(_subset_row([row for row in rows if row["works"] == size], law) for size in sizes),
    )
    facts = {
        "law": asdict(law),
        "twice_the_works": {
            "nats_per_cell": found.nats_per_cell,
            "gain": found.gain,
            "interval": [low, high],
        },
    }
    show(write_results(folder, table, _chart(table.records(), law), facts))
    show(
        f"law: {law.limit:.4f} + {law.scale:.4f} x works ^ -{law.exponent:.3f}, least squares on the means over seeds"
    )
    show(
        f"twice the works would bring {found.gain:.4f} nats a cell [{low:.4f}..{high:.4f} over seeds], "
        f"from {law.at(sizes[-1]):.4f} to {found.nats_per_cell:.4f}"
    )
    show(f"table, picture and trials are in {folder}")


def _subset_row(rows: Sequence[TrialRecord], law: PowerLaw) -> tuple[float, ...]:
    """The cells of one part: means over its seeds, and the lowest and highest figure."""
    nats = [row["nats_per_cell"] for row in rows]
    families, notes, step, seconds = (
        float(np.mean([row[name] for row in rows])) for name in _AVERAGED_COLUMNS
    )
    n_works = rows[0]["works"]
    return (
        n_works,
        len(rows),
        families,
        notes,
        float(np.mean(nats)),
        min(nats),
        max(nats),
        law.at(n_works),
        step,
        seconds,
    )


def _chart(table: Sequence[Mapping[str, Any]], law: PowerLaw) -> object:
    sizes = [row["works"] for row in table]
    curve = np.geomspace(sizes[0], 2 * sizes[-1], 60)
    measured = LineSeries(
        "mean (band: all seeds)",
        sizes,
        [row["nats_per_cell"] for row in table],
        [row["lowest"] for row in table],
        [row["highest"] for row in table],
    )
    return line_chart(
        [
            measured,
            LineSeries(
                "fitted law, to twice the works",
                curve.tolist(),
                [law.at(n) for n in curve],
                is_guide=True,
            ),
        ],
        x_label="works to train on (logarithmic)",
        y_label="validation, nats a cell",
        log_x=True,
    )
