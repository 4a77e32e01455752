"""The rounds of an alignment: fresh candidates, pairs, training, and an assessment after each."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from seqmusic.alignment.assessment import Figures, HeldOut, assess_model
from seqmusic.alignment.optimization import (
    PreferencePair,
    RoundStep,
    align_round,
    frozen_copy,
    log_probabilities,
)
from seqmusic.alignment.pairs import scored_pairs
from seqmusic.alignment.passages import MODEL_ALONE, continue_passages, draw_passages
from seqmusic.alignment.settings import BEST_OF_N, AlignmentSettings
from seqmusic.alignment.sources import PreferenceSource
from seqmusic.errors import PreferenceError
from seqmusic.evaluation.estimates import Estimate
from seqmusic.evaluation.held_out import grammar_masks_for
from seqmusic.experiments.study import TrialRecord, run_trials
from seqmusic.model.decoding.decoder import prepare_for_decoding
from seqmusic.model.transformer import Transformer
from seqmusic.progress import progress_bar
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.data import TrainingData, draw_batch
from seqmusic.runs.pretrained import load_model, vocabulary_to_dict
from seqmusic.score import Score
from seqmusic.training.settings import TrainingSettings

_SEED_STRIDE = 1_000_000  # between the seeds of the candidates of two rounds


@dataclass(frozen=True, slots=True, eq=False)
class AlignmentTask:
    """What all rounds of an alignment share.

    Attributes:
        base: the model to align.
        works: the training works, whose beginnings are continued.
        data: the same works, which anchor the model.
        source: of the preferences.
        settings: of the alignment.
        held_out: what each model is assessed on.
        out: the folder of the alignment.
    """

    base: Transformer
    works: Sequence[Score]
    data: TrainingData
    source: PreferenceSource
    settings: AlignmentSettings
    held_out: HeldOut
    out: Path


@dataclass(frozen=True, slots=True)
class RoundResult:
    """What a round of one objective brought.

    Attributes:
        objective: one of OBJECTIVES.
        number: of the round, from 1.
        n_pairs: that it learned from.
        chosen_change: mean change of the log-probability of what is preferred, in nats a passage.
        rejected_change: the same of the other candidates.
        accuracy: share of the pairs whose margin rose.
        seconds: of composing, training and assessing.
        figures: of the model after it.
    """

    objective: str
    number: int
    n_pairs: int
    chosen_change: float
    rejected_change: float
    accuracy: float
    seconds: float
    figures: Figures

    @property
    def name(self) -> str:
        """What it is called in tables.

        >>> RoundResult("DPO", 2, 1, 0.0, 0.0, 1.0, 1.0, {}).name
        'DPO, round 2'
        """
        return f"{self.objective}, round {self.number}"


def figures_to_record(figures: Figures) -> TrialRecord:
    """The figures as plain values."""
    return {name: [one.value, one.low, one.high] for name, one in figures.items()}


def record_to_figures(record: Mapping[str, Any]) -> Figures:
    """The inverse of `figures_to_record`."""
    return {name: Estimate(*values) for name, values in record.items()}


def run_figures(task: AlignmentTask, name: str, assess: Callable[[], Figures]) -> Figures:
    """Figures that are found once and kept in the folder of the alignment."""
    trial = partial(_figures_trial, assess)
    return record_to_figures(run_trials(task.out, {name: trial})[name])


def run_round(task: AlignmentTask, objective: str, number: int) -> RoundResult:
    """One round, or what it brought if it was finished before."""
    name = trial_name(objective, number)
    training, assessment = f"{name}-training", f"{name}-assessment"
    trained = run_trials(task.out, {training: partial(_train_trial, task, objective, number)})
    found = run_trials(task.out, {assessment: partial(_assess_trial, task, name)})[assessment]
    record = trained[training]
    return RoundResult(
        objective,
        number,
        record["n_pairs"],
        record["chosen_change"],
        record["rejected_change"],
        record["accuracy"],
        record["seconds"] + found["seconds"],
        record_to_figures(found["figures"]),
    )


def model_after(task: AlignmentTask, objective: str, number: int) -> Transformer:
    """The model after a finished round; round 0 is the base."""
    if number == 0:
        return frozen_copy(task.base)
    return load_model(task.out / "trials" / trial_name(objective, number))


def trial_name(objective: str, number: int) -> str:
    """The name of the folder of a round.

    >>> trial_name("best of n", 2)
    'best-of-n-2'
    """
    return f"{objective.lower().replace(' ', '-')}-{number}"


def _figures_trial(assess: Callable[[], Figures]) -> TrialRecord:
    return figures_to_record(assess())


def _assess_trial(task: AlignmentTask, name: str) -> TrialRecord:
    started = time.monotonic()
    model = load_model(task.out / "trials" / name)
    figures = figures_to_record(assess_model(model, task.base, task.held_out))
    return {"figures": figures, "seconds": time.monotonic() - started}


def _train_trial(task: AlignmentTask, objective: str, number: int) -> TrialRecord:
    """Compose, pair and train; the weights are kept."""
    started = time.monotonic()
    settings = replace(task.settings, objective=objective, seed=task.settings.seed + number)
    reference = model_after(task, objective, number - 1)
    pairs = _first_pairs(task) if number == 1 else draw_pairs(task, reference, number)
    model = frozen_copy(reference)
    _train(task, model, pairs, settings)
    name = trial_name(objective, number)
    save_weights(model, task.out / "trials" / name, vocabulary_to_dict(model.vocabulary))
    return {**_changes(reference, model, pairs), "seconds": time.monotonic() - started}


@functools.lru_cache(maxsize=1)
def _first_pairs(task: AlignmentTask) -> list[PreferencePair]:
    """The pairs of the first round, which are the same for every objective."""
    return draw_pairs(task, task.base, 1)


def draw_pairs(task: AlignmentTask, model: Transformer, number: int) -> list[PreferencePair]:
    """The pairs of a round, from fresh candidates of `model`.

    Raises:
        PreferenceError: no passage has two candidates that differ in what is preferred.
    """
    settings = task.settings
    seed = settings.seed * 1000 + number
    source = task.source
    passages = draw_passages(task.works, settings.passages, source.beats, seed)
    request = replace(MODEL_ALONE, n=settings.candidates, seed=seed * _SEED_STRIDE)
    groups = continue_passages(prepare_for_decoding(model), passages, request)
    scores = source.score_candidates(groups)
    found = scored_pairs(groups, scores.tolist(), matches_notes=source.matches_notes)
    if number == 1:
        found += source.answered
    if not found:
        raise PreferenceError("no two candidates differ in what is preferred; nothing was trained")
    return found


def _train(
    task: AlignmentTask,
    model: Transformer,
    pairs: Sequence[PreferencePair],
    settings: AlignmentSettings,
) -> None:
    """Train in place, with a progress bar."""
    batches = TrainingSettings(batch_size=settings.works, seed=settings.seed)
    steps = align_round(
        model,
        pairs,
        lambda step: draw_batch(task.data, batches, step),
        settings,
        grammar_masks_for(model),
    )
    with progress_bar(settings.steps, f"training, {settings.objective}", "batch") as bar:
        for step in steps:
            bar.update()
            bar.set_postfix_str(_postfix(step))


def _postfix(step: RoundStep) -> str:
    return f"loss={step.loss:.3f}, nats={step.nats:.3f}"


def _changes(
    reference: Transformer, model: Transformer, pairs: Sequence[PreferencePair]
) -> TrialRecord:
    """How the log-probabilities of the two sides have moved."""
    sequences = [sequence for pair in pairs for sequence in (pair.chosen, pair.rejected)]
    masks = grammar_masks_for(model)
    after, before = (log_probabilities(one, sequences, masks).numpy() for one in (model, reference))
    changes = (after - before).reshape(-1, 2)
    chosen, rejected = changes.mean(axis=0).tolist()
    accuracy = float(np.mean(changes[:, 0] > changes[:, 1]))
    return {
        "n_pairs": len(pairs),
        "chosen_change": chosen,
        "rejected_change": rejected,
        "accuracy": accuracy,
    }


def objectives_of(settings: AlignmentSettings, number: int) -> tuple[str, ...]:
    """The objectives of a round: in the first, the baseline learns from the same candidates.

    >>> objectives_of(AlignmentSettings(), 1), objectives_of(AlignmentSettings(), 2)
    (('best of n', 'DPO'), ('DPO',))
    """
    is_compared = number == 1 and settings.objective != BEST_OF_N
    return (BEST_OF_N, settings.objective) if is_compared else (settings.objective,)
