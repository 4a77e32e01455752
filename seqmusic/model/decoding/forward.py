"""The transformer's forward pass on arrays, written once for numpy and for numba.

Python runs it with the kernels of `numpy_kernels`; `compiled_kernels` compiles it with its own. It
is limited to what numba understands as well: loops, indices, and calls of kernels.
"""

from __future__ import annotations

import numpy as np

from seqmusic.model.decoding.numpy_kernels import (
    add_product,
    anchored_logits,
    attend,
    embed,
    gelu,
    normalize,
    product,
    rotary_factors,
)
from seqmusic.model.decoding.packed_model import Floats, Ids


def hidden_states(
    ids: Ids,
    ticks: Ids,
    n_cached: int,
    weights: tuple[Floats, Floats, Floats, Floats, Floats, Floats],
    gelu_table: tuple[Floats, Floats],
    kv_cache: Floats,
    epsilon: float,
) -> Floats:
    """(N T, D + 1) hidden states of T new events in N sequences, each with a 1 at the end.

    Args:
        ids: (N, T, 2 + C) rows of the embeddings.
        ticks: (N, T + 1) onsets of the events and, last, of the one to come.
        n_cached: events before the new ones.
        weights: `ArrayModel.weights`.
        gelu_table: slopes and intercepts.
        kv_cache: (L, 2, N or more, H, S, K) keys and values, with room for the new ones.
        epsilon: of `normalize`.
    """
    embeddings, frequencies, project_in, project_out, widen, narrow = weights
    n_events, width = ids.shape[0] * ids.shape[1], embeddings.shape[1]
    residual = np.empty((n_events, width), np.float32)
    embed(ids, embeddings, residual)
    normed = np.ones((n_events, width + 1), np.float32)  # the last column takes the bias
    mixed = np.ones((n_events, width + 1), np.float32)
    wide = np.ones((n_events, narrow.shape[2]), np.float32)
    qkv = np.empty((n_events, 3 * width), np.float32)
    rotations = rotary_factors(ticks, n_cached, frequencies)
    for layer in range(len(project_in)):
        normalize(residual, epsilon, normed)
        product(normed, project_in[layer], qkv)
        attend(qkv, rotations, kv_cache[layer, 0], kv_cache[layer, 1], n_cached, mixed)
        add_product(mixed, project_out[layer], residual)
        normalize(residual, epsilon, normed)
        product(normed, widen[layer], wide)
        gelu(wide, gelu_table[0], gelu_table[1])
        add_product(wide, narrow[layer], residual)
    normalize(residual, epsilon, normed)
    return normed


def sound_logits(
    hidden: Floats, weight: Floats, parts: Ids, starts: Ids, lowest: Ids, window: tuple[int, int]
) -> Floats:
    """(M, V) logits of sounds; for the arguments see `numpy_kernels.anchored_logits`."""
    logits = np.empty((len(hidden), parts[0]), np.float32)
    anchored_logits(hidden, weight, parts, starts, lowest, window, logits)
    return logits


def duration_logits(
    hidden: Floats,
    inner: Floats,
    weights: tuple[Floats, Floats],
    gelu_table: tuple[Floats, Floats],
    parts: Ids,
    starts: Ids,
    lowest: Ids,
) -> Floats:
    """(M, 97) logits of durations.

    Args:
        hidden: (M, D + 1) hidden states.
        inner: (M, D + 1) what the sounds add inside; overwritten.
        weights: `duration_in` and `duration` of the `OutputWeights`.
        gelu_table: slopes and intercepts.
        parts, starts, lowest: see `numpy_kernels.anchored_logits`.
    """
    duration_in, duration = weights
    add_product(hidden, duration_in, inner)
    gelu(inner, gelu_table[0], gelu_table[1])
    return sound_logits(inner, duration, parts, starts, lowest, (0, parts[0]))
