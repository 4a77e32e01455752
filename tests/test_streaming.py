"""Notes as they are made: those of the finished candidate, in order, and never taken back."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from seqmusic.cli.compose import note_display
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.completion import finished_notes
from seqmusic.generation.composing import compose_candidates, continuation, stream
from seqmusic.generation.prompts import continuation_prompt
from seqmusic.generation.request import Request
from seqmusic.model.decoding.packed_model import ArrayModel
from seqmusic.runs.pretrained import load_array_model
from seqmusic.score import Key, Note, Score
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import encode

G_MAJOR = Key(1, "major")
THEME = parse_theme("G4 A4 B4 C5", key=G_MAJOR)
HIGH_THEME = parse_theme("G6 A6 B6 C7", key=G_MAJOR)  # composed lower, and moved back


@pytest.fixture(scope="module")
def model() -> ArrayModel:
    return load_array_model(Path("chorales"))


def notes_of_voice(told: list[tuple[str, Note]], name: str) -> list[Note]:
    return [note for own, note in told if own == name]


@pytest.mark.parametrize(
    "request_",
    [Request(n=1, seed=5), Request(n=1, seed=2, strict=True), Request(n=1, temperature=0)],
)
@pytest.mark.parametrize("head", [THEME, HIGH_THEME])
def test_what_is_streamed_is_the_finished_candidate(
    model: ArrayModel, request_: Request, head: Score
) -> None:
    told = list(stream(model, head, request_, bars=3))
    (candidate,) = continuation(model, head, request_, bars=3)
    for voice, own in zip(candidate.score.voices, (head.voices[0].notes, (), (), ()), strict=True):
        assert notes_of_voice(told, voice.name) == [note for note in voice.notes if note not in own]


def test_notes_come_before_the_piece_is_finished_and_hardly_out_of_order(model: ArrayModel) -> None:
    notes = stream(model, THEME, Request(n=1, seed=5), bars=16)
    first = [next(notes)[1].onset_ticks for _ in range(3)]
    assert max(first) < 96
    onsets = first + [note.onset_ticks for _, note in notes]
    assert (
        max(np.maximum.accumulate(onsets) - onsets) <= 192
    )  # a note waits until it cannot be held on


def test_a_rule_is_waited_for(model: ArrayModel) -> None:
    """A rule that forbids everything now and then: what was told is a whole way through."""
    chance = np.random.default_rng(3)

    def capricious(log_p: np.ndarray, state: GrammarState) -> np.ndarray:
        return np.full_like(log_p, -np.inf) if chance.random() < 0.01 else log_p

    told = list(stream(model, THEME, Request(n=1), bars=2, voices="melody", rule=capricious))
    assert told[-1][1].end_ticks == 192
    assert [note.onset_ticks for _, note in told] == sorted({note.onset_ticks for _, note in told})


def test_a_long_note_is_told_once_and_whole() -> None:
    score = Score((parse_theme("C4:9/4 D4:1/4 R:3/2 E4:1/1").voices[0],))
    state, n_emitted, told = GrammarState(), {}, []
    for event in encode(score)[1:]:
        state.push(*event)
        told += finished_notes(state, n_emitted)
    assert [note for _, note in told] == list(score.voices[0].notes)
    assert list(finished_notes(state, n_emitted)) == []


def test_who_composes_many_hears_the_first(model: ArrayModel) -> None:
    heard: list[tuple[int, Note]] = []
    prompt = continuation_prompt(THEME, 2)
    made = compose_candidates(
        model, prompt, Request(n=3, seed=5), on_note=lambda place, note: heard.append((place, note))
    )
    told = list(stream(model, THEME, Request(n=1, seed=5), bars=2))
    assert [(prompt.score.voices[place].name, note) for place, note in heard] == told
    assert any(
        all(note in one.score.voices[3].notes for place, note in heard if place == 3)
        for one in made
    )


def test_a_terminal_shows_where_the_music_is(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with note_display(G_MAJOR, is_shown=True) as on_note:
        assert on_note is None  # no terminal
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    with note_display(G_MAJOR, is_shown=False) as on_note:
        assert on_note is None
    with note_display(G_MAJOR, is_shown=True) as on_note:
        assert on_note is not None
        on_note(3, Note(48, 24, 43))
        on_note(0, Note(48, 24, 66))
    assert "quarter   3  F#4 G2" in capfd.readouterr().err
