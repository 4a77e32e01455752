"""Pieces on disk are those in memory; damaged files are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CorpusError, FormatError
from seqmusic.runs.data import TrainingData, draw_batch
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES
from seqmusic.score import Note, melody
from seqmusic.tokens.piece_files import load_pieces, save_pieces
from seqmusic.tokens.pieces import pack_scores, packed_columns
from seqmusic.training.settings import TrainingSettings


def test_pieces_on_disk_are_those_in_memory(tmp_path: Path, chorales: Dataset) -> None:
    subsample = [work.score for work in chorales.works_in("train")[:23]]
    chunks = (packed_columns(subsample[start : start + 7]) for start in range(0, 23, 7))
    save_pieces(chunks, tmp_path / "pieces")
    on_disk, in_memory = load_pieces(tmp_path / "pieces"), pack_scores(subsample)
    assert on_disk.checksum() == in_memory.checksum()
    settings = TrainingSettings(batch_size=4)
    for step in range(12):
        first, second = (
            draw_batch(TrainingData(pieces, DEFAULT_MAX_VOICES), settings, step)
            for pieces in (on_disk, in_memory)
        )
        for a, b in zip(first, second, strict=True):
            assert np.array_equal(a.events, b.events)
            assert np.array_equal(a.context, b.context)


def test_only_what_is_taken_is_read(tmp_path: Path) -> None:
    save_pieces([packed_columns([melody([Note(0, 24, 60)])])], tmp_path / "pieces")
    pieces = load_pieces(tmp_path / "pieces")
    assert isinstance(pieces._columns.pitch, np.memmap)
    assert not isinstance(pieces.take([0]).pitch, np.memmap)


def test_damaged_pieces_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "pieces"
    save_pieces([packed_columns([melody([Note(0, 24, 60), Note(24, 24, 62)])])], folder)
    with pytest.raises(FormatError, match="cannot be written"):
        save_pieces([], folder)
    whole = (folder / "pitch.npy").read_bytes()
    for data in (b"", whole[:60], whole[:-1], b"x" * 200):
        (folder / "pitch.npy").write_bytes(data)
        message = r"pitch\.npy: missing or damaged .* prepare the data again"
        with pytest.raises(CorpusError, match=message):
            load_pieces(folder)
    np.save(folder / "pitch.npy", np.zeros(1, np.int8))
    with pytest.raises(CorpusError, match="do not fit together; prepare the data again"):
        load_pieces(folder)
    (folder / "pitch.npy").unlink()
    with pytest.raises(CorpusError, match=r"pitch\.npy: missing or damaged"):
        load_pieces(folder)
