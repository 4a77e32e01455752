"""The n-gram: counts worked out by hand, and distributions that sum to one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqmusic.baselines.ngram import Counts, NGram, combine_viewpoints, ngram_nats
from seqmusic.baselines.viewpoints import MAX_ORDER, scored_examples
from seqmusic.score import SATB, Key, Note, Score, Voice, melody
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.tokenizer import Trace, encode, encode_prompt, trace


def chorale(seed: int, n_quarters: int = 12, has_rests: bool = True) -> Score:
    rng = np.random.default_rng(seed)
    voices = []
    for name, center in zip(SATB, (71, 65, 59, 50), strict=True):
        pitches = center + rng.integers(-4, 5, n_quarters)
        kept = [
            quarter
            for quarter in range(n_quarters)
            if not has_rests or rng.random() < 0.9 or quarter == n_quarters - 1
        ]
        ticks = rng.choice([12, 24], n_quarters) if has_rests else np.full(n_quarters, 24)
        notes = (Note(24 * q, int(ticks[q]), int(pitches[q])) for q in kept)
        voices.append(Voice(name, tuple(notes)))
    return Score(tuple(voices), key=Key(1, "major"))


def trace_of(score: Score) -> Trace:
    return trace(encode(score))


def test_method_c_by_hand() -> None:
    counts = Counts(4)
    for symbol in (0, 0, 1):
        counts.add(("a",), symbol)
    counts.add(("b",), 2)
    shortest = (np.array([2, 1, 1, 0]) + 3 / 4) / 7
    assert counts.probabilities(("c",)) == pytest.approx(shortest)
    after_a = (np.array([2, 1, 0, 0]) + 2 * shortest) / 5
    assert counts.probabilities(("a",)) == pytest.approx(after_a)


def test_the_surer_viewpoint_has_more_weight() -> None:
    sure, unsure = [0.98, 0.01, 0.01], [0.3, 0.4, 0.3]
    combined = combine_viewpoints(np.array([sure, unsure]), np.ones(3, dtype=bool))
    assert combined[0] > (sure[0] + unsure[0]) / 2
    assert combined.sum() == pytest.approx(1)


@pytest.mark.parametrize("has_prompt", [False, True])
def test_masked_distributions_sum_to_one(has_prompt: bool) -> None:
    score = chorale(3)
    holes = [[], [(0, score.end_ticks)], [], [(0, score.end_ticks)]] if has_prompt else None
    held_out = trace(encode(score, holes))
    sounds, durations = NGram(map(trace_of, map(chorale, range(3)))).distributions(held_out)
    rules = held_out.rules[held_out.is_scored]
    assert len(sounds) == len(durations) == held_out.is_scored.sum()
    assert sounds.sum(axis=1) == pytest.approx(1)
    assert durations.sum(axis=1) == pytest.approx(1)
    assert np.array_equal(sounds > 0, sound_masks(4)[rules[:, 0]])
    assert np.array_equal(durations > 0, duration_masks()[rules[:, 1]])


def test_nats_agree_with_the_distributions() -> None:
    training, held_out = [trace_of(chorale(1))], trace_of(chorale(2))
    sounds, durations = NGram(training).distributions(held_out)
    rows = np.flatnonzero(held_out.is_scored)
    targets = held_out.events[rows + 1]
    by_hand = -sum(
        math.log(sounds[i, sound] * durations[i, duration])
        for i, (sound, duration) in enumerate(targets)
    )
    assert ngram_nats(training, [held_out]) == pytest.approx([by_hand])


def test_counted_music_is_likely_in_every_key() -> None:
    piece, other = chorale(1, has_rests=False), chorale(2, has_rests=False)
    known, moved, unknown = ngram_nats(
        [trace_of(piece)], [trace_of(piece), trace_of(piece.transposed(-2)), trace_of(other)]
    )
    assert known < unknown / 2
    assert moved < unknown / 2  # only the first notes depend on the absolute pitch


def test_viewpoints_see_only_the_past() -> None:
    whole = trace_of(chorale(5))
    cut = len(whole.events) // 2
    part = Trace(
        whole.events[:cut],
        whole.context[:cut],
        whole.rules[:cut],
        whole.is_scored[:cut],
        whole.ticks[:cut],
    )
    examples, all_examples = list(scored_examples(part)), list(scored_examples(whole))
    assert examples == all_examples[: len(examples)]
    assert all(
        len(items) <= MAX_ORDER
        for example in all_examples
        for items in (*example.sound_viewpoints, *example.duration_viewpoints)
    )


def test_only_the_header_of_a_prompt_is_scored() -> None:
    score = chorale(1)
    prompt = trace(encode_prompt(score, [[], [], [], [(0, score.end_ticks)]]))
    assert [e.sound for e in scored_examples(prompt)] == prompt.events[5:8, 0].tolist()


def test_voices_that_training_lacks_are_predicted() -> None:
    solo = [trace_of(melody([Note(24 * q, 24, 60 + q) for q in range(8)]))]
    nats = ngram_nats(solo, [trace_of(chorale(1)), *solo])
    assert all(math.isfinite(n) and n > 0 for n in nats)
