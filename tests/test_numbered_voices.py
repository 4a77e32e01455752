"""Models trained on numbered voices compose as many as their corpus has."""

import pytest

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.composing import continuation, harmonization, regeneration
from seqmusic.generation.prompts import continuation_prompt
from seqmusic.generation.request import Request
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs import pretrained as checkpoints

NUMBERED = checkpoints.make_vocabulary(5, has_numbered_voices=True)


def small_model() -> Transformer:
    settings = ModelSettings(width=16, layers=1, heads=2, context_length=512)
    return Transformer(settings, NUMBERED).eval()


def test_a_model_composes_the_number_of_voices_of_the_request() -> None:
    model = small_model()
    (composed,) = continuation(
        model, parse_theme("C5 D5 E5"), Request(n=1, seed=1), bars=1, voices="5"
    )
    assert [voice.name for voice in composed.score.voices] == [f"Voice {i}" for i in range(1, 6)]
    assert {voice.end_ticks for voice in composed.score.voices if voice.notes} <= set(range(97))
    (recomposed,) = regeneration(model, composed.score, Request(n=1, seed=2), voices=["voice 3"])
    kept = [voice for voice in recomposed.score.voices if voice.name != "Voice 3"]
    assert kept == [voice for voice in composed.score.voices if voice.name != "Voice 3"]


@pytest.mark.parametrize(
    ("voices", "message"),
    [("6", "has learned Voice 1, .*6 voices"), ("1000000", r"number in 1\.\.16"), ("x", "got 'x'")],
)
def test_more_voices_than_the_model_knows_are_refused(voices: str, message: str) -> None:
    model = small_model()
    with pytest.raises((RequestError, ValueError), match=message):
        continuation(model, parse_theme("C5 D5 E5"), voices=voices)
    with pytest.raises(RequestError, match=r"has learned Soprano, Alto, Tenor, Bass; .* 3 voices"):
        continuation_prompt(parse_theme("C5 D5 E5"), voices="3")
    with pytest.raises(RequestError, match="numbered voices, not soprano"):
        harmonization(model, parse_theme("C5 D5 E5"))


def test_a_checkpoint_keeps_its_vocabulary() -> None:
    assert checkpoints.vocabulary_from_dict(checkpoints.vocabulary_to_dict(NUMBERED)) == NUMBERED
    with pytest.raises(ValueError, match="other tokens"):
        checkpoints.vocabulary_from_dict({**checkpoints.vocabulary_to_dict(NUMBERED), "grammar": 1})
