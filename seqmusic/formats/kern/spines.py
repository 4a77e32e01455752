"""The spines of a Humdrum file, which may split, join, begin and end on its way down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from seqmusic.errors import CorruptFileError

_MAX_COLUMNS = 200


@dataclass(slots=True, eq=False)
class Spine:
    """One spine from its beginning to its end.

    Attributes:
        kind: its exclusive interpretation, such as "**kern".
        name: of the instrument, "" where none is given.
    """

    kind: str
    name: str = ""


@dataclass(slots=True, eq=False)
class Column:
    """One column of the file: a spine, or a part of it where it is split.

    Attributes:
        spine: that it belongs to.
        line: which of the lines of the spine it is, from 0.
        end: when its last note ends, in quarter notes.
    """

    spine: Spine
    line: int = 0
    end: Fraction = field(default_factory=Fraction)


def first_columns(tokens: Sequence[str]) -> list[Column]:
    """The columns of a line of exclusive interpretations."""
    return [Column(Spine(token)) for token in tokens]


def next_columns(columns: Sequence[Column], tokens: Sequence[str]) -> list[Column]:
    """The columns after a line of interpretations, one token a column.

    Raises:
        CorruptFileError: there are too many columns.

    >>> columns = first_columns(["**kern", "**kern"])
    >>> split = next_columns(columns, ["*^", "*"])
    >>> [(column.spine is columns[0].spine, column.line) for column in split]
    [(True, 0), (True, 1), (False, 0)]
    >>> len(next_columns(split, ["*v", "*v", "*"])), len(next_columns(split, ["*-", "*-", "*"]))
    (2, 1)
    """
    found: list[Column] = []
    before = ""
    for column, token in zip(columns, tokens, strict=True):
        if token == "*^":
            found += [column, Column(column.spine, _free_line(column, columns, found), column.end)]
        elif token == "*+":
            found += [column, Column(Spine(""))]
        elif token == "*v" and before == "*v" and found[-1].spine is column.spine:
            found[-1].line = min(found[-1].line, column.line)
            found[-1].end = max(found[-1].end, column.end)
        elif token == "*x" and before == "*x":
            found[-1:] = [column, found[-1]]
            token = ""
        elif token != "*-":
            found.append(column)
            if token.startswith("**") and not column.spine.kind:
                column.spine.kind = token
        before = token
    if len(found) > _MAX_COLUMNS:
        raise CorruptFileError(f"has {len(found)} columns; at most {_MAX_COLUMNS} are read")
    return found


def _free_line(column: Column, columns: Sequence[Column], new: Sequence[Column]) -> int:
    taken = {other.line for other in (*columns, *new) if other.spine is column.spine}
    return next(line for line in range(len(taken) + 1) if line not in taken)
