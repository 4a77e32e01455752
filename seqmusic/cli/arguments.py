"""What the arguments of several commands have in common: a theme, the grid that played notes are put on, a new folder."""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter

from seqmusic.errors import FormatError

if TYPE_CHECKING:
    from seqmusic.score import Score

Flag = Parameter(negative="")


def read_theme(
    theme: Sequence[str],
    key: str | None = None,
    time_signature: str | None = None,
    grid: str | None = None,
) -> Score:
    """The score of a typed head, or of the file that the only argument names; what was mended or left out is told on stderr."""
    from dataclasses import replace

    from seqmusic.formats import read_with_report
    from seqmusic.formats.theme import parse_theme
    from seqmusic.score import TimeSignature
    from seqmusic.tonality import parse_key

    tonality = parse_key(key) if key is not None else None
    if len(theme) == 1 and _names_a_file(theme[0]):
        if time_signature is not None:
            raise ValueError(f"--time-signature is for a typed theme; {theme[0]} brings its own")
        reading = read_with_report(theme[0], grid_ticks(grid) if grid is not None else None)
        for told in reading.repairs + reading.losses:
            print(f"{theme[0]}: {told}", file=sys.stderr)
        return replace(reading.score, key=tonality) if tonality else reading.score
    if grid is not None:
        raise ValueError("--grid is for a file that was played (MIDI), and the theme is typed")
    return parse_theme(
        theme or "",
        TimeSignature.parse(time_signature) if time_signature is not None else None,
        tonality,
    )


def grid_ticks(text: str) -> int:
    """Ticks between the places of a grid, which is named by a note value: 1/16, or 1/8t for triplets of eighths.

    >>> grid_ticks("1/16"), grid_ticks("1/8t")
    (6, 8)

    Raises:
        ValueError: it is no note value, or no whole number of ticks.
    """
    from fractions import Fraction

    from seqmusic.score import TICKS_PER_WHOLE

    found = re.fullmatch(r"1/([1-9][0-9]?)(t?)", text.strip(), re.IGNORECASE)
    ticks = (
        Fraction(TICKS_PER_WHOLE, int(found[1])) * (Fraction(2, 3) if found[2] else 1)
        if found
        else Fraction(1, 2)
    )
    if ticks.denominator != 1:
        raise ValueError(
            f"a grid is a note value from 1/1 to 1/32, or 1/2t to 1/32t for triplets, got {text!r}"
        )
    return int(ticks)


def _names_a_file(argument: str) -> bool:
    """Whether it is a path, there or not, rather than a typed theme: theme.wav or ./theme, but not C4:1/4. or C4:1/8."""
    from seqmusic.formats import READABLE

    looks_like_one = re.fullmatch(
        r"(\.{0,2}/|~|[A-Za-z]:\\).*|[^\s:;|]*\.[A-Za-z][A-Za-z0-9]*", argument
    )
    return (
        bool(looks_like_one)
        or Path(argument).suffix.lower() in READABLE
        or os.path.isfile(argument)
    )


def output_folder(out: Path | None) -> Path:
    """The folder that was named, if nothing is in it, else the first of continuations/1, 2, ... that is not there."""
    if out is None:
        return next(
            path
            for number in itertools.count(1)
            if not (path := Path("continuations", str(number))).exists()
        )
    require_empty_folder(out)
    return out


def require_empty_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise FormatError(
            f"{folder}: is a file, and the results need a folder; choose another name"
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise FormatError(
            f"{folder}: exists and is not empty; choose another folder, or delete it first"
        )
