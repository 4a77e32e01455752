"""Reading the files of a corpus into shards: in parallel, only what is new or has changed, and so that nothing stops it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tqdm import tqdm

from seqmusic.corpus.cleaning import CleaningRules, flaw
from seqmusic.corpus.folders.parallel_reading import seconds_for
from seqmusic.corpus.folders.shards import (
    N_SHARDS,
    ReadFile,
    ReadPiece,
    Shard,
    shard_number,
    shard_path,
    write_shard,
)
from seqmusic.corpus.folders.workers import Failure, n_cores, results
from seqmusic.corpus.similarity.digests import sketch
from seqmusic.corpus.storage import note_rows, score_facts
from seqmusic.corpus.works_table import key_in_words, meter_in_words, n_bars
from seqmusic.errors import CorpusError, FormatError, UnencodableError
from seqmusic.formats.reading_report import Reading
from seqmusic.score import Score
from seqmusic.tokens.tokenizer import header, normalized
from seqmusic.tokens.vocabulary import timesig_id

PieceReader = Callable[[Path], Sequence[Reading | FormatError]]
_WORDS_KEPT = 12  # of what is said about a file


@dataclass(frozen=True, slots=True)
class Source:
    """Where a corpus comes from.

    Attributes:
        title: what it is called.
        files: by their names, which are paths with slashes.
        read: the pieces of a file; a function of a module, so that other processes find it.
        rules: which pieces are kept.
        styles: the style of each file that has one.
    """

    title: str
    files: Mapping[str, Path]
    read: PieceReader
    rules: CleaningRules
    styles: Mapping[str, str]


Stamps = Mapping[str, tuple[int, int]]


def stamps_of(files: Mapping[str, Path]) -> dict[str, tuple[int, int]]:
    """Size and time of the last change of each file, by which it is known again; zeros for one that is not there."""
    found = {}
    for name, path in files.items():
        try:
            status = os.stat(path)
            found[name] = status.st_size, status.st_mtime_ns
        except OSError:
            found[name] = 0, 0
    return found


def gather(
    source: Source,
    stamps: Stamps,
    folder: Path,
    *,
    progress: bool = True,
    n_processes: int | None = None,
) -> None:
    """Read what is not yet in the shards of `folder`, and take out of them what is no longer there.

    Ctrl-C, or any other end, leaves in the shards what has been read.

    Raises:
        FormatError: a shard cannot be written.
        CorpusError: a reading process cannot be started.
    """
    shards: list[list[str]] = [[] for _ in range(N_SHARDS)]
    for name in sorted(source.files):
        shards[shard_number(name)].append(name)
    done = [_known(shard_path(folder, number), stamps) for number in range(N_SHARDS)]
    missing = {
        number: [name for name in names if name not in done[number]]
        for number, names in enumerate(shards)
    }
    for number, names in enumerate(shards):
        path = shard_path(folder, number)
        if not names:
            path.unlink(missing_ok=True)
        elif not missing[number] and path.is_file() and len(Shard(path).files()) > len(names):
            _write(path, (), stamps)
    todo = [name for names in missing.values() for name in names]
    with _shown(len(source.files), len(source.files) - len(todo), progress and bool(todo)) as bar:
        _read(source, todo, missing, stamps, folder, bar, n_processes or n_cores())


def _known(path: Path, stamps: Stamps) -> set[str]:
    """Names of the files in a shard that are as they were when they were read."""
    if not path.is_file():
        return set()
    try:
        return {
            file["name"]
            for file in Shard(path).files()
            if stamps.get(file["name"]) == tuple(file["stamp"])
        }
    except CorpusError:
        path.unlink()  # what is damaged is read again
        return set()


def _shown(total: int, done: int, shown: bool) -> tqdm[None]:
    return tqdm(
        total=total, initial=done, desc="Reading", unit=" files", disable=not shown, file=sys.stderr
    )


def _read(
    source: Source,
    todo: Sequence[str],
    missing: Mapping[int, list[str]],
    stamps: Stamps,
    folder: Path,
    bar: tqdm[None],
    n: int,
) -> None:
    if not todo:
        return
    left = {number: len(names) for number, names in missing.items()}
    found: dict[int, list[ReadFile]] = {}
    function = partial(read_file, source.read, source.rules)
    items = ((name, source.files[name], stamps[name]) for name in todo)
    try:
        with contextlib.closing(
            results(function, items, min(n, len(todo)), lambda item: seconds_for(item[1]))
        ) as answers:
            for (name, _, stamp), answer in answers:
                if isinstance(answer, Failure):
                    answer = ReadFile(name, stamp, "refused", (answer.words,))
                number = shard_number(name)
                found.setdefault(number, []).append(answer)
                left[number] -= 1
                bar.update()
                if not left[number]:
                    _write(shard_path(folder, number), found.pop(number), stamps)
    finally:
        for number, files in found.items():
            _write(shard_path(folder, number), files, stamps)


def _write(path: Path, files: Sequence[ReadFile], stamps: Stamps) -> None:
    """Write a shard of what it holds and is still so, and of `files`."""
    kept = Shard(path).read_files() if path.is_file() else []
    write_shard([*(file for file in kept if stamps.get(file.name) == file.stamp), *files], path)


def read_file(
    read: PieceReader, rules: CleaningRules, item: tuple[str, Path, tuple[int, int]]
) -> ReadFile:
    """What a file holds; nothing that is wrong with it is raised."""
    name, path, stamp = item
    try:
        pieces = read(path)
    except FormatError as error:
        return ReadFile(name, stamp, "refused", (_shortened(error, path),))
    except (
        Exception
    ) as error:  # a fault of ours or of a library must not stop the reading of thousands of files
        words = f"the reader failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return ReadFile(name, stamp, "refused", (words,))
    readings = [piece for piece in pieces if isinstance(piece, Reading)]
    refused = [_shortened(piece, path) for piece in pieces if isinstance(piece, FormatError)]
    said = (
        *refused,
        *(word for reading in readings for word in (*reading.repairs, *reading.losses)),
    )
    if not readings:
        return ReadFile(name, stamp, "refused", said[:_WORDS_KEPT] or ("holds no music",))
    outcome = "repaired" if refused or any(reading.repairs for reading in readings) else "read"
    return ReadFile(
        name,
        stamp,
        outcome,
        said[:_WORDS_KEPT],
        tuple(_piece(reading.score, rules) for reading in readings),
    )


def _shortened(error: FormatError, path: Path) -> str:
    return " ".join(str(error).removeprefix(f"{path}: ").removeprefix(f"{path.name}: ").split())


def _piece(score: Score, rules: CleaningRules) -> ReadPiece:
    if rules.drops_empty_voices:
        score = replace(score, voices=tuple(voice for voice in score.voices if voice.notes))
    about = {
        "notes": score.n_notes,
        "bars": n_bars(score),
        "key": key_in_words(score),
        "meter": meter_in_words(score),
    }
    facts = score_facts(score) | {"about": about, "reason": flaw(score, rules) or _unsayable(score)}
    return ReadPiece(facts, note_rows([score]), sketch(score))


def _unsayable(score: Score) -> str:
    """Why the tokens cannot say a score, "" where they can."""
    try:
        plain = normalized(score)
        header(plain)
        for _, signature in plain.time_signatures[1:]:
            timesig_id(signature)
    except UnencodableError as error:
        return f"without tokens ({error})"
    return ""


def found_files(folder: Path, endings: Sequence[str], marker: str) -> Iterator[tuple[str, Path]]:
    """Name and path of each file with such an ending, below `folder` however deep; not those in a folder that holds `marker`."""
    for place, folders, files in os.walk(folder):
        if marker in files:
            folders.clear()
            continue
        folders[:] = sorted(own for own in folders if not own.startswith("."))
        for file in sorted(files):
            if not file.startswith(".") and os.path.splitext(file)[1].lower() in endings:
                path = Path(place, file)
                yield path.relative_to(folder).as_posix(), path
