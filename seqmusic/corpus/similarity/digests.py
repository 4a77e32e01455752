"""Passages of music as 64-bit numbers: the same in every key, and the same on every machine.

A digest is a sum, modulo 2 to the 64, of scattered numbers, one for each thing that is said and the place where it is said; so it
is computed for all passages of a piece at once.
"""

from __future__ import annotations

import functools
import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import TICKS_PER_QUARTER, Score, Voice

Digests = NDArray[np.uint64]
SHINGLE_QUARTERS = 6
INCIPIT_STEPS = 7
NGRAM_NOTES = 12
NGRAM_BEATS = 16
_REST = -1
_POSITION_STRIDE = 1 << 20
_KIND_STRIDE = 1 << 40


class Shingles(NamedTuple):
    """The different shingles of a piece, rising.

    Attributes:
        digests: (S,) of six chords in a row, one a quarter, moved so that their lowest pitch is 0.
        lowest: (S,) the lowest pitch of each.
    """

    digests: Digests
    lowest: NDArray[np.int16]


class Sketch(NamedTuple):
    """What tells whether a piece repeats another one, or sings the same tune.

    Attributes:
        signature: 16 bytes, the same for two pieces exactly when one is the other transposed.
        lowest: the lowest pitch.
        end_ticks: how long the piece is.
        shingles: its chords.
        tune: (M,) digests of passages of its highest voice.
    """

    signature: bytes
    lowest: int
    end_ticks: int
    shingles: Shingles
    tune: Digests


def sketch(score: Score) -> Sketch:
    """The sketch of a score."""
    return Sketch(
        signature(score), lowest_pitch(score), score.end_ticks, shingles(score), tune_digests(score)
    )


def signature(score: Score) -> bytes:
    """16 bytes, the same for two scores exactly when one is the other transposed: onsets, durations and intervals of all voices."""
    lowest = lowest_pitch(score)
    rows = [
        (v, n.onset_ticks, n.duration_ticks, n.pitch - lowest)
        for v, voice in enumerate(score.voices)
        for n in voice.notes
    ]
    data = np.array([(len(score.voices), 0, 0, 0), *rows], "<i4").tobytes()
    return hashlib.blake2b(data, digest_size=16).digest()


def lowest_pitch(score: Score) -> int:
    """The lowest pitch of all voices, 0 without notes."""
    return min((note.pitch for voice in score.voices for note in voice.notes), default=0)


def shingles(score: Score) -> Shingles:
    """Every six chords in a row, one a quarter, whichever voice sings which note of them; six rests in a row are none."""
    chords = chords_on_quarters(score)
    if chords.shape[1] < SHINGLE_QUARTERS:
        return Shingles(np.zeros(0, np.uint64), np.zeros(0, np.int16))
    windows = np.lib.stride_tricks.sliding_window_view(
        chords, SHINGLE_QUARTERS, axis=1
    )  # (voice, window, quarter)
    rests = windows == _REST
    lowest = np.where(rests, np.int16(999), windows).min(axis=(0, 2))
    table = _pitch_hash_table()
    said = table[np.arange(SHINGLE_QUARTERS), np.where(rests, 128, windows - lowest[None, :, None])]
    digests, first = np.unique(
        said.sum(axis=(0, 2), dtype=np.uint64)[~rests.all(axis=(0, 2))], return_index=True
    )
    return Shingles(digests, lowest[~rests.all(axis=(0, 2))][first])


def chords_on_quarters(score: Score) -> NDArray[np.int16]:
    """(voice, quarter): the pitch that sounds on each beat of the score, -1 for a rest."""
    ticks = np.arange(score.pickup_ticks % TICKS_PER_QUARTER, score.end_ticks, TICKS_PER_QUARTER)
    chords = np.full((len(score.voices), len(ticks)), _REST, np.int16)
    for row, voice in zip(chords, score.voices, strict=True):
        row[:] = _pitches_at(voice, ticks)
    return chords


def _pitches_at(voice: Voice, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    if not voice.notes:
        return np.full(len(ticks), _REST)
    onsets, ends, pitches = np.array([(n.onset_ticks, n.end_ticks, n.pitch) for n in voice.notes]).T
    last = np.searchsorted(onsets, ticks, side="right") - 1
    return np.where((last >= 0) & (ticks < ends[last]), pitches[last], _REST)


def tune_digests(score: Score) -> Digests:
    """(M,) the passages by which a tune is known, each once: stretches of notes, stretches of beats, and how it begins."""
    if not score.voices:
        return np.zeros(0, np.uint64)
    start = incipit(score)
    beginning = np.array(
        [start] if len(start) == INCIPIT_STEPS else np.zeros((0, INCIPIT_STEPS)), np.int64
    )
    return np.unique(
        np.concatenate([tune_ngrams(score), _beat_ngrams(score), _ngram_digests(beginning, kind=3)])
    )


def tune_ngrams(score: Score, n_notes: int = NGRAM_NOTES) -> Digests:
    """Every `n_notes` notes in a row of the highest voice, as their intervals and durations: the same in every key."""
    notes = score.voices[0].notes if score.voices else ()
    if len(notes) < n_notes:
        return np.zeros(0, np.uint64)
    pitches = np.array([note.pitch for note in notes], np.int64)
    durations = np.array([note.duration_ticks for note in notes], np.int64)
    windows = np.lib.stride_tricks.sliding_window_view
    return _ngram_digests(
        np.concatenate(
            [windows(np.diff(pitches), n_notes - 1), windows(durations, n_notes)], axis=1
        ),
        kind=1,
    )


def _beat_ngrams(score: Score) -> Digests:
    """What sounds on 16 beats in a row, as intervals from the first; not where one note fills half of them."""
    tune = chords_on_quarters(Score(score.voices[:1], score.time_signatures, score.pickup_ticks))[
        0
    ].astype(np.int64)
    if len(tune) < NGRAM_BEATS:
        return np.zeros(0, np.uint64)
    beats = np.lib.stride_tricks.sliding_window_view(tune, NGRAM_BEATS)
    intervals = beats - beats[:, :1]
    return _ngram_digests(intervals[(intervals != 0).sum(axis=1) > NGRAM_BEATS // 2], kind=2)


def incipit(score: Score, n_steps: int = INCIPIT_STEPS) -> tuple[int, ...]:
    """The first steps of the highest voice in semitones, repeated notes left out; shorter where the voice is.

    >>> from seqmusic.score import Note, melody
    >>> incipit(melody([Note(0, 24, 60), Note(24, 24, 60), Note(48, 24, 67), Note(72, 24, 65)]))
    (7, -2)
    """
    steps = np.diff([note.pitch for note in score.voices[0].notes]) if score.voices else np.zeros(0)
    return tuple(steps[steps != 0][:n_steps].astype(int).tolist())


def _ngram_digests(passages: NDArray[np.int64], kind: int) -> Digests:
    """(N,) digests of N passages of K numbers each; passages of different kinds differ."""
    places = np.arange(passages.shape[1]) * _POSITION_STRIDE + kind * _KIND_STRIDE
    return np.asarray(_mixed_bits(passages + places).sum(axis=1, dtype=np.uint64))


@functools.cache
def _pitch_hash_table() -> Digests:
    """(quarter, pitch) what a pitch on a quarter adds to a shingle; the last column is that of a rest, 0."""
    places = np.arange(SHINGLE_QUARTERS)[:, None] * _POSITION_STRIDE + np.arange(129)[None]
    table = _mixed_bits(places)
    table[:, 128] = 0
    return table


def _mixed_bits(numbers: NDArray[np.int64]) -> Digests:
    """Numbers that look random, the same for the same.

    Source: the finalizer of SplitMix64, G. Steele, D. Lea and C. Flood, Fast splittable pseudorandom number generators, 2014.
    """
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
