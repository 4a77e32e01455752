"""The most and least surprising passages, and their explanations."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from assessments import DUET, scores_with_nats, small_corpus, subject_of

from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.assessment import Assessment, assess
from seqmusic.evaluation.held_out import encode_pieces, grammar_masks_for
from seqmusic.evaluation.surprising_passages import (
    explain_passage,
    extreme_passages,
    two_bar_passages,
)
from seqmusic.metrics.likelihood import score_events
from seqmusic.report.passages import passage_sections
from seqmusic.score import Note, melody


@pytest.fixture(scope="module")
def assessment(chorales: Dataset) -> Assessment:
    return assess(subject_of(Path("chorales"), "test", small_corpus(chorales)))


def test_passages_are_two_whole_bars_without_the_pickup() -> None:
    (trace,) = encode_pieces([DUET]).traces
    rows = np.flatnonzero(trace.is_scored)
    bits = np.where(trace.ticks[rows] >= 96, 2, 1)  # 96 is the second bar
    scores = scores_with_nats(rows, bits * math.log(2))
    (passage,) = two_bar_passages(7, DUET, trace, scores)  # bars 2 and 3 have too few notes
    assert (passage.work, passage.bars) == (7, (1, 2))
    assert (passage.onset_ticks, passage.end_ticks, passage.n_notes) == (24, 168, 7)
    # Four notes of the soprano and one of the bass in bar 1, one of each in bar 2.
    assert passage.bits == pytest.approx(5 * 1 + 2 * 2)


def test_a_note_held_into_a_passage_is_given(assessment: Assessment) -> None:
    model = assessment.subject.model
    quarters = (Note(onset, 24, 65) for onset in range(144, 288, 24))
    score = melody([Note(0, 48, 69), Note(48, 96, 67), *quarters])
    (trace,) = encode_pieces([score]).traces
    (event_scores,) = score_events(model, [trace], grammar_masks_for(model))
    passages = {p.bars: p for p in two_bar_passages(0, score, trace, event_scores)}
    excerpt, explanation = explain_passage(model, score, passages[2, 3])
    assert excerpt.voices[0].notes[:2] == (Note(0, 48, 67), Note(48, 24, 65))
    assert excerpt.end_ticks == 192
    assert [event.is_given for event in explanation.events] == [True] + [False] * 6
    bits = sum(event.bits for event in explanation.events)
    assert bits == pytest.approx(passages[2, 3].bits, rel=1e-4)


def test_extreme_passages_are_of_different_works_and_in_order(assessment: Assessment) -> None:
    most, least = extreme_passages(assessment, n=2)
    for passages in (most, least):
        assert len({passage.work for passage in passages}) == 2
    found = [passage.bits_per_note for passage in (*most, *reversed(least))]
    assert found == sorted(found, reverse=True)
    pieces = assessment.pieces
    rows = zip(pieces.scores, pieces.traces, assessment.event_scores, strict=True)
    every = [
        passage.bits_per_note
        for work, row in enumerate(rows)
        for passage in two_bar_passages(work, *row)
    ]
    assert (found[0], found[-1]) == (max(every), min(every))


def test_a_passage_is_described(assessment: Assessment) -> None:
    pytest.importorskip("matplotlib")
    most, least = passage_sections(assessment, n=1)
    assert (most.name, least.name) == ("most_surprising", "least_surprising")
    (record,) = most.tables[0].records()
    (excerpt,) = most.excerpts
    bars = f"bars {record['first_bar']}–{record['last_bar']}"
    assert excerpt.title == (
        f"1. {record['work']}, {bars}: {record['bits_per_note']:.1f} bits per note"
    )
    assert excerpt.caption.startswith(f"{record['notes']} notes, as if each had been chosen among ")
    assert re.search(
        r"Least expected: .* in the (soprano|alto|tenor|bass), bar \d+, beat \S+ \([\d.]+ bits\)",
        excerpt.caption,
    )
    worst = max(event.bits for event in excerpt.explanation.events if event.pitch is not None)
    assert f"({worst:.1f} bits)" in excerpt.caption
