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
from seqmusic.benchmarks.jsb import HeldOut, held_out
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.similarity.fingerprints import FILE
from seqmusic.corpus.works_table import entries_of
from seqmusic.experiments.study import Row, corpus_name, open_study, run_trials, write_results
from seqmusic.experiments.trial import train_trial
from seqmusic.metrics.calibration import best_temperature, calibration_error, choices, tempered
from seqmusic.metrics.likelihood import Likelihood, bootstrap_interval, score_pieces
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer
from seqmusic.report.charts import Bars, bar_chart
from seqmusic.report.figures import new_figure
from seqmusic.report.sections import Column, Table
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.configuration import Configuration, configuration_text, read_configuration
from seqmusic.runs.data import TrainingData, draw_batch, training_data
from seqmusic.runs.folder import CARD, CONFIGURATION, METRICS, WORKS, check_corpus
from seqmusic.runs.pretrained import load_model, make_masks, model_folder, tokens_of
from seqmusic.runs.weights import WEIGHTS
from seqmusic.tokens.tokenizer import Trace

LOW_RATE = 0.1  # of the learning rate that the run was trained with
TUNINGS = {
    "low rate": 1.0,
    "low rate, half the dropout": 0.5,
    "low rate, 1.5 times the dropout": 1.5,
}
MEANS = ("mean with the likeliest", "mean with all of these")
TEMPERATURES = "calibrated temperatures"
AS_IT_IS = "as it is"
_COLUMNS = (
    Column("tried", "tried"),
    Column("nats_per_cell", "nats a cell", ".4f"),
    Column("worth", "saved", "+.4f"),
    Column("low", "95 percent from", "+.4f"),
    Column("high", "to", "+.4f"),
    Column("kept", ""),
)
_MOST_DROPOUT = 0.9
_PATIENCE = 4  # epochs without progress


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried.

    Attributes:
        name: for people.
        nats_per_cell: on the validation works.
        worth: nats a cell saved against what was kept before it.
        interval: where 95 percent of the worths lie when the pieces are drawn again, the same for both.
        is_kept: whether the whole interval is above 0.
    """

    name: str
    nats_per_cell: float
    worth: float
    interval: tuple[float, float]
    is_kept: bool


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every trial stands on: the model, what it was trained with, and the works."""

    model: Transformer
    configuration: Configuration
    data: TrainingData
    pieces: HeldOut
    out: Path


def improve(
    run: Path,
    dataset: Dataset,
    out: Path,
    *,
    minutes: float = 10.0,
    show: Callable[[str], None] = print,
) -> list[Step]:
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
    check_corpus(entries_of(dataset), folder)
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()[:12]
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
        held_out([work.score for work in dataset.part(part)], most) for part in ("valid", "test")
    )
    configuration = read_configuration(folder / CONFIGURATION)
    data = replace(training_data(dataset.part("train")), max_voices=most)
    ground = _Ground(model, configuration, data, pieces, out)
    steps, kept, best = _tried(ground, minutes, show)
    _write_model(folder, ground, kept, best)
    report = _before_and_after(model, best, test)
    _write_report(folder, out, steps, report, show)
    return steps


def judged(candidates: Sequence[tuple[str, Sequence[float]]], cells: Sequence[int]) -> list[Step]:
    """Each candidate against what was kept before it, from the nats of each piece; the first is what there was.

    A candidate is kept where the pieces, drawn again and again, say so 39 times in 40, not for a smaller number alone.

    >>> [step.is_kept for step in judged([("run", [4.0, 8.0]), ("better", [3.9, 7.8]), ("on one piece", [3.0, 8.0])], [10, 20])]
    [True, True, False]
    """
    first, kept = candidates[0]
    steps = [Step(first, sum(kept) / sum(cells), 0.0, (0.0, 0.0), True)]
    for name, nats in candidates[1:]:
        saved = [before - after for before, after in zip(kept, nats, strict=True)]
        interval = bootstrap_interval(saved, cells)
        steps.append(
            Step(name, sum(nats) / sum(cells), sum(saved) / sum(cells), interval, interval[0] > 0)
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


def _tried(
    ground: _Ground, minutes: float, show: Callable[[str], None]
) -> tuple[list[Step], str, Transformer]:
    """The steps, the name of what was kept last, and its model."""
    each = minutes / len(TUNINGS)
    rows = run_trials(
        ground.out,
        {AS_IT_IS: partial(_scored, ground, AS_IT_IS, ground.model)}
        | {name: partial(_tuned, ground, name, factor, each) for name, factor in TUNINGS.items()},
        show,
    )
    likeliest = min(TUNINGS, key=lambda name: sum(rows[name]["nats"]))
    parts = {MEANS[0]: [AS_IT_IS, likeliest], MEANS[1]: [AS_IT_IS, *TUNINGS]}
    rows |= run_trials(
        ground.out,
        {name: partial(_averaged, ground, name, own) for name, own in parts.items()},
        show,
    )
    candidates = [(name, row["nats"]) for name, row in rows.items()]
    kept = [step.name for step in judged(candidates, ground.pieces.cells) if step.is_kept][-1]
    best = _made(ground, kept)
    rows |= run_trials(ground.out, {TEMPERATURES: partial(_calibrated, ground, best)}, show)
    steps = judged([*candidates, (TEMPERATURES, rows[TEMPERATURES]["nats"])], ground.pieces.cells)
    if steps[-1].is_kept:
        best = tempered(best, rows[TEMPERATURES]["sound"], rows[TEMPERATURES]["duration"])
        show(
            f"temperatures {rows[TEMPERATURES]['sound']:.3f} for sounds and {rows[TEMPERATURES]['duration']:.3f} for durations"
        )
    return steps, kept, best


def _scored(ground: _Ground, name: str, model: Transformer) -> Row:
    """Keep the model of a trial, and tell the nats of each piece."""
    if name != AS_IT_IS:
        save_weights(model, ground.out / "trials" / name, tokens_of(model.vocabulary))
    return {"nats": list(_likelihood(model, ground.pieces).nats)}


def _made(ground: _Ground, name: str) -> Transformer:
    return ground.model if name == AS_IT_IS else load_model(ground.out / "trials" / name)


def _likelihood(model: Transformer, pieces: HeldOut) -> Likelihood:
    return score_pieces(
        model,
        pieces.traces,
        make_masks(torch.device("cpu"), pieces.max_voices),
        cells=pieces.cells,
        notes=pieces.notes,
    )


def _tuned(ground: _Ground, name: str, dropout_factor: float, minutes: float) -> Row:
    """Some epochs at a low rate from the run's weights, evaluated after each; over early where nothing comes of it."""
    before = ground.configuration.training
    settings = replace(
        before,
        steps=1_000_000,
        minutes=0.0,
        learning_rate=LOW_RATE * before.learning_rate,
        schedule="constant",
        warmup=0.0,
        evaluate_every=max(1, len(ground.data.pieces) // before.batch_size),
        patience=_PATIENCE,
        seed=before.seed + 1,  # other batches than those that the run began with
    )
    model = Transformer(
        _with_dropout(ground.model.settings, dropout_factor), ground.model.vocabulary
    )
    model.load_state_dict(ground.model.state_dict())

    def draw(step: int) -> Sequence[Trace]:
        return draw_batch(ground.data, settings, step)

    done = train_trial(model, settings, draw, ground.pieces, cpu_seconds=60 * minutes, name=name)
    return _scored(ground, name, model) | done.figures()


def _with_dropout(settings: ModelSettings, factor: float) -> ModelSettings:
    changed = {
        name: min(_MOST_DROPOUT, factor * getattr(settings, name))
        for name in ("dropout", "input_dropout")
    }
    return replace(settings, **changed)


def _averaged(ground: _Ground, name: str, parts: Sequence[str]) -> Row:
    return _scored(ground, name, mean_weights([_made(ground, part) for part in parts]))


def _calibrated(ground: _Ground, model: Transformer) -> Row:
    """The temperatures of all pieces, and the nats of each piece at temperatures that the other half of the pieces gave."""
    pieces = ground.pieces
    masks = make_masks(torch.device("cpu"), pieces.max_voices)
    nats = [0.0] * len(pieces.scores)
    for half in (0, 1):
        sound, duration = (
            best_temperature(own) for own in choices(model, pieces.traces[1 - half :: 2], masks)
        )
        held = HeldOut(pieces.scores[half::2], pieces.traces[half::2])
        nats[half::2] = _likelihood(tempered(model, sound, duration), held).nats
    sound, duration = (best_temperature(own) for own in choices(model, pieces.traces, masks))
    return {"nats": nats, "sound": sound, "duration": duration}


def _write_model(folder: Path, ground: _Ground, kept: str, model: Transformer) -> None:
    """Make `out` the folder of a run: weights, tokens, configuration, and what the run was trained on."""
    save_weights(model, ground.out, tokens_of(model.vocabulary))
    configuration = replace(ground.configuration, model=model.settings)
    write_atomic(ground.out / CONFIGURATION, configuration_text(configuration))
    for part in (WORKS, METRICS, FILE):
        if (folder / part).is_file():
            shutil.copyfile(folder / part, ground.out / part)


def _before_and_after(before: Transformer, after: Transformer, pieces: HeldOut) -> Row:
    """Both models on the test works."""
    masks = make_masks(torch.device("cpu"), pieces.max_voices)
    report: Row = {}
    for name, model in (("before", before), ("after", after)):
        scored = _likelihood(model, pieces)
        sound, duration = (calibration_error(own) for own in choices(model, pieces.traces, masks))
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


def _write_report(
    folder: Path, out: Path, steps: Sequence[Step], test: Row, show: Callable[[str], None]
) -> None:
    rows = tuple(
        (s.name, s.nats_per_cell, s.worth, *s.interval, "kept" if s.is_kept else "") for s in steps
    )
    table = Table("improvements", "What was tried, on the validation works.", _COLUMNS, rows)
    tried = steps[1:]
    worths = Bars(
        "",
        *(
            [1000 * value for value in column]
            for column in zip(*((s.worth, *s.interval) for s in tried), strict=True)
        ),
    )
    names = [f"{step.name}{' (kept)' if step.is_kept else ''}" for step in tried]
    figure = bar_chart(names, [worths], x_label="saved on validation, nats a cell / 1000")
    text = write_results(out, table, figure, {"test": test})
    lines = [f"{name} on the test works: {_figures(test[name])}" for name in ("before", "after")]
    low, high = test["worth"]["interval"]
    lines.append(
        f"saved on the test works: {test['worth']['nats_per_cell']:.4f} nats a cell [{low:.4f}..{high:.4f}]"
    )
    show("\n".join([text, *lines, f"the model is in {out}"]))
    write_atomic(out / CARD, _card(folder, out, text, lines))


def _figures(own: Row) -> str:
    low, high = own["interval"]
    errors = f"{own['sound_calibration_error']:.3f} for sounds, {own['duration_calibration_error']:.3f} for durations"
    return f"{own['nats_per_cell']:.4f} nats a cell [{low:.4f}..{high:.4f}], calibration error {errors}"


def _card(folder: Path, out: Path, table: str, lines: Sequence[str]) -> str:
    before = (folder / CARD).read_text(encoding="utf-8") if (folder / CARD).is_file() else ""
    return "\n".join(
        [
            f"# {out.name}: {folder.name}, improved",
            "",
            "What was tried, in nats a cell of the validation works; kept is what they confirm, against what was kept before it.",
            "Temperatures that were kept stand in the weights of the output layer: drawn at 1, this model is calibrated.",
            "",
            "```",
            table,
            "```",
            "",
            *(f"- {line}" for line in lines),
            "",
            f"## {folder.name}, before",
            "",
            before,
        ]
    )
