"""The speed of composing is a text of two numbers."""

import re

from seqmusic.cli.composing_speed import composing_speed
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import VOCABULARY


def test_the_speed_is_a_text() -> None:
    model = Transformer(ModelSettings(width=16, layers=1, heads=2), VOCABULARY).eval()
    assert re.fullmatch(r"[\d,]+ notes/s, [\d,]+ times real time .*", composing_speed(model))
