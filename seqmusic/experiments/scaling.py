"""Model size against training at equal compute: which size suits the corpus.

Compute is processor time of training, which is what a training costs here; small models take more
of it than their size suggests. The table also gives the multiplications of the usual estimate. The
learning rate is constant and weights are averaged, so one training shows what every smaller budget
would have reached.

Source: J. Hoffmann et al., Training Compute-Optimal Large Language Models, 2022 (a parabola in log
size at equal compute); A. Hägele et al., Scaling Laws and Compute-Optimal Training Beyond Fixed
Training Durations, 2024 (constant rate, averaged weights); J. Kaplan et al., Scaling Laws for
Neural Language Models, 2020 (six operations per weight and position).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.held_out import EncodedPieces
from seqmusic.experiments.laws import Parabola, fit_parabola
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
from seqmusic.runs.data import TrainingData, training_data

logger = logging.getLogger(__name__)

N_BUDGETS = 4
_COLUMNS = (
    Column("budget_cpu_seconds", "processor seconds", "g"),
    Column("width", "width"),
    Column("parameters", "parameters", ","),
    Column("positions", "positions", ","),
    Column("operations", "operations", ".1e"),
    Column("nats_per_cell", "nats per cell", ".4f"),
)
_VARIED_SETTINGS = ("[model] width", "[training] evaluate_every")
# Batches between two evaluations, times the width: a wider model takes longer for a batch.
_EVALUATION_INTERVAL_TIMES_WIDTH = 2000
_MIN_EVALUATION_INTERVAL = 4
_OPERATIONS_PER_PARAMETER = 6  # for each position, forward and back


def scaling_study(
    configuration: Configuration,
    dataset: Dataset,
    folder: Path,
    *,
    widths: Sequence[int],
    cpu_seconds: float,
    n_seeds: int = 1,
) -> list[Parabola]:
    """Train models of several widths equally long, and write a table, a chart and the best size.

    Args:
        configuration: of every trial; width, evaluations, schedule and limits are set by the study.
        dataset: its training and validation works are used.
        folder: new, or that of a study to go on with.
        widths: three or more, multiples of 4 x heads.
        cpu_seconds: the largest budget, above 0; the others are a half, a quarter and an eighth.
        n_seeds: one or more trainings of each width, of which the mean counts.

    Returns:
        The parabola of each budget, the smallest first.

    Raises:
        FormatError: the folder holds something else.
        CheckpointError: the folder holds another study.
        CorpusError: the corpus has no works to validate.
        MissingExtraError: matplotlib is not installed.
        ValueError: widths, cpu_seconds or n_seeds are not as above.
    """
    _check(configuration, widths, cpu_seconds, n_seeds)
    require_matplotlib()
    configuration = _constant_rate(configuration)
    pieces = pieces_of_split(dataset, "valid")
    data = replace(training_data(dataset.works_in("train")), max_voices=pieces.max_voices)
    settings = _fixed_settings(configuration, dataset)
    open_study(folder, {**settings, "cpu_seconds": cpu_seconds})
    varied = _varied_configurations(configuration, widths, n_seeds)
    trials = {name: partial(_trial, c, data, pieces, cpu_seconds) for name, c in varied.items()}
    return _write_scaling(folder, list(run_trials(folder, trials).values()), cpu_seconds)


def _constant_rate(configuration: Configuration) -> Configuration:
    """The configuration with a constant learning rate, and no limit but the processor time."""
    training = replace(
        configuration.training,
        steps=1_000_000,
        minutes=0.0,
        schedule="constant",
        warmup=1e-5,
        patience=0,
    )
    return replace(configuration, training=training)


def _fixed_settings(configuration: Configuration, dataset: Dataset) -> dict[str, object]:
    """The settings that all trials have in common."""
    settings = common_settings("scaling", configuration, dataset)
    return {name: value for name, value in settings.items() if name not in _VARIED_SETTINGS}


def _varied_configurations(
    configuration: Configuration, widths: Sequence[int], n_seeds: int
) -> dict[str, Configuration]:
    """The configuration of each trial by its name."""
    varied = {}
    for width in sorted(set(widths)):
        model = replace(configuration.model, width=width)
        every = max(_MIN_EVALUATION_INTERVAL, _EVALUATION_INTERVAL_TIMES_WIDTH // width)
        for k in range(n_seeds):
            seed = configuration.training.seed + k
            training = replace(configuration.training, seed=seed, evaluate_every=every)
            name = f"width-{width}-seed-{seed}"
            varied[name] = replace(configuration, model=model, training=training)
    return varied


def _write_scaling(folder: Path, rows: Sequence[TrialRecord], cpu_seconds: float) -> list[Parabola]:
    """Write and log the results; returns the parabola of each budget."""
    budgets = [cpu_seconds / 2**k for k in reversed(range(N_BUDGETS))]
    widths = sorted({row["width"] for row in rows})
    cells = tuple(_budget_row(rows, width, budget) for budget in budgets for width in widths)
    caption = "Nats per cell of models of several sizes with the same processor time."
    table = Table("scaling", caption, _COLUMNS, cells)
    records = table.records()
    parabolas = [_fit_budget_parabola(records, budget) for budget in budgets]
    answer = _conclusion(records, budgets[-1], parabolas[-1])
    best = [
        {"budget_cpu_seconds": budget, **asdict(parabola)}
        for budget, parabola in zip(budgets, parabolas, strict=True)
    ]
    figure = _chart(records, budgets, parabolas)
    logger.info(write_results(folder, table, figure, {"best": best, "answer": answer}))
    logger.info(answer)
    logger.info(f"table, picture and trials are in {folder}")
    return parabolas


def _check(
    configuration: Configuration, widths: Sequence[int], cpu_seconds: float, n_seeds: int
) -> None:
    unit = 4 * configuration.model.heads
    if len(set(widths)) < 3:
        raise ValueError(f"widths must be three or more, got {sorted(set(widths))}")
    for width in widths:
        if width < 1 or width % unit:
            raise ValueError(f"a width must be a multiple of 4 x heads ({unit}), got {width}")
    if not (math.isfinite(cpu_seconds) and cpu_seconds > 0) or n_seeds < 1:
        raise ValueError(
            f"cpu_seconds must be above 0 and n_seeds 1 or more, got {cpu_seconds} and {n_seeds}"
        )


def n_non_embedding_parameters(model: nn.Module) -> int:
    """Weights that each position is multiplied with: all but those of embedding tables.

    >>> n_non_embedding_parameters(nn.Sequential(nn.Embedding(100, 7), nn.Linear(7, 3)))
    24
    """
    tables = sum(
        module.weight.numel()
        for module in model.modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag)
    )
    return sum(parameter.numel() for parameter in model.parameters()) - tables


def interpolate_at_budget(
    curve: Sequence[Sequence[float]], cpu_seconds: float
) -> tuple[float, float]:
    """Nats per cell, and positions seen, of a training at a budget.

    Between two evaluations both are straight in the logarithm of the time; outside of all, they are
    those of the first or the last evaluation.

    Args:
        curve: rows of (batches, positions, processor seconds, nats per cell), ascending in time.
        cpu_seconds: the budget.

    >>> interpolate_at_budget([(10, 100, 1.0, 0.9), (40, 400, 4.0, 0.5)], 2.0)
    (0.7, 250.0)
    """
    log_times = np.log([point[2] for point in curve])
    nats, positions = (
        np.interp(math.log(cpu_seconds), log_times, [point[column] for point in curve])
        for column in (3, 1)
    )
    return round(float(nats), 6), float(positions)


def _trial(
    configuration: Configuration, data: TrainingData, pieces: EncodedPieces, cpu_seconds: float
) -> TrialRecord:
    width, seed = configuration.model.width, configuration.training.seed
    name = f"width {width}, seed {seed}"
    model, trial = train_new_model(configuration, data, pieces, cpu_seconds=cpu_seconds, name=name)
    multiplied = n_non_embedding_parameters(model)
    return {"width": width, "seed": seed, "multiplied": multiplied, **trial.metrics()}


def _budget_row(rows: Sequence[TrialRecord], width: int, budget: float) -> tuple[float, ...]:
    """The cells of one width at one budget: means over its seeds."""
    trials = [row for row in rows if row["width"] == width]
    nats, positions = np.mean([interpolate_at_budget(t["curve"], budget) for t in trials], axis=0)
    operations = float(_OPERATIONS_PER_PARAMETER * trials[0]["multiplied"] * positions)
    return budget, width, trials[0]["parameters"], round(positions), operations, float(nats)


def _sizes_and_nats(table: Sequence[TrialRecord], budget: float) -> tuple[list[float], list[float]]:
    """Parameters and nats per cell of all widths at one budget."""
    rows = [row for row in table if row["budget_cpu_seconds"] == budget]
    return [row["parameters"] for row in rows], [row["nats_per_cell"] for row in rows]


def _fit_budget_parabola(table: Sequence[TrialRecord], budget: float) -> Parabola:
    return fit_parabola(*_sizes_and_nats(table, budget))


def _conclusion(table: Sequence[TrialRecord], budget: float, parabola: Parabola) -> str:
    sizes = sorted(row["parameters"] for row in table)
    start, best = f"With {budget:g} processor seconds", f"{parabola.best:,.0f} parameters"
    lowest = f"{parabola.lowest:.4f} nats per cell"
    if parabola.bend > 0:
        return (
            f"{start} about {parabola.best / 1e6:.2g} million parameters suit this corpus best: "
            f"the minimum of the parabola is there, at {lowest}."
        )
    if parabola.best in (sizes[0], sizes[-1]):
        end, other = ("smallest", "smaller") if parabola.best == sizes[0] else ("largest", "larger")
        return (
            f"{start} the {end} size tried, {best}, is best ({lowest}): a still {other} model may "
            "suit this corpus better."
        )
    return (
        f"{start} {best} are the best of those tried ({lowest}); the parabola through the sizes "
        "has no minimum among them."
    )


def _chart(
    table: Sequence[TrialRecord], budgets: Sequence[float], parabolas: Sequence[Parabola]
) -> object:
    series = [
        line
        for budget, parabola in zip(budgets, parabolas, strict=True)
        for line in _budget_lines(table, budget, parabola)
    ]
    return line_chart(
        series,
        x_label="thousand parameters (logarithmic)",
        y_label="validation, nats per cell",
        log_x=True,
    )


def _budget_lines(
    table: Sequence[TrialRecord], budget: float, parabola: Parabola
) -> Iterator[LineSeries]:
    """The measured sizes at one budget, and the parabola if it has a minimum among them."""
    parameters, nats = _sizes_and_nats(table, budget)
    thousands = [round(n / 1000) for n in parameters]
    yield LineSeries(f"{budget:g} processor seconds", thousands, nats)
    if parabola.bend > 0:
        fine = np.geomspace(thousands[0], thousands[-1], 60).tolist()
        yield LineSeries("", fine, [parabola.at(1000 * n) for n in fine], is_guide=True)
