"""Harmony on the beat: which chords sound there, and how often a dominant goes on to its tonic.

A chord is read off the pitches that sound as a quarter begins, held notes included. Nothing here
depends on a key: chorales change theirs with every other phrase, and each dominant has its tonic.

Source: E. Aldwell and C. Schachter, Harmony and Voice Leading, chapters 3 to 8 (triads, sevenths,
inversions, V-I and V7-I). How each is counted is defined here.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import NamedTuple

from seqmusic.metrics.distributions import CHORDS
from seqmusic.metrics.rates import Rate
from seqmusic.pitch_grid import REST_CELL, pitch_grid
from seqmusic.score import TICKS_PER_QUARTER, TICKS_PER_SIXTEENTH, Score

STEPS_PER_BEAT = TICKS_PER_QUARTER // TICKS_PER_SIXTEENTH
MIN_CHORD_VOICES = 3
_FOURTH = 5  # semitones
# Chords that lack their fifth, as the last chords of cadences often do.
_INCOMPLETE = {
    (0, 4): "major without fifth",
    (0, 3): "minor without fifth",
    (0, 4, 10): "dominant seventh without fifth",
}
TRIADS = ("major", "minor")
DOMINANTS = ("major", "dominant seventh", "dominant seventh without fifth")
TONICS = (*TRIADS, "major without fifth", "minor without fifth")


class Chord(NamedTuple):
    """A chord that sounds at one moment.

    Attributes:
        kind: its name, as in CHORDS, or "" for one that has none.
        root: pitch class of the root; that of the lowest pitch for a chord without a name.
        bass: MIDI number of the lowest pitch.
    """

    kind: str
    root: int
    bass: int

    @property
    def is_root_position(self) -> bool:
        """Whether the chord has a name, and its root in the bass."""
        return bool(self.kind) and self.bass % 12 == self.root

    def degree(self, semitones: int) -> int:
        """Pitch class so many semitones above the root."""
        return (self.root + semitones) % 12


def find_chord(pitches: Sequence[int]) -> Chord | None:
    """The chord of some MIDI numbers; None where fewer than three are given, or one is a rest.

    >>> find_chord((72, 67, 64, 48)), find_chord((74, 67, 65, 59))
    (Chord(kind='major', root=0, bass=48), Chord(kind='dominant seventh', root=7, bass=59))
    >>> find_chord((72, 67, -1, 48)) is None, find_chord((62, 61, 60)).kind
    (True, '')
    """
    if len(pitches) < MIN_CHORD_VOICES or min(pitches) == REST_CELL:
        return None
    bass = min(pitches)
    kind, root = find_kind(tuple(sorted({(pitch - bass) % 12 for pitch in pitches})))
    return Chord(kind, (bass + root) % 12, bass)


@functools.cache
def find_kind(above_bass: tuple[int, ...]) -> tuple[str, int]:
    """The name of a chord and its root, from its pitch classes above the bass, in rising order.

    Where several notes may be the root, as in a diminished seventh, it is the lowest.

    Returns:
        The name, "" for a chord that has none, and the root in semitones above the bass.

    >>> find_kind((0, 3, 8)), find_kind((0, 4, 10)), find_kind((0, 1, 2))
    (('major', 8), ('dominant seventh without fifth', 0), ('', 0))
    """
    for root in above_bass:
        form = tuple(sorted((other - root) % 12 for other in above_bass))
        if kind := CHORDS.get(form) or _INCOMPLETE.get(form):
            return kind, root
    return "", 0


def beat_steps(score: Score) -> range:
    """The sixteenth steps on which the beats of a score fall, after its pickup.

    >>> from seqmusic.score import Note, melody
    >>> list(beat_steps(melody([Note(0, 60, 60)], pickup_ticks=12)))
    [2, 6]
    """
    first = -(-(score.pickup_ticks % TICKS_PER_QUARTER) // TICKS_PER_SIXTEENTH)
    n_steps = -(-score.end_ticks // TICKS_PER_SIXTEENTH)
    return range(first, max(n_steps, first), STEPS_PER_BEAT)


def beat_chords(score: Score) -> list[Chord | None]:
    """The chord on each beat; None where a voice is silent or there are fewer than three voices."""
    grid = pitch_grid(score)
    return [find_chord(grid[:, step].tolist()) for step in beat_steps(score)]


def root_position_triads(score: Score) -> Rate:
    """Major and minor triads with their root in the bass, of the beats on which all voices sound.

    C major, then F major with its third in the bass:

    >>> from seqmusic.score import Note, Voice
    >>> lines = {"Soprano": (67, 65), "Alto": (64, 60), "Bass": (48, 57)}
    >>> voices = [
    ...     Voice(name, tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(line)))
    ...     for name, line in lines.items()
    ... ]
    >>> root_position_triads(Score(tuple(voices)))
    Rate(hits=1, opportunities=2)
    """
    chords = [chord for chord in beat_chords(score) if chord]
    hits = sum(chord.kind in TRIADS and chord.is_root_position for chord in chords)
    return Rate(hits, len(chords))


def dominant_tonic_motion(score: Score) -> Rate:
    """Pairs of neighboring beats that go from a dominant to its tonic, of all such pairs."""
    pairs = [(a, b) for a, b in itertools.pairwise(beat_chords(score)) if a and b]
    return Rate(sum(is_dominant_tonic(a, b) for a, b in pairs), len(pairs))


def is_dominant_tonic(dominant: Chord, tonic: Chord) -> bool:
    """Whether one is V or V7 of the other, both in root position: the bass rises by a fourth.

    The fifth of V7 and that of the tonic may be missing; the bass may fall by a fifth instead.

    >>> is_dominant_tonic(find_chord((71, 65, 62, 55)), find_chord((72, 64, 60, 48)))
    True
    >>> is_dominant_tonic(find_chord((70, 67, 62, 55)), find_chord((72, 64, 60, 48)))  # G minor
    False
    """
    return (
        dominant.kind in DOMINANTS
        and tonic.kind in TONICS
        and dominant.is_root_position
        and tonic.is_root_position
        and tonic.root == dominant.degree(_FOURTH)
    )
