"""How a model is trained. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

OPTIMIZERS = ("adamw", "adam", "sgd", "rmsprop", "adagrad")
PRECISIONS = ("auto", "float32", "bfloat16")
SCHEDULES = ("constant", "linear", "cosine")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How the model is trained."""

    steps: int = 600  # batches
    minutes: float = 0.0  # stop after this long, 0 = no limit
    batch_size: int = 16  # pieces, over all processes
    accumulate: int = (
        1  # parts that a batch, or a process's share of it, is computed in: more take less memory
    )
    precision: str = (
        "auto"  # of matrix products: float32, bfloat16 or auto, bfloat16 on a GPU that has it
    )
    optimizer: str = "adamw"  # adamw, adam, sgd, rmsprop or adagrad
    learning_rate: float = 2e-3  # at its highest
    warmup: float = 0.05  # share of the steps in which the rate rises, 0..1
    schedule: str = "cosine"  # constant, linear or cosine
    weight_decay: float = 0.05  # L2, 0 or more
    l1: float = 0.0  # L1, 0 or more
    clip: float = 1.0  # largest norm of the gradient, 0 = no limit
    averaging: float = 0.99  # decay of the averaged weights, 0 = none
    evaluate_every: int = 100  # steps
    patience: int = 0  # evaluations without progress before stopping, 0 = never stop early
    given_share: float = 0.5  # share of pieces in which a part is given, 0..1
    seed: int = 0
