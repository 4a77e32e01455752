"""The rivals: worked counts, and likelihoods that sum to one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from seqmusic.baselines.ngram import (
    MAX_ORDER,
    Counts,
    NGram,
    combine_viewpoints,
    ngram_nats,
    scored_examples,
)
from seqmusic.baselines.persistence import persistence_nats
from seqmusic.pitch_grid import count_cells
from seqmusic.score import SATB, Key, Note, Score, Voice, melody
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.tokenizer import Trace, encode, encode_prompt, trace


def chorale(seed: int, n_quarters: int = 12, has_rests: bool = True) -> Score:
    rng = np.random.default_rng(seed)
    voices = []
    for name, center in zip(SATB, (71, 65, 59, 50), strict=True):
        pitches = center + rng.integers(-4, 5, n_quarters)
        kept = [
            q
            for q in range(n_quarters)
            if not has_rests or rng.random() < 0.9 or q == n_quarters - 1
        ]
        ticks = rng.choice([12, 24], n_quarters) if has_rests else np.full(n_quarters, 24)
        voices.append(
            Voice(name, tuple(Note(24 * q, int(ticks[q]), int(pitches[q])) for q in kept))
        )
    return Score(tuple(voices), key=Key(1, "major"))


def trace_of(score: Score) -> Trace:
    return trace(encode(score))


def test_cells_count_rests_and_begun_steps() -> None:
    score = Score((Voice("Soprano", (Note(6, 7, 60),)), Voice("Alto", ())))
    assert count_cells(score) == 3 * 2
    assert count_cells(Score(())) == 0


def test_persistence_by_hand() -> None:
    held_out = melody([Note(0, 6, 60), Note(6, 6, 62), Note(12, 6, 62)])
    first = 1 / 129
    change = 1 / 2 * first / (1 - first)
    hold = 1 / 2
    assert persistence_nats([], [held_out]) == pytest.approx([-math.log(first * change * hold)])
    training = [melody([Note(0, 12, 60)])]
    first = 3 / 131  # two cells and the one added
    change = 1 / 3 * (1 / 131) / (1 - first)  # one hold was seen at this step
    assert persistence_nats(training, [held_out]) == pytest.approx(
        [-math.log(first * change * hold)]
    )


def test_persistence_is_a_likelihood() -> None:
    training = [melody([Note(0, 6, 60), Note(6, 12, 64)])]
    pairs = itertools.product(range(128), repeat=2)
    total = sum(
        math.exp(-n)
        for n in persistence_nats(
            training, [melody([Note(0, 6, a), Note(6, 6, b)]) for a, b in pairs]
        )
    )
    rest_first = sum(
        math.exp(-n)
        for n in persistence_nats(training, [melody([Note(6, 6, b)]) for b in range(128)])
    )
    ends_in_rest = _rest_share(training)
    assert total + rest_first + ends_in_rest == pytest.approx(1)


def _rest_share(training: list[Score]) -> float:
    """What two cells of which the second rests get: a second voice makes the piece long enough."""
    sounding = Voice("Alto", (Note(0, 12, 60),))
    lines = [Voice("Soprano", ()), *(Voice("Soprano", (Note(0, 6, a),)) for a in range(128))]
    alto = _nats_of_uniform_alto()
    return sum(
        math.exp(alto - n)
        for n in persistence_nats(training, [Score((line, sounding)) for line in lines])
    )


def _nats_of_uniform_alto() -> float:
    return -math.log(1 / 129 * 1 / 2)


def test_method_c_by_hand() -> None:
    counts = Counts(4)
    for symbol in (0, 0, 1):
        counts.add(("a",), symbol)
    counts.add(("b",), 2)
    shortest = (np.array([2, 1, 1, 0]) + 3 / 4) / 7
    assert counts.probabilities(("c",)) == pytest.approx(shortest)
    assert counts.probabilities(("a",)) == pytest.approx(
        (np.array([2, 1, 0, 0]) + 2 * shortest) / 5
    )


def test_the_surer_view_weighs_more() -> None:
    sure, unsure = [0.98, 0.01, 0.01], [0.3, 0.4, 0.3]
    mixed = combine_viewpoints(np.array([sure, unsure]), np.ones(3, dtype=bool))
    assert mixed[0] > (sure[0] + unsure[0]) / 2
    assert mixed.sum() == pytest.approx(1)


@pytest.mark.parametrize("has_prompt", [False, True])
def test_masked_probabilities_sum_to_one(has_prompt: bool) -> None:
    score = chorale(3)
    holes = [[], [(0, score.end_ticks)], [], [(0, score.end_ticks)]] if has_prompt else None
    held_out = trace(encode(score, holes))
    model = NGram([trace_of(chorale(seed)) for seed in range(3)])
    sounds, durations = model.sound_probabilities(held_out), model.duration_probabilities(held_out)
    rules = held_out.rules[held_out.is_scored]
    assert len(sounds) == len(durations) == held_out.is_scored.sum()
    assert sounds.sum(axis=1) == pytest.approx(1)
    assert durations.sum(axis=1) == pytest.approx(1)
    assert np.array_equal(sounds > 0, sound_masks(4)[rules[:, 0]])
    assert np.array_equal(durations > 0, duration_masks()[rules[:, 1]])


def test_nats_are_those_of_the_events_that_came() -> None:
    training, held_out = [trace_of(chorale(1))], trace_of(chorale(2))
    model = NGram(training)
    rows = np.flatnonzero(held_out.is_scored)
    sounds, durations = model.sound_probabilities(held_out), model.duration_probabilities(held_out)
    by_hand = -sum(
        math.log(sounds[i, held_out.events[row + 1, 0]] * durations[i, held_out.events[row + 1, 1]])
        for i, row in enumerate(rows)
    )
    assert ngram_nats(training, [held_out]) == pytest.approx([by_hand])


def test_what_was_seen_is_expected_in_every_key() -> None:
    piece, other = chorale(1, has_rests=False), chorale(2, has_rests=False)
    known, moved, unknown = ngram_nats(
        [trace_of(piece)], [trace_of(piece), trace_of(piece.transposed(-2)), trace_of(other)]
    )
    assert known < unknown / 2
    assert moved < unknown / 2  # only the first notes are told by their height


def test_contexts_look_back_only() -> None:
    whole = trace_of(chorale(5))
    cut = len(whole.events) // 2
    part = Trace(
        whole.events[:cut],
        whole.context[:cut],
        whole.rules[:cut],
        whole.is_scored[:cut],
        whole.ticks[:cut],
    )
    assert (
        list(scored_examples(part))
        == list(scored_examples(whole))[: len(list(scored_examples(part)))]
    )
    assert all(
        len(items) <= MAX_ORDER
        for m in scored_examples(whole)
        for items in (*m.sound_viewpoints, *m.duration_viewpoints)
    )


def test_a_prompt_alone_costs_only_its_header() -> None:
    score = chorale(1)
    prompt = trace(encode_prompt(score, [[], [], [], [(0, score.end_ticks)]]))
    assert [m.sound for m in scored_examples(prompt)] == [int(s) for s in prompt.events[5:8, 0]]


def test_voices_beyond_the_training_are_predicted() -> None:
    solo = [trace_of(melody([Note(24 * q, 24, 60 + q) for q in range(8)]))]
    nats = ngram_nats(solo, [trace_of(chorale(1)), *solo])
    assert all(math.isfinite(n) and n > 0 for n in nats)
