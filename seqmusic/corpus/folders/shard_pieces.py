"""Which of the pieces in shards are kept, and where in the split they go: by columns of digests, a part at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from seqmusic.corpus.selection.cleaning import CleaningRules, duplicate_reason, preference_key
from seqmusic.corpus.dataset import Work, natural_sort_key
from seqmusic.corpus.folders.shards import Shard
from seqmusic.corpus.similarity.duplicates import Outline, find_duplicates
from seqmusic.corpus.similarity.families import families_of, similar_pairs
from seqmusic.corpus.similarity.pairs import DigestTable, Ints, linked_pairs, shared_pairs
from seqmusic.corpus.selection.split import Shares, split_works
from seqmusic.score import Score

_NO_SCORE = Score(())


@dataclass(frozen=True, slots=True)
class Selection:
    """The pieces of all shards, in the order in which they stand there.

    Attributes:
        works: each with its split, family, style or the reason why it is dropped; the scores are left out.
        titles, table_values: of each work, and its row of figures for the table.
        voices: names of all voices.
    """

    works: list[Work]
    titles: list[str]
    table_values: list[tuple[object, ...]]
    voices: set[str]


def select_works(
    shards: Sequence[Path],
    rules: CleaningRules,
    styles: Mapping[str, str],
    shares: Shares,
    seed: int,
) -> Selection:
    """The pieces of all shards, cleaned, grouped by tune, and split.

    Raises:
        CorpusError: a shard is damaged.
    """
    read = _read_shards(shards, styles)
    works = read.works
    ranked = sorted(
        (number for number, work in enumerate(works) if not work.reason),
        key=lambda number: preference_key(works[number].name, read.end_ticks[number]),
    )
    outlines = [read.outlines[number] for number in ranked]
    rank = np.full(len(works), -1)
    rank[ranked] = np.arange(len(ranked))
    n_shingles = [own.n_shingles for own in read.outlines]
    pairs = shared_pairs(
        lambda: _digest_tables(shards, "shingle", n_shingles, rank), sum(n_shingles), len(ranked)
    )
    if rules.min_duplicate_share is not None:
        for later, match in find_duplicates(outlines, pairs, rules.min_duplicate_share).items():
            reason = duplicate_reason(match, works[ranked[match.original]].name)
            works[ranked[later]] = replace(works[ranked[later]], reason=reason)
            rank[ranked[later]] = -1
    links = [
        *linked_pairs(
            lambda: _digest_tables(shards, "tune", read.n_tune_digests, rank),
            sum(read.n_tune_digests),
        )
    ]
    is_kept = rank[ranked] >= 0
    near = similar_pairs(pairs, [own.n_shingles for own in outlines])
    links.append(near[is_kept[near].all(axis=1)])
    families = families_of(links, len(ranked))
    by_name = sorted(
        (number for number in ranked if rank[number] >= 0),
        key=lambda number: natural_sort_key(works[number].name),
    )
    numbers: dict[int, int] = {}
    for number in by_name:
        works[number] = replace(
            works[number], family=numbers.setdefault(families[rank[number]], len(numbers))
        )
    return Selection(split_works(works, shares, seed), read.titles, read.table_values, read.voices)


@dataclass(frozen=True, slots=True)
class _ShardContents:
    """What the shards say about their pieces, one after the other."""

    works: list[Work]
    titles: list[str]
    table_values: list[tuple[object, ...]]
    end_ticks: list[int]
    outlines: list[Outline]
    n_tune_digests: list[int]
    voices: set[str]


def _read_shards(shards: Sequence[Path], styles: Mapping[str, str]) -> _ShardContents:
    read = _ShardContents([], [], [], [], [], [], set())
    files: list[tuple[str, int]] = []
    for path in shards:
        for file in Shard(path).files():
            files.append((file["name"], len(file["pieces"])))
            for own in file["pieces"]:
                read.works.append(
                    Work("", _NO_SCORE, reason=own["reason"], style=styles.get(file["name"], ""))
                )
                read.titles.append(own["title"])
                read.table_values.append(tuple(own["about"].values()))
                read.end_ticks.append(own["end_ticks"])
                read.outlines.append(
                    Outline(bytes.fromhex(own["signature"]), own["lowest"], own["n_shingles"])
                )
                read.n_tune_digests.append(own["n_tune"])
                if not own["reason"]:
                    read.voices.update(own["voices"])
    for number, name in enumerate(piece_names(files)):
        read.works[number] = replace(read.works[number], name=name)
    return read


def piece_names(files: Sequence[tuple[str, int]]) -> list[str]:
    """A name for each piece of files with so many pieces: the file's without its ending.

    Where files differ in nothing but their ending, those with the commonest ending go without.

    >>> piece_names([("a/x.mid", 1), ("a/x.mxl", 1), ("b/y.mid", 1), ("b/tunes.abc", 2)])
    ['a/x', 'a/x.mxl', 'b/y', 'b/tunes#1', 'b/tunes#2']
    """
    paths = [PurePosixPath(name) for name, _ in files]
    endings = Counter(path.suffix for path in paths)
    owners: dict[str, str] = {}
    for path in sorted(paths, key=lambda path: (-endings[path.suffix], path.suffix)):
        owners.setdefault(str(path.with_suffix("")), str(path))
    names = []
    for (name, n_pieces), path in zip(files, paths, strict=True):
        stem = str(path.with_suffix(""))
        own = stem if owners[stem] == str(path) else name
        names += (
            [own] if n_pieces == 1 else [f"{own}#{number}" for number in range(1, n_pieces + 1)]
        )
    return names


def _digest_tables(
    shards: Sequence[Path], kind: str, counts: Sequence[int], rank: Ints
) -> Iterator[DigestTable]:
    """The digests of one kind, shard by shard, under the ranks of their pieces; those of pieces without one are left out."""
    done = 0
    for path in shards:
        shard = Shard(path)
        digest = shard.arrays(kind)[0]
        low = (
            shard.arrays("shingle_lowest")[0].astype(np.int64)
            if kind == "shingle"
            else np.zeros(len(digest), np.int64)
        )
        n_pieces = sum(len(file["pieces"]) for file in shard.files())
        work = np.repeat(rank[done : done + n_pieces], counts[done : done + n_pieces])
        done += n_pieces
        yield DigestTable(work[work >= 0], digest[work >= 0], low[work >= 0])
