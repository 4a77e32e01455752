"""Passages of works, and what is charged of their continuations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqmusic.alignment.optimization import (
    PreferencePair,
    align_round,
    frozen_copy,
    log_probabilities,
)
from seqmusic.alignment.passages import (
    MODEL_ALONE,
    Continued,
    continue_passage,
    draw_passages,
    first_passage,
)
from seqmusic.alignment.settings import AlignmentSettings
from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.held_out import grammar_masks_for
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import make_vocabulary
from seqmusic.score import TICKS_PER_QUARTER, Score
from seqmusic.tokens.tokenizer import encode, trace
from seqmusic.tokens.vocabulary import is_note_event


@pytest.fixture(scope="module")
def works(small_dataset: Dataset) -> list[Score]:
    return [work.score for work in small_dataset.works_in("train")]


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(0)
    vocabulary = make_vocabulary(marks_phrases=True)
    return Transformer(ModelSettings(width=16, layers=1, heads=2, dropout=0.5), vocabulary).eval()


@pytest.fixture(scope="module")
def candidates(model: Transformer, works: list[Score]) -> list[Continued]:
    (passage,) = draw_passages(works, 1, 4, 5)
    return continue_passage(model, passage, replace(MODEL_ALONE, n=3))


def test_passages_end_at_their_cuts_and_alternate(works: list[Score]) -> None:
    passages = draw_passages(works, 5, 4, 1)
    assert passages == draw_passages(works, 5, 4, 1)
    assert passages != draw_passages(works, 5, 4, 2)
    for one in passages:
        assert one.end_ticks in [bar.end_ticks for bar in one.work.bars()]
        assert 8 <= one.end_ticks / TICKS_PER_QUARTER <= 24
        assert one.work.end_ticks == one.end_ticks + 4 * TICKS_PER_QUARTER
    assert len({passage.work.sliced(0, 96) for passage in passages}) > 1
    assert draw_passages(works, 5, 999, 1) == []


def test_a_work_with_too_few_bars_has_no_first_passage(works: list[Score]) -> None:
    assert first_passage(works[0], 2, 2) is not None
    assert first_passage(works[0], 2, 99) is None


def test_only_composed_events_are_charged(candidates: list[Continued]) -> None:
    for one in candidates:
        charged = one.sequence.events[1:][one.sequence.is_scored[:-1]]
        n_notes = sum(is_note_event(int(sound)) for sound, _ in charged)
        n_composed = sum(len(voice.notes) for voice in one.passage.voices)
        assert n_composed <= n_notes <= len(charged)  # rests and ties are events, too
        assert len(charged) < 0.7 * len(one.sequence.events)


def test_training_raises_the_margin_of_its_pairs_and_leaves_the_reference(
    model: Transformer, candidates: list[Continued], works: list[Score]
) -> None:
    pair = PreferencePair(candidates[0].sequence, candidates[1].sequence)
    aligned, masks = frozen_copy(model), grammar_masks_for(model)
    anchors = [trace(encode(work)) for work in works[:2]]
    settings = AlignmentSettings(steps=6, pairs=1, learning_rate=1e-2)
    steps = list(align_round(aligned, [pair], lambda step: anchors, settings, masks))
    assert [step.step for step in steps] == [1, 2, 3, 4, 5, 6]
    assert steps[0].loss == pytest.approx(np.log(2), abs=1e-4)  # both equal the reference
    sides = [pair.chosen, pair.rejected]
    before, after = (log_probabilities(one, sides, masks) for one in (model, aligned))
    changes = (after - before).tolist()
    assert changes[0] > changes[1]


def test_training_is_the_same_twice(
    model: Transformer, candidates: list[Continued], works: list[Score]
) -> None:
    pair = PreferencePair(candidates[0].sequence, candidates[1].sequence)
    anchors, masks = [trace(encode(works[0]))], grammar_masks_for(model)
    settings = AlignmentSettings(steps=2, pairs=2)
    losses = [
        [
            step.loss
            for step in align_round(
                frozen_copy(model), [pair], lambda step: anchors, settings, masks
            )
        ]
        for _ in range(2)
    ]
    assert losses[0] == losses[1]
