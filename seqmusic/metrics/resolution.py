"""Dissonance: whether what wants to resolve does so, and whether dissonances are prepared.

Each measure counts opportunities, not time: a seventh that is never struck cannot be left hanging.
Notes are read off the sixteenth grid, where a repeated note is one with the note before it. A note
after which its voice falls silent or ends is no opportunity. Compound intervals count as simple.

Source: J. J. Fux, Gradus ad Parnassum, 1725 (preparation of dissonances); E. Aldwell and
C. Schachter, Harmony and Voice Leading, chapters 8 to 12 (the leading tone rises, the seventh
falls by step, augmented intervals open and diminished ones close). How each is counted is defined
here.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Ints
from seqmusic.metrics.harmony import TONICS, Chord, beat_chords, beat_steps
from seqmusic.metrics.rates import Rate
from seqmusic.metrics.voice_leading import OCTAVE, TRITONE, pair_moves
from seqmusic.pitch_grid import REST_CELL, pitch_grid
from seqmusic.score import Score

Grid = NDArray[np.int16] | Ints
_STEPWISE = (1, 2)  # semitones
_SECONDS_AND_SEVENTHS = (1, 2, 10, 11)  # semitones
_THIRDS_AND_SIXTHS = (3, 4, 8, 9)  # semitones
# Semitones from the root to the leading tone, in chords that have one wherever they go.
_LEADING_TONES = {"dominant seventh": 4, "dominant seventh without fifth": 4}
# The same in chords that have one where they go to the tonic, and from the root to that tonic.
_LEADING_TONES_TO_TONIC = {"major": (4, 5), "diminished": (0, 1)}
# Semitones from the root to the seventh. A diminished seventh is left out: it has no certain root.
_SEVENTHS = {
    "dominant seventh": 10,
    "dominant seventh without fifth": 10,
    "minor seventh": 10,
    "half-diminished seventh": 10,
    "major seventh": 11,
}


def resolved_leading_tones(score: Score) -> Rate:
    """Leading tones in chords on the beat that rise by a semitone, of all.

    The leading tone is the third of a dominant seventh, and where the next beat has the tonic, also
    the third of a major triad and the root of a diminished one. V7 to I, with B to C in the alto:

    >>> from seqmusic.formats.theme import parse_theme
    >>> resolved_leading_tones(parse_theme("D5 E5 ; B4 C5 ; F4 G4 ; G3 C3"))
    Rate(hits=1, opportunities=1)
    """
    chords = _chords(score)
    members = {}
    for (step, chord), (_, after) in itertools.pairwise([*chords, (0, None)]):
        if chord is None:
            continue
        semitones = _LEADING_TONES.get(chord.kind)
        if after and after.kind in TONICS and chord.kind in _LEADING_TONES_TO_TONIC:
            third, to_tonic = _LEADING_TONES_TO_TONIC[chord.kind]
            semitones = third if after.root == chord.degree(to_tonic) else None
        if semitones is not None:
            members[step] = chord.degree(semitones)
    return _resolved_notes(score, members, (1,))


def resolved_sevenths(score: Score) -> Rate:
    """Sevenths of seventh chords on the beat that fall by a step, of all.

    V7 to I, with F to G in the tenor in place of E:

    >>> from seqmusic.formats.theme import parse_theme
    >>> resolved_sevenths(parse_theme("D5 E5 ; B4 C5 ; F4 G4 ; G3 C3"))
    Rate(hits=0, opportunities=1)
    """
    members = {
        step: chord.degree(_SEVENTHS[chord.kind])
        for step, chord in _chords(score)
        if chord and chord.kind in _SEVENTHS
    }
    return _resolved_notes(score, members, (-1, -2))


def resolved_tritones(score: Score) -> Rate:
    """Tritones of two voices on the beat that open or close by contrary steps, of all.

    The voices need not move together, as long as each goes on by a step, one up and one down. Here
    B-F closes to C-E, as a diminished fifth does:

    >>> from seqmusic.formats.theme import parse_theme
    >>> resolved_tritones(parse_theme("F5 E5 ; B4 C5"))
    Rate(hits=1, opportunities=1)
    """
    grid = pitch_grid(score).astype(np.int64)
    following, numbers = following_pitches(grid), note_numbers(grid)
    steps = np.array(beat_steps(score), np.int64)
    resolved: dict[tuple[int, ...], bool] = {}
    for upper, lower in itertools.combinations(range(len(grid)), 2):
        pair = [upper, lower]
        sounds = (grid[pair] != REST_CELL).all(axis=0) & (following[pair] != REST_CELL).all(axis=0)
        is_tritone = sounds & (abs(grid[upper] - grid[lower]) % OCTAVE == TRITONE)
        for step in steps[is_tritone[steps]].tolist():
            up, down = sorted((following[pair, step] - grid[pair, step]).tolist(), reverse=True)
            notes = (upper, lower, *numbers[pair, step].tolist())
            resolved[notes] = up in _STEPWISE and -down in _STEPWISE
    return Rate(sum(resolved.values()), len(resolved))


def tritone_resolutions(score: Score) -> Rate:
    """Moves of two voices from a tritone, in contrary steps, to a third or sixth, of all moves.

    >>> from seqmusic.formats.theme import parse_theme
    >>> tritone_resolutions(parse_theme("F5 E5 C5 ; B4 C5 E5"))
    Rate(hits=1, opportunities=2)
    """
    hits = n_moves = 0
    for move in pair_moves(score):
        n_moves += 1
        before, after = (abs(interval) % OCTAVE for interval in move.intervals)
        sizes = [abs(b - a) for a, b in (move.upper_pitches, move.lower_pitches)]
        is_contrary_step = not move.is_similar and max(sizes) <= max(_STEPWISE)
        hits += before == TRITONE and after in _THIRDS_AND_SIXTHS and is_contrary_step
    return Rate(hits, n_moves)


def prepared_dissonances(score: Score) -> Rate:
    """Seconds and sevenths that begin on a beat with one of their notes already there, of all.

    A dissonance that both voices enter at once is struck unprepared. Here a suspended C against
    D, and then a second that both voices leap into:

    >>> from seqmusic.formats.theme import parse_theme
    >>> prepared_dissonances(parse_theme("C5 C5 G4 ; A4 D4 F4"))
    Rate(hits=1, opportunities=2)
    """
    grid = pitch_grid(score)
    hits = opportunities = 0
    for step in beat_steps(score):
        if step == 0:
            continue
        is_held = grid[:, step] == grid[:, step - 1]
        for upper, lower in itertools.combinations(range(len(grid)), 2):
            a, b = int(grid[upper, step]), int(grid[lower, step])
            if REST_CELL in (a, b) or abs(a - b) % OCTAVE not in _SECONDS_AND_SEVENTHS:
                continue
            n_held = int(is_held[upper]) + int(is_held[lower])
            hits += n_held == 1
            opportunities += n_held < 2
    return Rate(hits, opportunities)


def following_pitches(grid: Grid) -> Grid:
    """(voice, step) the next other pitch of each voice; -1 where a rest or the end comes first.

    >>> following_pitches(np.array([[60, 60, 62, -1, 64]], np.int16)).tolist()
    [[62, 62, -1, 64, -1]]
    """
    following = np.full_like(grid, REST_CELL)
    for step in range(grid.shape[1] - 2, -1, -1):
        is_same = grid[:, step] == grid[:, step + 1]
        following[:, step] = np.where(is_same, following[:, step + 1], grid[:, step + 1])
    return following


def note_numbers(grid: Grid) -> Ints:
    """(voice, step) how many times each voice has changed up to here: a number for each note.

    >>> note_numbers(np.array([[60, 60, 62, -1, 64]], np.int16)).tolist()
    [[0, 0, 1, 2, 3]]
    """
    changes = np.zeros(grid.shape, np.int64)
    changes[:, 1:] = grid[:, 1:] != grid[:, :-1]
    return np.cumsum(changes, axis=1)


def _resolved_notes(score: Score, members: dict[int, int], moves: tuple[int, ...]) -> Rate:
    """Notes of given pitch classes on given steps that go on by one of `moves`, of all; each once.

    Args:
        score: some music.
        members: pitch classes by sixteenth steps.
        moves: semitones to the next other pitch of the voice.
    """
    grid = pitch_grid(score)
    following, numbers = following_pitches(grid), note_numbers(grid)
    resolved: dict[tuple[int, int], bool] = {}
    for step, pitch_class in members.items():
        for voice in range(len(grid)):
            pitch, after = int(grid[voice, step]), int(following[voice, step])
            if pitch % OCTAVE == pitch_class and after != REST_CELL:
                resolved[voice, int(numbers[voice, step])] = after - pitch in moves
    return Rate(sum(resolved.values()), len(resolved))


def _chords(score: Score) -> list[tuple[int, Chord | None]]:
    return list(zip(beat_steps(score), beat_chords(score), strict=True))
