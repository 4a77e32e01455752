"""A trained model made better within a budget: what is tried, what each trial is worth, and what the validation works confirm."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.works_table import work_entries
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces, score_held_out
from seqmusic.experiments.study import (
    TrialRecord,
    corpus_name,
    open_study,
    run_trials,
    write_results,
)
from seqmusic.experiments.trial import train_trial
from seqmusic.metrics.calibration import (
    best_temperature,
    calibration_error,
    predict_choices,
    temperature_scaled,
)
from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.metrics.likelihood import Likelihood
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer
from seqmusic.report.charts import BarSeries, bar_chart
from seqmusic.report.figures import new_figure
from seqmusic.report.sections import Column, Table
from seqmusic.runs.card import CARD_FILE, bullet_list, code_block, write_card
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.configuration import Configuration, configuration_text, read_configuration
from seqmusic.runs.data import TrainingData, draw_batch, training_data
from seqmusic.runs.folder import CONFIGURATION_FILE, HISTORY_FILES, check_corpus
from seqmusic.runs.pretrained import (
    load_model,
    make_grammar_masks,
    model_folder,
    vocabulary_to_dict,
)
from seqmusic.runs.weights import WEIGHTS_FILE
from seqmusic.tokens.tokenizer import Trace

LEARNING_RATE_FACTOR = 0.1  # of the learning rate that the run was trained with
FINE_TUNINGS = {
    "low rate": 1.0,
    "low rate, half the dropout": 0.5,
    "low rate, 1.5 times the dropout": 1.5,
}
WEIGHT_AVERAGES = ("mean with the likeliest", "mean with all of these")
CALIBRATED_TEMPERATURES = "calibrated temperatures"
UNCHANGED = "as it is"
_COLUMNS = (
    Column("tried", "tried"),
    Column("nats_per_cell", "nats a cell", ".4f"),
    Column("worth", "saved", "+.4f"),
    Column("low", "95 percent from", "+.4f"),
    Column("high", "to", "+.4f"),
    Column("kept", ""),
)
_MAX_DROPOUT = 0.9
_PATIENCE_EPOCHS = 4  # epochs without progress


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that was tried.

    Attributes:
        name: for people.
        nats_per_cell: on the validation works.
        gain: nats a cell saved against what was kept before it.
        interval: where 95 percent of the worths lie when the pieces are drawn again, the same for both.
        is_kept: whether the whole interval is above 0.
    """

    name: str
    nats_per_cell: float
    gain: float
    interval: tuple[float, float]
    is_kept: bool


@dataclass(frozen=True, slots=True)
class _ImprovementTask:
    """What every trial stands on: the model, what it was trained with, and the works."""

    model: Transformer
    configuration: Configuration
    data: TrainingData
    pieces: EncodedPieces
    out: Path


def improve(
    run: Path,
    dataset: Dataset,
    out: Path,
    *,
    minutes: float = 10.0,
    show: Callable[[str], None] = print,
) -> list[Attempt]:
    """Try what may make a trained model better, keep what the validation works confirm, and look at the test works at the end.

    Args:
        run: the folder of a trained model, or the name of one that comes with seqmusic; it is left as it is.
        dataset: what it was trained on, in the same parts.
        out: new, or one to go on with; in the end it is the folder of a run.
        minutes: of processor time for the trainings together; evaluations, a minute or so, come on top.
        show: takes lines for people.

    Returns:
        What was tried, in its order.

    Raises:
        CheckpointError: there is no such model, it was trained on other works, or `out` holds another study.
        FormatError: `out` holds something else.
        MissingExtraError: matplotlib is not installed.
        ValueError: minutes are not above 0.
    """
    if not (math.isfinite(minutes) and minutes > 0):
        raise ValueError(f"minutes must be above 0, got {minutes}")
    new_figure(1, 1)
    folder = model_folder(run)
    model = load_model(folder)
    check_corpus(work_entries(dataset), folder)
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()[:12]
    open_study(
        out,
        {
            "experiment": "improve",
            "weights": digest,
            "corpus": corpus_name(dataset),
            "minutes": minutes,
        },
    )
    most = model.vocabulary.max_voices
    pieces, test = (
        encode_pieces([work.score for work in dataset.works_in(part)], most)
        for part in ("valid", "test")
    )
    configuration = read_configuration(folder / CONFIGURATION_FILE)
    data = replace(training_data(dataset.works_in("train")), max_voices=most)
    task = _ImprovementTask(model, configuration, data, pieces, out)
    steps, kept, best = _run_attempts(task, minutes, show)
    _write_model(folder, task, kept, best)
    report = _compare_on_test(model, best, test)
    _write_improvement_report(folder, out, steps, report, show)
    return steps


def compare_candidates(
    candidates: Sequence[tuple[str, Sequence[float]]], cells: Sequence[int]
) -> list[Attempt]:
    """Each candidate against what was kept before it, from the nats of each piece; the first is what there was.

    A candidate is kept where the pieces, drawn again and again, say so 39 times in 40, not for a smaller number alone.

    >>> [step.is_kept for step in compare_candidates([("run", [4.0, 8.0]), ("better", [3.9, 7.8]), ("on one piece", [3.0, 8.0])], [10, 20])]
    [True, True, False]
    """
    first, kept = candidates[0]
    steps = [Attempt(first, sum(kept) / sum(cells), 0.0, (0.0, 0.0), True)]
    for name, nats in candidates[1:]:
        saved = [before - after for before, after in zip(kept, nats, strict=True)]
        interval = bootstrap_interval(saved, cells)
        steps.append(
            Attempt(
                name, sum(nats) / sum(cells), sum(saved) / sum(cells), interval, interval[0] > 0
            )
        )
        kept = nats if steps[-1].is_kept else kept
    return steps


def mean_weights(models: Sequence[Transformer]) -> Transformer:
    """A model of the first one's settings with the mean of all weights.

    Source: M. Wortsman et al., Model Soups: Averaging Weights of Multiple Fine-Tuned Models, 2022.
    """
    mean = Transformer(models[0].settings, models[0].vocabulary)
    states = [model.state_dict() for model in models]
    mean.load_state_dict(
        {name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]}
    )
    return mean.eval()


def _run_attempts(
    task: _ImprovementTask, minutes: float, show: Callable[[str], None]
) -> tuple[list[Attempt], str, Transformer]:
    """The steps, the name of what was kept last, and its model."""
    each = minutes / len(FINE_TUNINGS)
    rows = run_trials(
        task.out,
        {UNCHANGED: partial(_save_and_score, task, UNCHANGED, task.model)}
        | {
            name: partial(_fine_tune, task, name, factor, each)
            for name, factor in FINE_TUNINGS.items()
        },
        show,
    )
    likeliest = min(FINE_TUNINGS, key=lambda name: sum(rows[name]["nats"]))
    parts = {
        WEIGHT_AVERAGES[0]: [UNCHANGED, likeliest],
        WEIGHT_AVERAGES[1]: [UNCHANGED, *FINE_TUNINGS],
    }
    rows |= run_trials(
        task.out,
        {name: partial(_average_weights, task, name, own) for name, own in parts.items()},
        show,
    )
    candidates = [(name, row["nats"]) for name, row in rows.items()]
    kept = [
        step.name for step in compare_candidates(candidates, task.pieces.cells) if step.is_kept
    ][-1]
    best = _trial_model(task, kept)
    rows |= run_trials(
        task.out, {CALIBRATED_TEMPERATURES: partial(_fit_temperatures, task, best)}, show
    )
    steps = compare_candidates(
        [*candidates, (CALIBRATED_TEMPERATURES, rows[CALIBRATED_TEMPERATURES]["nats"])],
        task.pieces.cells,
    )
    if steps[-1].is_kept:
        best = temperature_scaled(
            best, rows[CALIBRATED_TEMPERATURES]["sound"], rows[CALIBRATED_TEMPERATURES]["duration"]
        )
        show(
            f"temperatures {rows[CALIBRATED_TEMPERATURES]['sound']:.3f} for sounds and {rows[CALIBRATED_TEMPERATURES]['duration']:.3f} for durations"
        )
    return steps, kept, best


def _save_and_score(task: _ImprovementTask, name: str, model: Transformer) -> TrialRecord:
    """Keep the model of a trial, and tell the nats of each piece."""
    if name != UNCHANGED:
        save_weights(model, task.out / "trials" / name, vocabulary_to_dict(model.vocabulary))
    return {"nats": list(_likelihood(model, task.pieces).nats)}


def _trial_model(task: _ImprovementTask, name: str) -> Transformer:
    return task.model if name == UNCHANGED else load_model(task.out / "trials" / name)


def _likelihood(model: Transformer, pieces: EncodedPieces) -> Likelihood:
    return score_held_out(model, pieces)


def _fine_tune(
    task: _ImprovementTask, name: str, dropout_factor: float, minutes: float
) -> TrialRecord:
    """Some epochs at a low rate from the run's weights, evaluated after each; over early where nothing comes of it."""
    before = task.configuration.training
    settings = replace(
        before,
        steps=1_000_000,
        minutes=0.0,
        learning_rate=LEARNING_RATE_FACTOR * before.learning_rate,
        schedule="constant",
        warmup=0.0,
        evaluate_every=max(1, len(task.data.pieces) // before.batch_size),
        patience=_PATIENCE_EPOCHS,
        seed=before.seed + 1,  # other batches than those that the run began with
    )
    model = Transformer(_with_dropout(task.model.settings, dropout_factor), task.model.vocabulary)
    model.load_state_dict(task.model.state_dict())

    def draw(step: int) -> Sequence[Trace]:
        return draw_batch(task.data, settings, step)

    done = train_trial(model, settings, draw, task.pieces, cpu_seconds=60 * minutes, name=name)
    return _save_and_score(task, name, model) | done.metrics()


def _with_dropout(settings: ModelSettings, factor: float) -> ModelSettings:
    changed = {
        name: min(_MAX_DROPOUT, factor * getattr(settings, name))
        for name in ("dropout", "input_dropout")
    }
    return replace(settings, **changed)


def _average_weights(task: _ImprovementTask, name: str, parts: Sequence[str]) -> TrialRecord:
    return _save_and_score(task, name, mean_weights([_trial_model(task, part) for part in parts]))


def _fit_temperatures(task: _ImprovementTask, model: Transformer) -> TrialRecord:
    """The temperatures of all pieces, and the nats of each piece at temperatures that the other half of the pieces gave."""
    pieces = task.pieces
    masks = make_grammar_masks(torch.device("cpu"), pieces.max_voices)
    nats = [0.0] * len(pieces.scores)
    for half in (0, 1):
        sound, duration = (
            best_temperature(own)
            for own in predict_choices(model, pieces.traces[1 - half :: 2], masks)
        )
        held = EncodedPieces(pieces.scores[half::2], pieces.traces[half::2])
        nats[half::2] = _likelihood(temperature_scaled(model, sound, duration), held).nats
    sound, duration = (
        best_temperature(own) for own in predict_choices(model, pieces.traces, masks)
    )
    return {"nats": nats, "sound": sound, "duration": duration}


def _write_model(folder: Path, task: _ImprovementTask, kept: str, model: Transformer) -> None:
    """Make `out` the folder of a run: weights, tokens, configuration, and what the run was trained on."""
    save_weights(model, task.out, vocabulary_to_dict(model.vocabulary))
    configuration = replace(task.configuration, model=model.settings)
    write_atomic(task.out / CONFIGURATION_FILE, configuration_text(configuration))
    for part in HISTORY_FILES:
        if (folder / part).is_file():
            shutil.copyfile(folder / part, task.out / part)


def _compare_on_test(before: Transformer, after: Transformer, pieces: EncodedPieces) -> TrialRecord:
    """Both models on the test works."""
    masks = make_grammar_masks(torch.device("cpu"), pieces.max_voices)
    report: TrialRecord = {}
    for name, model in (("before", before), ("after", after)):
        scored = _likelihood(model, pieces)
        sound, duration = (
            calibration_error(own) for own in predict_choices(model, pieces.traces, masks)
        )
        errors = {"sound_calibration_error": sound, "duration_calibration_error": duration}
        report[name] = {
            "nats_per_cell": scored.nats_per_cell,
            "interval": list(scored.interval()),
            **errors,
        }
        report.setdefault("nats", []).append(scored.nats)
    first, second = report.pop("nats")
    saved = [a - b for a, b in zip(first, second, strict=True)]
    report["worth"] = {
        "nats_per_cell": sum(saved) / sum(pieces.cells),
        "interval": list(bootstrap_interval(saved, pieces.cells)),
    }
    return report


def _write_improvement_report(
    folder: Path,
    out: Path,
    steps: Sequence[Attempt],
    test: TrialRecord,
    show: Callable[[str], None],
) -> None:
    rows = tuple(
        (s.name, s.nats_per_cell, s.gain, *s.interval, "kept" if s.is_kept else "") for s in steps
    )
    table = Table("improvements", "What was tried, on the validation works.", _COLUMNS, rows)
    tried = steps[1:]
    worths = BarSeries(
        "",
        *(
            [1000 * value for value in column]
            for column in zip(*((s.gain, *s.interval) for s in tried), strict=True)
        ),
    )
    names = [f"{step.name}{' (kept)' if step.is_kept else ''}" for step in tried]
    figure = bar_chart(names, [worths], x_label="saved on validation, nats a cell / 1000")
    text = write_results(out, table, figure, {"test": test})
    lines = [
        f"{name} on the test works: {_metrics_text(test[name])}" for name in ("before", "after")
    ]
    low, high = test["worth"]["interval"]
    lines.append(
        f"saved on the test works: {test['worth']['nats_per_cell']:.4f} nats a cell [{low:.4f}..{high:.4f}]"
    )
    show("\n".join([text, *lines, f"the model is in {out}"]))
    _write_card(folder, out, text, lines)


def _metrics_text(own: TrialRecord) -> str:
    low, high = own["interval"]
    errors = f"{own['sound_calibration_error']:.3f} for sounds, {own['duration_calibration_error']:.3f} for durations"
    return f"{own['nats_per_cell']:.4f} nats a cell [{low:.4f}..{high:.4f}], calibration error {errors}"


def _write_card(folder: Path, out: Path, table: str, lines: Sequence[str]) -> None:
    path = folder / CARD_FILE
    before = path.read_text(encoding="utf-8").rstrip("\n") if path.is_file() else ""
    explanation = (
        "What was tried, in nats a cell of the validation works; kept is what they confirm, "
        "against what was kept before it.\n"
        "Temperatures that were kept stand in the weights of the output layer: "
        "drawn at 1, this model is calibrated."
    )
    blocks = [explanation, code_block(table), bullet_list(lines), f"## {folder.name}, before"]
    write_card(out, f"{out.name}: {folder.name}, improved", [*blocks, before])
