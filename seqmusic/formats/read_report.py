"""What comes of reading a file: the score, what had to be mended for it, and what the file says that a score does not hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from seqmusic.score import Score


@dataclass(frozen=True, slots=True)
class ReadReport:
    """A score as it was read, and how; both lists hold short sentences, one a kind of thing.

    Attributes:
        score: what was read.
        repairs: what is wrong in the file, and was mended.
        losses: what is in the file and not in the score, such as drums, chords that were taken apart into voices, or how far notes
            were moved to the grid.
    """

    score: Score
    repairs: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """``"repaired"`` where something was wrong in the file, else ``"read"``."""
        return "repaired" if self.repairs else "read"


class FilePiece(NamedTuple):
    """One of several pieces in a file.

    Attributes:
        name: as the file calls it; unlike all others in the file if the file has different names.
        report: None where this piece is refused, and others may still be read.
        refusal: why it is refused, in one line that names the file.
    """

    name: str
    report: ReadReport | None
    refusal: str = ""


@dataclass(slots=True)
class Tally:
    """How often each thing was found in a file, and where first; as long as there are kinds of things, however many are found.

    >>> found = Tally()
    >>> for byte in (14, 20, 31):
    ...     found.add("notes of no length left out", f"byte {byte}")
    >>> found.messages()
    ('notes of no length left out: 3 (first at byte 14)',)
    """

    _found: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, what: str, place: str = "", count: int = 1) -> None:
        """Note that `what` was found `count` times more, 0 for what is not counted; `place` counts only the first time."""
        before, first = self._found.get(what, (0, place))
        self._found[what] = (before + count, first)

    def messages(self) -> tuple[str, ...]:
        """One a kind, in the order in which they were first found."""
        return tuple(
            what
            + (f": {count}" if count else "")
            + (f" ({'first ' if count > 1 else ''}at {place})" if place else "")
            for what, (count, place) in self._found.items()
        )

    def __bool__(self) -> bool:
        return bool(self._found)
