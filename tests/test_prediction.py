"""Predictions of the next sound by an untrained model."""

import pytest
import torch

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.prediction import next_sounds
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY
from seqmusic.score import Key, Score, Voice


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(5)
    return Transformer(
        ModelSettings(width=16, layers=1, heads=2, context_length=1024), VOCABULARY
    ).eval()


def test_next_sounds_are_a_distribution_over_named_sounds(model: Transformer) -> None:
    expected = next_sounds(model, parse_theme("A4 Bb4 G4", key=Key(-1, "minor")))
    assert sum(expected.values()) == pytest.approx(1, abs=1e-6)
    assert list(expected.values()) == sorted(expected.values(), reverse=True)
    assert {"Bb4", "C#5", "R", "EOS"} <= set(expected)
    assert "HOLD" not in expected
    with pytest.raises(RequestError, match="no notes"):
        next_sounds(model, Score((Voice("Soprano", ()),)))
