"""Marks of a score as plain data, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqmusic.formats.score_marks import NO_MARKS, Bracket, Ficta, ScoreMarks, TextMark


def marks_to_data(marks: ScoreMarks) -> dict[str, Any]:
    """Marks as plain data.

    >>> marks_to_data(ScoreMarks(texts=(TextMark(3, 0, "talea A"),)))["texts"]
    [[3, 0, 'talea A']]
    """
    return {
        "texts": [list(one) for one in marks.texts],
        "brackets": [list(one) for one in marks.brackets],
        "ficta": [list(one) for one in marks.ficta],
        "break_ticks": list(marks.break_ticks),
    }


def data_to_marks(data: Mapping[str, Any] | None) -> ScoreMarks:
    """The marks of plain data, the inverse of `marks_to_data`; none for None.

    Raises:
        ValueError, KeyError, TypeError: the data are not those of marks.
    """
    if data is None:
        return NO_MARKS
    return ScoreMarks(
        texts=tuple(TextMark(int(v), int(tick), str(text)[:80]) for v, tick, text in data["texts"]),
        brackets=tuple(Bracket(*(int(value) for value in row)) for row in data["brackets"]),
        ficta=tuple(Ficta(*(int(value) for value in row)) for row in data["ficta"]),
        break_ticks=tuple(int(tick) for tick in data["break_ticks"]),
    )
