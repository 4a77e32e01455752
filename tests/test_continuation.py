"""Continuations of heads, by an untrained model: what holds whatever the model thinks."""

import numpy as np
import pytest
import torch

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.completion import Candidate
from seqmusic.generation.composing import continuation
from seqmusic.generation.key_choice import likeliest_key
from seqmusic.generation.partial_candidate import LogProbabilities, Rule
from seqmusic.generation.prediction import next_sounds
from seqmusic.generation.prompts import continuation_prompt, fitting_shift
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


def keeps_opening(head: Score, candidates: list[Candidate], names: tuple[str, ...]) -> bool:
    lines = [
        {voice.name: voice.notes for voice in candidate.score.voices} for candidate in candidates
    ]
    return all(
        own[name][: len(v.notes)] == v.notes
        for own in lines
        for name, v in zip(names, head.voices, strict=True)
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
    head = parse_theme(text, TimeSignature.parse(signature))
    candidates = continuation(model, head, Request(n=6), bars=2, voices=voices)
    assert [voice.end_ticks for own in candidates for voice in own.score.voices] == [end] * sum(
        len(own.score.voices) for own in candidates
    )
    assert keeps_opening(head, candidates, SATB[:1])


def test_a_last_tick_is_never_a_rest(model: Transformer) -> None:
    head = Score((Voice("Soprano", (Note(0, 95, 60),)),), ((0, TimeSignature(4, 4)),))
    assert {
        own.score.voices[0].end_ticks
        for own in continuation(model, head, Request(n=20), bars=1, voices="melody")
    } == {96}


@pytest.mark.parametrize("text", ["C2 D2 E2", "C7 D7 E7", "0 2 4", "127 125", "C2 C7"])
@pytest.mark.parametrize("voices", ["melody", "satb"])
def test_a_head_outside_the_compass_is_kept(model: Transformer, text: str, voices: str) -> None:
    head = parse_theme(text, key=Key(2, "major"))
    candidates = continuation(model, head, Request(n=2), bars=2, voices=voices)
    assert keeps_opening(head, candidates, SATB[:1])
    assert {own.score.key for own in candidates} == {head.key}


def test_a_head_is_moved_by_octaves_where_they_suffice() -> None:
    assert fitting_shift(parse_theme("C2 D2 E2")) == 24
    assert fitting_shift(parse_theme("C7 C8")) == -36
    assert fitting_shift(parse_theme("A3 A5")) == 0
    assert (
        fitting_shift(parse_theme("Ab3 Ab5")) == 1
    )  # two octaves fill the compass, so no octave fits
    assert fitting_shift(parse_theme("C5; C3")) == 0


def test_voices_are_known_by_name_or_by_place(model: Transformer) -> None:
    two = parse_theme("C5 D5 ; C3 B2")
    assert keeps_opening(two, continuation(model, two, Request(n=2), bars=1), ("Soprano", "Bass"))
    with pytest.raises(
        RequestError, match=r"are 5 voices .*; give one voice, four, or some named Soprano, Alto"
    ):
        continuation(model, parse_theme("C5; C5; C4; C4; C3"), bars=1)


def test_bars_are_counted_through_a_change_of_time_signature() -> None:
    head = parse_theme("C4 D4 E4 F4 | G4:1")
    changed = Score(head.voices, ((0, TimeSignature(4, 4)), (96, TimeSignature(3, 4))), 0, None)
    assert continuation_prompt(changed, 4, "melody").holes == (((192, 96 + 3 * 72),),)


def test_equal_candidates_come_once(model: Transformer) -> None:
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


def test_a_rule_decides_and_the_grammar_stays(model: Transformer) -> None:
    def quarters(log_probabilities: LogProbabilities, state: GrammarState) -> LogProbabilities:
        if len(log_probabilities) == 97:
            log_probabilities[np.arange(97) % 24 != 0] = -np.inf
            log_probabilities[0] = 0.0  # never allowed for a note, and so of no effect
        return log_probabilities + 3.0  # need not sum to one

    request = Request(n=2, top_p=0.95)
    for own in continuation(
        model, parse_theme("C4"), request, bars=4, voices="melody", rule=quarters
    ):
        assert all(
            note.onset_ticks % 24 == note.duration_ticks % 24 == 0
            for note in own.score.voices[0].notes
        )
        assert np.isfinite(own.log_probability)

    same = continuation(
        model, parse_theme("C4"), request, rule=lambda log_probabilities, state: log_probabilities
    )
    assert [own.score for own in same] == [
        own.score for own in continuation(model, parse_theme("C4"), request)
    ]


def test_rules_that_cannot_be_followed(model: Transformer) -> None:
    def ruled(rule: Rule) -> list[Candidate]:
        return continuation(
            model, parse_theme("C4"), Request(n=1), bars=2, voices="melody", rule=rule
        )

    with pytest.raises(
        RequestError,
        match=r"no way through was found in 24 attempts, the last to tick 24; .* a rule of your own",
    ):
        ruled(lambda own, state: np.full_like(own, -np.inf))
    with pytest.raises(RequestError, match="no way through"):
        ruled(lambda own, state: np.full_like(own, np.nan))
    with pytest.raises(ValueError, match="answers with numbers and -inf, got inf at tick 24"):
        ruled(lambda own, state: np.full_like(own, np.inf))
    with pytest.raises(ValueError, match="answers with as many numbers as it is given"):
        ruled(lambda own, state: own[:5])


def test_what_is_expected_next_is_a_distribution_in_words(model: Transformer) -> None:
    expected = next_sounds(model, parse_theme("A4 Bb4 G4", key=Key(-1, "minor")))
    assert sum(expected.values()) == pytest.approx(1, abs=1e-6)
    assert list(expected.values()) == sorted(expected.values(), reverse=True)
    assert {"Bb4", "C#5", "R", "EOS"} <= set(expected)
    assert "HOLD" not in expected
    with pytest.raises(RequestError, match="no notes"):
        next_sounds(model, Score((Voice("Soprano", ()),)))


def test_the_key_holds_the_heads_notes_in_its_scale(model: Transformer) -> None:
    assert likeliest_key(model, parse_theme("D4 E4 F#4 G4 A4 B4 C#5 D5")) == Key(2, "major")
    assert likeliest_key(model, parse_theme("D2 E2 F#2 G2 A2 B2 C#3 D3")) == Key(2, "major")
    assert likeliest_key(model, parse_theme("A4 B4 C5 D5 E5 F5 G#5 A5")) == Key(0, "minor")
