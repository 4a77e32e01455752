"""The forward pass compiled for the processor it runs on (numba, from the extra `fast`).

Each kernel does what its namesake in `numpy_kernels` does, in plain loops; at the end `forward` is
compiled with them. Array expressions are avoided, because each of them takes up to a second to
compile.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, cast

import numba
import numpy as np

from seqmusic.model.decoding import forward
from seqmusic.model.decoding.packed_model import Floats, Ids
from seqmusic.model.settings import TICKS_PER_ROTARY_UNIT

Function = TypeVar("Function", bound=Callable[..., Any])
_FAST_MATH = {"reassoc", "contract", "nsz"}
_OPTIONS: Any = {"nogil": True, "error_model": "numpy", "fastmath": _FAST_MATH}
_LOG2_E, _LN_2 = np.float32(1 / math.log(2)), np.float32(math.log(2))
_MIN_EXPONENT = np.float32(-125)  # of two; smaller numbers count as this one


def _kernel(function: Function) -> Function:
    """The function, compiled as a part of those that call it; Python cannot call it."""
    no_wrappers: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(Function, numba.njit(function, **no_wrappers, **_OPTIONS))


@_kernel
def embed(ids: Ids, embeddings: Floats, out: Floats) -> None:
    n_rows, n_new, n_columns = ids.shape
    for row in range(n_rows):
        for t in range(n_new):
            total = out[row * n_new + t]
            for d in range(len(total)):
                total[d] = 0
            for column in range(n_columns):
                vector = embeddings[ids[row, t, column]]
                for d in range(len(total)):
                    total[d] += vector[d]


@_kernel
def rotary_factors(ticks: Ids, n_cached: int, frequencies: Floats) -> Floats:
    n_rows, n_new, n_rates = len(ticks), ticks.shape[1] - 1, len(frequencies)
    factors = np.empty((n_rows, n_new, 2, 4 * n_rates), np.float32)
    for row in range(n_rows):
        for t in range(n_new):
            for part in range(2):
                sixteenths = np.float32(ticks[row, t + 1 - part] / TICKS_PER_ROTARY_UNIT)
                for i in range(2 * n_rates):
                    position = np.float32(n_cached + t) if i < n_rates else sixteenths
                    angle = position * frequencies[i % n_rates]
                    factors[row, t, part, 2 * i] = math.cos(angle)
                    factors[row, t, part, 2 * i + 1] = math.sin(angle)
    return factors


@_kernel
def normalize(x: Floats, epsilon: float, normed: Floats) -> None:
    for row in range(len(x)):
        squares = np.float32(epsilon)
        for value in x[row]:
            squares += value * value
        scale = np.float32(1) if epsilon < 0 else np.float32(1) / np.sqrt(squares)
        for j in range(x.shape[1]):
            normed[row, j] = x[row, j] * scale


@_kernel
def product(x: Floats, weight: Floats, out: Floats) -> None:
    for row in range(len(out)):
        for j in range(len(weight)):
            out[row, j] = 0
    _add_columns(x, weight, 0, len(weight), out)


@_kernel
def add_product(x: Floats, weight: Floats, out: Floats) -> None:
    _add_columns(x, weight, 0, len(weight), out)


@_kernel
def _add_columns(x: Floats, weight: Floats, first: int, last: int, out: Floats) -> None:
    """Add columns `first` to `last` of the product to those of `out`.

    Four columns of two rows at a time: their sums stay in registers, and each number that is read
        is used more than once.
    """
    n_rows, n_in = len(x), x.shape[1] - 1  # x ends in a 1, which takes the bias
    for j in range(first, last - 3, 4):
        w0, w1, w2, w3 = weight[j], weight[j + 1], weight[j + 2], weight[j + 3]
        bias = w0[n_in], w1[n_in], w2[n_in], w3[n_in]
        for row in range(0, n_rows - 1, 2):
            x0, x1 = x[row], x[row + 1]
            a0, a1, a2, a3 = bias
            b0, b1, b2, b3 = bias
            for i in range(n_in):
                a0 += x0[i] * w0[i]
                a1 += x0[i] * w1[i]
                a2 += x0[i] * w2[i]
                a3 += x0[i] * w3[i]
                b0 += x1[i] * w0[i]
                b1 += x1[i] * w1[i]
                b2 += x1[i] * w2[i]
                b3 += x1[i] * w3[i]
            _add_four((a0, a1, a2, a3), out[row], j)
            _add_four((b0, b1, b2, b3), out[row + 1], j)
        for row in range(n_rows - n_rows % 2, n_rows):  # as an `if`, twice as slow
            x0 = x[row]
            a0, a1, a2, a3 = bias
            for i in range(n_in):
                a0 += x0[i] * w0[i]
                a1 += x0[i] * w1[i]
                a2 += x0[i] * w2[i]
                a3 += x0[i] * w3[i]
            _add_four((a0, a1, a2, a3), out[row], j)
    for j in range(last - (last - first) % 4, last):
        for row in range(n_rows):
            out[row, j] += weight[j, n_in] + _dot(x[row], weight[j], n_in)


@_kernel
def _add_four(
    sums: tuple[np.float32, np.float32, np.float32, np.float32], out: Floats, j: int
) -> None:
    out[j] += sums[0]
    out[j + 1] += sums[1]
    out[j + 2] += sums[2]
    out[j + 3] += sums[3]


@_kernel
def _dot(x: Floats, y: Floats, n: int) -> np.float32:
    total = np.float32(0)
    for i in range(n):
        total += x[i] * y[i]
    return total


@_kernel
def gelu(x: Floats, slopes: Floats, intercepts: Floats) -> None:
    for row in range(len(x)):
        for j in range(x.shape[1] - 1):
            line = min(max(int(x[row, j]), 0), len(slopes) - 1)
            x[row, j] = x[row, j] * slopes[line] + intercepts[line]


@_kernel
def attend(
    qkv: Floats, rotations: Floats, keys: Floats, values: Floats, n_cached: int, out: Floats
) -> None:
    (n_rows, n_new, _, size), (_, n_heads, _, _) = rotations.shape, keys.shape
    scores = np.empty(n_cached + n_new, np.float32)
    for row in range(n_rows):
        for t in range(n_new):
            end = n_cached + t + 1
            event = qkv[row * n_new + t].reshape(3, n_heads, size)
            for head in range(n_heads):
                query, averages = (
                    event[0, head],
                    out[row * n_new + t, head * size : (head + 1) * size],
                )
                _rotate(query, rotations[row, t, 0], query)
                _rotate(event[1, head], rotations[row, t, 1], keys[row, head, end - 1])
                for d in range(size):
                    values[row, head, end - 1, d] = event[2, head, d]
                for s in range(end):
                    scores[s] = _dot(query, keys[row, head, s], size)
                total = _exponentiate(scores, end)
                _average(scores, total, values[row, head], end, averages)


@_kernel
def _rotate(x: Floats, factors: Floats, out: Floats) -> None:
    for i in range(0, len(x), 2):
        a, b, cosine, sine = x[i], x[i + 1], factors[i], factors[i + 1]
        out[i], out[i + 1] = a * cosine - b * sine, a * sine + b * cosine


@_kernel
def _exponentiate(scores: Floats, n_scores: int) -> np.float32:
    """Put e ** (score - highest score) in place of the first scores; returns their sum."""
    highest = scores[0]
    for s in range(n_scores):
        highest = max(highest, scores[s])
    powers = np.empty(n_scores, np.int32)
    for s in range(n_scores):
        exponent = max((scores[s] - highest) * _LOG2_E, _MIN_EXPONENT)
        whole = np.floor(exponent + np.float32(0.5))
        powers[s] = (np.int32(whole) + np.int32(127)) << np.int32(23)  # the bits of 2 ** whole
        scores[s] = (exponent - whole) * _LN_2
    two_to = powers.view(np.float32)
    total = np.float32(0)
    for s in range(n_scores):
        x = scores[s]  # within 0.35: six terms of the series are off by less than a rounding
        series = np.float32(1 / 720) + x * np.float32(1 / 5040)
        series = np.float32(1 / 24) + x * (np.float32(1 / 120) + x * series)
        series = np.float32(1 / 2) + x * (np.float32(1 / 6) + x * series)
        scores[s] = (np.float32(1) + x * (np.float32(1) + x * series)) * two_to[s]
        total += scores[s]
    return total


@_kernel
def _average(
    weights: Floats, total: np.float32, values: Floats, n_values: int, out: Floats
) -> None:
    """(K,) average of the first of (S, K) values by weights that add up to `total`.

    Four at a time, so that `out` is read a quarter as often.
    """
    for d in range(len(out)):
        out[d] = 0
    n_fours = n_values // 4 * 4
    for s in range(0, n_fours, 4):
        w0, w1, w2, w3 = weights[s], weights[s + 1], weights[s + 2], weights[s + 3]
        v0, v1, v2, v3 = values[s], values[s + 1], values[s + 2], values[s + 3]
        for d in range(len(out)):
            out[d] += (w0 * v0[d] + w1 * v1[d]) + (w2 * v2[d] + w3 * v3[d])
    for s in range(n_fours, n_values):
        for d in range(len(out)):
            out[d] += weights[s] * values[s, d]
    for d in range(len(out)):
        out[d] /= total


@_kernel
def anchored_logits(
    hidden: Floats,
    weight: Floats,
    parts: Ids,
    starts: Ids,
    lowest: Ids,
    window: tuple[int, int],
    logits: Floats,
) -> None:
    n_rows, n_logits = logits.shape
    outputs = np.zeros((n_rows, len(weight)), np.float32)
    first = 0
    for part in range(len(lowest)):
        is_absent = True
        for row in range(n_rows):
            is_absent &= starts[row, part] < lowest[part]
        if is_absent:  # in all rows: its outputs are not computed
            _add_columns(hidden, weight, first, parts[part], outputs)
            first = parts[part + 1]
    _add_columns(hidden, weight, first, parts[-1], outputs)
    for row in range(n_rows):
        for j in range(n_logits):
            logits[row, j] = outputs[row, j]
        for part in range(len(lowest)):
            if starts[row, part] >= lowest[part]:
                shift = starts[row, part] - parts[part]
                end = min(parts[part + 1] + shift, window[1])
                for j in range(max(starts[row, part], window[0]), end):
                    logits[row, j] += outputs[row, j - shift]


def _with_kernels(function: Function, signature: str) -> Function:
    """A function of `forward`, compiled with the kernels of this module.

    Numba keeps it on disk, where it finds a folder it may write to.
    """
    # As a function of this file it is compiled again when a kernel changes, and, because numba
    # compares the code, when the function itself does.
    code = cast(FunctionType, function).__code__.replace(co_filename=__file__)
    rebound = FunctionType(code, globals(), function.__name__)
    try:
        return cast(Function, numba.njit(signature, cache=True, **_OPTIONS)(rebound))
    except RuntimeError:
        return cast(Function, numba.njit(signature, **_OPTIONS)(rebound))


_WEIGHTS = f"Tuple((f4[:,::1], f4[::1], {', '.join(['f4[:,:,::1]'] * 4)}))"
_TABLE = "UniTuple(f4[::1], 2)"
_ANCHORS = "i8[::1], i8[:,::1], i8[::1]"
hidden_states = _with_kernels(
    forward.hidden_states,
    f"f4[:,::1](i8[:,:,::1], i8[:,::1], i8, {_WEIGHTS}, {_TABLE}, f4[:,:,:,:,:,::1], f8)",
)
sound_logits = _with_kernels(
    forward.sound_logits, f"f4[:,::1](f4[:,::1], f4[:,::1], {_ANCHORS}, UniTuple(i8, 2))"
)
duration_logits = _with_kernels(
    forward.duration_logits,
    f"f4[:,::1](f4[:,::1], f4[:,::1], UniTuple(f4[:,::1], 2), {_TABLE}, {_ANCHORS})",
)


def is_loaded_from_disk() -> bool:
    """Whether numba found the compiled forward pass on disk."""
    return bool(cast(Any, hidden_states).stats.cache_hits)
