"""seqmusic convert: from any readable format to any writable one."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from seqmusic.cli.arguments import grid_ticks, print_repairs, require_empty_folder
from seqmusic.cli.options import Flag
from seqmusic.errors import FormatError, SeqmusicError

if TYPE_CHECKING:
    from seqmusic.formats import FilePiece, ReadReport

Layout = Literal["notes", "grid"]


def convert(
    source: Path,
    target: Path,
    /,
    *,
    to: str | None = None,
    grid: str | None = None,
    layout: Layout = "notes",
    force: Annotated[bool, Flag] = False,
) -> None:
    """Convert a file into another format, and report what is lost; or all pieces into a new folder.

    For example: seqmusic convert chorale.musicxml chorale.csv, or: seqmusic convert tunes.abc tunes
    --to .mid

    Args:
        source: The file: MIDI, MusicXML, MEI, kern, ABC, CSV or the JSON of the chorale benchmark.
            With --to, it may hold several pieces, or be a folder.
        target: The new file; its ending decides the format (.mid .musicxml .csv .json .ly .svg
            .png). With --to, a new folder.
        to: Write each piece into the folder, with this ending.
        grid: Move the notes of MIDI or of a CSV list to a grid, such as 1/16 or 1/8t; in a CSV
            grid, the duration of a row, 1/16 by default.
        layout: Of a CSV file: notes (a row for each note) or grid (a row for each sixteenth or
            --grid, a column for each voice).
        force: Replace the new file if it exists already.
    """
    ticks = grid_ticks(grid) if grid is not None else None
    if to is not None:
        _convert_all(source, target, to if to.startswith(".") else f".{to}", ticks, layout)
        return
    from seqmusic.formats import read_with_report

    if target.exists() and (not force or target.samefile(source)):
        remedy = "choose another name, or --force to replace it (never the file that is read)"
        raise FormatError(f"{target}: exists already; {remedy}")
    _write_and_report(str(source), read_with_report(source, ticks), target, ticks, layout)
    if target.suffix.lower() not in (".png", ".svg"):
        print(f"to look at it: seqmusic convert {source} {target.with_suffix('.png')}")


def _write_and_report(
    name: str, report: ReadReport, target: Path, ticks: int | None, layout: Layout
) -> None:
    """Write one piece; repairs, omissions and losses go to standard error, one line each."""
    from seqmusic.formats import write_score
    from seqmusic.formats.conversion_losses import conversion_losses

    score = report.score
    if target.suffix.lower() == ".csv" and layout == "grid":
        from seqmusic.formats.csv.file import write_csv_grid

        write_csv_grid(score, target, ticks)
    else:
        write_score(score, target)
    print_repairs(name, report)
    if lost := conversion_losses(score, target, layout):
        print(f"{target}: does not hold {'; '.join(lost)}", file=sys.stderr)
    bars = f", {len(score.bars())} bars" if score.time_signatures else ""
    size = f"{len(score.voices)} voices, {score.n_notes} notes{bars}"
    print(f"{name} ({report.status}): {size}; written to {target}")


def _convert_all(
    source: Path, folder: Path, ending: str, ticks: int | None, layout: Layout
) -> None:
    from seqmusic.formats import WRITABLE

    if ending not in WRITABLE:
        raise FormatError(
            f"--to {ending}: not a format that is written; the endings are {' '.join(WRITABLE)}"
        )
    require_empty_folder(folder)
    taken: set[str] = set()
    n_written = n_refused = 0
    for name, piece in _named_pieces(source, ticks):
        try:
            if piece.report is None:
                raise FormatError(piece.refusal)
            _write_and_report(
                name, piece.report, folder / _file_name(name, ending, taken), ticks, layout
            )
            n_written += 1
        except SeqmusicError as error:
            n_refused += 1
            print(f"refused: {error}", file=sys.stderr)
    if not n_written:
        raise FormatError(f"{source}: none of its {n_refused} pieces was converted")
    print(f"{n_written} pieces written to {folder}, {n_refused} refused")


def _named_pieces(source: Path, ticks: int | None) -> Iterator[tuple[str, FilePiece]]:
    """The pieces of a file, or of all files in a folder and its subfolders, with their names."""
    from seqmusic.formats import READABLE, FilePiece, read_pieces, read_with_report

    paths = [source]
    if source.is_dir():
        paths = sorted(
            path for path in source.rglob("*") if path.suffix.lower() in READABLE and path.is_file()
        )
        if not paths:
            raise FormatError(
                f"{source}: holds no file that is read; the endings are {' '.join(READABLE)}"
            )
    for path in paths:
        try:
            pieces = read_pieces(path)
            if ticks is not None:
                pieces = iter([FilePiece(path.stem, read_with_report(path, ticks))])
            for piece in pieces:
                is_enough = path == source or piece.name == path.stem
                yield (piece.name if is_enough else f"{path.stem} {piece.name}"), piece
        except SeqmusicError as error:
            yield path.stem, FilePiece(path.stem, None, str(error))


def _file_name(name: str, ending: str, taken: set[str]) -> str:
    """A file name that is not taken; characters that a file system may refuse are underscores."""
    plain = re.sub(r"[^\w .,'()+-]", "_", name).strip(" .")[:100] or "piece"
    chosen, number = plain, 1
    while chosen.lower() in taken:
        number += 1
        chosen = f"{plain} {number}"
    taken.add(chosen.lower())
    return chosen + ending
