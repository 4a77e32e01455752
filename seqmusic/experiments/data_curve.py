"""The learning curve over data: nats per cell after training on ever more works, and its law.

The subsets are nested and grow by whole tune families: each has about as many works per tune as
the corpus, so more works means more music rather than more settings of the same tunes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.errors import CorpusError
from seqmusic.evaluation.held_out import EncodedPieces
from seqmusic.experiments.laws import PowerLaw, bootstrap_means, fit_power_law
from seqmusic.experiments.study import (
    TrialRecord,
    common_settings,
    open_study,
    pieces_of_split,
    run_trials,
    write_results,
)
from seqmusic.experiments.trial import train_new_model
from seqmusic.report.charts import LineSeries, line_chart
from seqmusic.report.figures import require_matplotlib
from seqmusic.report.sections import Column, Table
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.data import training_data

logger = logging.getLogger(__name__)

DATA_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
_COLUMNS = (
    Column("works", "works"),
    Column("seeds", "seeds"),
    Column("families", "tunes", ".0f"),
    Column("notes", "notes", ",.0f"),
    Column("nats_per_cell", "nats per cell", ".4f"),
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
    """The prediction of the fitted law for a corpus twice as large.

    Attributes:
        law: fitted to the means over seeds.
        nats_per_cell: with twice the works.
        gain: nats per cell saved by them, against the law at all works.
        interval: 95 percent bootstrap interval of the gain over the seeds of each subset.
    """

    law: PowerLaw
    nats_per_cell: float
    gain: float
    interval: tuple[float, float]


def data_curve_study(
    configuration: Configuration, dataset: Dataset, folder: Path, *, n_seeds: int = 3
) -> Extrapolation:
    """Train on 1/16, 1/8 ... all of the training works, and write a table, a chart and the law.

    Every trial may train equally long, and counts with its best evaluation on the validation works:
    the model memorizes a small subset before the end, which would count against it.

    Args:
        configuration: of every trial; its seed is the first.
        dataset: its training works are divided.
        folder: new, or that of a study to go on with.
        n_seeds: trainings on each subset; each seed decides other subsets and other weights.

    Raises:
        FormatError: the folder holds something else.
        CheckpointError: the folder holds another study.
        MissingExtraError: matplotlib is not installed.
        CorpusError: there are too few works for three subsets, or none to validate.
        ValueError: n_seeds is less than 1.
    """
    if n_seeds < 1:
        raise ValueError(f"n_seeds must be 1 or more, got {n_seeds}")
    require_matplotlib()
    works = dataset.works_in("train")
    pieces = pieces_of_split(dataset, "valid")
    sizes = _subset_sizes(len(works))
    open_study(folder, common_settings("learning-curve", configuration, dataset))
    seeds = [configuration.training.seed + k for k in range(n_seeds)]
    trials = {
        f"works-{size}-seed-{seed}": partial(_trial, configuration, works, pieces, size, seed)
        for size in sizes
        for seed in seeds
    }
    rows = list(run_trials(folder, trials).values())
    extrapolation = extrapolate(
        [(size, [row["nats_per_cell"] for row in rows if row["works"] == size]) for size in sizes]
    )
    _write_data_curve(folder, rows, extrapolation)
    return extrapolation


def _subset_sizes(n_works: int) -> list[int]:
    sizes = sorted({max(1, round(share * n_works)) for share in DATA_SHARES})
    if len(sizes) < _MIN_SUBSETS:
        raise CorpusError(
            f"a learning curve needs {_MIN_SUBSETS} works to train on or more, "
            f"the corpus has {n_works}"
        )
    return sizes


def nested_subset(works: Sequence[Work], n_works: int, seed: int) -> list[Work]:
    """The first `n_works` works in a random order of tune families, decided by `seed`.

    A larger subset of the same seed contains a smaller one. The last family may be incomplete.
    """
    families: dict[int | str, list[Work]] = {}
    for work in works:
        families.setdefault(_family(work), []).append(work)
    order = np.random.default_rng(seed).permutation(len(families))
    by_number = list(families.values())
    return [work for number in order for work in by_number[number]][:n_works]


def _family(work: Work) -> int | str:
    """Its tune family; a work without one is a family by itself."""
    return work.family if work.family >= 0 else work.name


def extrapolate(points: Sequence[tuple[int, Sequence[float]]]) -> Extrapolation:
    """Fit a law to the means of the points, and extrapolate it to twice the works.

    Args:
        points: the size of each subset, ascending, with the nats per cell of its seeds.
    """
    sizes, groups = [size for size, _ in points], [values for _, values in points]
    largest = sizes[-1]
    law = fit_power_law(sizes, [float(np.mean(values)) for values in groups])
    gains = []
    for means in bootstrap_means(groups, _N_RESAMPLES):
        resampled = fit_power_law(sizes, means.tolist())
        gains.append(resampled.at(largest) - resampled.at(2 * largest))
    low, high = np.quantile(gains, [(1 - _CONFIDENCE_LEVEL) / 2, (1 + _CONFIDENCE_LEVEL) / 2])
    twice = law.at(2 * largest)
    return Extrapolation(law, twice, law.at(largest) - twice, (float(low), float(high)))


def _trial(
    configuration: Configuration,
    works: Sequence[Work],
    pieces: EncodedPieces,
    n_works: int,
    seed: int,
) -> TrialRecord:
    subset = nested_subset(works, n_works, seed)
    _, trial = train_new_model(
        replace(configuration, training=replace(configuration.training, seed=seed)),
        replace(training_data(subset), max_voices=pieces.max_voices),
        pieces,
        name=f"{n_works} works, seed {seed}",
    )
    return {
        "works": n_works,
        "seed": seed,
        "families": len(set(map(_family, subset))),
        "notes": sum(work.score.n_notes for work in subset),
        **trial.metrics(),
    }


def _write_data_curve(
    folder: Path, rows: Sequence[TrialRecord], extrapolation: Extrapolation
) -> None:
    law, (low, high) = extrapolation.law, extrapolation.interval
    sizes = sorted({row["works"] for row in rows})
    subsets = ([row for row in rows if row["works"] == size] for size in sizes)
    caption = "Nats per cell of the same model after training on ever more works."
    cells = tuple(_subset_row(subset, law) for subset in subsets)
    table = Table("learning_curve", caption, _COLUMNS, cells)
    twice = {
        "nats_per_cell": extrapolation.nats_per_cell,
        "gain": extrapolation.gain,
        "interval": [low, high],
    }
    facts = {"law": asdict(law), "twice_the_works": twice}
    logger.info(write_results(folder, table, _chart(table.records(), law), facts))
    logger.info(
        f"law: {law.limit:.4f} + {law.scale:.4f} x works ^ -{law.exponent:.3f}, "
        "least squares on the means over seeds"
    )
    logger.info(
        f"twice the works would bring {extrapolation.gain:.4f} nats per cell "
        f"[{low:.4f}..{high:.4f} over seeds], "
        f"from {law.at(sizes[-1]):.4f} to {extrapolation.nats_per_cell:.4f}"
    )
    logger.info(f"table, picture and trials are in {folder}")


def _subset_row(rows: Sequence[TrialRecord], law: PowerLaw) -> tuple[float, ...]:
    """The cells of one size: means over its seeds, and the lowest and highest loss."""
    n_works, nats = rows[0]["works"], [row["nats_per_cell"] for row in rows]
    return (
        n_works,
        len(rows),
        _mean(row["families"] for row in rows),
        _mean(row["notes"] for row in rows),
        _mean(nats),
        min(nats),
        max(nats),
        law.at(n_works),
        _mean(row["best_step"] for row in rows),
        _mean(row["cpu_seconds"] for row in rows),
    )


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _chart(table: Sequence[Mapping[str, Any]], law: PowerLaw) -> object:
    sizes, nats, lowest, highest = (
        [row[name] for row in table] for name in ("works", "nats_per_cell", "lowest", "highest")
    )
    fine = np.geomspace(sizes[0], 2 * sizes[-1], 60).tolist()
    fitted = [law.at(n) for n in fine]
    return line_chart(
        [
            LineSeries("mean (band: all seeds)", sizes, nats, lowest, highest),
            LineSeries("fitted law, to twice the works", fine, fitted, is_guide=True),
        ],
        x_label="works to train on (logarithmic)",
        y_label="validation, nats per cell",
        log_x=True,
    )
