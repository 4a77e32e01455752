"""Faults of voice leading, and requests that the given music contradicts."""

import pytest
import torch

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.composing import harmonization
from seqmusic.generation.feasibility import voice_leading_faults
from seqmusic.generation.request import Request
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY
from seqmusic.score import Key, TimeSignature


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(5)
    return Transformer(
        ModelSettings(width=16, layers=1, heads=2, context_length=1024), VOCABULARY
    ).eval()


def test_faults_of_voice_leading_by_hand() -> None:
    fifths = parse_theme("G4 A4 | ; C4 D4 |", TimeSignature(2, 4))
    assert list(voice_leading_faults(fifths)) == [
        "soprano and bass move in parallel fifths in bar 1"
    ]
    assert list(voice_leading_faults(parse_theme("C5 D5 ; C4 D4"))) == [
        "soprano and bass move in parallel octaves in bar 1"
    ]
    assert list(voice_leading_faults(parse_theme("R C4 D4 ; R C4 D4"))) == [
        "soprano and bass move in parallel octaves in bar 1"
    ]  # unisons too
    assert list(voice_leading_faults(parse_theme("G4 F4 ; C4 D4"))) == []  # contrary motion
    assert list(voice_leading_faults(parse_theme("G4 G4 ; C4 C4"))) == []  # repeated
    assert list(voice_leading_faults(parse_theme("G4 R A4 ; C4 R D4"))) == []  # a rest between
    assert (
        list(voice_leading_faults(parse_theme("E4 A4 ; C4 D4"))) == []
    )  # hidden fifths are not parallel
    assert list(voice_leading_faults(parse_theme("C4 E4 ; D4 C4"))) == [
        "soprano and bass cross in bar 1"
    ]
    assert list(
        voice_leading_faults(parse_theme("C5 D5 | G4:1/2 ; E4:1/2 | A4", TimeSignature(2, 4)))
    ) == ["soprano and bass cross in bar 2"]
    assert list(voice_leading_faults(parse_theme("G4:1/4 A4 ; C4:7/32 D4:1/32 D4:1/4"))) == [
        "soprano and bass move in parallel fifths in bar 1"
    ]


@pytest.mark.parametrize(
    ("text", "key", "settings", "message"),
    [
        (
            "C5 D5",
            Key(0, "major"),
            {"cadence": True},
            "soprano ends on D5, not on a note of the tonic chord of C major",
        ),
        ("C5 D5", None, {"cadence": True}, "a cadence needs a key"),
        ("C5 D5", None, {"scale": True}, "a scale needs a key"),
        (
            "G4 A4 ; C4 D4",
            Key(0, "major"),
            {"strict": True},
            r"parallel fifths in bar 1; with these given notes, --strict cannot be met",
        ),
        ("C4 C4 ; D4 D4", Key(0, "major"), {"strict": True}, "soprano and bass cross in bar 1"),
        (
            "C5",
            Key(0, "major"),
            {"cadence": True, "compass": ("tenor=B3-B3",)},
            "compass of the tenor does not hold a note of the tonic",
        ),
        (
            "C5",
            None,
            {"compass": ("tenor=C4",)},
            "a compass is written like soprano=C4-G5, got 'tenor=C4'",
        ),
        ("C5", None, {"compass": ("tenor=C4-H4",)}, "a compass is written like soprano=C4-G5"),
        ("C5", None, {"compass": ("flute=C4-C5",)}, "a compass is written like soprano=C4-G5"),
        ("C5", None, {"compass": ("alto=C5-C4",)}, "from the lowest pitch to the highest"),
    ],
)
def test_a_request_that_the_given_music_contradicts_is_refused(
    model: Transformer, text: str, key: Key | None, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        harmonization(model, parse_theme(text, key=key), Request(n=1, **settings))
