"""Trees as predictors: distributions over what the grammar allows, the same in every key."""

import numpy as np
import pytest

from seqmusic.baselines.ngram import NGram
from seqmusic.baselines.predictions import baseline_predictions
from seqmusic.baselines.trees import ONE_TREE, Trees, TreeSettings
from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES
from seqmusic.tokens.context import VOICE_COLUMN
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.vocabulary import KEY, PITCH


@pytest.fixture(scope="module")
def pieces(chorales: Dataset) -> EncodedPieces:
    scores = sorted(
        (work.score for work in chorales.works_in("train")), key=lambda score: score.n_notes
    )
    return encode_pieces(scores[:8])


@pytest.mark.parametrize("settings", [ONE_TREE, TreeSettings(n_trees=3)])
def test_distributions_sum_to_one_over_what_is_allowed(
    pieces: EncodedPieces, settings: TreeSettings
) -> None:
    trees = Trees(pieces.traces[:6], settings)
    for trace in pieces.traces:
        sound_rules, duration_rules = trace.rules[trace.is_scored].T
        sounds, durations = trees.distributions(trace)
        for probabilities, allowed in (
            (sounds, sound_masks(DEFAULT_MAX_VOICES)[sound_rules]),
            (durations, duration_masks()[duration_rules]),
        ):
            assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(allowed)))
            assert np.array_equal(probabilities > 0, allowed)
    assert trees.size > 2 * settings.n_trees


def test_training_pieces_are_likelier_than_others(pieces: EncodedPieces) -> None:
    trees = Trees(pieces.traces[:4], TreeSettings(n_trees=4, min_samples_leaf=1))
    known, other = (
        np.concatenate([baseline_predictions(trees, t).event_scores().nats for t in traces]).mean()
        for traces in (pieces.traces[:4], pieces.traces[4:])
    )
    assert known < 0.5 * other


def test_notes_have_the_same_probabilities_in_every_key(pieces: EncodedPieces) -> None:
    trees, score, shift = Trees(pieces.traces[:6], ONE_TREE), pieces.scores[7], 2
    original, moved = encode_pieces([score, score.transposed(shift)]).traces
    header_length = int(np.argmax(original.context[original.is_scored, VOICE_COLUMN] > 0))
    later = slice(header_length + 20, None)  # the first notes depend on the key alone
    a, b = (trees.distributions(trace)[0][later, PITCH:KEY] for trace in (original, moved))
    agree = np.isclose(a[:, 30:90], b[:, 30 + shift : 90 + shift], atol=0.05).all(axis=1)
    assert agree.mean() > 0.5  # the trees may split on the key


def test_scores_of_events_agree_with_the_likelihood(pieces: EncodedPieces) -> None:
    ngram, trace = NGram(pieces.traces[:6]), pieces.traces[7]
    nats = baseline_predictions(ngram, trace).event_scores().nats
    assert nats.sum() == pytest.approx(ngram.nats(trace))


def test_trees_need_training_pieces() -> None:
    with pytest.raises(ValueError, match="one piece or more"):
        Trees([])
