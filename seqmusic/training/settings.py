"""How a model is trained. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

from seqmusic.setting_checks import (
    check_at_least,
    check_below_one,
    check_choice,
    check_positive,
    check_share,
    check_types,
)

OPTIMIZERS = ("adamw", "adam", "sgd", "rmsprop", "adagrad")
PRECISIONS = ("auto", "float32", "bfloat16")
SCHEDULES = ("constant", "linear", "cosine")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a model is trained.

    Raises:
        SettingError: a value is of another type, or outside its range.
    """

    steps: int = 600  # batches, 1 or more
    minutes: float = 0.0  # stop after this long, 0 = no limit
    batch_size: int = 16  # pieces over all processes, 1 or more
    accumulate: int = 1  # microbatches per batch and process, 1 or more; more need less memory
    precision: str = "auto"  # of matrix products: float32, bfloat16 or auto (by device)
    optimizer: str = "adamw"  # adamw, adam, sgd, rmsprop or adagrad
    learning_rate: float = 2e-3  # at its highest, more than 0
    warmup: float = 0.05  # share of the steps in which the learning rate rises, 0..1
    schedule: str = "cosine"  # of the learning rate after the warm-up: constant, linear or cosine
    weight_decay: float = 0.05  # L2, 0 or more
    l1: float = 0.0  # L1, 0 or more
    clip: float = 1.0  # largest norm of the gradient, 0 = no limit
    averaging: float = 0.99  # decay of the averaged weights, 0 or more and below 1; 0 = none
    evaluate_every: int = 100  # steps between two evaluations, 1 or more
    patience: int = 0  # evaluations without improvement before an early stop, 0 = no early stop
    given_share: float = 0.5  # share of pieces in which some notes are given, 0..1
    seed: int = 0  # 0 or more

    def __post_init__(self) -> None:
        check_types(self)
        check_at_least(self, 1, "steps", "batch_size", "accumulate", "evaluate_every")
        check_at_least(self, 0, "minutes", "weight_decay", "l1", "clip", "patience", "seed")
        check_positive(self, "learning_rate")
        check_share(self, "warmup", "given_share")
        check_below_one(self, "averaging")
        check_choice(self, "precision", PRECISIONS)
        check_choice(self, "optimizer", OPTIMIZERS)
        check_choice(self, "schedule", SCHEDULES)


@dataclass(frozen=True, kw_only=True)
class DistillationSettings:
    """What a model learns from trained ones, its teachers, beside the music itself.

    Raises:
        SettingError: a value is of another type, or outside its range.
    """

    teachers: str = ""  # folders of their runs, separated by commas; empty for no teachers
    weight: float = 0.9  # of what the teachers predict, against what the music has, 0..1
    temperature: float = 1.2  # at which they predict and compose, more than 0
    composed: int = 0  # pieces that they compose in advance for each training piece, 0 or more
    composed_share: float = 0.5  # of these pieces in what is drawn, 0 or more and below 1

    def __post_init__(self) -> None:
        check_types(self)
        check_share(self, "weight")
        check_positive(self, "temperature")
        check_at_least(self, 0, "composed")
        check_below_one(self, "composed_share")

    @property
    def teacher_names(self) -> tuple[str, ...]:
        """The folders of the teachers."""
        return tuple(name for part in self.teachers.split(",") if (name := part.strip()))
