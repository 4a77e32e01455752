"""Models that have learned voices by number, as many as their corpus has."""

import pytest

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.composing import continuation, harmonization, regeneration
from seqmusic.generation.prompts import continuation_prompt
from seqmusic.generation.request import Request
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs import pretrained as checkpoints

NUMBERED = checkpoints.make_vocabulary(5, has_numbered_voices=True)


def test_a_model_that_has_learned_numbered_voices_composes_as_many_as_are_asked() -> None:
    model = Transformer(
        ModelSettings(width=16, layers=1, heads=2, context_length=512), NUMBERED
    ).eval()
    (made,) = continuation(model, parse_theme("C5 D5 E5"), Request(n=1, seed=1), bars=1, voices="5")
    assert [voice.name for voice in made.score.voices] == [f"Voice {i}" for i in range(1, 6)]
    assert {voice.end_ticks for voice in made.score.voices if voice.notes} <= set(range(97))
    (anew,) = regeneration(model, made.score, Request(n=1, seed=2), voices=["voice 3"])
    kept = [voice for voice in anew.score.voices if voice.name != "Voice 3"]
    assert kept == [voice for voice in made.score.voices if voice.name != "Voice 3"]


@pytest.mark.parametrize(
    ("voices", "words"),
    [("6", "has learned Voice 1, .*6 voices"), ("1000000", r"number in 1\.\.16"), ("x", "got 'x'")],
)
def test_more_voices_than_were_learned_are_refused(voices: str, words: str) -> None:
    model = Transformer(
        ModelSettings(width=16, layers=1, heads=2, context_length=512), NUMBERED
    ).eval()
    with pytest.raises((RequestError, ValueError), match=words):
        continuation(model, parse_theme("C5 D5 E5"), voices=voices)
    with pytest.raises(RequestError, match="has learned Soprano, Alto, Tenor, Bass; 3 voices"):
        continuation_prompt(parse_theme("C5 D5 E5"), voices="3")
    with pytest.raises(RequestError, match="numbered voices, not soprano"):
        harmonization(model, parse_theme("C5 D5 E5"))


def test_the_vocabulary_of_a_checkpoint_is_what_it_tells() -> None:
    assert checkpoints.vocabulary_from_dict(checkpoints.vocabulary_to_dict(NUMBERED)) == NUMBERED
    with pytest.raises(ValueError, match="other tokens"):
        checkpoints.vocabulary_from_dict({**checkpoints.vocabulary_to_dict(NUMBERED), "grammar": 2})
