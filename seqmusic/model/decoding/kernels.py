"""The arithmetic of a step, compiled for the processor it runs on (numba, from the extra `fast`).

One call takes a step through all blocks, so only the bytes of the weights and of the past are left to wait for. Weights are those
of `pack_model`, with inputs along the rows and the bias last. All stand in one file: what numba keeps on disk it makes anew when
the file of the function that is called changes, not when another one does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from seqmusic.model.decoding.array_model import Floats, Ids

Function = TypeVar("Function", bound=Callable[..., Any])
_LOG2_E, _LN_2 = np.float32(1 / math.log(2)), np.float32(math.log(2))
_MIN_EXPONENT = np.float32(-125)  # of two: what is smaller counts as that


def compiled(function: Function) -> Function:
    """The function, compiled when it is first called; kept on disk for programs to come where there is a place for it."""

    def made(cache: bool) -> Any:
        return numba.njit(
            function,
            cache=cache,
            nogil=True,
            error_model="numpy",
            fastmath={"reassoc", "contract", "nsz"},
        )

    try:
        return cast(Function, made(cache=True))
    except RuntimeError:
        return cast(Function, made(cache=False))


@compiled
def embed(ids: Ids, embeddings: Floats, out: Floats) -> None:
    """(N, D) sums of the rows of a table that (N, C) ids name."""
    out[:] = 0
    for row in range(len(ids)):
        for number in ids[row]:
            _add_scaled(np.float32(1), embeddings[number], out[row])


@compiled
def fill_rotations(ticks: Ids, event_index: int, frequencies: Floats, out: Floats) -> None:
    """(N, 2, K / 2, 2) cosines and sines by which queries and keys turn: one half by order, the other by (N, 2) sixteenths."""
    n_rates = len(frequencies)
    for row in range(len(ticks)):
        for part in range(2):
            for index in range(2 * n_rates):
                moment = (
                    np.float32(event_index) if index < n_rates else ticks[row, 1 - part]
                )  # the query stands at the event to come
                angle = moment * frequencies[index % n_rates]
                out[row, part, index, 0], out[row, part, index, 1] = (
                    math.cos(angle),
                    math.sin(angle),
                )


@compiled
def _add_product(x: Floats, weight: Floats, out: Floats, first: int, last: int) -> None:
    """Add to columns of (N, O) what (O, I + 1) weights make of (N, I): sums of products, and the bias that stands last.

    Four columns of two rows at a time: their sums stay in registers, and what is read is used for several.
    """
    n_in, n_pairs = x.shape[1], len(x) // 2
    for j in range(first, last - 3, 4):
        w0, w1, w2, w3 = weight[j], weight[j + 1], weight[j + 2], weight[j + 3]
        for row in range(0, 2 * n_pairs, 2):
            x0, x1 = x[row], x[row + 1]
            a0, a1, a2, a3, b0, b1, b2, b3 = (
                w0[n_in],
                w1[n_in],
                w2[n_in],
                w3[n_in],
                w0[n_in],
                w1[n_in],
                w2[n_in],
                w3[n_in],
            )
            for i in range(n_in):
                a0, a1, a2, a3 = (
                    a0 + x0[i] * w0[i],
                    a1 + x0[i] * w1[i],
                    a2 + x0[i] * w2[i],
                    a3 + x0[i] * w3[i],
                )
                b0, b1, b2, b3 = (
                    b0 + x1[i] * w0[i],
                    b1 + x1[i] * w1[i],
                    b2 + x1[i] * w2[i],
                    b3 + x1[i] * w3[i],
                )
            _add_four(a0, a1, a2, a3, out[row][j:])
            _add_four(b0, b1, b2, b3, out[row + 1][j:])
        for row in range(2 * n_pairs, len(x)):
            x0, a0, a1, a2, a3 = x[row], w0[n_in], w1[n_in], w2[n_in], w3[n_in]
            for i in range(n_in):
                a0, a1, a2, a3 = (
                    a0 + x0[i] * w0[i],
                    a1 + x0[i] * w1[i],
                    a2 + x0[i] * w2[i],
                    a3 + x0[i] * w3[i],
                )
            _add_four(a0, a1, a2, a3, out[row][j:])
    for j in range(last - (last - first) % 4, last):
        for row in range(len(x)):
            out[row, j] += weight[j, n_in] + _dot(x[row], weight[j])


@compiled
def _add_four(a: np.float32, b: np.float32, c: np.float32, d: np.float32, out: Floats) -> None:
    out[0], out[1], out[2], out[3] = out[0] + a, out[1] + b, out[2] + c, out[3] + d


@compiled
def _dot(x: Floats, y: Floats) -> np.float32:
    """The sum of products of (I,) and the first of (J,)."""
    product = np.float32(0)
    for i in range(len(x)):
        product += x[i] * y[i]
    return product


@compiled
def _l2_normalize(x: Floats, epsilon: float, out: Floats) -> None:
    """Each row over the root of the sum of its squares and `epsilon`; as it is where that is negative."""
    for row in range(len(x)):
        squares = np.float32(epsilon)
        for value in x[row]:
            squares += value * value
        scale = np.float32(1) if epsilon < 0 else np.float32(1) / np.sqrt(squares)
        for j in range(x.shape[1]):
            out[row, j] = x[row, j] * scale


@compiled
def gelu(x: Floats, gelu_table: tuple[Floats, Floats]) -> None:
    """The same as `array_model.Gelu`, of (N, O)."""
    slopes, intercepts = gelu_table
    for row in range(len(x)):
        for j in range(x.shape[1]):
            place = min(max(int(x[row, j]), 0), len(slopes) - 1)
            x[row, j] = x[row, j] * slopes[place] + intercepts[place]


@compiled
def step(
    blocks: tuple[Floats, Floats, Floats, Floats],
    gelu_table: tuple[Floats, Floats],
    kv_cache: Floats,
    buffers: tuple[Floats, Floats, Floats, Floats, Floats],
    rotations: Floats,
    length_and_epsilon: tuple[int, float],
) -> None:
    """Take an event through all blocks.

    Args:
        blocks: weights into attention, out of it, into the feed-forward layer and out of it, each (L, out, in + 1).
        gelu_table: slopes and intercepts of the GELU.
        kv_cache: (L, 2, N, H, T, K) keys and values.
        buffers: the residual stream, which holds the embedding, then the output; the same over its length; queries, keys and
            values; what attention mixes; the feed-forward layer.
        rotations: as of `fill_rotations`.
        length_and_epsilon: events before this one, and the epsilon of `_l2_normalize`.
    """
    project_in, project_out, widen, narrow = blocks
    stream, normed, qkv, attention_output, wide = buffers
    (n_rows, width), n_wide = stream.shape, wide.shape[1]
    n_cached, epsilon = length_and_epsilon
    for layer in range(len(project_in)):
        _l2_normalize(stream, epsilon, normed)
        _set_product(normed, project_in[layer], qkv, 0, 3 * width)
        for row in range(n_rows):
            _attend(
                qkv[row],
                rotations[row],
                kv_cache[layer, 0, row],
                kv_cache[layer, 1, row],
                n_cached,
                attention_output[row],
            )
        _add_product(attention_output, project_out[layer], stream, 0, width)
        _l2_normalize(stream, epsilon, normed)
        _set_product(normed, widen[layer], wide, 0, n_wide)
        gelu(wide, gelu_table)
        _add_product(wide, narrow[layer], stream, 0, width)
    _l2_normalize(stream, epsilon, normed)


@compiled
def _add_scaled(scale: np.float32, x: Floats, out: Floats) -> None:
    for j in range(len(out)):
        out[j] += scale * x[j]


@compiled
def _attend(
    qkv: Floats,
    rotations: Floats,
    keys: Floats,
    values: Floats,
    n_cached: int,
    attention_output: Floats,
) -> None:
    """(H K,) what each head mixes for (3 H K,) query, key and value, which join (H, T, K) keys and values."""
    n_heads, _, size = keys.shape
    scores = np.empty(n_cached + 1, np.float32)
    for head in range(n_heads):
        first = head * size
        query, key, value = (
            qkv[first:][:size],
            qkv[n_heads * size + first :][:size],
            qkv[2 * n_heads * size + first :][:size],
        )
        _rotate(query, rotations[0])
        _rotate(key, rotations[1])
        keys[head, n_cached], values[head, n_cached] = key, value
        _score(query, keys[head], scores)
        total = _exponentiate(scores)
        _weighted_sum(scores, values[head], attention_output[first : first + size])
        attention_output[first : first + size] /= total


@compiled
def _rotate(x: Floats, rotations: Floats) -> None:
    for pair in range(len(rotations)):
        a, b, cosine, sine = x[2 * pair], x[2 * pair + 1], rotations[pair, 0], rotations[pair, 1]
        x[2 * pair], x[2 * pair + 1] = a * cosine - b * sine, a * sine + b * cosine


@compiled
def _score(query: Floats, keys: Floats, scores: Floats) -> None:
    """(T,) products of a (K,) query with the first of (T, K) keys."""
    for t in range(len(scores)):
        scores[t] = _dot(query, keys[t])


@compiled
def _exponentiate(scores: Floats) -> np.float32:
    """The sum of what is left in the scores: e to the power of each less the highest."""
    highest = scores[0]
    for score in scores:
        highest = max(highest, score)
    powers = np.empty(len(scores), np.int32)
    for t in range(len(scores)):
        exponent = max((scores[t] - highest) * _LOG2_E, _MIN_EXPONENT)
        whole = np.floor(exponent + np.float32(0.5))
        powers[t] = (np.int32(whole) + np.int32(127)) << np.int32(23)  # the bits of 2 ** whole
        scores[t] = (exponent - whole) * _LN_2
    two_to = powers.view(np.float32)
    total = np.float32(0)
    for t in range(len(scores)):
        x = scores[t]  # within 0.35: six terms of the series are off by less than a rounding
        series = np.float32(1 / 720) + x * np.float32(1 / 5040)
        series = np.float32(1 / 24) + x * (np.float32(1 / 120) + x * series)
        series = np.float32(1 / 2) + x * (np.float32(1 / 6) + x * series)
        scores[t] = (np.float32(1) + x * (np.float32(1) + x * series)) * two_to[t]
        total += scores[t]
    return total


@compiled
def _weighted_sum(attention_weights: Floats, values: Floats, out: Floats) -> None:
    """(K,) sum of the first of (T, K) values, by their (T,) shares."""
    out[:] = 0
    n_fours = len(attention_weights) // 4 * 4
    for t in range(0, n_fours, 4):
        s0, s1, s2, s3 = (
            attention_weights[t],
            attention_weights[t + 1],
            attention_weights[t + 2],
            attention_weights[t + 3],
        )
        v0, v1, v2, v3 = values[t], values[t + 1], values[t + 2], values[t + 3]
        for d in range(len(out)):
            out[d] += (s0 * v0[d] + s1 * v1[d]) + (s2 * v2[d] + s3 * v3[d])
    for t in range(n_fours, len(attention_weights)):
        _add_scaled(attention_weights[t], values[t], out)


@compiled
def sound_logits(
    normed: Floats,
    weight: Floats,
    context: Ids,
    columns: tuple[Ids, Ids, int],
    sizes: tuple[int, int, int, int],
    out: Floats,
) -> None:
    """(N, V) logits of the sounds: plain ones, and those relative to pitches that are there.

    Args:
        normed: (N, D) the last residual stream over its length.
        weight: `OutputWeights.project_hidden`, (O, D + 1).
        context: (N, C) where the sounds go.
        columns: those of pitches, which of these is a voice's own, and that of the voice.
        sizes: first pitch among the sounds, number of pitches, what stands for pitch 0 in the context, and the longest interval.
        out: the logits.
    """
    (pitch_columns, own_columns, voice_column), (first_pitch, n_pitches, shift, longest) = (
        columns,
        sizes,
    )
    (n_rows, n_sounds), n_parts, n_each = out.shape, len(pitch_columns) + 1, 2 * longest + 1
    pitches = np.empty((n_parts, n_rows), np.int64)
    for row in range(n_rows):
        for part in range(n_parts - 1):
            pitches[part, row] = context[row, pitch_columns[part]] - shift
        pitches[n_parts - 1, row] = pitches[own_columns[context[row, voice_column]], row]
    outputs = _outputs_where_present(normed, weight, n_sounds, pitches >= 0, n_each)
    out[:] = outputs[:, :n_sounds]
    for part in range(n_parts):
        first = n_sounds + part * n_each
        for row in range(n_rows):
            if pitches[part, row] >= 0:
                own, start = outputs[row][first : first + n_each], pitches[part, row] - longest
                _add_shifted(own, start, out[row][first_pitch : first_pitch + n_pitches])


@compiled
def add_hidden_and_gelu(
    normed: Floats, weight: Floats, gelu_table: tuple[Floats, Floats], inner: Floats
) -> None:
    """What the durations are said from: added to (N, D) what the sounds say, and through the GELU."""
    _add_product(normed, weight, inner, 0, inner.shape[1])
    gelu(inner, gelu_table)


@compiled
def duration_logits(
    inner: Floats,
    weight: Floats,
    context: Ids,
    columns: tuple[Ids, Ids, int],
    longest: int,
    out: Floats,
) -> None:
    """(N, 97) logits of the durations: plain ones, those by place, and those relative to ends that are ahead.

    Args:
        inner: (N, D) what is known, the sounds too.
        weight: `OutputWeights.last`, (O, D + 1).
        context: (N, C) where the durations go.
        columns: those of ends, what is to be taken off each, and that of the place in the bar.
        longest: longest lag, in ticks.
        out: the logits.
    """
    end_columns, end_shifts, position_column = columns
    (n_rows, n_durations), n_parts, n_each = out.shape, len(end_columns), 2 * longest + 1
    ends = np.empty((n_parts, n_rows), np.int64)
    for part in range(n_parts):
        for row in range(n_rows):
            ends[part, row] = context[row, end_columns[part]] - end_shifts[part]
    n_plain = 3 * n_durations - 1
    outputs = _outputs_where_present(inner, weight, n_plain, ends > 0, n_each)
    out[:] = outputs[:, :n_durations]
    for row in range(n_rows):
        place = context[row, position_column] % (n_durations - 1)
        _add_shifted(outputs[row][n_durations:n_plain], -place, out[row])
        for part in range(n_parts):
            if ends[part, row] > 0:
                first = n_plain + part * n_each
                _add_shifted(
                    outputs[row][first : first + n_each], ends[part, row] - longest, out[row]
                )


@compiled
def _outputs_where_present(
    x: Floats, weight: Floats, n_plain: int, is_present: NDArray[np.bool_], n_each: int
) -> Floats:
    """(N, O) what (O, I + 1) weights say of (N, I): the first `n_plain`, and of (A, N) parts those that are there for any row."""
    outputs = np.empty((len(x), len(weight)), np.float32)
    first, last = 0, n_plain
    for part in range(len(is_present)):
        end = n_plain + (part + 1) * n_each
        if is_present[part].any():
            last = end
        else:
            _set_product(x, weight, outputs, first, last)
            first = last = end
    _set_product(x, weight, outputs, first, last)
    return outputs


@compiled
def _set_product(x: Floats, weight: Floats, outputs: Floats, first: int, last: int) -> None:
    """The same as `_add_product`, of columns that held nothing."""
    for row in range(len(outputs)):
        outputs[row][first:last] = 0
    _add_product(x, weight, outputs, first, last)


@compiled
def _add_shifted(outputs: Floats, start: int, out: Floats) -> None:
    """Add numbers from place `start` of the logits on; what would stand outside is dropped."""
    for place in range(max(0, start), min(len(out), start + len(outputs))):
        out[place] += outputs[place - start]
