"""The key of a theme, chosen with an untrained model."""

import pytest
import torch

from seqmusic.formats.theme import parse_theme
from seqmusic.generation.key_choice import likeliest_key
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY
from seqmusic.score import Key


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(5)
    return Transformer(
        ModelSettings(width=16, layers=1, heads=2, context_length=1024), VOCABULARY
    ).eval()


def test_the_scale_of_the_key_holds_the_notes_of_the_theme(model: Transformer) -> None:
    assert likeliest_key(model, parse_theme("D4 E4 F#4 G4 A4 B4 C#5 D5")) == Key(2, "major")
    assert likeliest_key(model, parse_theme("D2 E2 F#2 G2 A2 B2 C#3 D3")) == Key(2, "major")
    assert likeliest_key(model, parse_theme("A4 B4 C5 D5 E5 F5 G#5 A5")) == Key(0, "minor")
