"""Continuations of themes by an untrained model: laws that hold for any model."""

import numpy as np
import pytest
import torch

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.completion import Candidate
from seqmusic.generation.composing import continuation
from seqmusic.generation.partial_candidate import LogProbabilities, Rule
from seqmusic.generation.request import Request
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY
from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice
from seqmusic.tokens.grammar import GrammarState


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(5)
    return Transformer(
        ModelSettings(width=16, layers=1, heads=2, context_length=512), VOCABULARY
    ).eval()


def keeps_opening(theme: Score, candidates: list[Candidate], names: tuple[str, ...]) -> bool:
    lines = [
        {voice.name: voice.notes for voice in candidate.score.voices} for candidate in candidates
    ]
    return all(
        notes[name][: len(voice.notes)] == voice.notes
        for notes in lines
        for name, voice in zip(names, theme.voices, strict=True)
    )


@pytest.mark.parametrize(
    ("text", "signature", "voices", "end"),
    [
        ("C4 D4 E4 F4 | G4", "4/4", "melody", 2 * 96),
        ("G4 | C5 B4 A4 | G4", "3/4", "satb", 2 * 72),  # the last bar is short by the pickup
        ("E5:1/8 D5 C5 | B4:3/8 G4", "6/8", "satb", 2 * 72),
        ("R C4 D4 E4 | R:1/8 F4", "4/4", "satb", 2 * 96),
    ],
)
def test_a_piece_ends_with_notes_at_the_end_of_the_last_bar(
    model: Transformer, text: str, signature: str, voices: str, end: int
) -> None:
    theme = parse_theme(text, TimeSignature.parse(signature))
    candidates = continuation(model, theme, Request(n=6), bars=2, voices=voices)
    ends = [voice.end_ticks for candidate in candidates for voice in candidate.score.voices]
    assert set(ends) == {end}
    assert keeps_opening(theme, candidates, SATB[:1])


def test_a_last_tick_is_never_a_rest(model: Transformer) -> None:
    theme = Score((Voice("Soprano", (Note(0, 95, 60),)),), ((0, TimeSignature(4, 4)),))
    assert {
        candidate.score.voices[0].end_ticks
        for candidate in continuation(model, theme, Request(n=20), bars=1, voices="melody")
    } == {96}


@pytest.mark.parametrize("text", ["C2 D2 E2", "C7 D7 E7", "0 2 4", "127 125", "C2 C7"])
@pytest.mark.parametrize("voices", ["melody", "satb"])
def test_a_theme_outside_the_compass_is_kept(model: Transformer, text: str, voices: str) -> None:
    theme = parse_theme(text, key=Key(2, "major"))
    candidates = continuation(model, theme, Request(n=2), bars=2, voices=voices)
    assert keeps_opening(theme, candidates, SATB[:1])
    assert {candidate.score.key for candidate in candidates} == {theme.key}


def test_voices_are_matched_by_name_or_by_position(model: Transformer) -> None:
    two = parse_theme("C5 D5 ; C3 B2")
    assert keeps_opening(two, continuation(model, two, Request(n=2), bars=1), ("Soprano", "Bass"))
    with pytest.raises(
        RequestError, match=r"are 5 voices .*; give one voice, four, or some named Soprano, Alto"
    ):
        continuation(model, parse_theme("C5; C5; C4; C4; C3"), bars=1)


def test_equal_candidates_are_returned_once(model: Transformer) -> None:
    assert (
        len(
            continuation(
                model, parse_theme("C4"), Request(n=3, temperature=0), bars=1, voices="melody"
            )
        )
        == 1
    )
    assert (
        len(continuation(model, parse_theme("C4"), Request(n=3, top_k=1), bars=1, voices="melody"))
        == 1
    )


def test_a_rule_decides_within_the_grammar(model: Transformer) -> None:
    def quarters(log_probabilities: LogProbabilities, state: GrammarState) -> LogProbabilities:
        if len(log_probabilities) == 97:
            log_probabilities[np.arange(97) % 24 != 0] = -np.inf
            log_probabilities[0] = 0.0  # never allowed for a note, and so of no effect
        return log_probabilities + 3.0  # need not sum to one

    request = Request(n=2, top_p=0.95)
    for candidate in continuation(
        model, parse_theme("C4"), request, bars=4, voices="melody", rule=quarters
    ):
        assert all(
            note.onset_ticks % 24 == note.duration_ticks % 24 == 0
            for note in candidate.score.voices[0].notes
        )
        assert np.isfinite(candidate.log_probability)

    same = continuation(
        model, parse_theme("C4"), request, rule=lambda log_probabilities, state: log_probabilities
    )
    assert [candidate.score for candidate in same] == [
        candidate.score for candidate in continuation(model, parse_theme("C4"), request)
    ]


def test_rules_that_forbid_everything_or_break_their_shape_are_refused(model: Transformer) -> None:
    def compose_with(rule: Rule) -> list[Candidate]:
        return continuation(
            model, parse_theme("C4"), Request(n=1), bars=2, voices="melody", rule=rule
        )

    message = r"no solution .* in 24 attempts, the last of which reached tick 24; .* your rule"
    with pytest.raises(RequestError, match=message):
        compose_with(lambda log_p, state: np.full_like(log_p, -np.inf))
    with pytest.raises(RequestError, match="no solution"):
        compose_with(lambda log_p, state: np.full_like(log_p, np.nan))
    with pytest.raises(ValueError, match="answers with numbers and -inf, got inf at tick 24"):
        compose_with(lambda log_p, state: np.full_like(log_p, np.inf))
    with pytest.raises(ValueError, match="answers with as many numbers as it is given"):
        compose_with(lambda log_p, state: log_p[:5])
