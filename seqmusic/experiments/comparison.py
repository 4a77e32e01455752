"""The families of models side by side: how well each predicts, what its training costs, and what a prediction costs.

All are charged alike: nats a cell of whole pieces, the grammar's own masks over all that they say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from seqmusic.baselines.ngram import NGram
from seqmusic.baselines.predictions import baseline_predictions
from seqmusic.baselines.trees import ONE_TREE, Trees, TreeSettings
from seqmusic.evaluation.held_out import EncodedPieces, score_held_out
from seqmusic.benchmarks.rivals import SETTINGS, Contender, grammar_contenders
from seqmusic.corpus.dataset import Dataset
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
from seqmusic.report.figures import new_figure
from seqmusic.report.sections import Column, Table

_COLUMNS = (
    Column("model", "model"),
    Column("nats_per_cell", "nats a cell", ".4f"),
    Column("low", "95 percent from", ".4f"),
    Column("high", "to", ".4f"),
    Column("sound_accuracy", "sounds right", ".1%"),
    Column("duration_accuracy", "durations right", ".1%"),
    Column("training_cpu_seconds", "s to train", ".0f"),
    Column("cpu_seconds_a_piece", "s a piece", ".3f"),
    Column("size", "size", ","),
)


def comparison_study(
    dataset: Dataset,
    folder: Path,
    *,
    split: str = "valid",
    cpu_seconds: float = 120.0,
    show: Callable[[str], None] = print,
) -> list[TrialRecord]:
    """Train an n-gram, one decision tree, random trees, an LSTM and a transformer, and leave a table and a picture in the folder.

    Args:
        dataset: training works to learn from, validation works by which the networks keep their best weights.
        folder: new, or that of a study to go on with.
        split: the part that is predicted.
        cpu_seconds: processor time to train each network, evaluations left out.
        show: takes lines for people.

    Returns:
        A row a model: size, processor seconds to train and to predict a piece, and its figures.

    Raises:
        FormatError: the folder holds something else.
        CheckpointError: the folder holds another study.
        CorpusError: a part of the corpus is empty.
        MissingExtraError: matplotlib or scikit-learn is not installed.
        ValueError: no such split, or no time.
    """
    if not 0 < cpu_seconds < float("inf"):
        raise ValueError(f"cpu_seconds must be above 0, got {cpu_seconds}")
    new_figure(1, 1)
    learned, valid, pieces = (pieces_of_split(dataset, part) for part in ("train", "valid", split))
    open_study(
        folder,
        {
            "experiment": "compare",
            "corpus": corpus_name(dataset),
            "split": split,
            "cpu_seconds": cpu_seconds,
        },
    )
    trials: dict[str, Callable[[], TrialRecord]] = {
        "5-gram": partial(_run_baseline_trial, lambda: NGram(learned.traces), pieces),
        "decision tree": partial(
            _run_baseline_trial, lambda: Trees(learned.traces, ONE_TREE), pieces
        ),
        "random trees": partial(
            _run_baseline_trial, lambda: Trees(learned.traces, TreeSettings()), pieces
        ),
    }
    for contender in reversed(grammar_contenders(dataset.works_in("train"), valid)):
        trials[contender.name.removeprefix("voice-order ")] = partial(
            _run_network_trial, contender, valid, pieces, cpu_seconds
        )
    rows = [{"model": name, **row} for name, row in run_trials(folder, trials, show).items()]
    _write_comparison(folder, rows, split, show)
    return rows


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
    done = train_trial(
        model, SETTINGS, contender.draw, valid, cpu_seconds=cpu_seconds, name=contender.name
    )
    started = time.process_time()
    scored = score_held_out(model, pieces)
    row = _trial_row(
        done.parameters, done.curve[-1].cpu_seconds, time.process_time() - started, scored
    )
    return row | {"curve": done.metrics()["curve"]}


def _trial_row(
    size: int, training_seconds: float, predicting_seconds: float, scored: Likelihood
) -> TrialRecord:
    return {
        "size": size,
        "training_cpu_seconds": training_seconds,
        "cpu_seconds_a_piece": predicting_seconds / len(scored.cells),
        **scored.metrics(),
    }


def _write_comparison(
    folder: Path, rows: Sequence[TrialRecord], split: str, show: Callable[[str], None]
) -> None:
    rows = [{**row, "low": row["interval"][0], "high": row["interval"][1]} for row in rows]
    cells = tuple(tuple(row[column.name] for column in _COLUMNS) for row in rows)
    table = Table("compare", f"Families of models on the {split} works.", _COLUMNS, cells)
    bars = BarSeries(
        "", *([row[name] for row in rows] for name in ("nats_per_cell", "low", "high"))
    )
    figure = bar_chart(
        [row["model"] for row in rows],
        [bars],
        x_label=f"nats a cell ({split}), and where 95 percent lie",
    )
    show(write_results(folder, table, figure, {"split": split}))
    show(
        "size: what the n-gram counted, nodes of the trees, parameters of the networks; seconds are the processor's"
    )
    show(f"table, picture and trials are in {folder}")
