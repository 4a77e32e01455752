"""The inner loops of the forward pass in numpy, for an installation without the extra `fast`.

Letters in shapes: N sequences, T new events of each, M = N T rows, I inputs, O outputs, D width, H
heads, K head width, S cached positions. The inputs of a product end in a 1, which takes the bias in
the last column of the weight.
"""

from __future__ import annotations

import numpy as np

from seqmusic.model.decoding.packed_model import Floats, Ids
from seqmusic.model.settings import TICKS_PER_ROTARY_UNIT

_MAX_SINGLE_ROWS = 4  # up to here one matrix-vector product a row is faster than a matrix product


def embed(ids: Ids, embeddings: Floats, out: Floats) -> None:
    """Sum the rows of (E, D) embeddings that (N, T, C) ids name into (M, D)."""
    np.add.reduce(embeddings.take(ids.reshape(len(out), -1), axis=0), axis=1, out=out)


def rotary_factors(ticks: Ids, n_cached: int, frequencies: Floats) -> Floats:
    """(N, T, 2, K) alternating cosines and sines of the rotary angles of queries and of keys.

    Args:
        ticks: (N, T + 1) onsets of the events and, last, of the one to come; a query stands at the
            event to come.
        n_cached: events before the new ones.
        frequencies: (K / 4,) radians for each event, and for each sixteenth.
    """
    n_rows, n_new = len(ticks), ticks.shape[1] - 1
    positions = np.empty((n_rows, n_new, 2, 2), np.float32)
    positions[..., 0] = np.arange(n_cached, n_cached + n_new)[:, None]
    np.divide(ticks[:, 1:], TICKS_PER_ROTARY_UNIT, out=positions[:, :, 0, 1])
    np.divide(ticks[:, :-1], TICKS_PER_ROTARY_UNIT, out=positions[:, :, 1, 1])
    angles = positions[..., None] * frequencies
    factors = np.empty(angles.shape, np.complex64)
    np.cos(angles, out=factors.real)
    np.sin(angles, out=factors.imag)
    return factors.view(np.float32).reshape(n_rows, n_new, 2, -1)


def normalize(x: Floats, epsilon: float, normed: Floats) -> None:
    """Divide each row by the root of the sum of `epsilon` and its squares.

    Args:
        x: (M, D) the residual stream.
        epsilon: D times that of the normalization; negative for no normalization.
        normed: (M, D + 1) the result; its last column stays as it is.
    """
    if epsilon < 0:
        normed[:, :-1] = x
    elif len(x) == 1:
        scale = (x[0].dot(x[0]) + np.float32(epsilon)) ** np.float32(-0.5)
        np.multiply(x, scale, out=normed[:, :-1])
    else:
        squares = np.matmul(x[:, None], x[:, :, None])[:, 0]
        np.divide(x, np.sqrt(squares + np.float32(epsilon)), out=normed[:, :-1])


def product(x: Floats, weight: Floats, out: Floats) -> None:
    """Put the product of (M, I) rows and (O, I) weights into the first O columns."""
    columns = out[:, : len(weight)]
    if 1 < len(x) <= _MAX_SINGLE_ROWS:
        np.matmul(x[:, None], weight.T, out=columns[:, None])
    else:
        np.matmul(x, weight.T, out=columns)


def add_product(x: Floats, weight: Floats, out: Floats) -> None:
    """Add the product of (M, I) rows and (O, I) weights to the first O columns."""
    columns, products = out[:, : len(weight)], np.empty((len(x), len(weight)), np.float32)
    product(x, weight, products)
    columns += products


def gelu(x: Floats, slopes: Floats, intercepts: Floats) -> None:
    """The GELU of all but the last column, in place; each number names its line of the table."""
    inner = x[:, :-1]
    lines = inner.astype(np.intp)
    inner *= slopes.take(lines, mode="clip")
    inner += intercepts.take(lines, mode="clip")


def attend(
    qkv: Floats, rotations: Floats, keys: Floats, values: Floats, n_cached: int, out: Floats
) -> None:
    """Average values by causal attention; new keys and values join the cache.

    Args:
        qkv: (M, 3 D) queries, already scaled, keys and values of the new events; changed in place.
        rotations: (N, T, 2, K) from `rotary_factors`.
        keys, values: (N or more, H, S, K), with room for the new ones after the first `n_cached`.
        n_cached: events before the new ones.
        out: (M, D + 1) the averages; the last column stays as it is.
    """
    (n_rows, n_new, _, size), end = rotations.shape, n_cached + rotations.shape[1]
    by_head = qkv.reshape(n_rows, n_new, 3, -1, size)
    pairs = by_head[:, :, :2].view(np.complex64)
    pairs *= rotations.view(np.complex64)[:, :, :, None]
    query, key, value = by_head.transpose(2, 0, 3, 1, 4)  # (N, H, T, K) each
    keys[:n_rows, :, n_cached:end], values[:n_rows, :, n_cached:end] = key, value
    scores = query @ keys[:n_rows, :, :end].swapaxes(2, 3)  # (N, H, T, S)
    if n_new > 1:
        future = np.where(np.tri(n_new, dtype=bool), np.float32(0), np.float32(-np.inf))
        scores[..., n_cached:] += future
    scores -= np.maximum.reduce(scores, axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    averages = out[:, :-1].reshape(n_rows, n_new, -1, size).swapaxes(1, 2)
    sums = np.add.reduce(scores, axis=-1, keepdims=True)
    np.divide(scores @ values[:n_rows, :, :end], sums, out=averages)


def anchored_logits(
    hidden: Floats,
    weight: Floats,
    parts: Ids,
    starts: Ids,
    lowest: Ids,
    window: tuple[int, int],
    logits: Floats,
) -> None:
    """Add up plain logits and those relative to A anchors.

    Args:
        hidden: (M, D + 1) hidden states.
        weight: (O, D + 1) weights of the V plain logits, then of those relative to each anchor.
        parts: (A + 1,) the output where the part of each anchor begins, and where the last ends.
        starts: (M, A) the logit that the first output of each part is added to.
        lowest: (A,) of these the lowest; below it the anchor is absent.
        window: first logit that has relative parts, and the one after the last; what falls outside
            is dropped.
        logits: (M, V) the result.
    """
    outputs = np.empty((len(hidden), len(weight)), np.float32)
    product(hidden, weight, outputs)
    logits[:] = outputs[:, : logits.shape[1]]
    bounds = parts.tolist()
    for row, part in np.argwhere(starts >= lowest).tolist():
        shift = int(starts[row, part]) - bounds[part]
        first, last = max(bounds[part] + shift, window[0]), min(bounds[part + 1] + shift, window[1])
        if first < last:
            logits[row, first:last] += outputs[row, first - shift : last - shift]
