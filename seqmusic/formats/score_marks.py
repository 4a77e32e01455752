"""What is printed with a score and is no part of the music: texts, brackets, ficta, line breaks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class TextMark(NamedTuple):
    """A text above a note or rest that begins at a tick."""

    voice: int
    onset_ticks: int
    text: str


class Bracket(NamedTuple):
    """A bracket from one note of a voice to another, given by their onsets."""

    voice: int
    onset_ticks: int
    last_onset_ticks: int


class Ficta(NamedTuple):
    """A note whose accidental stands above it, because no source has it: musica ficta."""

    voice: int
    onset_ticks: int


@dataclass(frozen=True, slots=True)
class ScoreMarks:
    """All marks of a score.

    Attributes:
        texts: above the staff.
        brackets: above or below the staff.
        ficta: notes with their accidental above.
        break_ticks: onsets of bars that begin a line; none for lines that are filled.
    """

    texts: tuple[TextMark, ...] = ()
    brackets: tuple[Bracket, ...] = ()
    ficta: tuple[Ficta, ...] = ()
    break_ticks: tuple[int, ...] = ()

    def of_voices(self, voices: Iterable[int]) -> ScoreMarks:
        """The marks of some voices, with all line breaks."""
        kept = set(voices)
        return ScoreMarks(
            tuple(one for one in self.texts if one.voice in kept),
            tuple(one for one in self.brackets if one.voice in kept),
            tuple(one for one in self.ficta if one.voice in kept),
            self.break_ticks,
        )


NO_MARKS = ScoreMarks()
