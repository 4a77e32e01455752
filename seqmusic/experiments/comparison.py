"""Families of models compared: how well each predicts, and what training and prediction cost.

All are measured alike: nats per cell of whole pieces, under the same grammar masks.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from seqmusic.baselines.ngram import NGram
from seqmusic.baselines.predictions import baseline_predictions
from seqmusic.baselines.trees import ONE_TREE, Trees, TreeSettings
from seqmusic.benchmarks.rivals import SETTINGS, Contender, grammar_contenders
from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.held_out import EncodedPieces, score_held_out
from seqmusic.experiments.study import (
    TrialRecord,
    corpus_name,
    open_study,
    pieces_of_split,
    run_trials,
    write_results,
)
from seqmusic.experiments.trial import train_trial
from seqmusic.metrics.likelihood import Likelihood, total_likelihood
from seqmusic.report.charts import BarSeries, bar_chart
from seqmusic.report.figures import require_matplotlib
from seqmusic.report.sections import Column, Table

logger = logging.getLogger(__name__)

_COLUMNS = (
    Column("model", "model"),
    Column("nats_per_cell", "nats per cell", ".4f"),
    Column("low", "95 percent from", ".4f"),
    Column("high", "to", ".4f"),
    Column("sound_accuracy", "sound, top 1", ".1%"),
    Column("duration_accuracy", "duration, top 1", ".1%"),
    Column("training_cpu_seconds", "s to train", ".0f"),
    Column("cpu_seconds_a_piece", "s per piece", ".3f"),
    Column("size", "size", ","),
)


def comparison_study(
    dataset: Dataset, folder: Path, *, split: str = "valid", cpu_seconds: float = 120.0
) -> list[TrialRecord]:
    """Train five models, and write a table and a chart of how well they predict.

    They are an n-gram, one decision tree, random trees, an LSTM and a transformer.

    Args:
        dataset: with the training works, and the validation works by which the networks keep their
            best weights.
        folder: new, or that of a study to go on with.
        split: the works that are predicted.
        cpu_seconds: processor time to train each network, evaluations left out.

    Returns:
        One row for each model: size, processor time to train and to predict a piece, and metrics.

    Raises:
        FormatError: the folder holds something else.
        CheckpointError: the folder holds another study.
        CorpusError: a split of the corpus is empty.
        MissingExtraError: matplotlib or scikit-learn is not installed.
        ValueError: there is no such split, or cpu_seconds is not above 0.
    """
    if not 0 < cpu_seconds < math.inf:
        raise ValueError(f"cpu_seconds must be above 0, got {cpu_seconds}")
    require_matplotlib()
    training, valid, pieces = (pieces_of_split(dataset, s) for s in ("train", "valid", split))
    settings = {"corpus": corpus_name(dataset), "split": split, "cpu_seconds": cpu_seconds}
    open_study(folder, {"experiment": "compare", **settings})
    trials: dict[str, Callable[[], TrialRecord]] = {
        name: partial(_run_baseline_trial, make, pieces)
        for name, make in _baselines(training).items()
    }
    for contender in reversed(grammar_contenders(dataset.works_in("train"), valid)):
        name = contender.name.removeprefix("voice-order ")
        trials[name] = partial(_run_network_trial, contender, valid, pieces, cpu_seconds)
    rows = [{"model": name, **row} for name, row in run_trials(folder, trials).items()]
    _write_comparison(folder, rows, split)
    return rows


def _baselines(training: EncodedPieces) -> dict[str, Callable[[], NGram | Trees]]:
    return {
        "5-gram": lambda: NGram(training.traces),
        "decision tree": lambda: Trees(training.traces, ONE_TREE),
        "random trees": lambda: Trees(training.traces, TreeSettings()),
    }


def _run_baseline_trial(make: Callable[[], NGram | Trees], pieces: EncodedPieces) -> TrialRecord:
    started = time.process_time()
    predictor = make()
    trained = time.process_time()
    scored = total_likelihood(
        [baseline_predictions(predictor, trace).event_scores() for trace in pieces.traces],
        pieces.cells,
        pieces.notes,
    )
    return _trial_row(predictor.size, trained - started, time.process_time() - trained, scored)


def _run_network_trial(
    contender: Contender, valid: EncodedPieces, pieces: EncodedPieces, cpu_seconds: float
) -> TrialRecord:
    torch.manual_seed(SETTINGS.seed)
    model = contender.make()
    trial = train_trial(
        model, SETTINGS, contender.draw, valid, cpu_seconds=cpu_seconds, name=contender.name
    )
    started = time.process_time()
    scored = score_held_out(model, pieces)
    seconds = time.process_time() - started
    row = _trial_row(trial.parameters, trial.curve[-1].cpu_seconds, seconds, scored)
    return row | {"curve": trial.metrics()["curve"]}


def _trial_row(
    size: int, training_seconds: float, prediction_seconds: float, scored: Likelihood
) -> TrialRecord:
    return {
        "size": size,
        "training_cpu_seconds": training_seconds,
        "cpu_seconds_a_piece": prediction_seconds / len(scored.cells),
        **scored.metrics(),
    }


def _write_comparison(folder: Path, rows: Sequence[TrialRecord], split: str) -> None:
    rows = [{**row, "low": row["interval"][0], "high": row["interval"][1]} for row in rows]
    cells = tuple(tuple(row[column.name] for column in _COLUMNS) for row in rows)
    table = Table("compare", f"Families of models on the {split} works.", _COLUMNS, cells)
    nats, low, high = ([row[key] for row in rows] for key in ("nats_per_cell", "low", "high"))
    figure = bar_chart(
        [row["model"] for row in rows],
        [BarSeries("", nats, low, high)],
        x_label=f"nats per cell ({split}), with 95 percent intervals",
    )
    logger.info(write_results(folder, table, figure, {"split": split}))
    logger.info(
        "size: entries of the n-gram, nodes of the trees, parameters of the networks; "
        "seconds are processor time"
    )
    logger.info(f"table, picture and trials are in {folder}")
