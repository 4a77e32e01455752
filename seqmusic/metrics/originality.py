"""The longest passage that a score copies from a list of works: note for note, all voices together, in whatever key.

Music is cut wherever a note of any voice begins or ends. What the voices do between two cuts (strike a note, hold one, rest) is a
chord, its pitches moved so that the lowest one is 0, as in the shingles of `corpus.duplicates`. A chord, how long it lasts, how far
its lowest pitch is from the next one's, and that next chord are a link: the same in every key. A passage is copied where links of
the score in a row are links of a work in a row. So what is found is exact to the tick and the semitone, however short it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import TICKS_PER_QUARTER, Score, Voice

_REST = -1
_SILENT = 999  # above every pitch
_Transition = tuple[bytes, int, int, bytes]


@dataclass(frozen=True, slots=True)
class CopiedPassage:
    """A passage that a score shares with a work.

    Attributes:
        work: position of the work in the list.
        title: of the work.
        onset_ticks: where the passage begins in the score.
        work_onset_ticks: where it begins in the work.
        duration_ticks: how long it is.
        n_notes: notes that begin in it, all voices together.
        semitones: the work moved by so much sounds like the score.
        bars: first and last bar of the passage in the score, as printed; None where the score has no meter.
        work_bars: the same in the work.
    """

    work: int
    title: str
    onset_ticks: int
    work_onset_ticks: int
    duration_ticks: int
    n_notes: int
    semitones: int
    bars: tuple[int, int] | None
    work_bars: tuple[int, int] | None

    @property
    def beats(self) -> float:
        """How long the passage is, in quarter notes."""
        return self.duration_ticks / TICKS_PER_QUARTER


class CopyIndex:
    """Works, to be asked which passage a score copies from them.

    A score is held against the voices of the same names in each work; where a work lacks one of them, against all its voices, from
    the highest down, and there must be as many. So a melody is looked for in melodies and, where it is a soprano, in the sopranos.

    >>> from seqmusic.score import Note, melody
    >>> line = [Note(12 * i, 12, pitch) for i, pitch in enumerate((60, 62, 64, 65, 67, 64, 60, 67))]
    >>> copy = CopyIndex([melody(line)]).longest(melody([Note(0, 12, 60), *melody(line[2:6]).transposed(3).voices[0].notes]))
    >>> copy.n_notes, copy.beats, copy.semitones, copy.onset_ticks, copy.work_onset_ticks, copy.bars
    (4, 2.0, 3, 24, 24, (1, 1))
    """

    def __init__(self, works: Sequence[Score]) -> None:
        self._works = tuple(works)
        self._indexes: dict[tuple[str, ...], _TransitionIndex] = {}

    def longest(self, score: Score) -> CopiedPassage | None:
        """The longest copied passage, by its notes and then by its chords; None where not even two chords agree."""
        names = tuple(voice.name for voice in score.voices)
        if names not in self._indexes:
            self._indexes[names] = _TransitionIndex(
                [_corresponding_voices(work, names) for work in self._works]
            )
        transitions, chords = self._indexes[names], _Chords(score.voices)
        n_notes, n_links, last, position = _longest_run(chords, transitions)
        if not n_notes:
            return None
        work, work_last = transitions.work_at(position)
        others, first, work_first = (
            transitions.chords[work],
            last + 1 - n_links,
            work_last + 1 - n_links,
        )
        onset, work_onset = int(chords.ticks[first]), int(others.ticks[work_first])
        duration = min(
            int(chords.ticks[last + 2]) - onset, int(others.ticks[work_last + 2]) - work_onset
        )
        return CopiedPassage(
            work=work,
            title=self._works[work].title,
            onset_ticks=onset,
            work_onset_ticks=work_onset,
            duration_ticks=duration,
            n_notes=n_notes,
            semitones=int(chords.lowest[first] - others.lowest[work_first]),
            bars=_bars(score, onset, duration),
            work_bars=_bars(self._works[work], work_onset, duration),
        )


class _Chords:
    """The chords of some voices, and the links between them.

    Attributes:
        ticks: (chord + 1,) where each chord begins, and where the last one ends.
        lowest: (chord,) lowest pitch of each; of silence, that of the chord before.
        notes_before: (chord + 1,) notes that begin before each.
        transitions: one for each two neighbors.
    """

    def __init__(self, voices: Sequence[Voice]) -> None:
        cuts = sorted(
            {
                tick
                for voice in voices
                for note in voice.notes
                for tick in (note.onset_ticks, note.end_ticks)
            }
        )
        self.ticks = np.array(cuts, np.int64)
        pitches = np.full((max(0, len(self.ticks) - 1), len(voices)), _REST)
        begins = np.zeros(pitches.shape, np.int64)
        row = {tick: index for index, tick in enumerate(cuts)}
        for v, voice in enumerate(voices):
            for note in voice.notes:
                first = row[note.onset_ticks]
                pitches[first : row[note.end_ticks], v] = note.pitch
                begins[first, v] = 1
        self.notes_before = np.r_[0, np.cumsum(begins.sum(axis=1))]
        self.lowest = _lowest(pitches)
        moved = np.where(
            pitches == _REST, _REST, 2 * (pitches - self.lowest[:, None]) + begins
        ).astype(np.int16)
        chords = [chord.tobytes() for chord in moved]
        lengths, rises = np.diff(self.ticks).tolist(), np.diff(self.lowest).tolist()
        self.transitions: list[_Transition] = list(
            zip(chords, lengths, rises, chords[1:], strict=False)
        )


class _TransitionIndex:
    """The links of all works in one row, a gap after each work, and where each link stands."""

    def __init__(self, works: Sequence[Sequence[Voice]]) -> None:
        self.chords = [_Chords(voices) for voices in works]
        self._ids: dict[_Transition, int] = {}
        self._first = np.cumsum(
            [0, *(len(chords.transitions) + 1 for chords in self.chords)]
        )  # place of each work's first link
        row = [
            [self._ids.setdefault(link, len(self._ids)) for link in chords.transitions]
            for chords in self.chords
        ]
        ids = np.array([number for own in row for number in (*own, -1)], np.int32)  # -1 is the gap
        self._positions = np.argsort(ids, kind="stable")
        self._bounds = np.searchsorted(ids[self._positions], np.arange(len(self._ids) + 1))

    @property
    def n_positions(self) -> int:
        """Links and gaps."""
        return len(self._positions)

    def positions(self, link: _Transition) -> NDArray[np.int64]:
        """Where in the row a link stands, rising."""
        number = self._ids.get(link)
        return (
            self._positions[:0]
            if number is None
            else self._positions[self._bounds[number] : self._bounds[number + 1]]
        )

    def work_at(self, position: int) -> tuple[int, int]:
        """The work that holds a place of the row, and which of its links that is."""
        work = int(np.searchsorted(self._first, position, side="right")) - 1
        return work, position - int(self._first[work])


def _longest_run(chords: _Chords, transitions: _TransitionIndex) -> tuple[int, int, int, int]:
    """Of the run of links with most notes: those notes, the links, the last of them in `chords`, and its place in `transitions`."""
    best = (0, 0, 0, 0)
    runs = np.zeros(
        transitions.n_positions + 1, np.int32
    )  # at place + 1: length of the run that ends there with the link before
    ended = np.zeros(0, np.int64)
    for last, link in enumerate(chords.transitions):
        positions = transitions.positions(link)
        lengths = runs[positions] + 1
        runs[ended] = 0
        ended = positions + 1
        runs[ended] = lengths
        if len(positions):
            longest = int(lengths.argmax())
            length = int(lengths[longest])
            n_notes = int(chords.notes_before[last + 2] - chords.notes_before[last + 1 - length])
            if (n_notes, length) > best[:2]:
                best = (n_notes, length, last, int(positions[longest]))
    return best


def _lowest(pitches: NDArray[np.int64]) -> NDArray[np.int64]:
    """(chord,) lowest pitch of (chord, voice) pitches; of silence, that of the chord before."""
    lowest = np.where(pitches == _REST, _SILENT, pitches).min(axis=1, initial=_SILENT)
    sounding = np.where(
        lowest == _SILENT, 0, np.arange(len(lowest))
    )  # music begins with a note, so the first chord sounds
    return np.asarray(lowest[np.maximum.accumulate(sounding)])


def _corresponding_voices(work: Score, names: Sequence[str]) -> tuple[Voice, ...]:
    """The voices of a work to hold a score's voices against; of another number, nothing in them agrees."""
    by_name = {voice.name: voice for voice in work.voices}
    return tuple(by_name[name] for name in names) if by_name.keys() >= set(names) else work.voices


def _bars(score: Score, onset_ticks: int, duration_ticks: int) -> tuple[int, int] | None:
    """Numbers of the first and last bar of a passage."""
    within = [
        b.number
        for b in score.bars()
        if b.end_ticks > onset_ticks and b.onset_ticks < onset_ticks + duration_ticks
    ]
    return (within[0], within[-1]) if within else None
