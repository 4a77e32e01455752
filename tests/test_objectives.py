"""The losses of DPO, DPOP and best of n, worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from seqmusic.alignment.objectives import preference_loss
from seqmusic.alignment.settings import AlignmentSettings
from seqmusic.errors import SeqmusicError

N_EVENTS = torch.tensor([40])


def loss(objective: str, chosen: float, rejected: float) -> float:
    settings = AlignmentSettings(objective=objective, beta=0.5, penalty=3.0)
    pair = torch.tensor([chosen]), torch.tensor([rejected])
    return preference_loss(settings, *pair, N_EVENTS).item()


def test_dpo_is_the_logistic_loss_of_the_margin() -> None:
    # margin 2 - (-4) = 6, times beta 0.5
    assert loss("DPO", 2.0, -4.0) == pytest.approx(math.log1p(math.exp(-3.0)))


def test_dpop_differs_only_where_what_is_preferred_grows_less_likely() -> None:
    assert loss("DPOP", 2.0, -4.0) == pytest.approx(loss("DPO", 2.0, -4.0))
    # margin -1 - (-5) = 4, less the penalty of 3 times 1
    assert loss("DPOP", -1.0, -5.0) == pytest.approx(math.log1p(math.exp(-0.5)))


def test_best_of_n_ignores_what_is_not_preferred() -> None:
    assert loss("best of n", -8.0, 3.0) == loss("best of n", -8.0, -30.0) == pytest.approx(0.2)


def test_another_objective_is_refused() -> None:
    with pytest.raises((SeqmusicError, ValueError), match="objective"):
        AlignmentSettings(objective="PPO")
