"""What the arguments of several commands have in common: a theme, a new folder."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter

from seqmusic.errors import FormatError

if TYPE_CHECKING:
    from seqmusic.score import Score

Flag = Parameter(negative="")


def read_theme(head: Sequence[str], key: str | None = None, time_signature: str | None = None) -> Score:
    """The score of a typed head, or of the file that the only argument names."""
    from dataclasses import replace

    from seqmusic.formats import read_score
    from seqmusic.formats.head import parse_head
    from seqmusic.score import TimeSignature
    from seqmusic.tonality import parse_key

    tonality = parse_key(key) if key is not None else None
    if len(head) == 1 and _names_a_file(head[0]):
        if time_signature is not None:
            raise ValueError(f"--time-signature is for a typed theme; {head[0]} brings its own")
        score = read_score(head[0])
        return replace(score, key=tonality) if tonality else score
    return parse_head(head or "", TimeSignature.parse(time_signature) if time_signature is not None else None, tonality)


def _names_a_file(argument: str) -> bool:
    """Whether it is a path, there or not, rather than a typed theme: theme.wav or ./theme, but not C4:1/4. or C4:1/8."""
    from seqmusic.formats import READABLE

    looks_like_one = re.fullmatch(r"(\.{0,2}/|~|[A-Za-z]:\\).*|[^\s:;|]*\.[A-Za-z][A-Za-z0-9]*", argument)
    return bool(looks_like_one) or Path(argument).suffix.lower() in READABLE or os.path.isfile(argument)


def new_folder(out: Path | None) -> Path:
    """The folder that was named, if nothing is in it, else the first of continuations/1, 2, ... that is not there."""
    if out is None:
        return next(path for number in itertools.count(1) if not (path := Path("continuations", str(number))).exists())
    refuse_full(out)
    return out


def refuse_full(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise FormatError(f"{folder}: is a file, and the results need a folder; choose another name")
    if folder.is_dir() and any(folder.iterdir()):
        raise FormatError(f"{folder}: exists and is not empty; choose another folder, or delete it first")
