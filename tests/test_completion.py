"""Notes as they are composed: those of the finished candidate, in order, and never taken back."""

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


def notes_of_voice(notes: list[tuple[str, Note]], name: str) -> list[Note]:
    return [note for voice_name, note in notes if voice_name == name]


@pytest.mark.parametrize(
    "request_",
    [
        Request(n=1, seed=5, effort=0),
        Request(n=1, seed=2, strict=True, effort=0),
        Request(n=1, temperature=0),
    ],
)
@pytest.mark.parametrize("theme", [THEME, HIGH_THEME])
def test_streamed_notes_are_those_of_the_finished_candidate(
    model: ArrayModel, request_: Request, theme: Score
) -> None:
    notes = list(stream(model, theme, request_, bars=3))
    (candidate,) = continuation(model, theme, request_, bars=3)
    given = (theme.voices[0].notes, (), (), ())
    for voice, kept in zip(candidate.score.voices, given, strict=True):
        composed = [note for note in voice.notes if note not in kept]
        assert notes_of_voice(notes, voice.name) == composed


def test_notes_are_streamed_early_and_nearly_in_order(model: ArrayModel) -> None:
    notes = stream(model, THEME, Request(n=1, seed=5, effort=0), bars=16)
    first = [next(notes)[1].onset_ticks for _ in range(3)]
    assert max(first) < 96
    onsets = first + [note.onset_ticks for _, note in notes]
    assert (
        max(np.maximum.accumulate(onsets) - onsets) <= 192
    )  # a note waits until it cannot be prolonged


def test_notes_are_held_back_until_a_rule_is_met(model: ArrayModel) -> None:
    """A rule that sometimes forbids everything: the notes are those of one whole attempt."""
    rng = np.random.default_rng(3)

    def capricious(log_p: np.ndarray, state: GrammarState) -> np.ndarray:
        return np.full_like(log_p, -np.inf) if rng.random() < 0.01 else log_p

    rows = stream(model, THEME, Request(n=1), bars=2, voices="melody", rule=capricious)
    notes = [note for _, note in rows]
    assert notes[-1].end_ticks == 192
    assert [note.onset_ticks for note in notes] == sorted({note.onset_ticks for note in notes})


def test_a_long_note_is_returned_once_and_whole() -> None:
    score = Score((parse_theme("C4:9/4 D4:1/4 R:3/2 E4:1/1").voices[0],))
    state, n_emitted, rows = GrammarState(), {}, []
    for event in encode(score)[1:]:
        state.push(*event)
        rows += finished_notes(state, n_emitted)
    assert [note for _, note in rows] == list(score.voices[0].notes)
    assert list(finished_notes(state, n_emitted)) == []


def test_the_callback_receives_the_notes_of_the_first_candidate(model: ArrayModel) -> None:
    received: list[tuple[int, Note]] = []
    prompt = continuation_prompt(THEME, 2)
    candidates = compose_candidates(
        model, prompt, Request(n=3, seed=5, effort=0), on_note=lambda *row: received.append(row)
    )
    streamed = list(stream(model, THEME, Request(n=1, seed=5, effort=0), bars=2))
    assert [(prompt.score.voices[index].name, note) for index, note in received] == streamed
    bass = [note for index, note in received if index == 3]
    assert any(set(bass) <= set(candidate.score.voices[3].notes) for candidate in candidates)


def test_a_terminal_shows_the_position_and_the_latest_notes(
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
