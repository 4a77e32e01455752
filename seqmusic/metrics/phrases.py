"""Phrases and how they end: authentic, half, plagal or deceptive cadences.

A phrase ends under a fermata of the highest voice that has any, and where the piece ends. A score
without fermatas is one phrase.

The last chord of a phrase is the first named chord that sounds from the onset of its last note on
while that lasts, so that a suspension may resolve first. What leads to it are the chords on the
sixteenths of the two beats before. The first of these kinds that fits is counted:

- authentic: a dominant or a diminished chord on the leading tone goes to its tonic in root
  position;
- deceptive: a dominant goes to the submediant in root position, as V-vi in major, V-VI in minor;
- plagal: a triad a fourth above goes to the tonic of the key in root position;
- half: a major triad in root position, which is the dominant of the key or of its relative key;
- other: anything else.

The key is the one that the score names, or the one that fits its notes best.

Source: E. Aldwell and C. Schachter, Harmony and Voice Leading, chapters 7, 9 and 10 (cadences),
and W. Caplin, The Classical Cadence, 2004. How each is counted is defined here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqmusic.corpus.works_table import known_or_inferred_key
from seqmusic.metrics.harmony import (
    DOMINANTS,
    MIN_CHORD_VOICES,
    STEPS_PER_BEAT,
    TONICS,
    TRIADS,
    Chord,
    find_chord,
)
from seqmusic.metrics.rates import Rate
from seqmusic.pitch_grid import pitch_grid
from seqmusic.score import TICKS_PER_SIXTEENTH, Key, Note, Score
from seqmusic.tonality import tonic_pitch_class

CADENCES = ("authentic", "half", "plagal", "deceptive", "other")
_LEAD_STEPS = 2 * STEPS_PER_BEAT  # sixteenths before the last chord
_LEADING_CHORDS = ("diminished", "half-diminished seventh")
_MAJOR = ("major", "major without fifth")
_DOMINANTS = (*DOMINANTS, "major without fifth")
# Semitones.
_MINOR_THIRD, _FOURTH, _FIFTH, _OCTAVE = 3, 5, 7, 12


def phrase_ends(score: Score) -> list[Note]:
    """The last note of each phrase, of the highest voice with a fermata, or else of the highest.

    >>> from seqmusic.score import melody
    >>> notes = (Note(0, 24, 60), Note(24, 24, 67, fermata=True), Note(48, 24, 60))
    >>> [note.onset_ticks for note in phrase_ends(melody(notes))]
    [24, 48]
    """
    sounding = [voice for voice in score.voices if voice.notes]
    if not sounding:
        return []
    marked = (voice for voice in sounding if any(note.fermata for note in voice.notes))
    *before, last = next(marked, sounding[0]).notes
    return [*(note for note in before if note.fermata), last]


def cadences(score: Score) -> list[str]:
    """The kind of cadence at each phrase end, of CADENCES; none where fewer than three voices are.

    A plain V-I, and a phrase that rests on V:

    >>> from seqmusic.formats.theme import parse_theme
    >>> closed, open_ = "C5 B4 C5 ; E4 D4 E4 ; G3 G3 G3 ; C3 G3 C3", "C5 B4 ; E4 D4 ; G3 G3 ; C3 G3"
    >>> cadences(parse_theme(closed, key=Key(0, "major")))
    ['authentic']
    >>> cadences(parse_theme(open_, key=Key(0, "major")))
    ['half']
    """
    key = known_or_inferred_key(score)
    if len(score.voices) < MIN_CHORD_VOICES or key is None:
        return []
    grid = pitch_grid(score)
    return [_cadence(grid, note, key) for note in phrase_ends(score)]


def cadence_rate(score: Score, kind: str) -> Rate:
    """Phrases that end with a kind of cadence, of CADENCES, of all phrases.

    >>> from seqmusic.formats.theme import parse_theme
    >>> theme = parse_theme("C5 B4 C5 ; E4 D4 E4 ; G3 G3 G3 ; C3 G3 A3", key=Key(0, "major"))
    >>> cadence_rate(theme, "authentic"), cadence_rate(theme, "other")
    (Rate(hits=0, opportunities=1), Rate(hits=1, opportunities=1))
    """
    found = cadences(score)
    return Rate(found.count(kind), len(found))


def _cadence(grid: NDArray[np.int16], note: Note, key: Key) -> str:
    onset = note.onset_ticks // TICKS_PER_SIXTEENTH
    end = max(onset + 1, note.end_ticks // TICKS_PER_SIXTEENTH)
    last = next((chord for chord in _chords(grid, onset, end) if chord.kind in TONICS), None)
    if last is None or not last.is_root_position:
        return "other"
    return _kind(_chords(grid, max(0, onset - _LEAD_STEPS), onset), last, key)


def _kind(leads: list[Chord], last: Chord, key: Key) -> str:
    tonic = tonic_pitch_class(key)
    if any(_is_dominant_of(lead, last.root) for lead in leads):
        return "authentic"
    if any(_is_deceptive(lead, last) for lead in leads):
        return "deceptive"
    if last.root == tonic and any(
        lead.kind in TRIADS and lead.root == (tonic + _FOURTH) % _OCTAVE for lead in leads
    ):
        return "plagal"
    relative = tonic + (_MINOR_THIRD if key.mode == "minor" else -_MINOR_THIRD)
    dominants = {(root + _FIFTH) % _OCTAVE for root in (tonic, relative)}
    return "half" if last.kind in _MAJOR and last.root in dominants else "other"


def _is_dominant_of(chord: Chord, tonic: int) -> bool:
    """Whether a chord, in any inversion, is V or V7 of a tonic, or stands on its leading tone."""
    if chord.kind == "diminished seventh":  # any of its notes may lead
        return (tonic - chord.root) % _MINOR_THIRD == 1
    if chord.kind in _LEADING_CHORDS:
        return (tonic - chord.root) % _OCTAVE == 1
    return chord.kind in _DOMINANTS and (tonic - chord.root) % _OCTAVE == _FOURTH


def _is_deceptive(chord: Chord, last: Chord) -> bool:
    """Whether a dominant goes to the submediant: a minor triad a tone up, or a major one a half."""
    up = (last.root - chord.root) % _OCTAVE
    return chord.kind in _DOMINANTS and up == (1 if last.kind in _MAJOR else 2)


def _chords(grid: NDArray[np.int16], start: int, end: int) -> list[Chord]:
    """The chords with a name that sound on the steps from `start` to before `end`."""
    found = (find_chord(grid[:, step].tolist()) for step in range(start, end))
    return [chord for chord in found if chord and chord.kind]
