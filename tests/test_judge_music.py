"""What a judge learns from, and its training in rounds."""

from pathlib import Path

import numpy as np

from seqmusic.benchmarks.held_out_tasks import CONTINUATION, HARMONIZATION, four_part_chorales
from seqmusic.corpus.dataset import Dataset
from seqmusic.experiments.judge_music import framed_pieces, judge_music, train_judge_in_rounds
from seqmusic.experiments.judge_training import JudgeSettings
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.request import Request
from seqmusic.runs.pretrained import load_array_model

DRAWN, SEARCHED = Request(n=2, effort=0), Request(n=1, effort=1)


def test_each_round_adds_a_network_and_is_measured_on_held_out_works(chorales: Dataset) -> None:
    model = load_array_model(Path("chorales"), compiled=False)
    train, valid = (four_part_chorales(chorales, (split,)) for split in ("train", "valid"))
    works = sorted(train, key=lambda work: work.score.end_ticks)[:2]
    settings = JudgeSettings(hidden=3, steps=4)
    rounds = list(train_judge_in_rounds(model, works, valid[:1], [DRAWN, SEARCHED], settings))
    assert [len(judge.bias) for judge, _ in rounds] == [3, 6]
    (first, _), (second, accuracies) = rounds
    assert (second.embedding[:, :3] == first.embedding).all()
    assert set(accuracies) == {CONTINUATION, HARMONIZATION}
    assert all(0 <= auc <= 1 for auc in accuracies.values())


def test_what_was_given_does_not_count(chorales: Dataset) -> None:
    model = load_array_model(Path("chorales"), compiled=False)
    works = four_part_chorales(chorales, ("valid",))[:1]
    continued = judge_music(model, works, CONTINUATION, DRAWN)
    harmonized = judge_music(model, works, HARMONIZATION, DRAWN)
    assert (len(continued.bach), len(continued.composed)) == (1, 2)
    (bach,), composed = continued.bach, continued.composed
    assert all(piece.first == bach.first > 0 for piece in composed)
    assert all(
        (piece.frames[: bach.first - 1] == bach.frames[: bach.first - 1]).all()
        for piece in composed
    )
    assert all(piece.first == 0 for piece in harmonized.composed)
    assert not np.array_equal(harmonized.composed[0].frames, bach.frames)


def test_music_in_other_than_four_voices_is_left_out() -> None:
    assert framed_pieces([parse_theme("C4 D4 E4")], 0) == []
