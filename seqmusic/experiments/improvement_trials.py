"""The trials of an improvement: fine-tunings, weight averages and calibrated temperatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from seqmusic.evaluation.held_out import EncodedPieces, grammar_masks_for, score_held_out
from seqmusic.experiments.study import TrialRecord
from seqmusic.experiments.trial import train_trial
from seqmusic.metrics.calibration import best_temperature, predict_choices, temperature_scaled
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.configuration import Configuration
from seqmusic.runs.data import TrainingData, draw_batch
from seqmusic.runs.pretrained import load_model, vocabulary_to_dict
from seqmusic.training.settings import TrainingSettings

UNCHANGED = "as it is"
LEARNING_RATE_FACTOR = 0.1  # of the learning rate that the run was trained with
_MAX_DROPOUT = 0.9
_EPOCHS_WITHOUT_PROGRESS = 4  # that end a fine-tuning


@dataclass(frozen=True, slots=True)
class ImprovementTask:
    """What every trial begins with.

    Attributes:
        model: of the run.
        configuration: of the run.
        data: the training works.
        pieces: the validation works.
        out: the folder of the study.
    """

    model: Transformer
    configuration: Configuration
    data: TrainingData
    pieces: EncodedPieces
    out: Path

    def trial_model(self, name: str) -> Transformer:
        """The model that a finished trial made."""
        return self.model if name == UNCHANGED else load_model(self.out / "trials" / name)

    def score(self, model: Transformer) -> TrialRecord:
        """The nats of each validation work."""
        return {"nats": list(score_held_out(model, self.pieces).nats)}

    def save_and_score(self, name: str, model: Transformer) -> TrialRecord:
        """Keep the model of a trial; returns the nats of each validation work."""
        save_weights(model, self.out / "trials" / name, vocabulary_to_dict(model.vocabulary))
        return self.score(model)


def fine_tune(
    task: ImprovementTask, name: str, dropout_factor: float, minutes: float
) -> TrialRecord:
    """Train some epochs at a low rate from the weights of the run.

    Each epoch is evaluated, and the training ends early if it brings no progress.

    Args:
        task: with the model to begin with.
        name: of the trial.
        dropout_factor: what the dropouts are multiplied with.
        minutes: of processor time.
    """
    settings = _fine_tuning_settings(task.configuration.training, len(task.data.pieces))
    model = Transformer(_with_dropout(task.model.settings, dropout_factor), task.model.vocabulary)
    model.load_state_dict(task.model.state_dict())
    trial = train_trial(
        model,
        settings,
        lambda step: draw_batch(task.data, settings, step),
        task.pieces,
        cpu_seconds=60 * minutes,
        name=name,
    )
    return task.save_and_score(name, model) | trial.metrics()


def average_weights(task: ImprovementTask, name: str, parts: Sequence[str]) -> TrialRecord:
    """Average the weights of the models of other trials."""
    return task.save_and_score(name, mean_weights([task.trial_model(part) for part in parts]))


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


def fit_temperatures(task: ImprovementTask, model: Transformer) -> TrialRecord:
    """Fit a temperature of sounds and one of durations to all validation works.

    The nats of each work are those at the temperatures that the other half of the works fits, so
    that no work is scored at temperatures fitted to itself.
    """
    pieces = task.pieces
    nats = [0.0] * len(pieces.scores)
    for half in (0, 1):
        sound, duration = _best_temperatures(model, _half(pieces, 1 - half))
        scaled = temperature_scaled(model, sound, duration)
        nats[half::2] = score_held_out(scaled, _half(pieces, half)).nats
    sound, duration = _best_temperatures(model, pieces)
    return {"nats": nats, "sound": sound, "duration": duration}


def _half(pieces: EncodedPieces, first: int) -> EncodedPieces:
    return EncodedPieces(pieces.scores[first::2], pieces.traces[first::2])


def _best_temperatures(model: Transformer, pieces: EncodedPieces) -> tuple[float, float]:
    """The best temperatures of sounds and of durations."""
    sounds, durations = predict_choices(model, pieces.traces, grammar_masks_for(model))
    return best_temperature(sounds), best_temperature(durations)


def _fine_tuning_settings(trained: TrainingSettings, n_works: int) -> TrainingSettings:
    return replace(
        trained,
        steps=1_000_000,
        minutes=0.0,
        learning_rate=LEARNING_RATE_FACTOR * trained.learning_rate,
        schedule="constant",
        warmup=0.0,
        evaluate_every=max(1, n_works // trained.batch_size),
        patience=_EPOCHS_WITHOUT_PROGRESS,
        seed=trained.seed + 1,  # other batches than those that the run began with
    )


def _with_dropout(settings: ModelSettings, factor: float) -> ModelSettings:
    return replace(
        settings,
        dropout=min(_MAX_DROPOUT, factor * settings.dropout),
        input_dropout=min(_MAX_DROPOUT, factor * settings.input_dropout),
    )
