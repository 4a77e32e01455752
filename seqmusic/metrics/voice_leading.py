"""Voice leading: how the voices of a score move against each other, as counts.

A voice moves where one of its notes follows another without a rest between them and the pitch
changes; two voices move together where both do so at the same tick. A repeated note does not move,
so tables, which do not distinguish repeated notes from held ones, give the same figures as
notation. In music of sixteenths this is the definition "both voices change between two steps of
the grid". Figures per step are read off the sixteenth grid, where a shorter note counts only if it
sounds as a step begins.

Source: J. J. Fux, Gradus ad Parnassum, 1725 (perfect consonances by contrary or oblique motion
only; leaps and the tritone in a line); E. Aldwell and C. Schachter, Harmony and Voice Leading,
chapter 5 (crossing, and an octave at most between upper voices). How each is counted is defined
here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqmusic.counterpoint import PERFECT_INTERVALS, perfect_parallels
from seqmusic.metrics.rates import Rate
from seqmusic.pitch_grid import REST_CELL, pitch_grid
from seqmusic.score import Score, Voice

OCTAVE, FIFTH, TRITONE = 12, 7, 6  # semitones
_MAX_STEP = 2  # semitones


class PairMove(NamedTuple):
    """Two voices that move at the same tick.

    Attributes:
        onset_ticks: where both new notes begin.
        upper: position in the score of the voice that is written higher.
        lower: position of the other voice.
        upper_pitches: MIDI numbers of the upper voice before and after.
        lower_pitches: MIDI numbers of the lower voice before and after.
    """

    onset_ticks: int
    upper: int
    lower: int
    upper_pitches: tuple[int, int]
    lower_pitches: tuple[int, int]

    @property
    def is_similar(self) -> bool:
        """Whether both voices go up, or both go down."""
        (high, next_high), (low, next_low) = self.upper_pitches, self.lower_pitches
        return (next_high > high) == (next_low > low)

    @property
    def intervals(self) -> tuple[int, int]:
        """Semitones from lower to upper voice before and after; negative if they are crossed."""
        (high, next_high), (low, next_low) = self.upper_pitches, self.lower_pitches
        return high - low, next_high - next_low


class Parallel(NamedTuple):
    """Two voices in parallel fifths or octaves.

    Attributes:
        onset_ticks: where the second of the two intervals begins.
        upper: position in the score of the voice that is written higher.
        lower: position of the other voice.
        kind: "fifth" or "octave", compound intervals included; a unison is an octave.
    """

    onset_ticks: int
    upper: int
    lower: int
    kind: str


def melodic_moves(voice: Voice) -> dict[int, tuple[int, int]]:
    """The moves of a voice: from the tick to the pitches before and after.

    >>> from seqmusic.score import Note
    >>> pitches = ((0, 60), (24, 62), (48, 62), (96, 60))
    >>> melodic_moves(Voice("Alto", tuple(Note(tick, 24, pitch) for tick, pitch in pitches)))
    {24: (60, 62)}
    """
    return {
        after.onset_ticks: (before.pitch, after.pitch)
        for before, after in itertools.pairwise(voice.notes)
        if before.end_ticks == after.onset_ticks and before.pitch != after.pitch
    }


def pair_moves(score: Score) -> Iterator[PairMove]:
    """Every move of two voices together, pair by pair, the highest pair first.

    >>> from seqmusic.score import Note
    >>> alto = Voice("Alto", (Note(0, 24, 67), Note(24, 24, 69), Note(48, 24, 69)))
    >>> bass = Voice("Bass", (Note(0, 24, 48), Note(24, 24, 50), Note(48, 24, 52)))
    >>> [(move.onset_ticks, move.intervals) for move in pair_moves(Score((alto, bass)))]
    [(24, (19, 19))]
    """
    for (upper, high), (lower, low) in itertools.combinations(
        enumerate(map(melodic_moves, score.voices)), 2
    ):
        for tick, pitches in high.items():
            if tick in low:
                yield PairMove(tick, upper, lower, pitches, low[tick])


def parallels(score: Score) -> list[Parallel]:
    """Parallel fifths, octaves and unisons of all pairs of voices, in order of time.

    Both intervals of `perfect_parallels` are meant, where the voices are crossed at neither.
    Augmented and diminished intervals are not distinguished from perfect ones of the same size.

    >>> from seqmusic.score import Note
    >>> soprano = Voice("Soprano", (Note(0, 24, 67), Note(24, 24, 69), Note(48, 24, 71)))
    >>> bass = Voice("Bass", (Note(0, 24, 48), Note(24, 24, 50), Note(48, 24, 59)))
    >>> parallels(Score((soprano, bass)))
    [Parallel(onset_ticks=24, upper=0, lower=1, kind='fifth')]
    """
    return _parallels_among(list(pair_moves(score)))


def parallel_fifths(score: Score) -> Rate:
    """Parallel fifths, of all moves of two voices together; 0.5 to 1.2 per 1000 in chorales."""
    return _parallel_rate(score, "fifth")


def parallel_octaves(score: Score) -> Rate:
    """Parallel octaves and unisons, of all moves of two voices; 0.2 to 0.6 per 1000 in chorales."""
    return _parallel_rate(score, "octave")


def parallel_fifths_and_octaves(score: Score) -> Rate:
    """Parallel fifths, octaves and unisons, of all moves of two voices together.

    >>> from seqmusic.score import Note
    >>> soprano = Voice("Soprano", (Note(0, 24, 67), Note(24, 24, 69), Note(48, 24, 71)))
    >>> bass = Voice("Bass", (Note(0, 24, 48), Note(24, 24, 50), Note(48, 24, 59)))
    >>> parallel_fifths_and_octaves(Score((soprano, bass)))
    Rate(hits=1, opportunities=2)
    """
    return _parallel_rate(score, "fifth", "octave")


def hidden_fifths_and_octaves(score: Score) -> Rate:
    """How often the outer voices leap into a perfect interval, of their moves together.

    Highest and lowest voice move in the same direction, the highest by more than a whole tone,
    into a perfect fifth, an octave or a unison, from an interval of another kind.

    >>> from seqmusic.score import Note
    >>> soprano = Voice("Soprano", (Note(0, 24, 64), Note(24, 24, 69), Note(48, 24, 71)))
    >>> bass = Voice("Bass", (Note(0, 24, 48), Note(24, 24, 50), Note(48, 24, 52)))
    >>> hidden_fifths_and_octaves(Score((soprano, bass)))
    Rate(hits=1, opportunities=2)
    """
    outer = (0, len(score.voices) - 1)
    moves = [move for move in pair_moves(score) if (move.upper, move.lower) == outer]
    return Rate(sum(map(_is_hidden, moves)), len(moves))


def crossings(score: Score) -> Rate:
    """Sixteenth steps in which a voice sounds below the next lower one, of all steps.

    >>> from seqmusic.score import Note
    >>> alto = Voice("Alto", (Note(0, 24, 60),))
    >>> tenor = Voice("Tenor", (Note(0, 18, 55), Note(18, 6, 62)))
    >>> crossings(Score((alto, tenor)))
    Rate(hits=1, opportunities=4)
    """
    grid = pitch_grid(score)
    upper, lower = grid[:-1], grid[1:]
    crossed = (_both_sound(upper, lower) & (upper < lower)).any(axis=0)
    return Rate(int(crossed.sum()), grid.shape[1] if len(grid) > 1 else 0)


def wide_spacings(score: Score) -> Rate:
    """Sixteenth steps with more than an octave between neighbors, without the bass, of all steps.

    In four voices the neighbors are soprano and alto, alto and tenor.

    >>> from seqmusic.score import Note
    >>> pitches = {"Soprano": 74, "Alto": 60, "Bass": 40}
    >>> voices = [Voice(name, (Note(0, 6, pitch),)) for name, pitch in pitches.items()]
    >>> wide_spacings(Score(tuple(voices)))
    Rate(hits=1, opportunities=1)
    """
    grid = pitch_grid(score)
    if len(grid) < 3:
        return Rate(0, 0)
    upper, lower = grid[:-2], grid[1:-1]
    wide = (_both_sound(upper, lower) & (upper - lower > OCTAVE)).any(axis=0)
    return Rate(int(wide.sum()), grid.shape[1])


def leaps_beyond(score: Score, semitones: int) -> Rate:
    """Moves of single voices by more than `semitones`, of all their moves.

    >>> from seqmusic.score import Note, melody
    >>> leaps_beyond(melody([Note(0, 24, 60), Note(24, 24, 72), Note(48, 24, 71)]), FIFTH)
    Rate(hits=1, opportunities=2)
    """
    sizes = _move_sizes(score)
    return Rate(sum(size > semitones for size in sizes), len(sizes))


def steps(score: Score) -> Rate:
    """Moves of single voices by a semitone or a whole tone, of all their moves.

    >>> from seqmusic.score import Note, melody
    >>> steps(melody([Note(0, 24, 65), Note(24, 24, 67), Note(48, 24, 72)]))
    Rate(hits=1, opportunities=2)
    """
    sizes = _move_sizes(score)
    return Rate(sum(size <= _MAX_STEP for size in sizes), len(sizes))


def tritone_leaps(score: Score) -> Rate:
    """Moves of single voices by a tritone, of all their moves.

    >>> from seqmusic.score import Note, melody
    >>> tritone_leaps(melody([Note(0, 24, 65), Note(24, 24, 71), Note(48, 24, 72)]))
    Rate(hits=1, opportunities=2)
    """
    sizes = _move_sizes(score)
    return Rate(sizes.count(TRITONE), len(sizes))


def _parallels_among(moves: list[PairMove]) -> list[Parallel]:
    if not moves:
        return []
    upper, lower = (np.array([move[column] for move in moves]) for column in (3, 4))  # (move, 2)
    is_parallel = perfect_parallels(upper[:, 0], upper[:, 1], lower[:, 0], lower[:, 1])
    is_parallel &= (upper >= lower).all(axis=1)
    return sorted(
        Parallel(move.onset_ticks, move.upper, move.lower, _kind(move.intervals[1]))
        for move, found in zip(moves, is_parallel.tolist(), strict=True)
        if found
    )


def _parallel_rate(score: Score, *kinds: str) -> Rate:
    moves = list(pair_moves(score))
    return Rate(sum(found.kind in kinds for found in _parallels_among(moves)), len(moves))


def _kind(interval: int) -> str:
    return "fifth" if interval % OCTAVE == FIFTH else "octave"


def _is_hidden(move: PairMove) -> bool:
    before, after = move.intervals
    is_leap = abs(move.upper_pitches[1] - move.upper_pitches[0]) > _MAX_STEP
    is_perfect = after >= 0 and after % OCTAVE in PERFECT_INTERVALS
    return move.is_similar and is_leap and is_perfect and after % OCTAVE != before % OCTAVE


def _both_sound(upper: NDArray[np.int16], lower: NDArray[np.int16]) -> NDArray[np.bool_]:
    return np.asarray((upper != REST_CELL) & (lower != REST_CELL))


def _move_sizes(score: Score) -> list[int]:
    return [
        abs(after - before)
        for voice in score.voices
        for before, after in melodic_moves(voice).values()
    ]
