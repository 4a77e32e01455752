"""Composing with effort: what is searched, what repeats, and when nothing is searched."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqmusic.formats.theme import parse_theme
from seqmusic.generation.completion import Candidate
from seqmusic.generation.composing import compose_candidates, continuation, stream
from seqmusic.generation.prompts import continuation_prompt, harmonization_prompt
from seqmusic.generation.request import Request
from seqmusic.generation.search.judge import judge_from_arrays
from seqmusic.generation.search.ranking import authentic_ending, judgment, likelihood, ranked
from seqmusic.generation.search.searching import search_of
from seqmusic.generation.task import Task, json_to_run, run_to_json
from seqmusic.metrics.phrases import cadences
from seqmusic.model.decoding.packed_model import ArrayModel
from seqmusic.runs.pretrained import load_array_model
from seqmusic.score import Key

MELODY = parse_theme("E5:1/8 D5:1/8 C5:1/4 D5:1/4 B4:1/4 | C5:1/1", key=Key(0, "major"))
EFFORT = Request(n=2, effort=1, seed=3)


@pytest.fixture(scope="module")
def model() -> ArrayModel:
    return load_array_model(Path("chorales"), compiled=False)


def test_a_seed_repeats_its_result_whatever_the_number_of_candidates(model: ArrayModel) -> None:
    prompt = harmonization_prompt(MELODY)
    two = compose_candidates(model, prompt, EFFORT)
    assert [one.score for one in compose_candidates(model, prompt, EFFORT)] == [
        one.score for one in two
    ]
    (alone,) = compose_candidates(model, prompt, replace(EFFORT, n=1))
    assert alone.score in [one.score for one in two]
    assert len({one.score for one in two}) == 2
    for one in two:
        pitches = [note.pitch for note in one.score.voices[0].notes]
        assert pitches == [note.pitch for note in MELODY.voices[0].notes]


def test_searched_music_convinces_the_judge_more_than_drawn_music(model: ArrayModel) -> None:
    assert model.judge is not None
    judge, prompt = judge_from_arrays(model.judge), continuation_prompt(MELODY, 5)
    means = [
        np.mean(
            [
                judge.mean_log_odds(candidate.score)
                for candidate in compose_candidates(model, prompt, Request(n=4, effort=effort))
            ]
        )
        for effort in (0, 1)
    ]
    assert means[1] > means[0]


def test_candidates_are_ranked_by_likelihood_and_judge(model: ArrayModel) -> None:
    prompt = harmonization_prompt(MELODY)
    search = search_of(model, prompt, EFFORT, 0)
    assert search is not None
    sums = [
        sum(term(one) for term in search.terms) for one in compose_candidates(model, prompt, EFFORT)
    ]
    assert sums == sorted(sums, reverse=True)


def test_a_cadence_at_the_end_is_worth_more_than_likelihood(model: ArrayModel) -> None:
    drawn = compose_candidates(model, continuation_prompt(MELODY, 4), Request(n=9, effort=0))
    endings = [cadences(one.score)[-1] == "authentic" for one in drawn]
    assert 0 < sum(endings) < len(drawn)
    searched = ranked(drawn, [lambda one: likelihood(one) / 100, authentic_ending])
    assert [cadences(one.score)[-1] == "authentic" for one in searched] == sorted(endings)[::-1]


def test_a_term_of_the_caller_counts(model: ArrayModel) -> None:
    drawn = compose_candidates(model, harmonization_prompt(MELODY), Request(n=5, effort=0))
    assert ranked([*drawn, *drawn]) == ranked(drawn, [likelihood]) == drawn
    lowest_bass = ranked(
        drawn, [likelihood, lambda one: -1000.0 * one.score.voices[3].notes[0].pitch]
    )
    basses = [one.score.voices[3].notes[0].pitch for one in lowest_bass]
    assert basses == sorted(basses)


def test_a_term_of_the_caller_chooses_from_the_population(model: ArrayModel) -> None:
    def low(candidate: Candidate) -> float:
        return -1000.0 * sum(note.pitch for note in candidate.score.voices[3].notes)

    prompt = harmonization_prompt(MELODY)
    chosen = compose_candidates(model, prompt, EFFORT, terms=[low])
    others = compose_candidates(model, prompt, EFFORT)
    assert [low(one) for one in chosen] == sorted((low(one) for one in chosen), reverse=True)
    assert sum(low(one) for one in chosen) > sum(low(one) for one in others)


def test_nothing_is_searched_without_effort_judge_key_or_voices(model: ArrayModel) -> None:
    prompt = harmonization_prompt(MELODY)
    assert search_of(model, prompt, EFFORT, 0) is not None
    assert search_of(model, prompt, replace(EFFORT, effort=0), 0) is None
    assert search_of(model, prompt, replace(EFFORT, temperature=0), 0) is None
    assert search_of(replace(model, judge=None), prompt, EFFORT, 0) is None
    assert search_of(model, harmonization_prompt(replace(MELODY, key=None)), EFFORT, 0) is None
    assert search_of(model, continuation_prompt(MELODY, 4, "melody"), EFFORT, 0) is None


def test_a_stream_has_the_notes_of_the_search(model: ArrayModel) -> None:
    request = Request(n=1, effort=1, seed=5)
    (candidate,) = continuation(model, MELODY, request, bars=3)
    notes = list(stream(model, MELODY, request, bars=3))
    assert [note.onset_ticks for _, note in notes] == sorted(note.onset_ticks for _, note in notes)
    for voice in candidate.score.voices:
        n_given = len(MELODY.voices[0].notes) if voice.name == "Soprano" else 0
        composed = list(voice.notes[n_given:])
        assert [note for name, note in notes if name == voice.name] == composed


def test_a_constraint_holds_in_a_search(model: ArrayModel) -> None:
    request = Request(n=1, effort=1, strict=True, scale=True, compass=("bass=C3-C4",))
    (candidate,) = continuation(model, MELODY, request, bars=4)
    assert all(48 <= note.pitch <= 60 for note in candidate.score.voices[3].notes)
    assert {note.pitch % 12 for voice in candidate.score.voices for note in voice.notes} <= {
        *(0, 2, 4, 5, 7, 9, 11)
    }
    assert candidate.score.voices[3].notes[-1].pitch % 12 == 0


def test_effort_is_bounded_and_repeated_by_a_replay() -> None:
    with pytest.raises(ValueError, match=r"effort must be in 0\.\.3, got 4"):
        Request(effort=4)
    text = run_to_json(Task(name="harmonize"), MELODY, "chorales", Request(effort=3))
    assert json_to_run(text)[3].effort == 3
    old = text.replace(', "effort": 3', "")
    assert old != text
    assert json_to_run(old)[3].effort == 0


def test_judgment_is_a_term_with_a_weight(model: ArrayModel) -> None:
    assert model.judge is not None
    judge = judge_from_arrays(model.judge)
    (candidate,) = compose_candidates(model, harmonization_prompt(MELODY), Request(n=1, effort=0))
    assert judgment(judge, 2.0)(candidate) == 2 * judge.mean_log_odds(candidate.score) != 0
