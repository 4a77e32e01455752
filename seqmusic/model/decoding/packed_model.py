"""The transformer's weights as numpy arrays, repacked for decoding without torch.

What is constant is folded into the weights: the scale of the attention scores, the gains and shifts
of the normalizations, and the scale of the table in which the GELU is looked up. Each weight is
(outputs, inputs + 1) with its bias in the last column; the inputs end in a 1. Before a layer
normalization, everything that is added to the residual stream is centered, and so the stream has no
mean to subtract.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqmusic.model.settings import (
    LONGEST_INTERVAL,
    LONGEST_LAG,
    ROTARY_BASE,
    ModelSettings,
    Vocabulary,
)

Floats = NDArray[np.float32]
Ids = NDArray[np.integer[Any]]
Weights = Mapping[str, Floats]
_GELU_SCALE = 512  # lines of the table in a unit
_GELU_RANGE = 6  # beyond it, the GELU is 0 or the number itself
_GELU_ZERO_INDEX = _GELU_SCALE * _GELU_RANGE


@dataclass(frozen=True, slots=True)
class BlockWeights:
    """Weights of all blocks, (L, out, in + 1) each."""

    project_in: Floats
    project_out: Floats
    widen: Floats
    narrow: Floats


@dataclass(frozen=True, slots=True)
class OutputWeights:
    """Weights of the output layer, (out, in + 1) unless another shape is given.

    Attributes:
        sound: from the hidden state to plain and relative logits of sounds.
        duration_in: from the hidden state to the inner layer of durations.
        duration_sound: (V, D + 1) what a sound adds to that inner layer, and a 1.
        duration: from the inner layer to plain and relative logits of durations.
    """

    sound: Floats
    duration_in: Floats
    duration_sound: Floats
    duration: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ArrayModel:
    """A transformer that only decodes.

    Attributes:
        settings: its size.
        vocabulary: of its tokens.
        embeddings: (E, D) all embeddings.
        starts: (2 + C,) row of `embeddings` where each id begins: sound, duration, context columns.
        frequencies: (K / 4,) rotary angles, in radians, for each event and for each sixteenth.
        blocks: weights of the blocks.
        heads: weights of the output layer.
        compiled: whether it is decoded by compiled code; None for yes where numba is installed.
        judge: weights of the judge of its compositions, by name; None if it has none.
    """

    settings: ModelSettings
    vocabulary: Vocabulary
    embeddings: Floats
    starts: Ids
    frequencies: Floats
    blocks: BlockWeights
    heads: OutputWeights
    compiled: bool | None = None
    judge: Weights | None = None

    @property
    def weights(self) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
        """Those that `forward.hidden_states` takes."""
        blocks = self.blocks
        inner = blocks.project_in, blocks.project_out, blocks.widen, blocks.narrow
        return (self.embeddings, self.frequencies, *inner)


def pack_model(weights: Weights, settings: ModelSettings, vocabulary: Vocabulary) -> ArrayModel:
    """The model of these weights, which have the names and shapes of `weight_shapes`."""
    tables = [weights[f"{name}.weight"] for name in ("sounds", "durations", "places")]
    id_sizes = (vocabulary.n_sounds, vocabulary.n_durations, *vocabulary.context_sizes)
    return ArrayModel(
        settings,
        vocabulary,
        embeddings=_centered(np.concatenate(tables), settings),
        starts=np.cumsum([0, *id_sizes[:-1]]),
        frequencies=_rotary_frequencies(settings),
        blocks=_pack_blocks(weights, settings),
        heads=_pack_output_layer(
            {**_zero_relative_weights(settings, vocabulary), **weights}, settings
        ),
    )


def weight_shapes(settings: ModelSettings, vocabulary: Vocabulary) -> dict[str, tuple[int, ...]]:
    """The shape of each weight of a transformer, by its name."""
    width = settings.width
    tables = {
        "sounds": vocabulary.n_sounds,
        "durations": vocabulary.n_durations,
        "places": sum(vocabulary.context_sizes),
        "heads.duration_sound": vocabulary.n_sounds,
    }
    outputs = {
        "sound": vocabulary.n_sounds,
        "duration_in": width,
        "duration": vocabulary.n_durations,
    }
    if settings.relative_output:
        outputs |= _relative_sizes(vocabulary)
    shapes: dict[str, tuple[int, ...]] = {
        f"{name}.weight": (size, width) for name, size in tables.items()
    }
    shapes |= _norm_shapes("norm", settings) | _linear_shapes(outputs, width)
    for index in range(settings.layers):
        shapes |= {
            f"blocks.{index}.{name}": shape for name, shape in _block_shapes(settings).items()
        }
    return shapes


def _block_shapes(settings: ModelSettings) -> dict[str, tuple[int, ...]]:
    width, wide = settings.width, settings.feedforward * settings.width
    shapes: dict[str, tuple[int, ...]] = {
        "project_in.weight": (3 * width, width),
        "project_out.weight": (width, width),
        "widen.weight": (wide, width),
        "widen.bias": (wide,),
        "narrow.weight": (width, wide),
        "narrow.bias": (width,),
    }
    return (
        shapes
        | _norm_shapes("norm_attention", settings)
        | _norm_shapes("norm_feedforward", settings)
    )


def _norm_shapes(name: str, settings: ModelSettings) -> dict[str, tuple[int, ...]]:
    parts = {"layer": ("weight", "bias"), "rms": ("weight",), "none": ()}[settings.normalization]
    return {f"{name}.{part}": (settings.width,) for part in parts}


def _relative_sizes(vocabulary: Vocabulary) -> dict[str, int]:
    """Outputs of the relative parts of the output layer, by name."""
    n_pitch_anchors = len(vocabulary.pitch_columns) + 1 + len(vocabulary.tonics)
    return {
        "interval.project": n_pitch_anchors * (2 * LONGEST_INTERVAL + 1),
        "lag.project": len(vocabulary.end_columns) * (2 * LONGEST_LAG + 1),
        "place.project": 2 * vocabulary.n_durations - 1,
    }


def _linear_shapes(outputs: Mapping[str, int], width: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        f"heads.{name}.weight": (size, width) for name, size in outputs.items()
    }
    return shapes | {f"heads.{name}.bias": (size,) for name, size in outputs.items()}


def _zero_relative_weights(settings: ModelSettings, vocabulary: Vocabulary) -> dict[str, Floats]:
    """Weights of relative parts that add nothing, for a model without these parts."""
    shapes = _linear_shapes(_relative_sizes(vocabulary), settings.width)
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


@cache
def gelu_table() -> tuple[Floats, Floats]:
    """Slopes and intercepts of lines for the GELU; the first and last are those beyond the ends.

    A line goes through the two nearest points, 1 / 512 apart, and is shifted by half its largest
    distance from the curve: it is off by less than a millionth.
    """
    # edges of the lines, and the middles between them
    points = np.arange(-2 * _GELU_ZERO_INDEX, 2 * _GELU_ZERO_INDEX + 1) / (2 * _GELU_SCALE)
    exact = points / 2 * (1 + np.array([math.erf(x) for x in (points / math.sqrt(2)).tolist()]))
    edges, middles = exact[::2], exact[1::2]
    slopes = np.diff(edges)
    distances = middles - (edges[:-1] + edges[1:]) / 2
    intercepts = edges[:-1] + distances / 2 - slopes * np.arange(len(slopes))
    slopes[[0, -1]], intercepts[[0, -1]] = [0, 1 / _GELU_SCALE], [0, -_GELU_RANGE]
    return slopes.astype(np.float32), intercepts.astype(np.float32)


def _scale_to_gelu_table(weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """The weight and bias of a layer, so that its outputs are lines of `gelu_table`."""
    scale = np.float32(_GELU_SCALE)
    return weight * scale, bias * scale + np.float32(_GELU_ZERO_INDEX)


def _rotary_frequencies(settings: ModelSettings) -> Floats:
    n_each = settings.width // settings.heads // 4
    return np.float32(ROTARY_BASE) ** -(np.arange(n_each, dtype=np.float32) / np.float32(n_each))


def _pack_blocks(weights: Weights, settings: ModelSettings) -> BlockWeights:
    blocks = [_pack_block(weights, f"blocks.{i}", settings) for i in range(settings.layers)]
    return BlockWeights(*(np.stack(parts) for parts in zip(*blocks, strict=True)))


def _pack_block(weights: Weights, name: str, settings: ModelSettings) -> tuple[Floats, ...]:
    """What `BlockWeights` holds of one block, in that order."""
    project_in = weights[f"{name}.project_in.weight"].copy()
    project_in[: settings.width] *= (settings.width // settings.heads) ** -0.5  # queries
    project_out, narrow = weights[f"{name}.project_out.weight"], _linear(weights, f"{name}.narrow")
    norm_attention, norm_feedforward = (
        _norm(weights, f"{name}.{norm}", settings)
        for norm in ("norm_attention", "norm_feedforward")
    )
    return (
        _fold_norm(*norm_attention, project_in, np.zeros(len(project_in), np.float32)),
        _centered_outputs(project_out, np.zeros(len(project_out), np.float32), settings),
        _fold_norm(*norm_feedforward, *_scale_to_gelu_table(*_linear(weights, f"{name}.widen"))),
        _centered_outputs(*narrow, settings),
    )


def _pack_output_layer(weights: Weights, settings: ModelSettings) -> OutputWeights:
    norm = _norm(weights, "norm", settings)
    inner = _scale_to_gelu_table(*_linear(weights, "heads.duration_in"))
    duration_sound = weights["heads.duration_sound.weight"] * np.float32(_GELU_SCALE)
    return OutputWeights(
        sound=_fold_norm(*norm, *_concatenated(weights, ("sound", "interval.project"))),
        duration_in=_fold_norm(*norm, *inner),
        duration_sound=_with_bias(duration_sound, np.ones(len(duration_sound), np.float32)),
        duration=_with_bias(*_concatenated(weights, ("duration", "place.project", "lag.project"))),
    )


def _linear(weights: Weights, name: str) -> tuple[Floats, Floats]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _concatenated(weights: Weights, names: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Weight and bias of some linear layers of the output layer as one."""
    parts = zip(*(_linear(weights, f"heads.{name}") for name in names), strict=True)
    weight, bias = (np.concatenate(part) for part in parts)
    return weight, bias


def _norm(weights: Weights, name: str, settings: ModelSettings) -> tuple[Floats, Floats]:
    """(D,) gain and (D,) shift of a normalization.

    Without a normalization, the gain undoes the factor of `_fold_norm`.
    """
    width = settings.width
    gain = weights.get(f"{name}.weight", np.full(width, width**-0.5, np.float32))
    return gain, weights.get(f"{name}.bias", np.zeros(width, np.float32))


def _fold_norm(gain: Floats, shift: Floats, weight: Floats, bias: Floats) -> Floats:
    """(out, D + 1) weight for a centered input that is divided by its Euclidean norm."""
    return _with_bias(weight * (gain * np.float32(len(gain) ** 0.5)), weight @ shift + bias)


def _with_bias(weight: Floats, bias: Floats) -> Floats:
    return np.concatenate([weight, bias[:, None]], axis=1)


def _centered_outputs(weight: Floats, bias: Floats, settings: ModelSettings) -> Floats:
    """(D, in + 1) weight whose outputs are added to the residual stream."""
    return np.ascontiguousarray(_centered(_with_bias(weight, bias).T, settings).T)


def _centered(rows: Floats, settings: ModelSettings) -> Floats:
    """(..., D) numbers for the residual stream, without the mean if a norm removes it."""
    centered: Floats = rows - rows.mean(axis=-1, keepdims=True)
    return centered if settings.normalization == "layer" else rows
