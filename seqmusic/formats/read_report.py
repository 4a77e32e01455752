"""The result of reading a file: the score, the repairs it needed, and what the score lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from seqmusic.score import Score


@dataclass(frozen=True, slots=True)
class ReadReport:
    """A score that was read, and how; both lists hold short sentences, one for each kind of thing.

    Attributes:
        score: what was read.
        repairs: what is wrong in the file, and was repaired.
        losses: what is in the file and not in the score, such as drums, chords that were taken
            apart into voices, or how far notes were moved to the grid.
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
        name: as in the file; different from all others in it if its names are.
        report: None where this piece is refused, and others may still be read.
        refusal: why it is refused, in one line that names the file.
    """

    name: str
    report: ReadReport | None
    refusal: str = ""


@dataclass(slots=True)
class Tally:
    """How often each kind of thing was found in a file, and where first.

    Its size is that of the kinds, however many things are found.

    >>> found = Tally()
    >>> for byte in (14, 20, 31):
    ...     found.add("notes of no length left out", f"byte {byte}")
    >>> found.messages()
    ('notes of no length left out: 3 (first at byte 14)',)
    """

    _found: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, what: str, location: str = "", count: int = 1) -> None:
        """Count a finding.

        Args:
            what: kind of thing that was found.
            location: where; only the first one of a kind is kept.
            count: how many of them; 0 for what is not counted.
        """
        total, first = self._found.get(what, (0, location))
        self._found[what] = (total + count, first)

    def messages(self) -> tuple[str, ...]:
        """One for each kind, in the order in which they were first found."""
        return tuple(
            what
            + (f": {count}" if count else "")
            + (f" ({'first ' if count > 1 else ''}at {location})" if location else "")
            for what, (count, location) in self._found.items()
        )

    def __bool__(self) -> bool:
        return bool(self._found)
