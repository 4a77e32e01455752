"""Revision in rounds, with an untrained model."""

import logging

import pytest
import torch

from seqmusic.formats.theme import parse_theme
from seqmusic.generation.request import Request
from seqmusic.generation.revision import revision
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY
from seqmusic.score import Key

BUSY = parse_theme(
    "C5:1/16 D5 E5 F5 G5 F5 E5 D5 C5 D5 E5 F5 G5 F5 E5 D5 ; C4:1/4 G4 E4 C4",
    key=Key(0, "major"),
)


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(5)
    settings = ModelSettings(width=16, layers=1, heads=2, context_length=1024)
    return Transformer(settings, VOCABULARY).eval()


def test_rounds_are_logged_and_never_lower_the_log_probability(
    model: Transformer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="seqmusic")
    request = Request(n=1, seed=2)
    (candidate,) = revision(model, BUSY, request, share=0.5, rounds=8, voices=["soprano"])
    soprano, bass = candidate.score.voices
    assert bass.notes == BUSY.voices[1].notes
    assert soprano.notes != BUSY.voices[0].notes
    rows = [record.args for record in caplog.records]
    assert [row[:2] for row in rows] == [(1, number) for number in range(9)]
    nats = [row[2] for row in rows]
    assert nats == sorted(nats)
    assert nats[0] < nats[-1] == pytest.approx(candidate.log_probability)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 0.0}, r"share of notes must be in 0\.\.1 and not 0, got 0\.0"),
        ({"share": 1.1}, "share of notes must be in"),
        ({"share": 0.1, "rounds": 0}, r"rounds must be in 1\.\.100, got 0"),
        ({"share": 0.1, "rounds": 101}, "rounds must be in"),
    ],
)
def test_shares_and_rounds_out_of_range_are_refused(
    model: Transformer, settings: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        revision(model, BUSY, **settings)  # type: ignore[arg-type]
