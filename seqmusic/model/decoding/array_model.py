"""The transformer's weights as numpy arrays, repacked for decoding on a processor; nothing here needs torch.

What is constant is folded into the weights: the factor of the attention, the gains and shifts of the normalizations, the biases,
the scale of the table that the GELU is looked up in. Before layer normalization, whatever is added to the residual stream is
centered, and so the stream is: a normalization has no mean to take off. What a model lacks of the usual parts is neutral here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.model.settings import LONGEST_INTERVAL, LONGEST_LAG, ModelSettings, Vocabulary

Floats = NDArray[np.float32]
Ids = NDArray[np.integer[Any]]
Weights = Mapping[str, Floats]
_GELU_SCALE, _GELU_RANGE = (
    512,
    6,
)  # lines of the table a unit, and where it ends: beyond, the GELU is 0 or the number itself
_GELU_ZERO_INDEX = _GELU_SCALE * _GELU_RANGE


@dataclass(frozen=True, slots=True)
class Blocks:
    """Weights of the blocks, (L, in, out) each; the last row of a block is the bias, and the input has a 1 there."""

    project_in: Floats
    project_out: Floats  # without a bias
    widen: Floats
    narrow: Floats

    def per_layer(self) -> Iterator[tuple[Floats, Floats, Floats, Floats]]:
        """Those of one block after the other."""
        return zip(self.project_in, self.project_out, self.widen, self.narrow, strict=True)


@dataclass(frozen=True, slots=True)
class OutputWeights:
    """Weights of the output layer, biases as in `Layer`: what is said of the hidden state alone, and of durations given sounds."""

    project_hidden: Floats
    duration_sound: Floats  # (V, D)
    project_inner: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ArrayModel:
    """A transformer that only decodes; `embeddings` holds all embeddings, and `starts` where in it those of each id begin."""

    settings: ModelSettings
    vocabulary: Vocabulary
    embeddings: Floats
    starts: Ids
    blocks: Blocks
    heads: OutputWeights


def pack_model(weights: Weights, settings: ModelSettings, vocabulary: Vocabulary) -> ArrayModel:
    """The model of these weights, which have the names and shapes of `weight_shapes`."""
    sizes = np.cumsum([0, *vocabulary.context_sizes[:-1]])
    parts = [weights[f"{name}.weight"] for name in ("sounds", "durations", "places")]
    return ArrayModel(
        settings,
        vocabulary,
        _centered(np.concatenate(parts), settings),
        np.concatenate([[0, vocabulary.n_sounds], sizes + vocabulary.n_sounds + vocabulary.n_durations]),
        _blocks(weights, settings),
        _output_weights({**_zero_relative_weights(settings, vocabulary), **weights}, settings),
    )


def weight_shapes(settings: ModelSettings, vocabulary: Vocabulary) -> dict[str, tuple[int, ...]]:
    """The shape of each weight of a transformer, by its name."""
    width, wide = settings.width, settings.feedforward * settings.width
    shapes: dict[str, tuple[int, ...]] = {
        "sounds.weight": (vocabulary.n_sounds, width),
        "durations.weight": (vocabulary.n_durations, width),
        "places.weight": (sum(vocabulary.context_sizes), width),
        "heads.duration_sound.weight": (vocabulary.n_sounds, width),
    }
    norm_parts = {"layer": ("weight", "bias"), "rms": ("weight",), "none": ()}[
        settings.normalization
    ]
    shapes |= {f"norm.{part}": (width,) for part in norm_parts}
    for index in range(settings.layers):
        linear = {
            "project_in": (3 * width, width),
            "project_out": (width, width),
            "widen": (wide, width),
            "narrow": (width, wide),
        }
        norms = [
            f"{name}.{part}"
            for name in ("norm_attention", "norm_feedforward")
            for part in norm_parts
        ]
        block = {f"{name}.weight": shape for name, shape in linear.items()} | dict.fromkeys(
            norms, (width,)
        )
        block |= {"widen.bias": (wide,), "narrow.bias": (width,)}
        shapes |= {f"blocks.{index}.{name}": shape for name, shape in block.items()}
    outputs = {"sound": vocabulary.n_sounds, "duration_in": width, "duration": vocabulary.n_durations}
    outputs |= _relative_sizes(vocabulary) if settings.relative_output else {}
    return shapes | _linear_shapes(outputs, width)


def _relative_sizes(vocabulary: Vocabulary) -> dict[str, int]:
    """What the relative parts of the output layer say, by name."""
    return {
        "interval.project": (len(vocabulary.pitch_columns) + 1) * (2 * LONGEST_INTERVAL + 1),
        "lag.project": len(vocabulary.end_columns) * (2 * LONGEST_LAG + 1),
        "place.project": 2 * vocabulary.n_durations - 1,
    }


def _linear_shapes(outputs: Mapping[str, int], width: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        f"heads.{name}.weight": (size, width) for name, size in outputs.items()
    }
    return shapes | {f"heads.{name}.bias": (size,) for name, size in outputs.items()}


def _zero_relative_weights(settings: ModelSettings, vocabulary: Vocabulary) -> dict[str, Floats]:
    """Weights of the relative parts that say nothing."""
    return {
        name: np.zeros(shape, np.float32)
        for name, shape in _linear_shapes(_relative_sizes(vocabulary), settings.width).items()
    }


class TabulatedGelu:
    """The GELU of arrays of one shape, in place: of what `scale_for_gelu_table` made its input."""

    def __init__(self, shape: Sequence[int]) -> None:
        self._indices, self._looked_up = np.empty(shape, np.intp), np.empty(shape, np.float32)
        self._slopes, self._intercepts = gelu_table()

    def __call__(self, x: Floats) -> None:
        """A line through the two nearest points of the table: off by less than a millionth."""
        np.copyto(self._indices, x, casting="unsafe")
        np.multiply(x, self._slopes.take(self._indices, out=self._looked_up, mode="clip"), out=x)
        np.add(x, self._intercepts.take(self._indices, out=self._looked_up, mode="clip"), out=x)


def scale_for_gelu_table(weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """The weight and bias of a layer whose output goes into `TabulatedGelu`: places in its table."""
    return weight * np.float32(_GELU_SCALE), bias * np.float32(_GELU_SCALE) + np.float32(
        _GELU_ZERO_INDEX
    )


@cache
def gelu_table() -> tuple[Floats, Floats]:
    """Slopes and intercepts over the places; the first and last line are those beyond the ends."""
    twice = np.arange(-2 * _GELU_ZERO_INDEX, 2 * _GELU_ZERO_INDEX + 1) / (
        2 * _GELU_SCALE
    )  # edges, and the middles between them
    exact = twice / 2 * (1 + np.array([math.erf(x) for x in (twice / math.sqrt(2)).tolist()]))
    edges, middles = exact[::2], exact[1::2]
    slopes = np.diff(edges)
    off = middles - (edges[:-1] + edges[1:]) / 2  # of the chord, all on one side: halve it
    intercepts = edges[:-1] + off / 2 - slopes * np.arange(len(slopes))
    slopes[[0, -1]], intercepts[[0, -1]] = [0, 1 / _GELU_SCALE], [0, -_GELU_RANGE]
    return slopes.astype(np.float32), intercepts.astype(np.float32)


def _blocks(weights: Weights, settings: ModelSettings) -> Blocks:
    blocks = [_block(weights, f"blocks.{index}.", settings) for index in range(settings.layers)]
    return Blocks(*(np.stack(parts) for parts in zip(*blocks, strict=True)))


def _block(weights: Weights, prefix: str, settings: ModelSettings) -> tuple[Floats, ...]:
    """What `Blocks` holds of one block, in that order."""
    own = {
        name.removeprefix(prefix): array
        for name, array in weights.items()
        if name.startswith(prefix)
    }
    into, width = own["project_in.weight"].copy(), settings.width
    into[:width] *= (width // settings.heads) ** -0.5  # queries
    attention, feedforward = (
        _norm(own, f"norm_{name}", settings) for name in ("attention", "feedforward")
    )
    return (
        _fold_norm(*attention, into, np.zeros(len(into), np.float32)),
        _centered(np.ascontiguousarray(own["project_out.weight"].T), settings),
        _fold_norm(*feedforward, *scale_for_gelu_table(own["widen.weight"], own["widen.bias"])),
        _centered(_with_bias(own["narrow.weight"], own["narrow.bias"]), settings),
    )


def _output_weights(weights: Weights, settings: ModelSettings) -> OutputWeights:
    sound, interval, inner, duration, place, lag = (
        (weights[f"heads.{name}.weight"], weights[f"heads.{name}.bias"])
        for name in (
            "sound",
            "interval.project",
            "duration_in",
            "duration",
            "place.project",
            "lag.project",
        )
    )
    project_hidden = [
        np.concatenate(parts)
        for parts in zip(sound, interval, scale_for_gelu_table(*inner), strict=True)
    ]
    project_inner = [np.concatenate(parts) for parts in zip(duration, place, lag, strict=True)]
    return OutputWeights(
        project_hidden=_fold_norm(
            *_norm(weights, "norm", settings), project_hidden[0], project_hidden[1]
        ),
        duration_sound=weights["heads.duration_sound.weight"] * np.float32(_GELU_SCALE),
        project_inner=_with_bias(project_inner[0], project_inner[1]),
    )


def _norm(weights: Weights, name: str, settings: ModelSettings) -> tuple[Floats, Floats]:
    """(D,) gain and (D,) shift of a normalization; those of none undo that `_fold_norm` counts with a length."""
    width = settings.width
    gain = weights.get(f"{name}.weight", np.full(width, width**-0.5, np.float32))
    return gain, weights.get(f"{name}.bias", np.zeros(width, np.float32))


def _fold_norm(gain: Floats, shift: Floats, weight: Floats, bias: Floats) -> Floats:
    """(D + 1, out) what is to be multiplied with a centered input over its length, and a 1 beside it."""
    return _with_bias(weight * (gain * np.float32(len(gain) ** 0.5)), weight @ shift + bias)


def _with_bias(weight: Floats, bias: Floats) -> Floats:
    return np.ascontiguousarray(np.concatenate([weight.T, bias[None]]))


def _centered(rows: Floats, settings: ModelSettings) -> Floats:
    """What is added to the residual stream, without its mean over the width where a normalization takes that off."""
    centered: Floats = rows - rows.mean(axis=-1, keepdims=True)
    return centered if settings.normalization == "layer" else rows
