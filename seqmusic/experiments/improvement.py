"""Improving a trained model within a budget, keeping only what the validation works confirm."""

from __future__ import annotations

import hashlib
import logging
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.works_table import work_entries
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces
from seqmusic.experiments.improvement_report import (
    Attempt,
    compare_on_test,
    write_improvement_report,
)
from seqmusic.experiments.improvement_trials import (
    UNCHANGED,
    ImprovementTask,
    average_weights,
    fine_tune,
    fit_temperatures,
)
from seqmusic.experiments.study import TrialRecord, corpus_name, open_study, run_trials
from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.metrics.calibration import temperature_scaled
from seqmusic.model.transformer import Transformer
from seqmusic.report.figures import require_matplotlib
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.configuration import configuration_text, read_configuration
from seqmusic.runs.data import training_data
from seqmusic.runs.folder import CONFIGURATION_FILE, HISTORY_FILES, check_corpus
from seqmusic.runs.pretrained import load_model, model_folder, vocabulary_to_dict
from seqmusic.runs.weights import WEIGHTS_FILE

logger = logging.getLogger(__name__)

FINE_TUNINGS = {
    "low rate": 1.0,
    "low rate, half the dropout": 0.5,
    "low rate, 1.5 times the dropout": 1.5,
}
"""The names of fine-tunings, with what each multiplies the dropouts with."""
WEIGHT_AVERAGES = ("mean with the likeliest", "mean with all of these")
CALIBRATED_TEMPERATURES = "calibrated temperatures"


def improve(run: Path, dataset: Dataset, out: Path, *, minutes: float = 10.0) -> list[Attempt]:
    """Attempt to improve a trained model, and score the result on the test works at the end.

    Args:
        run: the folder of a trained model, or the name of one that comes with seqmusic; it is left
            unchanged.
        dataset: the corpus that it was trained on, with the same splits.
        out: new, or one to go on with; at the end it is the folder of a run.
        minutes: of processor time for all trainings together, evaluations left out.

    Returns:
        The attempts in their order.

    Raises:
        CheckpointError: there is no such model, it was trained on other works, or `out` holds
            another study.
        FormatError: `out` holds something else.
        MissingExtraError: matplotlib is not installed.
        ValueError: minutes are not above 0.
    """
    if not (math.isfinite(minutes) and minutes > 0):
        raise ValueError(f"minutes must be above 0, got {minutes}")
    require_matplotlib()
    folder = model_folder(run)
    model = load_model(folder)
    check_corpus(work_entries(dataset), folder)
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()[:12]
    settings = {"weights": digest, "corpus": corpus_name(dataset), "minutes": minutes}
    open_study(out, {"experiment": "improve", **settings})
    most = model.vocabulary.max_voices
    valid, test = (_encode_split(dataset, split, most) for split in ("valid", "test"))
    data = replace(training_data(dataset.works_in("train")), max_voices=most)
    configuration = read_configuration(folder / CONFIGURATION_FILE)
    task = ImprovementTask(model, configuration, data, valid, out)
    attempts, best = _run_attempts(task, minutes)
    _write_model(folder, task, best)
    write_improvement_report(folder, out, attempts, compare_on_test(model, best, test))
    return attempts


def _encode_split(dataset: Dataset, split: str, max_voices: int) -> EncodedPieces:
    return encode_pieces([work.score for work in dataset.works_in(split)], max_voices)


def compare_candidates(
    candidates: Sequence[tuple[str, Sequence[float]]], cells: Sequence[int]
) -> list[Attempt]:
    """Each candidate against the last one that was kept.

    A candidate is kept if it is better in 39 of 40 bootstrap samples of the pieces; fewer nats
    alone are not enough.

    Args:
        candidates: names, and the nats of each piece; the first is the unchanged model.
        cells: of each piece.

    >>> run, better, better_on_one_piece = [4.0, 8.0], [3.9, 7.8], [3.0, 8.0]
    >>> candidates = [("run", run), ("all", better), ("one", better_on_one_piece)]
    >>> [attempt.is_kept for attempt in compare_candidates(candidates, [10, 20])]
    [True, True, False]
    """
    first, kept = candidates[0]
    attempts = [Attempt(first, sum(kept) / sum(cells), 0.0, (0.0, 0.0), True)]
    for name, nats in candidates[1:]:
        saved = [before - after for before, after in zip(kept, nats, strict=True)]
        interval = bootstrap_interval(saved, cells)
        is_kept = interval[0] > 0
        gain = sum(saved) / sum(cells)
        attempts.append(Attempt(name, sum(nats) / sum(cells), gain, interval, is_kept))
        kept = nats if is_kept else kept
    return attempts


def _run_attempts(task: ImprovementTask, minutes: float) -> tuple[list[Attempt], Transformer]:
    """All attempts, and the best model."""
    rows = _run_trainings(task, minutes)
    candidates = [(name, row["nats"]) for name, row in rows.items()]
    cells = task.pieces.cells
    kept = [attempt.name for attempt in compare_candidates(candidates, cells) if attempt.is_kept]
    best = task.trial_model(kept[-1])
    trials = {CALIBRATED_TEMPERATURES: partial(fit_temperatures, task, best)}
    fitted = run_trials(task.out, trials)[CALIBRATED_TEMPERATURES]
    attempts = compare_candidates([*candidates, (CALIBRATED_TEMPERATURES, fitted["nats"])], cells)
    if attempts[-1].is_kept:
        sound, duration = fitted["sound"], fitted["duration"]
        best = temperature_scaled(best, sound, duration)
        logger.info(f"temperatures {sound:.3f} for sounds and {duration:.3f} for durations")
    return attempts, best


def _run_trainings(task: ImprovementTask, minutes: float) -> dict[str, TrialRecord]:
    """The records of the unchanged model, the fine-tunings and the weight averages."""
    each = minutes / len(FINE_TUNINGS)
    fine_tunings = {
        name: partial(fine_tune, task, name, factor, each) for name, factor in FINE_TUNINGS.items()
    }
    unchanged = {UNCHANGED: partial(task.score, task.model)}
    rows = run_trials(task.out, {**unchanged, **fine_tunings})
    likeliest = min(FINE_TUNINGS, key=lambda name: sum(rows[name]["nats"]))
    parts = ([UNCHANGED, likeliest], [UNCHANGED, *FINE_TUNINGS])
    averages = {
        name: partial(average_weights, task, name, names)
        for name, names in zip(WEIGHT_AVERAGES, parts, strict=True)
    }
    return rows | run_trials(task.out, averages)


def _write_model(folder: Path, task: ImprovementTask, model: Transformer) -> None:
    """Make `out` the folder of a run: weights, vocabulary, configuration and training works."""
    save_weights(model, task.out, vocabulary_to_dict(model.vocabulary))
    configuration = replace(task.configuration, model=model.settings)
    write_atomic(task.out / CONFIGURATION_FILE, configuration_text(configuration))
    for name in HISTORY_FILES:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, task.out / name)
