"""What a run takes from the trained model that it begins with."""

from __future__ import annotations

from dataclasses import replace

import torch

from seqmusic.model.transformer import Transformer
from seqmusic.runs.configuration import Configuration
from seqmusic.score import SATB
from seqmusic.tokens.vocabulary import VOICE, VOICE_IDS


def with_sizes_of(model: Transformer, configuration: Configuration) -> Configuration:
    """The configuration with the sizes of a model; its dropout remains."""
    dropout, input_dropout = configuration.model.dropout, configuration.model.input_dropout
    settings = replace(model.settings, dropout=dropout, input_dropout=input_dropout)
    return replace(configuration, model=settings)


@torch.no_grad()
def name_voices(model: Transformer) -> None:
    """Let soprano, alto, tenor and bass begin with what a model has learned of voices 1 to 4."""
    first_voice = int(model.starts[model.vocabulary.voice_column]) + 1 - VOICE
    for number, name in enumerate(SATB, start=1):
        named, numbered = VOICE_IDS[name], VOICE_IDS[f"Voice {number}"]
        for table in (model.sounds.weight, model.heads.duration_sound.weight):
            table[named] = table[numbered]
        model.places.weight[first_voice + named] = model.places.weight[first_voice + numbered]
