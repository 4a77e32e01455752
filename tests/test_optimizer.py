"""The learning rate rises, then falls to zero; only matrices decay."""

import pytest
import torch
from torch import nn

from seqmusic.training.optimizer import learning_rate, make_optimizer
from seqmusic.training.settings import OPTIMIZERS, TrainingSettings


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("constant", [0.5, 1.0, 1.0, 1.0, 1.0]),
        ("linear", [0.5, 1.0, 0.75, 0.5, 0.0]),
        ("cosine", [0.5, 1.0, 0.8535533905932737, 0.5, 0.0]),  # (1 + cos 45 degrees) / 2
    ],
)
def test_the_learning_rate_follows_its_schedule(schedule: str, rates: list[float]) -> None:
    """Of 10 steps, 2 are the warm-up; the rates are those of steps 1, 2, 4, 6 and 10."""
    settings = TrainingSettings(steps=10, warmup=0.2, learning_rate=3.0, schedule=schedule)
    found = [learning_rate(settings, step, seconds=99.0) / 3 for step in (0, 1, 3, 5, 9)]
    assert found == pytest.approx(rates, abs=1e-12)


def test_minutes_end_the_schedule_before_the_steps() -> None:
    settings = TrainingSettings(steps=1000, minutes=2, warmup=0.0, schedule="linear")
    assert learning_rate(settings, 1, seconds=30) == pytest.approx(0.75 * settings.learning_rate)
    assert learning_rate(settings, 1, seconds=130) == 0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_only_matrices_decay(name: str) -> None:
    """With zero gradients, weights change by decay alone."""
    model = nn.Linear(3, 2)
    settings = TrainingSettings(optimizer=name, weight_decay=0.5, learning_rate=0.1)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    optimizer = make_optimizer(model, settings)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert type(optimizer).__name__.lower() == name
    assert torch.equal(model.bias, before["bias"])
    assert not torch.equal(model.weight, before["weight"])
