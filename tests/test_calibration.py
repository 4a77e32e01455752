"""Calibration, on choices whose truth is known."""

import numpy as np
import pytest

from seqmusic.metrics.calibration import Choices, best_temperature, calibration_error


def sampled_choices(temperature: float, n: int = 20_000) -> Choices:
    """Choices told at temperature 1 that came at another."""
    chance = np.random.default_rng(7)
    logits = chance.normal(size=(n, 5)) * 2
    told = Choices(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), np.zeros(n, int))
    true = np.exp(told.at_temperature(temperature).log_probabilities)
    targets = (chance.random((n, 1)) > np.cumsum(true, axis=1)).sum(axis=1)
    return Choices(told.log_probabilities, targets)


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.6])
def test_the_temperature_that_made_them_is_found(temperature: float) -> None:
    made = sampled_choices(temperature)
    assert best_temperature(made) == pytest.approx(temperature, rel=0.04)
    assert calibration_error(made.at_temperature(temperature)) < 0.01
    if temperature != 1:
        assert calibration_error(made) > 0.05


def test_forbidden_ids_stay_forbidden() -> None:
    made = Choices(np.log([[0.5, 0.5, 1e-300]]), np.array([0]))
    made.log_probabilities[0, 2] = -np.inf
    assert made.at_temperature(2.0).log_probabilities[0].tolist() == pytest.approx(
        [np.log(0.5), np.log(0.5), -np.inf]
    )
