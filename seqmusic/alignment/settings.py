"""How a model is aligned. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

from seqmusic.setting_checks import (
    check_at_least,
    check_choice,
    check_positive,
    check_share,
    check_types,
)

DPO, CAREFUL, BEST_OF_N = "DPO", "DPOP", "best of n"
OBJECTIVES = (DPO, CAREFUL, BEST_OF_N)


@dataclass(frozen=True, kw_only=True)
class AlignmentSettings:
    """How a model learns from preferences.

    Raises:
        SettingError: a value is of another type, or outside its range.
    """

    objective: str = DPO  # DPO, DPOP (keeps what is preferred likely) or best of n
    rounds: int = 3  # each with fresh samples and the round before as reference, 1 or more
    passages: int = 500  # of training works, continued in each round, 1 or more
    candidates: int = 8  # of each passage, 2..64
    steps: int = 96  # batches in each round, 1 or more
    pairs: int = 8  # in a batch, 1 or more
    works: int = 4  # training works in a batch, which anchor the model, 1 or more
    beta: float = 0.1  # how strongly the model is held near its reference, more than 0
    anchor: float = 3.0  # weight of the nats per event of training works, 0 or more
    penalty: float = 5.0  # weight of a fallen probability of what is preferred, for DPOP, 0 or more
    learning_rate: float = 4e-4  # at its highest, more than 0
    warmup: float = 0.125  # share of the steps in which the learning rate rises, 0..1
    seed: int = 0  # 0 or more

    def __post_init__(self) -> None:
        check_types(self)
        check_choice(self, "objective", OBJECTIVES)
        check_at_least(self, 1, "rounds", "passages", "steps", "pairs", "works")
        check_at_least(self, 2, "candidates")
        check_at_least(self, 0, "anchor", "penalty", "seed")
        check_positive(self, "beta", "learning_rate")
        check_share(self, "warmup")
