"""Trees as predictors: proper distributions over what the grammar allows, the same in every key."""

import numpy as np
import pytest

from seqmusic.baselines.ngram import NGram
from seqmusic.baselines.trees import ONE_TREE, Trees, TreeSettings
from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.assessment import baseline_predictions
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.vocabulary import KEY, PITCH


@pytest.fixture(scope="module")
def pieces(chorales: Dataset) -> EncodedPieces:
    return encode_pieces(
        [
            work.score
            for work in sorted(chorales.works_in("train"), key=lambda work: work.score.n_notes)[:8]
        ]
    )


@pytest.mark.parametrize("settings", [ONE_TREE, TreeSettings(n_trees=3)])
def test_probabilities_sum_to_one_over_what_is_allowed(
    pieces: EncodedPieces, settings: TreeSettings
) -> None:
    trees = Trees(pieces.traces[:6], settings)
    for trace in pieces.traces:
        rules = trace.rules[np.flatnonzero(trace.is_scored)]
        for said, allowed in (
            (trees.sound_probabilities(trace), sound_masks(DEFAULT_MAX_VOICES)[rules[:, 0]]),
            (trees.duration_probabilities(trace), duration_masks()[rules[:, 1]]),
        ):
            assert said.sum(axis=1) == pytest.approx(np.ones(len(rules)))
            assert (said > 0).tolist() == allowed.tolist()
    assert trees.size > 2 * settings.n_trees


def test_what_was_grown_on_is_known_better_than_other_pieces(pieces: EncodedPieces) -> None:
    trees = Trees(pieces.traces[:4], TreeSettings(n_trees=4, min_samples_leaf=1))
    parts = (pieces.traces[:4], pieces.traces[4:])
    nats = [[baseline_predictions(trees, trace).event_scores().nats for trace in part] for part in parts]
    known, other = (float(np.concatenate(own).mean()) for own in nats)
    assert known < 0.5 * other


def test_notes_are_predicted_alike_in_every_key(pieces: EncodedPieces) -> None:
    trees, score = Trees(pieces.traces[:6], ONE_TREE), pieces.scores[7]
    shift = 2
    one, other = (encode_pieces([own]).traces[0] for own in (score, score.transposed(shift)))
    rows = np.flatnonzero(one.is_scored)
    key = next(
        i for i, row in enumerate(rows) if one.context[row, 1]
    )  # the first note; before it stand meter, pickup and key
    later = slice(key + 20, None)  # the first notes know nothing but the key
    same, moved = (
        trees.sound_probabilities(one)[later, PITCH:KEY],
        trees.sound_probabilities(other)[later, PITCH:KEY],
    )
    agree = np.isclose(same[:, 30:90], moved[:, 30 + shift : 90 + shift], atol=0.05).all(axis=1)
    assert agree.mean() > 0.5  # the key itself may be asked about


def test_scores_of_events_agree_with_the_likelihood(pieces: EncodedPieces) -> None:
    ngram, trace = NGram(pieces.traces[:6]), pieces.traces[7]
    assert baseline_predictions(ngram, trace).event_scores().nats.sum() == pytest.approx(
        ngram.nats(trace)
    )


def test_nothing_to_grow_on() -> None:
    with pytest.raises(ValueError, match="one piece or more"):
        Trees([])
