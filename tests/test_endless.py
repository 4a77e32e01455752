"""Endless music: the plan follows from the seed, the segments obey it and the rules."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.errors import RequestError
from seqmusic.generation.endless.figures import FIGURES, RunningFigures
from seqmusic.generation.endless.plan import MOVEMENT_SEGMENTS, movement_plan, segment_plan
from seqmusic.generation.endless.segments import MAX_COPIED_NOTES, EndlessPiece
from seqmusic.metrics.voice_leading import crossings, parallels
from seqmusic.model.decoding.packed_model import ArrayModel
from seqmusic.runs.pretrained import load_array_model
from seqmusic.score import Score


@pytest.fixture(scope="module")
def model() -> ArrayModel:
    return load_array_model(Path("chorales"), compiled=False)


def no_copies(score: Score) -> int:
    return 0


@given(st.integers(0, 2**40), st.integers(0, 10**7))
def test_a_movement_comes_home_and_its_themes_return(seed: int, movement: int) -> None:
    plans = movement_plan(seed, movement)
    assert len(plans) == MOVEMENT_SEGMENTS
    assert plans == tuple(segment_plan(seed, plan.number) for plan in plans)
    assert plans[-1].key == plans[0].key
    assert plans[-1].theme == "A"
    assert plans[-1].cadence
    for plan in plans:
        if plan.returns is not None:
            source = segment_plan(seed, plan.returns)
            assert 3 <= plan.number - plan.returns <= 8
            assert (source.theme, source.returns) == (plan.theme, None)
    for before, after in itertools.pairwise(plans[:-2]):
        assert abs((after.key.sharps - before.key.sharps + 6) % 12 - 6) <= 1


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="must be in 0"):
        segment_plan(-1, 0)
    with pytest.raises(ValueError, match="must be in 0"):
        segment_plan(0, 10**12)


def test_segments_are_whole_strict_and_the_same_in_any_order(model: ArrayModel) -> None:
    forward = EndlessPiece(model, 11, no_copies, effort=0)
    segments = [forward.segment(number) for number in range(5)]
    backward = EndlessPiece(model, 11, no_copies, effort=0)
    assert [backward.segment(number) for number in (4, 0, 2)] == [
        segments[number] for number in (4, 0, 2)
    ]
    for segment in segments:
        score, plan = segment.score, segment.plan
        assert score.end_ticks == 8 * plan.time_signature.bar_ticks
        assert all(voice.end_ticks == score.end_ticks for voice in score.voices)
        assert score.key == plan.key
        assert parallels(score) == []
        assert crossings(score).hits == 0


def test_a_returning_theme_is_the_soprano_of_its_segment(model: ArrayModel) -> None:
    seed = next(s for s in range(99) if segment_plan(s, 3).returns == 0)
    piece = EndlessPiece(model, seed, no_copies, effort=0)
    first, later = piece.segment(0).score.voices[0], piece.segment(3).score.voices[0]
    assert [n.onset_ticks for n in first.notes] == [n.onset_ticks for n in later.notes]
    shifts = {b.pitch - a.pitch for a, b in zip(first.notes, later.notes, strict=True)}
    assert len(shifts) == 1


def test_what_copies_too_much_is_drawn_again(model: ArrayModel) -> None:
    counts = iter([MAX_COPIED_NOTES + 1, MAX_COPIED_NOTES])
    segment = EndlessPiece(model, 5, lambda score: next(counts), effort=0).segment(0)
    assert (segment.attempt, segment.copied_notes) == (1, MAX_COPIED_NOTES)


def test_without_any_lawful_music_the_first_segment_returns(model: ArrayModel) -> None:
    n_calls = itertools.count()
    piece = EndlessPiece(model, 5, lambda score: 0 if next(n_calls) == 0 else 99, effort=0)
    first, second = piece.segment(0), piece.segment(1)
    assert second.attempt == -1
    assert second.copied_notes == 0
    assert second.score.key == second.plan.key
    assert len(second.score.voices[3].notes) == len(first.score.voices[3].notes)
    with pytest.raises(RequestError, match="try another seed"):
        EndlessPiece(model, 5, lambda score: 99, effort=0).segment(0)


def test_few_segments_stay_in_memory(model: ArrayModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqmusic.generation.endless.segments._N_KEPT", 9)
    piece = EndlessPiece(model, 2, no_copies, effort=0)
    for number in range(11):
        piece.segment(number)
    assert len(piece._segments) == 9


def test_running_figures_are_shares(model: ArrayModel) -> None:
    figures = RunningFigures()
    assert figures.shares() == dict.fromkeys(FIGURES, 0.0)
    figures.add(EndlessPiece(model, 2, no_copies, effort=0).segment(0).score)
    shares = figures.shares()
    assert shares["parallels"] == 0
    assert 0.3 < shares["steps"] < 1
