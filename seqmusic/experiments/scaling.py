"""Model size against music seen, at fixed compute: which size this corpus wants.

Compute is processor seconds of training: what is paid here, where small models cost more than their size says. Beside it stand the
multiplications of the usual estimate. The learning rate is constant and weights are averaged, so one training tells what every
smaller budget would have bought.

Source: J. Hoffmann et al., Training Compute-Optimal Large Language Models, 2022 (a parabola in log size at equal compute);
A. Hägele et al., Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations, 2024 (constant rate, averaged weights);
J. Kaplan et al., Scaling Laws for Neural Language Models, 2020 (six operations a weight and position).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from seqmusic.evaluation.held_out import EncodedPieces
from seqmusic.corpus.dataset import Dataset
from seqmusic.experiments.laws import Parabola, fit_parabola
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
from seqmusic.runs.data import TrainingData, draw_batch, training_data
from seqmusic.runs.pretrained import make_vocabulary

N_BUDGETS = 4
_COLUMNS = (
    Column("budget_cpu_seconds", "processor seconds", "g"),
    Column("width", "width"),
    Column("parameters", "parameters", ","),
    Column("positions", "positions", ","),
    Column("operations", "operations", ".1e"),
    Column("nats_per_cell", "nats a cell", ".4f"),
)
_EVALUATION_INTERVAL_AT_WIDTH_1 = (
    2000  # between two evaluations: a batch costs about as much more as the model is wider
)
_MIN_EVALUATION_INTERVAL = 4
_OPERATIONS_PER_PARAMETER = 6  # a weight and position, forward and back


def scaling_study(
    configuration: Configuration,
    dataset: Dataset,
    folder: Path,
    *,
    widths: Sequence[int],
    cpu_seconds: float,
    n_seeds: int = 1,
    show: Callable[[str], None] = print,
) -> list[Parabola]:
    """Train models of several widths for the same processor time, and leave a table, a picture and the answer in the folder.

    Args:
        configuration: of every trial, but for the width, the evaluations and what would end it early.
        dataset: its training and validation works.
        folder: new, or that of a study to go on with.
        widths: three or more, multiples of 4 x heads.
        cpu_seconds: the largest budget; the others are a half, a quarter and an eighth of it.
        n_seeds: trainings of each width; their mean counts.
        show: takes lines for people.

    Returns:
        The parabola of each budget, the smallest first.

    Raises:
        FormatError: the folder holds something else.
        CheckpointError: the folder holds another study.
        CorpusError: the corpus has no works to validate.
        MissingExtraError: matplotlib is not installed.
        ValueError: fewer than three widths, one that heads do not divide, no time, or no seed.
    """
    _check(configuration, widths, cpu_seconds, n_seeds)
    new_figure(1, 1)
    constant = replace(
        configuration.training,
        steps=1_000_000,
        minutes=0.0,
        schedule="constant",
        warmup=1e-5,
        patience=0,
    )
    configuration = replace(configuration, training=constant)
    budgets = [cpu_seconds / 2**k for k in reversed(range(N_BUDGETS))]
    pieces = pieces_of_split(dataset, "valid")
    data = replace(training_data(dataset.works_in("train")), max_voices=pieces.max_voices)
    own = {"[model] width", "[training] evaluate_every"}
    settings = {
        name: value
        for name, value in common_settings("scaling", configuration, dataset).items()
        if name not in own
    }
    open_study(folder, {**settings, "cpu_seconds": cpu_seconds})
    seeds = [constant.seed + k for k in range(n_seeds)]
    trials = {
        f"width-{width}-seed-{seed}": partial(
            _trial, configuration, data, pieces, width, seed, cpu_seconds
        )
        for width in sorted(set(widths))
        for seed in seeds
    }
    rows = list(run_trials(folder, trials, show).values())
    cells = tuple(
        _budget_row(rows, width, budget) for budget in budgets for width in sorted(set(widths))
    )
    table = Table(
        "scaling",
        "What models of several sizes reach with the same processor time.",
        _COLUMNS,
        cells,
    )
    found = [_fit_budget_parabola(table.records(), budget) for budget in budgets]
    answer = _conclusion(table.records(), budgets[-1], found[-1])
    best = [
        {"budget_cpu_seconds": budget, **asdict(fit)}
        for budget, fit in zip(budgets, found, strict=True)
    ]
    show(
        write_results(
            folder, table, _chart(table.records(), budgets, found), {"best": best, "answer": answer}
        )
    )
    show(answer)
    show(f"table, picture and trials are in {folder}")
    return found


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
    """Weights that each position is multiplied with: all but the tables, of which it looks a row up.

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
    """Nats a cell, and positions seen, of a training after a budget, between evaluations straight in the logarithm of its time.

    Args:
        curve: of (batches, positions, processor seconds, nats a cell), rising in time.
        cpu_seconds: before the first evaluation its figures hold, after the last one those.

    >>> interpolate_at_budget([(10, 100, 1.0, 0.9), (40, 400, 4.0, 0.5)], 2.0)
    (0.7, 250.0)
    """
    times = np.log([point[2] for point in curve])
    nats, positions = (
        np.interp(math.log(cpu_seconds), times, [point[column] for point in curve])
        for column in (3, 1)
    )
    return round(float(nats), 6), float(positions)


def _trial(
    configuration: Configuration,
    data: TrainingData,
    pieces: EncodedPieces,
    width: int,
    seed: int,
    cpu_seconds: float,
) -> TrialRecord:
    every = max(_MIN_EVALUATION_INTERVAL, _EVALUATION_INTERVAL_AT_WIDTH_1 // width)
    settings = replace(configuration.training, seed=seed, evaluate_every=every)
    torch.manual_seed(seed)
    model = Transformer(replace(configuration.model, width=width), make_vocabulary(pieces.max_voices))
    multiplied = n_non_embedding_parameters(model)
    name = f"width {width}, seed {seed}"
    done = train_trial(
        model,
        settings,
        lambda step: draw_batch(data, settings, step),
        pieces,
        cpu_seconds=cpu_seconds,
        name=name,
    )
    return {"width": width, "seed": seed, "multiplied": multiplied, **done.metrics()}


def _budget_row(rows: Sequence[TrialRecord], width: int, budget: float) -> tuple[float, ...]:
    """The cells of one width at one budget: means over its seeds."""
    own = [row for row in rows if row["width"] == width]
    nats, positions = np.mean([interpolate_at_budget(row["curve"], budget) for row in own], axis=0)
    operations = _OPERATIONS_PER_PARAMETER * own[0]["multiplied"] * positions
    return budget, width, own[0]["parameters"], round(positions), float(operations), float(nats)


def _fit_budget_parabola(table: Sequence[TrialRecord], budget: float) -> Parabola:
    own = [row for row in table if row["budget_cpu_seconds"] == budget]
    return fit_parabola([row["parameters"] for row in own], [row["nats_per_cell"] for row in own])


def _conclusion(table: Sequence[TrialRecord], budget: float, fit: Parabola) -> str:
    sizes = sorted(row["parameters"] for row in table)
    if fit.bend > 0:
        return (
            f"With {budget:g} processor seconds this corpus wants about {fit.best / 1e6:.2g} million parameters: "
            f"there the parabola is lowest, at {fit.lowest:.4f} nats a cell."
        )
    if fit.best in (sizes[0], sizes[-1]):
        end, other = ("smallest", "fewer") if fit.best == sizes[0] else ("largest", "more")
        return (
            f"With {budget:g} processor seconds the {end} size tried, {fit.best:,.0f} parameters, is best "
            f"({fit.lowest:.4f} nats a cell): this corpus may want still {other}."
        )
    return (
        f"With {budget:g} processor seconds {fit.best:,.0f} parameters are best of those tried ({fit.lowest:.4f} nats a cell); "
        "the sizes lie on no parabola with a lowest point among them."
    )


def _chart(
    table: Sequence[TrialRecord], budgets: Sequence[float], found: Sequence[Parabola]
) -> object:
    lines = []
    for budget, fit in zip(budgets, found, strict=True):
        own = [row for row in table if row["budget_cpu_seconds"] == budget]
        sizes = [round(row["parameters"] / 1000) for row in own]
        lines.append(
            LineSeries(
                f"{budget:g} processor seconds", sizes, [row["nats_per_cell"] for row in own]
            )
        )
        if fit.bend > 0:
            fine = np.geomspace(sizes[0], sizes[-1], 60)
            lines.append(
                LineSeries("", fine.tolist(), [fit.at(1000 * size) for size in fine], is_guide=True)
            )
    return line_chart(
        lines,
        x_label="thousand parameters (logarithmic)",
        y_label="validation, nats a cell",
        log_x=True,
    )
