"""Arguments of several commands: a theme, the grid that played notes are moved to, a new folder."""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seqmusic.errors import FormatError

if TYPE_CHECKING:
    from seqmusic.formats import ReadReport
    from seqmusic.score import Score


def read_theme(
    theme: Sequence[str],
    key: str | None = None,
    time_signature: str | None = None,
    grid: str | None = None,
) -> Score:
    """The score of a typed theme, or of the file that the only argument names.

    What was repaired or left out of the file is printed to standard error.
    """
    from dataclasses import replace

    from seqmusic.formats import read_with_report
    from seqmusic.formats.theme import parse_theme
    from seqmusic.score import TimeSignature
    from seqmusic.tonality import parse_key

    tonality = parse_key(key) if key is not None else None
    if len(theme) == 1 and names_a_file(theme[0]):
        if time_signature is not None:
            raise ValueError(f"--time-signature is for a typed theme; {theme[0]} has its meter")
        report = read_with_report(theme[0], grid_ticks(grid) if grid is not None else None)
        print_repairs(theme[0], report)
        return replace(report.score, key=tonality) if tonality else report.score
    if grid is not None:
        raise ValueError("--grid is for a file that was played (MIDI), and the theme is typed")
    return parse_theme(
        theme or "",
        TimeSignature.parse(time_signature) if time_signature is not None else None,
        tonality,
    )


def print_repairs(name: str, report: ReadReport) -> None:
    """Print what was repaired and left out of a file to standard error, one line each."""
    for line in report.repairs + report.losses:
        print(f"{name}: {line}", file=sys.stderr)


def split_names(text: str) -> tuple[str, ...]:
    """The names of a list with commas; empty ones are left out.

    >>> split_names("alto, tenor,")
    ('alto', 'tenor')
    """
    return tuple(name for part in text.split(",") if (name := part.strip()))


def grid_ticks(text: str) -> int:
    """Ticks of a step of a grid, which is named by a note value: 1/16, or 1/8t for triplets.

    >>> grid_ticks("1/16"), grid_ticks("1/8t")
    (6, 8)

    Raises:
        ValueError: the text is no note value, or none of a whole number of ticks.
    """
    from fractions import Fraction

    from seqmusic.score import TICKS_PER_WHOLE

    match = re.fullmatch(r"1/([1-9][0-9]?)(t?)", text.strip(), re.IGNORECASE)
    ticks = Fraction(1, 2)
    if match:
        ticks = Fraction(TICKS_PER_WHOLE, int(match[1])) * (Fraction(2, 3) if match[2] else 1)
    if ticks.denominator != 1:
        raise ValueError(
            f"a grid is a note value from 1/1 to 1/32, or 1/2t to 1/32t for triplets, got {text!r}"
        )
    return int(ticks)


def names_a_file(argument: str) -> bool:
    """Whether an argument is a path, existing or not, rather than a typed theme.

    theme.wav and ./theme are paths, C4:1/4. and C4:1/8 are not.
    """
    from seqmusic.formats import READABLE

    path_pattern = r"(\.{0,2}/|~|[A-Za-z]:\\).*|[^\s:;|]*\.[A-Za-z][A-Za-z0-9]*"
    has_readable_ending = Path(argument).suffix.lower() in READABLE
    is_path = re.fullmatch(path_pattern, argument) is not None
    return is_path or has_readable_ending or os.path.isfile(argument)


def output_folder(out: Path | None) -> Path:
    """The folder that is named, or the first of continuations/1, 2, ... that does not exist.

    Raises:
        FormatError: the named folder is not empty.
    """
    if out is None:
        numbered = (Path("continuations", str(number)) for number in itertools.count(1))
        return next(path for path in numbered if not path.exists())
    require_empty_folder(out)
    return out


def require_empty_folder(folder: Path) -> None:
    """Refuse a folder with files in it; it need not exist.

    Raises:
        FormatError: the folder is a file, or not empty.
    """
    if folder.exists() and not folder.is_dir():
        raise FormatError(
            f"{folder}: is a file, and the results need a folder; choose another name"
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise FormatError(
            f"{folder}: exists and is not empty; choose another folder, or delete it first"
        )
