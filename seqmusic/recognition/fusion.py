"""The sum of the experts, calibrated: probabilities of the classes from the evidence of some lines.

The linear expert gives log-probabilities, averaged over the lines; the likelihood expert gives nats
a step, averaged over all steps. Each is multiplied by a factor that depends on the number of steps
and of lines,

    factor = exp(a + b log(steps) + c log(lines)),

and both are added to a bias for each class. So one rule holds for eight notes and for eight voices.
All that is fitted to the likelihood of held-out classes; then the sum is divided by a temperature
for each number of steps, fitted in the same way.

Source: C. Guo et al., On Calibration of Modern Neural Networks, 2017 (temperature scaling).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.recognition.likelihood import LikelihoodExpert
from seqmusic.recognition.linear import LinearExpert
from seqmusic.recognition.lines import Line

Floats = NDArray[np.float64]
N_FACTORS = 6  # a, b and c of both experts
_REFERENCE_STEPS = 64.0
_LOG_KNOTS = np.log([7, 15, 31, 63, 255])  # of steps; between them temperatures are interpolated
_BIAS_PENALTY, _FACTOR_PENALTY = 0.02, 0.002


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the experts say about one input, for C classes.

    Attributes:
        n_steps: steps in all lines.
        n_lines: lines with a step.
        linear: (C,) mean log-probability over the lines.
        likelihood: (C,) nats a step over all lines.
    """

    n_steps: int
    n_lines: int
    linear: Floats
    likelihood: Floats


def evidence_of(
    lines: Sequence[Line], linear: LinearExpert, likelihood: LikelihoodExpert
) -> Evidence:
    """The evidence of some lines, at least one of them with two notes.

    Raises:
        ValueError: no line has two notes.
    """
    lines = [line for line in lines if len(line) > 1]
    if not lines:
        raise ValueError("a line of two notes is the least that can be recognized")
    return sum_evidence([line_evidence(line, linear, likelihood) for line in lines])


def line_evidence(line: Line, linear: LinearExpert, likelihood: LikelihoodExpert) -> Evidence:
    """The evidence of one line of two or more notes."""
    n_steps = len(line) - 1
    log_likelihoods = likelihood.log_likelihoods(line)
    return Evidence(n_steps, 1, linear.log_probabilities(line), log_likelihoods / n_steps)


def sum_evidence(parts: Sequence[Evidence]) -> Evidence:
    """The evidence of several lines together."""
    n_steps = sum(part.n_steps for part in parts)
    likelihood = sum(part.n_steps * part.likelihood for part in parts) / n_steps
    linear = np.mean([part.linear for part in parts], axis=0)
    return Evidence(n_steps, len(parts), linear, np.asarray(likelihood))


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """The fitted numbers.

    Attributes:
        factors: (6,) a, b and c of the linear expert, then of the likelihood expert.
        bias: (C,) nats that are added to each class.
        log_temperatures: (5,) for inputs of 7, 15, 31, 63 and 255 steps.
    """

    factors: Floats
    bias: Floats
    log_temperatures: Floats

    def log_probabilities(self, evidence: Sequence[Evidence]) -> Floats:
        """(N, C) the log-probability of each class for each input."""
        columns = _columns(evidence)
        logits = _logits(np.concatenate([self.factors, self.bias]), columns)
        return _log_softmax(_tempered(logits, self.log_temperatures, columns))


def fit_fusion(
    evidence: Sequence[Evidence], classes: Sequence[int], weights: Sequence[float]
) -> Fusion:
    """The fusion that makes the true classes of held-out inputs likeliest.

    Args:
        evidence: of N inputs.
        classes: of each, 0 to C - 1.
        weights: of each.
    """
    from scipy.optimize import minimize

    columns, true = _columns(evidence), np.asarray(classes)
    share = np.asarray(weights) / np.sum(weights)
    n_classes = columns.linear.shape[1]

    def surprise(logits: Floats) -> float:
        return float(-share @ _log_softmax(logits)[np.arange(len(true)), true])

    def loss(values: Floats) -> float:
        factors, bias = np.split(values, [N_FACTORS])
        penalty = _FACTOR_PENALTY * factors @ factors + _BIAS_PENALTY * bias @ bias
        return surprise(_logits(values, columns)) + float(penalty)

    fitted = minimize(loss, np.zeros(N_FACTORS + n_classes), method="L-BFGS-B").x
    logits = _logits(fitted, columns)

    def tempered_loss(values: Floats) -> float:
        penalty = _FACTOR_PENALTY * values @ values
        return surprise(_tempered(logits, values, columns)) + float(penalty)

    temperatures = minimize(tempered_loss, np.zeros(len(_LOG_KNOTS)), method="L-BFGS-B").x
    factors, bias = np.split(fitted, [N_FACTORS])
    return Fusion(factors, bias, temperatures)


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    log_steps: Floats
    log_lines: Floats
    linear: Floats
    likelihood: Floats


def _columns(evidence: Sequence[Evidence]) -> _Columns:
    likelihood = np.array([one.likelihood for one in evidence])
    return _Columns(
        np.log([one.n_steps / _REFERENCE_STEPS for one in evidence]),
        np.log([one.n_lines for one in evidence]),
        np.array([one.linear for one in evidence]),
        likelihood - likelihood.mean(axis=1, keepdims=True),
    )


def _logits(values: Floats, columns: _Columns) -> Floats:
    factors, bias = np.split(values, [N_FACTORS])
    logits = bias[None]
    experts = (columns.linear, columns.likelihood)
    for (a, b, c), expert in zip(factors.reshape(2, 3), experts, strict=True):
        exponent = a + b * columns.log_steps + c * columns.log_lines
        logits = logits + np.exp(np.clip(exponent, -10, 10))[:, None] * expert
    return logits


def _tempered(logits: Floats, log_temperatures: Floats, columns: _Columns) -> Floats:
    log_steps = columns.log_steps + np.log(_REFERENCE_STEPS)
    tempered: Floats = logits / np.exp(np.interp(log_steps, _LOG_KNOTS, log_temperatures))[:, None]
    return tempered


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
