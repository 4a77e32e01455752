"""What a teacher of counterpoint marks in red: how the voices of a score move against each other.

A voice moves where one of its notes follows another without a rest between and the pitch changes; two voices move together where
they do so at the same tick. A note that is struck again does not move, so figures of tables that cannot tell it from a held one
compare with those of notation. On music in sixteenths this is the definition "both voices change between two steps of the grid".
What is said of steps is read off the grid of sixteenths, where shorter notes are heard only if they sound as a step begins.

Source: J. J. Fux, Gradus ad Parnassum, 1725 (perfect consonances by contrary or oblique motion only; leaps and the tritone in a
line); E. Aldwell and C. Schachter, Harmony and Voice Leading, chapter 5 (crossing, and an octave at most between upper voices).
How each is counted is defined here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from seqmusic.metrics.rates import Rate
from seqmusic.pitch_grid import REST_CELL, pitch_grid
from seqmusic.score import Score, Voice

OCTAVE, FIFTH, TRITONE = 12, 7, 6
PERFECT = {
    FIFTH: "fifth",
    0: "octave",
}  # by the interval without its octaves; a unison is an octave
_MAX_STEP = 2  # semitones


class PairMove(NamedTuple):
    """Two voices that move at the same tick.

    Attributes:
        onset_ticks: where both new notes begin.
        upper: position in the score of the voice that is written higher.
        lower: of the other.
        upper_pitches: MIDI numbers of the upper voice before and after.
        lower_pitches: of the lower voice.
    """

    onset_ticks: int
    upper: int
    lower: int
    upper_pitches: tuple[int, int]
    lower_pitches: tuple[int, int]

    @property
    def is_similar(self) -> bool:
        """Whether both go up, or both down."""
        return (self.upper_pitches[1] > self.upper_pitches[0]) == (
            self.lower_pitches[1] > self.lower_pitches[0]
        )

    @property
    def intervals(self) -> tuple[int, int]:
        """Semitones from the lower voice up to the upper one, before and after; negative where they are crossed."""
        return self.upper_pitches[0] - self.lower_pitches[0], self.upper_pitches[
            1
        ] - self.lower_pitches[1]


class Parallel(NamedTuple):
    """A place where two voices run in parallel fifths or octaves.

    Attributes:
        onset_ticks: where the second of the two intervals begins.
        upper: position in the score of the voice that is written higher.
        lower: of the other.
        kind: "fifth" or "octave"; unisons, and fifths and octaves with octaves between, are among them.
    """

    onset_ticks: int
    upper: int
    lower: int
    kind: str


def melodic_moves(voice: Voice) -> dict[int, tuple[int, int]]:
    """Where the voice moves: tick to the pitches before and after.

    >>> from seqmusic.score import Note
    >>> melodic_moves(Voice("Alto", (Note(0, 24, 60), Note(24, 24, 62), Note(48, 24, 62), Note(96, 24, 60))))
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
    >>> line = lambda name, *pitches: Voice(name, tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches)))
    >>> [(move.onset_ticks, move.intervals) for move in pair_moves(Score((line("Alto", 67, 69, 69), line("Bass", 48, 50, 52))))]
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

    Two voices move together in the same direction; without their octaves the intervals before and after are both a perfect fifth,
    or both a unison; at neither are the voices crossed. Augmented and diminished intervals are told by their semitones alone.

    >>> from seqmusic.score import Note
    >>> line = lambda name, *pitches: Voice(name, tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches)))
    >>> parallels(Score((line("Soprano", 67, 69, 71), line("Bass", 48, 50, 59))))
    [Parallel(onset_ticks=24, upper=0, lower=1, kind='fifth')]
    """
    kinds = ((move, _parallel_kind(move)) for move in pair_moves(score))
    return sorted(
        Parallel(move.onset_ticks, move.upper, move.lower, kind) for move, kind in kinds if kind
    )


def parallel_fifths(score: Score) -> Rate:
    """Parallel fifths, as `parallels` tells them, of all moves of two voices together; 0.5 to 1.2 in 1000 chorale moves.

    >>> from seqmusic.score import Note
    >>> line = lambda name, *pitches: Voice(name, tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches)))
    >>> parallel_fifths(Score((line("Soprano", 67, 69, 71), line("Bass", 48, 50, 59))))
    Rate(hits=1, opportunities=2)
    """
    return _parallel_rate(score, "fifth")


def parallel_octaves(score: Score) -> Rate:
    """Parallel octaves and unisons, as `parallels` tells them, of all moves of two voices together; 0.2 to 0.6 in 1000.

    >>> from seqmusic.score import Note
    >>> line = lambda name, *pitches: Voice(name, tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches)))
    >>> parallel_octaves(Score((line("Soprano", 67, 69, 71), line("Bass", 48, 50, 59))))
    Rate(hits=0, opportunities=2)
    """
    return _parallel_rate(score, "octave")


def hidden_fifths_and_octaves(score: Score) -> Rate:
    """How often the outer voices leap into a perfect interval, of their moves together.

    Highest and lowest voice move in the same direction, the highest by more than a whole tone, into a perfect fifth, an octave or a
    unison, from an interval of another kind.

    >>> from seqmusic.score import Note
    >>> line = lambda name, *pitches: Voice(name, tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches)))
    >>> hidden_fifths_and_octaves(Score((line("Soprano", 64, 69, 71), line("Bass", 48, 50, 52))))
    Rate(hits=1, opportunities=2)
    """
    outer = [
        move for move in pair_moves(score) if (move.upper, move.lower) == (0, len(score.voices) - 1)
    ]
    return Rate(sum(map(_is_hidden, outer)), len(outer))


def crossings(score: Score) -> Rate:
    """Sixteenth steps in which a voice sounds below the next lower one, of all steps.

    >>> from seqmusic.score import Note
    >>> crossings(Score((Voice("Alto", (Note(0, 24, 60),)), Voice("Tenor", (Note(0, 18, 55), Note(18, 6, 62))))))
    Rate(hits=1, opportunities=4)
    """
    grid = pitch_grid(score)
    both = (grid[:-1] != REST_CELL) & (grid[1:] != REST_CELL)
    crossed = (both & (grid[:-1] < grid[1:])).any(axis=0)
    return Rate(int(crossed.sum()), len(crossed) if len(grid) > 1 else 0)


def wide_spacings(score: Score) -> Rate:
    """Sixteenth steps with more than an octave between neighbors, the bass not being one of them, of all steps.

    Of four voices these are soprano and alto, alto and tenor.

    >>> from seqmusic.score import Note
    >>> voices = [Voice(name, (Note(0, 6, pitch),)) for name, pitch in (("Soprano", 74), ("Alto", 60), ("Bass", 40))]
    >>> wide_spacings(Score(tuple(voices)))
    Rate(hits=1, opportunities=1)
    """
    grid = pitch_grid(score)
    if len(grid) < 3:
        return Rate(0, 0)
    upper, lower = grid[:-2], grid[1:-1]
    wide = ((upper != REST_CELL) & (lower != REST_CELL) & (upper - lower > OCTAVE)).any(axis=0)
    return Rate(int(wide.sum()), len(wide))


def leaps_beyond(score: Score, semitones: int) -> Rate:
    """Moves of single voices by more than `semitones`, of all their moves.

    >>> from seqmusic.score import Note, melody
    >>> leaps_beyond(melody([Note(0, 24, 60), Note(24, 24, 72), Note(48, 24, 71)]), FIFTH)
    Rate(hits=1, opportunities=2)
    """
    sizes = _move_sizes(score)
    return Rate(sum(size > semitones for size in sizes), len(sizes))


def tritone_leaps(score: Score) -> Rate:
    """Moves of single voices by a tritone, of all their moves.

    >>> from seqmusic.score import Note, melody
    >>> tritone_leaps(melody([Note(0, 24, 65), Note(24, 24, 71), Note(48, 24, 72)]))
    Rate(hits=1, opportunities=2)
    """
    sizes = _move_sizes(score)
    return Rate(sizes.count(TRITONE), len(sizes))


def _parallel_rate(score: Score, kind: str) -> Rate:
    kinds = [_parallel_kind(move) for move in pair_moves(score)]
    return Rate(kinds.count(kind), len(kinds))


def _parallel_kind(move: PairMove) -> str:
    before, after = move.intervals
    is_parallel = move.is_similar and min(before, after) >= 0 and before % OCTAVE == after % OCTAVE
    return PERFECT.get(after % OCTAVE, "") if is_parallel else ""


def _is_hidden(move: PairMove) -> bool:
    before, after = move.intervals
    leap = abs(move.upper_pitches[1] - move.upper_pitches[0])
    arrives = after >= 0 and after % OCTAVE in PERFECT and after % OCTAVE != before % OCTAVE
    return move.is_similar and leap > _MAX_STEP and arrives


def _move_sizes(score: Score) -> list[int]:
    return [
        abs(after - before)
        for voice in score.voices
        for before, after in melodic_moves(voice).values()
    ]
