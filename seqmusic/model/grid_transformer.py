"""The rival on a grid: one event for each cell of a grid, and plain logits of its value.

Trunk, batches, loss and training are those of the voice-order grammar. An event is a cell value,
and its duration, the only one there is, costs nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqmusic.model.output_layer import OutputLayer
from seqmusic.model.settings import ModelSettings, Vocabulary
from seqmusic.model.transformer import Transformer


def grid_vocabulary(n_values: int, context_sizes: tuple[int, ...]) -> Vocabulary:
    """The vocabulary of a grid whose cells have `n_values` values; plain logits read no context."""
    return Vocabulary(
        n_sounds=n_values,
        n_durations=1,
        max_voices=1,
        context_sizes=context_sizes,
        first_pitch=0,
        n_pitches=1,
        pitch_columns=(0,),
        pitch_shift=0,
        voice_column=0,
        voice_pitch_column=(0,) * context_sizes[0],
        end_columns=((0, 0),),
        position_column=0,
    )


class GridOutputLayer(OutputLayer):
    """From hidden states to plain logits of the next cell value."""

    def __init__(self, width: int, vocabulary: Vocabulary) -> None:
        nn.Module.__init__(self)  # without the anchored layers
        self.vocabulary = vocabulary
        self.sound = nn.Linear(width, vocabulary.n_sounds)
        nn.init.normal_(self.sound.weight, std=0.02)

    def sound_logits(self, hidden: Tensor, context: Tensor) -> Tensor:
        """(N, V) logits of the next cell value from (N, D) hidden states, without the context."""
        logits: Tensor = self.sound(hidden)
        return logits

    def duration_logits(self, hidden: Tensor, context: Tensor, sounds: Tensor) -> Tensor:
        """(N, 1) logits of the one duration, which is certain."""
        return torch.zeros((len(hidden), 1), device=hidden.device)


class GridTransformer(Transformer):
    """The transformer over cells."""

    def __init__(self, settings: ModelSettings, vocabulary: Vocabulary) -> None:
        super().__init__(settings, vocabulary)
        self.heads = GridOutputLayer(settings.width, vocabulary)
