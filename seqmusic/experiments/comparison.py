"""The families of models side by side: how well each predicts, what its training costs, and what a prediction costs.

All are charged alike: nats a cell of whole pieces, the grammar's own masks over all that they say.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from seqmusic.checkpoints import make_masks
from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.benchmark import HeldOut, held_out
from seqmusic.evaluation.likelihood import EventScores, Likelihood, score_pieces, summed
from seqmusic.evaluation.ngram import NGram
from seqmusic.evaluation.rivals import SETTINGS, Contender, grammar_contenders
from seqmusic.evaluation.trees import ONE_TREE, Trees, TreeSettings
from seqmusic.experiments.study import Row, corpus_name, most_voices, open_study, run_trials, table_text, write_table
from seqmusic.experiments.trial import train_trial
from seqmusic.figures import new_figure, write_figure
from seqmusic.formats.files import write_atomic
from seqmusic.report.charts import Bars, bar_chart
from seqmusic.tokens.context import told_voices
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.tokenizer import Trace


class Predictor(Protocol):
    """Whatever gives probabilities to what comes next: (scored event, sound), and (scored event, duration) given the sound."""

    @property
    def size(self) -> int: ...
    def sound_probabilities(self, trace: Trace) -> NDArray[np.float64]: ...
    def duration_probabilities(self, trace: Trace) -> NDArray[np.float64]: ...


def comparison_study(
    dataset: Dataset, folder: Path, *, split: str = "valid", cpu_seconds: float = 120.0, show: Callable[[str], None] = print
) -> list[Row]:
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
        MissingExtraError: matplotlib or scikit-learn is not installed.
        ValueError: no such split, or no time.
    """
    if not 0 < cpu_seconds < float("inf"):
        raise ValueError(f"cpu_seconds must be above 0, got {cpu_seconds}")
    new_figure(1, 1)
    training = dataset.part("train")
    learned, valid, pieces = (
        held_out([work.score for work in dataset.part(part)], most_voices(dataset)) for part in ("train", "valid", split)
    )
    open_study(folder, {"experiment": "compare", "corpus": corpus_name(dataset), "split": split, "cpu_seconds": cpu_seconds})
    trials: dict[str, Callable[[], Row]] = {
        "5-gram": partial(_counted, lambda: NGram(learned.traces), pieces),
        "decision tree": partial(_counted, lambda: Trees(learned.traces, ONE_TREE), pieces),
        "random trees": partial(_counted, lambda: Trees(learned.traces, TreeSettings()), pieces),
    }
    for contender in reversed(grammar_contenders(training, valid)):
        trials[contender.name.removeprefix("voice-order ")] = partial(_trained, contender, valid, pieces, cpu_seconds)
    rows = [{"model": name, **row} for name, row in run_trials(folder, trials, show).items()]
    _write(folder, rows, split, show)
    return rows


def event_scores(predictor: Predictor, trace: Trace) -> EventScores:
    """What a predictor gave each scored event of a piece."""
    rows = np.flatnonzero(trace.is_scored)
    sounds, durations = trace.events[rows + 1].T.astype(np.int64)
    sound = _judged(
        predictor.sound_probabilities(trace), sounds, sound_masks(told_voices(trace.context.shape[1]))[trace.rules[rows, 0]]
    )
    duration = _judged(predictor.duration_probabilities(trace), durations, duration_masks()[trace.rules[rows, 1]])
    return EventScores(rows, sound[0], duration[0], sound[1], duration[1], sound[2], duration[2])


def _judged(
    said: NDArray[np.float64], came: NDArray[np.int64], allowed: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """(N,) nats of what came, how many ids were held likelier, and how many are allowed."""
    own = said[np.arange(len(came)), came]
    return -np.log(own), (said > own[:, None]).sum(axis=1), allowed.sum(axis=1)


def _counted(make: Callable[[], Predictor], pieces: HeldOut) -> Row:
    started = time.process_time()
    predictor = make()
    trained = time.process_time()
    scored = summed([event_scores(predictor, trace) for trace in pieces.traces], pieces.cells, pieces.notes)
    return _row(predictor.size, trained - started, time.process_time() - trained, scored)


def _trained(contender: Contender, valid: HeldOut, pieces: HeldOut, cpu_seconds: float) -> Row:
    torch.manual_seed(SETTINGS.seed)
    model = contender.make()
    done = train_trial(model, SETTINGS, contender.draw, valid, cpu_seconds=cpu_seconds, name=contender.name)
    started = time.process_time()
    scored = score_pieces(
        model, pieces.traces, make_masks(torch.device("cpu"), pieces.max_voices), cells=pieces.cells, notes=pieces.notes
    )
    row = _row(done.parameters, done.curve[-1].cpu_seconds, time.process_time() - started, scored)
    return row | {"curve": done.figures()["curve"]}


def _row(size: int, training_seconds: float, predicting_seconds: float, scored: Likelihood) -> Row:
    return {
        "size": size,
        "training_cpu_seconds": training_seconds,
        "cpu_seconds_a_piece": predicting_seconds / len(scored.cells),
        **scored.figures(),
    }


def _write(folder: Path, rows: Sequence[Row], split: str, show: Callable[[str], None]) -> None:
    table = [{name: value for name, value in row.items() if name not in ("curve", "interval")} for row in rows]
    for own, row in zip(table, rows, strict=True):
        own["low"], own["high"] = row["interval"]
    write_table(folder / "table.csv", table)
    write_atomic(folder / "result.json", json.dumps({"split": split, "table": table}, indent=1) + "\n")
    bars = Bars("", *([row[name] for row in table] for name in ("nats_per_cell", "low", "high")))
    figure = bar_chart([row["model"] for row in rows], [bars], x_label=f"nats a cell ({split}), and where 95 percent lie")
    for kind in ("svg", "png"):
        write_figure(figure, folder / f"compare.{kind}")
    show(table_text([_told(row) for row in table]))
    show("size: what the n-gram counted, nodes of the trees, parameters of the networks; seconds are the processor's")
    show(f"table, picture and trials are in {folder}")


def _told(row: Row) -> dict[str, str]:
    return {
        f"model ({row['pieces']} pieces)": row["model"],
        "nats a cell": f"{row['nats_per_cell']:.4f}",
        "95 percent": f"{row['low']:.4f}..{row['high']:.4f}",
        "sounds right": f"{row['sound_accuracy']:.1%}",
        "durations right": f"{row['duration_accuracy']:.1%}",
        "s to train": f"{row['training_cpu_seconds']:.0f}",
        "ms a piece": f"{1000 * row['cpu_seconds_a_piece']:.0f}",
        "size": f"{row['size']:,}",
    }
