"""A corpus prepared on disk: the files as they were read, tables for people, pieces to train on.

A folder holds:
    prepared.json: what it was made from.
    read/: shards, which hold what was read of each file.
    report.csv: a row for each file.
    works.csv: a row for each work, with its split, family and style, or why it was dropped.
    pieces/: columns to train on.

All but the shards is made anew from them whenever a file has changed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.dataset import Dataset, Work, natural_sort_key
from seqmusic.corpus.folders.collecting import CorpusSource, file_stamps, update_shards
from seqmusic.corpus.folders.file_records import FileStamp
from seqmusic.corpus.folders.long_scores import split_long_score
from seqmusic.corpus.folders.shard_pieces import (
    ShardPieces,
    candidates_in_shards,
    read_shard_pieces,
    work_names,
)
from seqmusic.corpus.folders.shards import N_SHARDS, Shard, shard_path
from seqmusic.corpus.folders.state import check_finished, read_matching_state, write_state
from seqmusic.corpus.selection.candidates import select_works
from seqmusic.corpus.selection.split import DEFAULT_SHARES, Shares
from seqmusic.corpus.similarity.digests import Digests
from seqmusic.corpus.similarity.relations import HeldOutMusic, held_out_music
from seqmusic.corpus.works_table import (
    WORKS_COLUMNS,
    WORKS_FILE,
    kept_styles,
    table_row,
    table_text,
    with_table,
)
from seqmusic.errors import CorpusError
from seqmusic.progress import track
from seqmusic.score import SATB, Score
from seqmusic.tokens.piece_files import save_pieces
from seqmusic.tokens.pieces import PackedColumns, packed_columns

REPORT_FILE = "report.csv"
NAMES_FILE = "works.json"
REPORT_COLUMNS = ("file", "outcome", "words", "works", "voices", "notes", "bars")
_VERSION = 2
_SHARDS_FOLDER, _PIECES_FOLDER = "read", "pieces"


def prepare_source(
    source: CorpusSource,
    out: Path,
    *,
    shares: Shares = DEFAULT_SHARES,
    seed: int = 0,
    n_processes: int | None = None,
    apart_from: Sequence[Work] = (),
) -> bool:
    """Prepare a corpus in the folder `out`, or continue; returns whether there was anything to do.

    Args:
        source: the files, and how they are read.
        out: a new folder, or one of the same source, of which only new and changed files are read.
        shares: how much each part of the split gets.
        seed: another seed gives another split.
        n_processes: number of reading processes; as many as there are processor cores if None.
        apart_from: held-out works of another corpus; what is related to one of them is dropped.

    Raises:
        CorpusError: there are no files, or `out` holds another corpus.
        FormatError: `out` is something else, or cannot be written.
    """
    if not source.files:
        raise CorpusError(f"{source.title}: holds no file that can be read")
    stamps = file_stamps(source.files)
    wanted = _wanted_state(source, stamps, shares, seed)
    wanted |= {"apart_from": sorted(work.name for work in apart_from)} if apart_from else {}
    if read_matching_state(out, wanted) == wanted:
        return False
    write_state(out, wanted | {"files": ""})
    update_shards(source, stamps, out / _SHARDS_FOLDER, n_processes=n_processes)
    pieces = read_shard_pieces(shard_paths(out), source.styles)
    if apart_from:
        _drop_related(pieces, shard_paths(out), held_out_music(apart_from))
    candidates = candidates_in_shards(pieces, shard_paths(out))
    works = select_works(candidates, source.rules.min_duplicate_share, shares, seed)
    _write_tables_and_pieces(works, pieces, out)
    write_state(out, wanted)
    return True


def load_prepared(folder: Path) -> Dataset:
    """All works of a prepared folder with their scores, split as its table of works says.

    Raises:
        CorpusError: the preparation was not finished, or a file is damaged.
    """
    check_finished(folder)
    shards = shard_paths(folder)
    scores = (score for path in shards for score in Shard(path).scores())
    works = tuple(Work(name, score) for name, score in zip(work_names(shards), scores, strict=True))
    return with_table(Dataset(works), folder / WORKS_FILE)


def work_digests(folder: Path) -> Iterator[tuple[str, Digests]]:
    """The name of each work that could be read in a prepared folder, and its shingles.

    Raises:
        CorpusError: a shard is damaged.
    """
    shards = shard_paths(folder)
    digests = (of_piece for path in shards for of_piece in Shard(path).shingle_digests())
    return zip(work_names(shards), digests, strict=True)


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a prepared folder, in order."""
    paths = (shard_path(folder / _SHARDS_FOLDER, number) for number in range(N_SHARDS))
    return [path for path in paths if path.is_file()]


def pieces_folder(folder: Path) -> Path:
    """The folder in a prepared folder that holds the pieces to train on."""
    return folder / _PIECES_FOLDER


def _wanted_state(
    source: CorpusSource, stamps: Mapping[str, FileStamp], shares: Shares, seed: int
) -> dict[str, Any]:
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(stamps):
        file = repr((name, stamps[name], source.styles.get(name, "")))
        digest.update(file.encode("utf-8", "surrogateescape"))
    state = {
        "version": _VERSION,
        "source": source.title,
        "rules": asdict(source.rules),
        "shares": asdict(shares),
        "seed": seed,
        "files": digest.hexdigest(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(state))  # lists for tuples, as in the file
    return plain


def _drop_related(pieces: ShardPieces, shards: Sequence[Path], held_out: HeldOutMusic) -> None:
    """Give a reason to each work that is kept so far and related to a held-out one."""
    scores = (score for path in shards for score in Shard(path).scores())
    for number, score in enumerate(track(scores, "comparing", "work", len(pieces.works))):
        work = pieces.works[number]
        if not work.reason and (reason := held_out.relation(score)):
            pieces.works[number] = replace(work, reason=reason)


def _write_tables_and_pieces(works: Sequence[Work], pieces: ShardPieces, out: Path) -> None:
    _write_file_report(out)
    _write_pieces(works, pieces.voices, out)
    _write_works(works, pieces, out)


def _write_file_report(folder: Path) -> None:
    """Write the table of files: the outcome of each."""
    rows = sorted(_report_rows(folder), key=lambda row: natural_sort_key(row[0]))
    write_atomic(folder / REPORT_FILE, table_text(REPORT_COLUMNS, rows))


def _report_rows(folder: Path) -> Iterator[tuple[str, *tuple[object, ...]]]:
    for path in shard_paths(folder):
        for file in Shard(path).file_metadata():
            pieces = file["pieces"]
            n_voices = max((len(piece["voices"]) for piece in pieces), default=0)
            n_notes, n_bars = (
                sum(piece["about"][column] for piece in pieces) for column in ("notes", "bars")
            )
            remarks = "; ".join(file["words"])
            yield file["name"], file["outcome"], remarks, len(pieces), n_voices, n_notes, n_bars


def _write_works(works: Sequence[Work], pieces: ShardPieces, out: Path) -> None:
    """Write the table of works in the order of their names."""
    rows = {
        work.name: table_row(work, title, figures)
        for work, title, figures in zip(works, pieces.titles, pieces.figures, strict=True)
    }
    by_name = (rows[name] for name in sorted(rows, key=natural_sort_key))
    write_atomic(out / WORKS_FILE, table_text(WORKS_COLUMNS, by_name))


def _write_pieces(works: Sequence[Work], voices: set[str], out: Path) -> None:
    """Write the names and pieces of the works that are kept; a long work is several pieces."""
    new = out / f".{_PIECES_FOLDER}"
    shutil.rmtree(new, ignore_errors=True)
    save_pieces(_shard_columns(works, voices <= set(SATB), out), new)
    names = [work.name for work in works if not work.reason]
    write_atomic(new / NAMES_FILE, json.dumps(names, ensure_ascii=False))
    shutil.rmtree(pieces_folder(out), ignore_errors=True)
    new.rename(pieces_folder(out))


def _shard_columns(works: Sequence[Work], keep_names: bool, out: Path) -> Iterator[PackedColumns]:
    """The kept works as pieces, shard by shard; the voices are numbered, or keep their names."""
    styles = {style: number for number, style in enumerate(kept_styles(works))}
    remaining, n_kept = iter(works), 0
    for path in shard_paths(out):
        scores, numbers, labels = [], [], []
        for score in Shard(path).scores():
            work = next(remaining)
            if work.reason:
                continue
            for part in split_long_score(score if keep_names else _with_numbered_voices(score)):
                scores.append(part)
                numbers.append(n_kept)
                labels.append(styles.get(work.style))
            n_kept += 1
        yield packed_columns(scores, labels, numbers)


def _with_numbered_voices(score: Score) -> Score:
    numbered = (
        replace(voice, name=f"Voice {number}") for number, voice in enumerate(score.voices, start=1)
    )
    return replace(score, voices=tuple(numbered))
