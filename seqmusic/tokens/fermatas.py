"""Fermatas as tokens can express them: at most one for each chord.

They mark the ends of phrases. A chord is what starts at one tick.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from seqmusic.score import Score, Voice


def fermata_ticks(score: Score) -> list[int]:
    """The onsets under a fermata, in order; none while a note from the last one still sounds.

    So the fermata of an inner voice that moves once more under a held one is not counted again.

    >>> from seqmusic.score import Note
    >>> soprano = Voice("Soprano", (Note(0, 48, 72, fermata=True),))
    >>> alto = Voice("Alto", (Note(0, 24, 65), Note(24, 24, 64, fermata=True)))
    >>> fermata_ticks(Score((soprano, alto)))
    [0]
    """
    notes = [note for voice in score.voices for note in voice.notes]
    kept: list[int] = []
    sounds_until = 0
    for tick in sorted({note.onset_ticks for note in notes if note.fermata}):
        if tick >= sounds_until:
            kept.append(tick)
            sounds_until = max(note.end_ticks for note in notes if note.onset_ticks == tick)
    return kept


def without_fermatas(score: Score) -> Score:
    """The score without any fermata."""
    return replace(score, voices=tuple(with_fermatas(voice, ()) for voice in score.voices))


def with_fermatas(voice: Voice, ticks: Collection[int]) -> Voice:
    """The voice with a fermata over each note that starts at one of the ticks, and no others."""
    notes = tuple(replace(note, fermata=note.onset_ticks in ticks) for note in voice.notes)
    return Voice(voice.name, notes)


@dataclass(slots=True)
class FermataTicks:
    """The fermatas of a sequence as it is read, section by section.

    Attributes:
        before: ascending ticks of those before this section.
        written: ascending ticks of those in this section.
        earliest: the first tick at which one may come next.
    """

    before: list[int] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    earliest: int = 0

    def begin_section(self) -> None:
        """Count all fermatas so far as known; the next section starts again from tick 0."""
        self.before, self.written, self.earliest = self.before + self.written, [], 0

    def may_come(self, tick: int) -> bool:
        """Whether a fermata may come at the tick of the next event."""
        return tick >= self.earliest and tick not in self.before

    def covers(self, onset: int) -> bool:
        """Whether there is a fermata over the notes that start at a tick."""
        return onset in self.written or onset in self.before

    def latest(self, tick: int) -> int:
        """Tick of the latest known fermata at or before a tick; -1 for none."""
        n_passed = bisect_right(self.before, tick)
        latest = max([-1, *self.before[:n_passed][-1:], *self.written[-1:]])
        return latest if latest <= tick else -1

    def following(self, tick: int) -> int | None:
        """Tick of the next known fermata after a tick."""
        n_passed = bisect_right(self.before, tick)
        return self.before[n_passed] if n_passed < len(self.before) else None

    def copy(self) -> FermataTicks:
        """An independent copy."""
        return replace(self, before=list(self.before), written=list(self.written))
