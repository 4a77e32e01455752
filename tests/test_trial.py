"""A trial keeps the weights of its best evaluation."""

from dataclasses import replace

import numpy as np
import pytest
from small_runs import TINY

from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.held_out import score_held_out
from seqmusic.experiments.study import pieces_of_split
from seqmusic.experiments.trial import train_new_model
from seqmusic.runs.data import draw_batch, training_data


def test_a_trial_keeps_the_weights_of_its_best_evaluation(small_dataset: Dataset) -> None:
    data = training_data(small_dataset.works_in("train"))
    pieces = pieces_of_split(small_dataset, "valid")
    settings = replace(
        TINY.training,
        steps=6,
        evaluate_every=1,
        learning_rate=0.5,  # so large that the loss rises again
        schedule="constant",
        averaging=0.0,
        given_share=0.0,
    )
    model, trial = train_new_model(replace(TINY, training=settings), data, pieces)
    assert trial.best.nats_per_cell < trial.curve[-1].nats_per_cell
    assert score_held_out(model, pieces).nats_per_cell == pytest.approx(trial.best.nats_per_cell)
    n_events = [
        sum(len(trace.events) - 1 for trace in draw_batch(data, settings, step))
        for step in range(6)
    ]
    assert [point.positions for point in trial.curve] == np.cumsum(n_events).tolist()


def test_a_batch_holds_all_works_if_they_are_fewer(small_dataset: Dataset) -> None:
    data = training_data(small_dataset.works_in("train")[:2])
    settings = replace(TINY.training, batch_size=3)
    assert [len(draw_batch(data, settings, step)) for step in range(6)] == [2] * 6
