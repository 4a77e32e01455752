"""What the shards record of their pieces, without the scores: enough to select among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from seqmusic.corpus.dataset import Work
from seqmusic.corpus.file_names import unique_piece_names
from seqmusic.corpus.folders.shards import Shard
from seqmusic.corpus.selection.candidates import Candidates
from seqmusic.corpus.similarity.duplicates import Outline
from seqmusic.corpus.similarity.pairs import DigestTable
from seqmusic.score import Score

_NO_SCORE = Score(())


@dataclass(frozen=True, slots=True)
class ShardPieces:
    """The pieces of all shards, in the order of the shards.

    Attributes:
        works: each without its score, but with its style, and the reason if it is dropped already.
        titles: title of each work.
        figures: of each work, its columns of the table that describe the music.
        end_ticks: length of each work.
        outlines: outline of each work.
        n_tune_digests: of each work.
        voices: names of all voices of the works that are not dropped.
    """

    works: list[Work] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    figures: list[tuple[object, ...]] = field(default_factory=list)
    end_ticks: list[int] = field(default_factory=list)
    outlines: list[Outline] = field(default_factory=list)
    n_tune_digests: list[int] = field(default_factory=list)
    voices: set[str] = field(default_factory=set)

    def append(self, piece: Mapping[str, Any], style: str) -> None:
        """Add a piece, given its metadata."""
        self.works.append(Work("", _NO_SCORE, reason=piece["reason"], style=style))
        self.titles.append(piece["title"])
        self.figures.append(tuple(piece["about"].values()))
        self.end_ticks.append(piece["end_ticks"])
        signature = bytes.fromhex(piece["signature"])
        self.outlines.append(Outline(signature, piece["lowest"], piece["n_shingles"]))
        self.n_tune_digests.append(piece["n_tune"])
        if not piece["reason"]:
            self.voices.update(piece["voices"])


def read_shard_pieces(shards: Sequence[Path], styles: Mapping[str, str]) -> ShardPieces:
    """The pieces of all shards, given the style of each file that has one.

    Raises:
        CorpusError: a shard is damaged.
    """
    found = ShardPieces()
    for path in shards:
        for file in Shard(path).file_metadata():
            for piece in file["pieces"]:
                found.append(piece, styles.get(file["name"], ""))
    for number, name in enumerate(work_names(shards)):
        found.works[number] = replace(found.works[number], name=name)
    return found


def work_names(shards: Sequence[Path]) -> list[str]:
    """The name of each piece, in the order of the shards."""
    return unique_piece_names(
        [
            (file["name"], len(file["pieces"]))
            for path in shards
            for file in Shard(path).file_metadata()
        ]
    )


def candidates_in_shards(pieces: ShardPieces, shards: Sequence[Path]) -> Candidates:
    """The pieces as candidates for the selection; their digests stay on disk."""
    n_shingles = [outline.n_shingles for outline in pieces.outlines]
    return Candidates(
        pieces.works,
        pieces.end_ticks,
        pieces.outlines,
        lambda: _digest_tables(shards, "shingle", n_shingles),
        lambda: _digest_tables(shards, "tune", pieces.n_tune_digests),
        sum(pieces.n_tune_digests),
    )


def _digest_tables(
    shards: Sequence[Path], kind: str, counts: Sequence[int]
) -> Iterator[DigestTable]:
    """The digests of one kind, shard by shard; `counts` has the number of each piece."""
    first = 0
    for path in shards:
        shard = Shard(path)
        (digest,) = shard.arrays(kind)
        if kind == "shingle":
            lowest = shard.arrays("shingle_lowest")[0].astype(np.int64)
        else:
            lowest = np.zeros(len(digest), np.int64)
        end = first + len(shard.piece_metadata())
        work = np.repeat(np.arange(first, end), counts[first:end])
        first = end
        yield DigestTable(work, digest, lowest)
