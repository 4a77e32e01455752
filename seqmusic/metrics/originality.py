"""The longest passage that a score copies from a list of works, note for note and in any key.

Music is cut wherever a note of any voice begins or ends. What the voices do between two cuts
(strike a note, hold one, rest) is a chord, its pitches relative to the lowest one, as in the
shingles of `corpus.similarity`. A transition is a chord, its duration, the interval from its lowest
pitch to that of the next chord, and that next chord: the same in every key. A passage is copied
where a run of transitions of the score is a run of transitions of a work. So matches are exact to
the tick and the semitone, however short they are.
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
        duration_ticks: of the passage.
        n_notes: notes that begin in it, all voices together.
        semitones: the work transposed by so much equals the score.
        bars: first and last bar of the passage in the score, as printed; None without a meter.
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
        """Duration of the passage in quarter notes."""
        return self.duration_ticks / TICKS_PER_QUARTER


class CopyIndex:
    """An index of works that finds the longest passage a score copies from them.

    A score is compared with the voices of the same names in each work. If a work lacks one of them,
    it is compared with all voices of the work from the highest down, and there must be as many. So
    a melody is looked for in melodies and, if its voice is a soprano, in sopranos.

    >>> from seqmusic.score import Note, melody
    >>> pitches = (60, 62, 64, 65, 67, 64, 60, 67)
    >>> line = [Note(12 * i, 12, pitch) for i, pitch in enumerate(pitches)]
    >>> moved = melody(line[2:6]).transposed(3).voices[0].notes
    >>> copy = CopyIndex([melody(line)]).longest(melody([Note(0, 12, 60), *moved]))
    >>> copy.n_notes, copy.beats, copy.semitones
    (4, 2.0, 3)
    >>> copy.onset_ticks, copy.work_onset_ticks, copy.bars
    (24, 24, (1, 1))
    """

    def __init__(self, works: Sequence[Score]) -> None:
        self._works = tuple(works)
        self._indexes: dict[tuple[str, ...], _TransitionIndex] = {}

    def longest(self, score: Score) -> CopiedPassage | None:
        """The copied passage with most notes, then most chords; None if no two chords agree."""
        names = tuple(voice.name for voice in score.voices)
        if names not in self._indexes:
            self._indexes[names] = _TransitionIndex(
                [_corresponding_voices(work, names) for work in self._works]
            )
        transitions, chords = self._indexes[names], _Chords(score.voices)
        run = _longest_run(chords, transitions)
        return self._passage(score, chords, transitions, run) if run.n_notes else None

    def _passage(
        self, score: Score, chords: _Chords, transitions: _TransitionIndex, run: _Run
    ) -> CopiedPassage:
        number, work_last = transitions.locate(run.position)
        work, work_chords = self._works[number], transitions.chords[number]
        first, work_first = run.last + 1 - run.length, work_last + 1 - run.length
        onset, work_onset = int(chords.ticks[first]), int(work_chords.ticks[work_first])
        duration = min(
            int(chords.ticks[run.last + 2]) - onset,
            int(work_chords.ticks[work_last + 2]) - work_onset,
        )
        return CopiedPassage(
            work=number,
            title=work.title,
            onset_ticks=onset,
            work_onset_ticks=work_onset,
            duration_ticks=duration,
            n_notes=run.n_notes,
            semitones=int(chords.lowest[first] - work_chords.lowest[work_first]),
            bars=_bars(score, onset, duration),
            work_bars=_bars(work, work_onset, duration),
        )


class _Chords:
    """The chords of some voices, and the transitions between them.

    Attributes:
        ticks: (chord + 1,) where each chord begins, and where the last one ends.
        lowest: (chord,) lowest pitch of each; of silence, that of the chord before.
        notes_before: (chord + 1,) notes that begin before each.
        transitions: one for each two neighbors.
    """

    def __init__(self, voices: Sequence[Voice]) -> None:
        notes = [note for voice in voices for note in voice.notes]
        cuts = sorted({tick for note in notes for tick in (note.onset_ticks, note.end_ticks)})
        self.ticks = np.array(cuts, np.int64)
        pitches, begins = self._grids(voices, {tick: row for row, tick in enumerate(cuts)})
        self.notes_before = np.r_[0, np.cumsum(begins.sum(axis=1))]
        self.lowest = _lowest(pitches)
        relative = 2 * (pitches - self.lowest[:, None]) + begins
        codes = np.where(pitches == _REST, _REST, relative).astype(np.int16)
        chords = [chord.tobytes() for chord in codes]
        lengths, rises = np.diff(self.ticks).tolist(), np.diff(self.lowest).tolist()
        self.transitions: list[_Transition] = list(
            zip(chords, lengths, rises, chords[1:], strict=False)
        )

    def _grids(
        self, voices: Sequence[Voice], rows: dict[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(chord, voice) pitches, and 1 where a note begins."""
        pitches = np.full((max(0, len(rows) - 1), len(voices)), _REST)
        begins = np.zeros(pitches.shape, np.int64)
        for column, voice in enumerate(voices):
            for note in voice.notes:
                first = rows[note.onset_ticks]
                pitches[first : rows[note.end_ticks], column] = note.pitch
                begins[first, column] = 1
        return pitches, begins


class _TransitionIndex:
    """The transitions of all works in one row, with a gap after each work, and their positions."""

    def __init__(self, works: Sequence[Sequence[Voice]]) -> None:
        self.chords = [_Chords(voices) for voices in works]
        self._ids: dict[_Transition, int] = {}
        # Position of the first transition of each work.
        self._first = np.cumsum([0, *(len(chords.transitions) + 1 for chords in self.chords)])
        row: list[int] = []
        for chords in self.chords:
            row += [self._ids.setdefault(key, len(self._ids)) for key in chords.transitions]
            row.append(-1)  # the gap
        ids = np.array(row, np.int32)
        self._positions = np.argsort(ids, kind="stable")
        self._bounds = np.searchsorted(ids[self._positions], np.arange(len(self._ids) + 1))

    @property
    def n_positions(self) -> int:
        """Transitions and gaps."""
        return len(self._positions)

    def positions(self, transition: _Transition) -> NDArray[np.int64]:
        """Where in the row a transition stands, ascending."""
        number = self._ids.get(transition)
        if number is None:
            return self._positions[:0]
        return self._positions[self._bounds[number] : self._bounds[number + 1]]

    def locate(self, position: int) -> tuple[int, int]:
        """The work that a position of the row belongs to, and which of its transitions it is."""
        work = int(np.searchsorted(self._first, position, side="right")) - 1
        return work, position - int(self._first[work])


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of transitions that a score shares with a work.

    Attributes:
        n_notes: notes that begin in it.
        length: transitions.
        last: position of the last transition in the score.
        position: of the last transition in the row of all works.
    """

    n_notes: int = 0
    length: int = 0
    last: int = 0
    position: int = 0


def _longest_run(chords: _Chords, transitions: _TransitionIndex) -> _Run:
    """The shared run with most notes, then most transitions, the first of equal ones."""
    best = _Run()
    # At position + 1: length of the run that ends there with the transition before.
    lengths = np.zeros(transitions.n_positions + 1, np.int32)
    ended = np.zeros(0, np.int64)
    for last, transition in enumerate(chords.transitions):
        positions = transitions.positions(transition)
        extended = lengths[positions] + 1
        lengths[ended] = 0
        ended = positions + 1
        lengths[ended] = extended
        if len(positions):
            longest = int(extended.argmax())
            length = int(extended[longest])
            n_notes = int(chords.notes_before[last + 2] - chords.notes_before[last + 1 - length])
            if (n_notes, length) > (best.n_notes, best.length):
                best = _Run(n_notes, length, last, int(positions[longest]))
    return best


def _lowest(pitches: NDArray[np.int64]) -> NDArray[np.int64]:
    """(chord,) lowest pitch of (chord, voice) pitches; of silence, that of the chord before."""
    lowest = np.where(pitches == _REST, _SILENT, pitches).min(axis=1, initial=_SILENT)
    # Music begins with a note, so the first chord is never silent.
    sounding = np.where(lowest == _SILENT, 0, np.arange(len(lowest)))
    return np.asarray(lowest[np.maximum.accumulate(sounding)])


def _corresponding_voices(work: Score, names: Sequence[str]) -> tuple[Voice, ...]:
    """The voices of a work to compare with voices of these names; all of them if one is missing."""
    by_name = {voice.name: voice for voice in work.voices}
    return tuple(by_name[name] for name in names) if by_name.keys() >= set(names) else work.voices


def _bars(score: Score, onset_ticks: int, duration_ticks: int) -> tuple[int, int] | None:
    """Numbers of the first and last bar of a passage."""
    within = [
        bar.number
        for bar in score.bars()
        if bar.end_ticks > onset_ticks and bar.onset_ticks < onset_ticks + duration_ticks
    ]
    return (within[0], within[-1]) if within else None
