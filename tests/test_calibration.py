"""Calibration, on choices with a known temperature."""

import numpy as np
import pytest

from seqmusic.metrics.calibration import Choices, best_temperature, calibration_error


def sampled_choices(temperature: float, n: int = 20_000) -> Choices:
    """Choices predicted at temperature 1 whose outcomes are drawn at another one."""
    rng = np.random.default_rng(7)
    logits = rng.normal(size=(n, 5)) * 2
    predicted = Choices(
        logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), np.zeros(n, int)
    )
    true = np.exp(predicted.at_temperature(temperature).log_probabilities)
    targets = (rng.random((n, 1)) > np.cumsum(true, axis=1)).sum(axis=1)
    return Choices(predicted.log_probabilities, targets)


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.6])
def test_the_temperature_of_the_outcomes_is_found(temperature: float) -> None:
    choices = sampled_choices(temperature)
    assert best_temperature(choices) == pytest.approx(temperature, rel=0.04)
    assert calibration_error(choices.at_temperature(temperature)) < 0.01
    if temperature != 1:
        assert calibration_error(choices) > 0.05


def test_forbidden_ids_stay_forbidden() -> None:
    choices = Choices(np.log([[0.5, 0.5, 1e-300]]), np.array([0]))
    choices.log_probabilities[0, 2] = -np.inf
    assert choices.at_temperature(2.0).log_probabilities[0].tolist() == pytest.approx(
        [np.log(0.5), np.log(0.5), -np.inf]
    )
