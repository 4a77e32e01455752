"""A corpus prepared on disk: what was read in shards, the tables of files and works, and the pieces to train on.

A folder holds `prepared.json` (what it was made from), `read/` (shards: what was read of each file), `report.csv` (a row a file),
`works.csv` (a row a work: its split, family and style, or why it was dropped) and `pieces/` (columns to train on). All but the
shards is made anew from them whenever a file has changed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.dataset import Dataset, Work, natural_sort_key
from seqmusic.corpus.folders.collecting import CorpusSource, file_stamps, update_shards
from seqmusic.corpus.folders.selection import Selection, piece_names, select_works
from seqmusic.corpus.folders.shards import N_SHARDS, Shard, shard_path
from seqmusic.corpus.long_pieces import split_long_score
from seqmusic.corpus.similarity.digests import Digests
from seqmusic.corpus.split import DEFAULT_SHARES, Shares
from seqmusic.corpus.works_table import WORKS_COLUMNS, WORKS_FILE, table_text, with_table
from seqmusic.errors import CorpusError, FormatError
from seqmusic.score import SATB, Score
from seqmusic.tokens.piece_files import save_pieces
from seqmusic.tokens.pieces import PackedColumns, packed_columns

STATE_FILE = "prepared.json"
REPORT_FILE = "report.csv"
NAMES_FILE = "works.json"
REPORT_COLUMNS = ("file", "outcome", "words", "works", "voices", "notes", "bars")
_VERSION = 1
_SHARDS_FOLDER, _PIECES_FOLDER = "read", "pieces"


def prepare_source(
    source: CorpusSource,
    out: Path,
    *,
    shares: Shares = DEFAULT_SHARES,
    seed: int = 0,
    n_processes: int | None = None,
) -> bool:
    """Prepare a corpus in the folder `out`, or go on where it was left; returns whether there was anything to do.

    Args:
        source: the files, and how they are read.
        out: a new folder, or one of the same source; files read before and not changed since are not read again.
        shares: how much each part of the split gets.
        seed: another seed gives another split.
        n_processes: as many as there are processor cores when None.

    Raises:
        CorpusError: there are no files, or `out` holds another corpus.
        FormatError: `out` is something else, or cannot be written.
    """
    if not source.files:
        raise CorpusError(f"{source.title}: holds no file that can be read")
    stamps = file_stamps(source.files)
    about = {"version": _VERSION, "source": source.title, "rules": asdict(source.rules)}
    wanted = about | {
        "shares": asdict(shares),
        "seed": seed,
        "files": _inputs_digest(stamps, source.styles),
    }
    wanted = json.loads(json.dumps(wanted))
    if _checked_state(out, wanted) == wanted:
        return False
    _write_state(out, wanted | {"files": ""})
    update_shards(source, stamps, out / _SHARDS_FOLDER, n_processes=n_processes)
    selection = select_works(shard_paths(out), source.rules, source.styles, shares, seed)
    write_file_report(out)
    _write_pieces(selection, out)
    _write_works(selection, out)
    _write_state(out, wanted)
    return True


def is_prepared(folder: Path) -> bool:
    """Whether a folder is one that `prepare_source` made, or began to."""
    return (folder / STATE_FILE).is_file()


def load_prepared(folder: Path) -> Dataset:
    """All works of a prepared folder with their scores, and the split that its table of works says.

    Raises:
        CorpusError: the preparation was not finished, or a file is damaged.
    """
    check_finished(folder)
    names = _work_names(folder)
    scores = (score for path in shard_paths(folder) for score in Shard(path).scores())
    works = tuple(Work(name, score) for name, score in zip(names, scores, strict=True))
    return with_table(Dataset(works), folder / WORKS_FILE)


def work_digests(folder: Path) -> Iterator[tuple[str, Digests]]:
    """The name of each work that could be read in a prepared folder, and its shingles.

    Raises:
        CorpusError: a shard is damaged.
    """
    names = iter(_work_names(folder))
    for path in shard_paths(folder):
        shard = Shard(path)
        counts = [own["n_shingles"] for file in shard.files() for own in file["pieces"]]
        parts = np.split(shard.arrays("shingle")[0], np.cumsum(counts)[:-1]) if counts else []
        yield from ((next(names), own) for own in parts)


def _work_names(folder: Path) -> list[str]:
    """The name of each piece, in the order of the shards."""
    return piece_names(
        [
            (file["name"], len(file["pieces"]))
            for path in shard_paths(folder)
            for file in Shard(path).files()
        ]
    )


def check_finished(folder: Path) -> dict[str, Any]:
    """What a prepared folder was made from.

    Raises:
        CorpusError: it is no such folder, or its preparation was not finished.
    """
    state = _read_state(folder)
    if state is None:
        raise CorpusError(
            f"{folder}: no prepared data set here ({STATE_FILE} is missing); make one with `seqmusic data prepare`"
        )
    if not state.get("files"):
        raise CorpusError(
            f"{folder}: its preparation was not finished; give the same seqmusic data prepare command again"
        )
    return state


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a prepared folder, in order."""
    paths = (shard_path(folder / _SHARDS_FOLDER, number) for number in range(N_SHARDS))
    return [path for path in paths if path.is_file()]


def pieces_folder(folder: Path) -> Path:
    """Where the pieces of a prepared folder lie, to be trained on."""
    return folder / _PIECES_FOLDER


def _inputs_digest(stamps: Mapping[str, tuple[int, int]], styles: Mapping[str, str]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(stamps):
        digest.update(
            repr((name, stamps[name], styles.get(name, ""))).encode("utf-8", "surrogateescape")
        )
    return digest.hexdigest()


def _checked_state(out: Path, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `out` holds, None for nothing.

    Raises:
        CorpusError, FormatError: that is something else than what is wanted.
    """
    if out.exists() and not out.is_dir():
        raise FormatError(f"{out}: is a file, and the data needs a folder; choose another name")
    state = _read_state(out)
    if state is None:
        if out.is_dir() and any(out.iterdir()):
            raise FormatError(
                f"{out}: exists and is not empty; choose another folder, or delete it first"
            )
        return None
    for what in ("version", "source", "rules"):
        if state.get(what) != wanted[what]:
            raise CorpusError(
                f"{out}: holds data prepared otherwise ({what} {_truncated(state.get(what))}, now {_truncated(wanted[what])}); "
                "choose another folder, or delete it"
            )
    return state


def _truncated(value: object) -> str:
    return text if len(text := str(value)) < 60 else f"{text[:57]}..."


def _read_state(folder: Path) -> dict[str, Any] | None:
    try:
        state = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{folder / STATE_FILE}: damaged ({error}); delete the folder, and prepare again"
        ) from error
    if not isinstance(state, dict):
        raise CorpusError(f"{folder / STATE_FILE}: damaged; delete the folder, and prepare again")
    return state


def _write_state(folder: Path, state: Mapping[str, Any]) -> None:
    write_atomic(folder / STATE_FILE, json.dumps(state, indent=1) + "\n")


def write_file_report(folder: Path) -> Path:
    """Write the table of files of a prepared folder: what became of each.

    Raises:
        FormatError: it cannot be written.
    """
    rows = sorted(_report_rows(folder), key=lambda row: natural_sort_key(row[0]))
    return write_atomic(folder / REPORT_FILE, table_text(REPORT_COLUMNS, rows))


def _report_rows(folder: Path) -> Iterator[tuple[str, *tuple[object, ...]]]:
    for path in shard_paths(folder):
        for file in Shard(path).files():
            pieces = file["pieces"]
            figures = (max((len(own["voices"]) for own in pieces), default=0),
                       *(sum(own["about"][what] for own in pieces) for what in ("notes", "bars")))  # fmt: skip
            yield file["name"], file["outcome"], "; ".join(file["words"]), len(pieces), *figures


def _write_works(selection: Selection, out: Path) -> None:
    """Write the table of works in the order of their names."""
    rows: dict[str, tuple[object, ...]] = {}
    for work, title, about in zip(
        selection.works, selection.titles, selection.table_values, strict=True
    ):
        family = str(work.family) if work.family >= 0 else ""
        rows[work.name] = (work.name, title, work.split, family, work.reason, *about, work.style)
    write_atomic(
        out / WORKS_FILE,
        table_text(WORKS_COLUMNS, (rows[name] for name in sorted(rows, key=natural_sort_key))),
    )


def _write_pieces(selection: Selection, out: Path) -> None:
    """Write the pieces of the works that are kept, and the names of these; a long work is several pieces."""
    new = out / f".{_PIECES_FOLDER}"
    shutil.rmtree(new, ignore_errors=True)
    save_pieces(_shard_columns(selection, out), new)
    names = [work.name for work in selection.works if not work.reason]
    write_atomic(new / NAMES_FILE, json.dumps(names, ensure_ascii=False))
    shutil.rmtree(out / _PIECES_FOLDER, ignore_errors=True)
    new.rename(out / _PIECES_FOLDER)


def _shard_columns(selection: Selection, out: Path) -> Iterator[PackedColumns]:
    """Shard by shard, the kept works as pieces; voices are numbered unless all are soprano, alto, tenor or bass."""
    names = sorted({work.style for work in selection.works if work.style and not work.reason})
    styles = {style: number for number, style in enumerate(names)}
    works, n_kept = iter(selection.works), 0
    for path in shard_paths(out):
        scores, numbers, labels = [], [], []
        for score in Shard(path).scores():
            work = next(works)
            if not work.reason:
                parts = list(
                    split_long_score(
                        score if selection.voices <= set(SATB) else _with_numbered_voices(score)
                    )
                )
                scores += parts
                numbers += [n_kept] * len(parts)
                labels += [styles.get(work.style)] * len(parts)
                n_kept += 1
        yield packed_columns(scores, labels, numbers)


def _with_numbered_voices(score: Score) -> Score:
    return replace(
        score,
        voices=tuple(
            replace(voice, name=f"Voice {i}") for i, voice in enumerate(score.voices, start=1)
        ),
    )
