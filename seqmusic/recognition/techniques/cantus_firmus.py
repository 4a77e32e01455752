"""Cantus firmus: a voice in long values, and the tune that it sings.

A voice is slow where its notes last three times as long as those of the other voices together, on
average. It sings a tune where the tune is in it within a normalized edit distance of 0.3.

Source: E. H. Sparks, Cantus Firmus in Mass and Motet, 1420-1520, 1963; V. I. Levenshtein, Binary
codes capable of correcting deletions, insertions, and reversals, 1966.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seqmusic.array_types import Ints
from seqmusic.score import Score, Voice

MIN_SLOWNESS = 3.0
MIN_NOTES = 8
MAX_VOICES = 8
"""A score of more voices is one of chords, whose notes have been shared out."""
MIN_SPAN = 0.5
MAX_DISTANCE = 0.3
_MAX_COMPARED = 400  # notes of a voice and of a tune


@dataclass(frozen=True, slots=True)
class CantusFirmus:
    """A slow voice.

    Attributes:
        voice: index of the voice.
        first_tick: where its first note begins.
        end_ticks: where its last note ends.
        slowness: mean duration of its notes divided by that of the others.
        tune: the name of the tune that it sings; "" where none of the collection matches.
        distance: normalized edit distance to that tune; 1 without one.
    """

    voice: int
    first_tick: int
    end_ticks: int
    slowness: float
    tune: str = ""
    distance: float = 1.0


def find_cantus_firmus(
    score: Score, tunes: Mapping[str, Sequence[int]] | None = None
) -> CantusFirmus | None:
    """The slowest voice, where it is slow enough and lasts half of the score; None without one.

    Args:
        score: of two to eight voices.
        tunes: MIDI numbers of the notes of each tune, by name.

    >>> from seqmusic.formats.theme import parse_theme
    >>> slow = "C4:1 D E G F E D C"
    >>> fast = "E5:1/4 D C B4 A B C5 D " * 4
    >>> scale = [60, 62, 64, 65, 67, 69, 71, 72]
    >>> tunes = {"scale": scale, "tune": [67, 69, 71, 74, 72, 71, 69, 67]}
    >>> found = find_cantus_firmus(parse_theme(f"{fast}; {slow}"), tunes)
    >>> found.voice, found.slowness, found.tune, found.distance
    (1, 4.0, 'tune', 0.0)
    """
    durations = [sum(note.duration_ticks for note in voice.notes) for voice in score.voices]
    counts = [len(voice.notes) for voice in score.voices]
    if len(score.voices) > MAX_VOICES:
        return None
    best: CantusFirmus | None = None
    for index, voice in enumerate(score.voices):
        others, n_others = sum(durations) - durations[index], sum(counts) - counts[index]
        if counts[index] < MIN_NOTES or not others:
            continue
        slowness = durations[index] / counts[index] / (others / n_others)
        first, end = voice.notes[0].onset_ticks, voice.end_ticks
        is_slow = slowness >= MIN_SLOWNESS and end - first >= MIN_SPAN * score.end_ticks
        if is_slow and (best is None or slowness > best.slowness):
            best = CantusFirmus(index, first, end, slowness)
    if best is None or not tunes:
        return best
    tune, distance = nearest_tune(score.voices[best.voice], tunes)
    if distance >= MAX_DISTANCE:
        return best
    return CantusFirmus(best.voice, best.first_tick, best.end_ticks, best.slowness, tune, distance)


def nearest_tune(voice: Voice, tunes: Mapping[str, Sequence[int]]) -> tuple[str, float]:
    """The tune that is nearest to some passage of a voice, and its normalized edit distance.

    Repeated notes count once; transposition and octave do not matter. Tunes of fewer than eight
    notes are left out; ("", 1.0) without a tune.
    """
    pitches = _without_repeats([note.pitch for note in voice.notes])
    best, best_distance = "", 1.0
    for name, tune in tunes.items():
        collapsed = _without_repeats(tune)
        if len(collapsed) >= MIN_NOTES and len(pitches):
            distance = passage_distance(collapsed, pitches)
            if distance < best_distance:
                best, best_distance = name, distance
    return best, best_distance


def passage_distance(tune: Ints, pitches: Ints) -> float:
    """Edit distance of a tune to the passage of `pitches` nearest to it, divided by its length.

    The best of the twelve transpositions counts, without octaves.

    >>> passage_distance(np.array([0, 2, 4, 5]), np.array([70, 60, 62, 64, 66, 59]))
    0.25
    """
    shifts = np.arange(12)[:, None]
    row = np.zeros((12, len(pitches) + 1), np.int64)  # the passage may begin anywhere
    columns = np.arange(len(pitches) + 1)
    for pitch in tune:
        is_other = (pitches[None, :] - pitch - shifts) % 12 != 0
        following = row + 1
        following[:, 1:] = np.minimum(following[:, 1:], row[:, :-1] + is_other)
        # Notes of the voice that the tune has not: a running minimum of the row.
        row = np.minimum.accumulate(following - columns, axis=1) + columns
    return float(row.min() / len(tune))


def _without_repeats(pitches: Sequence[int]) -> Ints:
    array = np.asarray(pitches, np.int64)[:_MAX_COMPARED]
    return array[np.concatenate(([True], np.diff(array) != 0))] if len(array) else array
