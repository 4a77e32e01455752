"""The optimizer of a training, and its learning rate."""

from __future__ import annotations

import math

import torch
from torch import nn

from seqmusic.training.settings import TrainingSettings

_MOMENTUM = 0.9
_ADAM_BETAS = (0.9, 0.98)


def make_optimizer(model: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The optimizer that the settings name; only matrices decay."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    rate = settings.learning_rate
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, betas=_ADAM_BETAS, fused=True)
    if settings.optimizer == "adam":
        return torch.optim.Adam(groups, lr=rate, betas=_ADAM_BETAS, fused=True)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=_MOMENTUM)
    if settings.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, lr=rate)
    return torch.optim.Adagrad(groups, lr=rate)


def learning_rate(settings: TrainingSettings, step: int, seconds: float) -> float:
    """The learning rate of batch number `step`, after so many seconds of training.

    Progress is the share of the steps, or that of the minutes where these are nearer their end.
    """
    progress = (step + 1) / settings.steps
    if settings.minutes:
        progress = min(1.0, max(progress, seconds / (60 * settings.minutes)))
    if progress < settings.warmup:
        return settings.learning_rate * (progress / settings.warmup)
    decay = (progress - settings.warmup) / max(1e-9, 1 - settings.warmup)
    if settings.schedule == "constant":
        return settings.learning_rate
    if settings.schedule == "linear":
        return settings.learning_rate * (1 - decay)
    return settings.learning_rate * (0.5 + 0.5 * math.cos(math.pi * decay))
