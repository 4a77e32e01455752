"""Composing anew what was selected: what is outside stays, what is inside is composed."""

from pathlib import Path

import pytest

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.composing import continuation
from seqmusic.generation.recomposition import (
    cell_spans,
    recomposition,
    spans_after,
    spans_prompt,
    with_note,
)
from seqmusic.generation.request import Request
from seqmusic.model.decoding.packed_model import ArrayModel
from seqmusic.runs.pretrained import load_array_model
from seqmusic.score import Note, Score


@pytest.fixture(scope="module")
def model() -> ArrayModel:
    return load_array_model(Path("chorales"), compiled=False)


@pytest.fixture(scope="module")
def piece(model: ArrayModel) -> Score:
    (found,) = continuation(model, parse_theme("G4 A4 B4 C5"), Request(n=1, seed=3), bars=4)
    return found.score


def test_only_selected_cells_change(model: ArrayModel, piece: Score) -> None:
    spans = cell_spans(piece, [(1, 1), (3, 2)])
    candidates = recomposition(model, piece, spans, Request(n=3, temperature=1.2))
    prompt = spans_prompt(piece, spans)
    assert any(candidate.score != piece for candidate in candidates)
    for candidate in candidates:
        for index, (old, new) in enumerate(zip(piece.voices, candidate.score.voices, strict=True)):
            pitches = {(note.onset_ticks, note.duration_ticks, note.pitch) for note in new.notes}
            given = [note for note in old.notes if prompt.is_given(index, note)]
            assert {(n.onset_ticks, n.duration_ticks, n.pitch) for n in given} <= pitches
            assert index in (1, 3) or pitches == {
                (note.onset_ticks, note.duration_ticks, note.pitch) for note in old.notes
            }


def test_going_on_keeps_all_that_began_before(model: ArrayModel, piece: Score) -> None:
    (candidate,) = recomposition(model, piece, spans_after(piece, 200), Request(n=1, seed=8))
    for old, new in zip(piece.voices, candidate.score.voices, strict=True):
        before = [note.pitch for note in old.notes if note.onset_ticks < 200]
        assert [note.pitch for note in new.notes if note.onset_ticks < 200] == before
    assert candidate.score.end_ticks == piece.end_ticks


def test_nothing_selected_is_refused(piece: Score) -> None:
    with pytest.raises(RequestError, match="nothing is selected"):
        spans_prompt(piece, cell_spans(piece, []))


def test_a_note_out_of_the_score_is_refused(piece: Score) -> None:
    with pytest.raises(RequestError, match="no voice 5"):
        with_note(piece, 4, Note(0, 24, 60))
    with pytest.raises(RequestError, match="the music is over"):
        with_note(piece, 0, Note(piece.end_ticks, 24, 60))


def test_a_note_is_cut_at_the_end(piece: Score) -> None:
    changed = with_note(piece, 0, Note(piece.end_ticks - 12, 96, 67))
    assert changed.end_ticks == piece.end_ticks
    assert changed.voices[0].notes[-1] == Note(piece.end_ticks - 12, 12, 67)
