"""Digests alone show whether a piece was trained on."""

from pathlib import Path

import numpy as np
import pytest

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.similarity.fingerprints import (
    FINGERPRINTS_FILE,
    fingerprints,
    known_pieces,
    read_fingerprints,
    write_fingerprints,
)
from seqmusic.errors import CheckpointError


def test_the_split_of_the_corpus_shares_no_piece(chorales: Dataset) -> None:
    training = [work.score for work in chorales.works_in("train")[:60]]
    held_out = [work.score for work in chorales.works_in("test")[:20]]
    assert known_pieces(fingerprints(training), held_out) == []
    transposed = [held_out[0], training[7].transposed(2), held_out[1], training[0]]
    assert known_pieces(fingerprints(training), transposed) == [1, 3]


def test_written_fingerprints_are_read_back(chorales: Dataset, tmp_path: Path) -> None:
    scores = [work.score for work in chorales.works_in("train")[:3]]
    write_fingerprints(fingerprints(scores), tmp_path)
    assert np.array_equal(read_fingerprints(tmp_path), fingerprints(scores))
    (tmp_path / FINGERPRINTS_FILE).write_bytes(b"\x93NUMPY nothing")
    with pytest.raises(CheckpointError, match="missing or damaged"):
        read_fingerprints(tmp_path)
    np.save(tmp_path / FINGERPRINTS_FILE, np.zeros(3))
    with pytest.raises(CheckpointError, match="holds no fingerprints"):
        read_fingerprints(tmp_path)
