"""Works with the classes that they belong to, read from a folder CLASS/[SOURCE/[GROUP/]]FILE.

A source is a composer, a book or a collection. A group holds what belongs together, such as the
movements of a mass, and is never torn by a split; works that share a stretch of a line are joined
to one group, too.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seqmusic.corpus.folders.collecting import file_stamps, update_shards
from seqmusic.corpus.folders.prepared_folder import shard_paths
from seqmusic.corpus.folders.shards import N_SHARDS, Shard, shard_path
from seqmusic.corpus.folders.source import folder_source, read_pieces_or_errors
from seqmusic.corpus.folders.state import check_finished, is_prepared
from seqmusic.errors import CorpusError
from seqmusic.recognition.lines import Line, lines_of, melodic_lines
from seqmusic.recognition.shared_stretches import SharedStretches, shared_stretches
from seqmusic.score import Score

SPLITS = ("train", "valid", "test")
SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}
MIN_GROUPS = 5
_DUPLICATE_SHARE = 0.5  # of the stretches of the work that has fewer
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class LabeledWork:
    """A work and its class.

    Attributes:
        name: the file in its folder.
        class_name: the first folder of its name.
        source: the second folder, that of the class where there is none.
        group: works with the same number are never torn.
        score: the music.
        lines: of the score.
        split: "train", "valid" or "test".
    """

    name: str
    class_name: str
    source: str
    group: int
    score: Score
    lines: tuple[Line, ...]
    split: str = ""

    @property
    def melodies(self) -> list[Line]:
        """The lines that are not of a keyboard instrument."""
        return melodic_lines(self.lines)


def read_works(folder: Path, cache: Path) -> list[LabeledWork]:
    """The works of a folder, grouped and split 60/20/20, without duplicates.

    Args:
        folder: of scores, or one that was made by `seqmusic data prepare` from such a folder.
        cache: where a folder of scores is read into; files that stand there are not read again.

    Raises:
        CorpusError: there is no such folder, it holds fewer than two classes, or a class has fewer
            than five groups.
        FormatError: the cache cannot be written.
    """
    works = [work for path in _shards(folder, cache) for work in _works_in(path) if len(work.lines)]
    works.sort(key=lambda work: work.name)
    stretches = shared_stretches([work.lines for work in works])
    works = _joined(works, stretches)
    dropped = _duplicates(works, stretches)
    works = [work for i, work in enumerate(works) if i not in dropped]
    _check_classes(works, folder)
    return split_works(works)


def _shards(folder: Path, cache: Path) -> list[Path]:
    if not folder.is_dir():
        raise CorpusError(f"{folder}: there is no such folder")
    if is_prepared(folder):
        check_finished(folder)
        return shard_paths(folder)
    source = replace(folder_source(folder), read=read_pieces_or_errors)
    if not source.files:
        raise CorpusError(f"{folder}: holds no file that can be read")
    update_shards(source, file_stamps(source.files), cache)
    paths = (shard_path(cache, number) for number in range(N_SHARDS))
    return [path for path in paths if path.is_file()]


def _works_in(path: Path) -> Iterator[LabeledWork]:
    shard = Shard(path)
    names = [
        (file["name"], number)
        for file in shard.file_metadata()
        for number in range(1, len(file["pieces"]) + 1)
    ]
    for (name, number), score in zip(names, shard.scores(), strict=True):
        folders = name.split("/")[:-1]
        if folders:
            work_name = name if number == 1 else f"{name}, {number}"
            source = "/".join(folders[:2])
            lines = tuple(line for line in lines_of(score) if len(line) > 1)
            yield LabeledWork(work_name, folders[0], source, -1, score, lines)


def _joined(works: Sequence[LabeledWork], stretches: SharedStretches) -> list[LabeledWork]:
    """The works with the numbers of their groups."""
    parents = list(range(len(works)))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    first: dict[str, int] = {}
    for i, work in enumerate(works):
        folders = work.name.split("/")
        key = "/".join(folders[:3]) if len(folders) > 3 else work.name
        parents[root(i)] = root(first.setdefault(key, i))
    for a, b in stretches.counts:
        parents[root(a)] = root(b)
    return [replace(work, group=root(i)) for i, work in enumerate(works)]


def _duplicates(works: Sequence[LabeledWork], stretches: SharedStretches) -> set[int]:
    """The works to drop: repetitions in one class, and works that stand in two classes."""
    dropped: set[int] = set()
    in_two: list[tuple[int, int]] = []
    for (a, b), count in stretches.counts.items():
        if count < _DUPLICATE_SHARE * min(stretches.n_stretches[a], stretches.n_stretches[b]):
            continue
        if works[a].class_name == works[b].class_name:
            dropped.add(b)
        else:
            in_two.append((a, b))
            dropped |= {a, b}
    if in_two:
        a, b = in_two[0]
        logger.warning(
            "%d works stand in two classes and are left out of both; the first is %s, which is %s",
            *(len({i for pair in in_two for i in pair}), works[a].name, works[b].name),
        )
    return dropped


def _check_classes(works: Sequence[LabeledWork], folder: Path) -> None:
    groups = defaultdict(set)
    for work in works:
        groups[work.class_name].add(work.group)
    if len(groups) < 2:
        raise CorpusError(
            f"{folder}: {len(groups)} of its subfolders hold works that can be read; "
            "two classes or more are needed, a subfolder each"
        )
    smallest = min(sorted(groups), key=lambda name: len(groups[name]))
    if len(groups[smallest]) < MIN_GROUPS:
        n_works = sum(work.class_name == smallest for work in works)
        raise CorpusError(
            f"{folder}: class {smallest!r} has {len(groups[smallest])} groups ({n_works} works); "
            f"{MIN_GROUPS} independent ones are the least, for training, validation and test"
        )


def split_works(works: Sequence[LabeledWork], seed: int = 0) -> list[LabeledWork]:
    """The works with their split, 60/20/20 of the works of each class; groups stay whole.

    Large groups are assigned first, each to the part that lacks most. A group with works of
    several classes goes where the class of its first work needs it.
    """
    members: dict[int, list[LabeledWork]] = defaultdict(list)
    for work in works:
        members[work.group].append(work)
    order = sorted(members.values(), key=lambda group: (-len(group), _shuffle_key(group, seed)))
    counts: Counter[tuple[str, str]] = Counter()
    splits: dict[str, str] = {}
    for group in order:
        class_name = group[0].class_name
        split = min(SPLITS, key=lambda s: (counts[class_name, s] + len(group)) / SHARES[s])
        for work in group:
            counts[work.class_name, split] += 1
            splits[work.name] = split
    return [replace(work, split=splits[work.name]) for work in works]


def _shuffle_key(group: Sequence[LabeledWork], seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{group[0].name}".encode()).digest()


def class_names(works: Sequence[LabeledWork]) -> list[str]:
    """The classes of some works in the order of their names."""
    return sorted({work.class_name for work in works})


def works_in(works: Sequence[LabeledWork], split: str) -> list[LabeledWork]:
    """The works of one part of the split."""
    return [work for work in works if work.split == split]
