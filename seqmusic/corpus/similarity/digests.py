"""Passages of music as 64-bit numbers: the same in every key, and the same on every machine.

A digest is a sum, modulo 2 to the 64, of scattered numbers, one for each value of the passage and
its position; so the digests of all passages of a piece are computed at once.
"""

from __future__ import annotations

import functools
import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqmusic.pitch_grid import REST_CELL, pitch_grid
from seqmusic.score import TICKS_PER_QUARTER, Score

Digests = NDArray[np.uint64]
SHINGLE_QUARTERS = 6
INCIPIT_STEPS = 7
NGRAM_NOTES = 12
NGRAM_BEATS = 16
_POSITION_STRIDE = 1 << 20
_KIND_STRIDE = 1 << 40
_REST_COLUMN = 128  # of the hash table, after the 128 pitches


class Shingles(NamedTuple):
    """The different shingles of a piece, in rising order.

    Attributes:
        digests: (S,) of six chords in a row, one a quarter, with their lowest pitch moved to 0.
        lowest: (S,) the lowest pitch of each.
    """

    digests: Digests
    lowest: NDArray[np.int16]


class Sketch(NamedTuple):
    """The digests by which a piece that repeats another one, or shares its tune, is found.

    Attributes:
        signature: 16 bytes, the same for two pieces exactly when one is the other transposed.
        lowest: the lowest pitch.
        end_ticks: length of the piece.
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
    """16 bytes, the same for two scores exactly when one is the other transposed.

    They depend on the onsets, durations and intervals of all voices.
    """
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
    """Every six chords in a row, one a quarter; six rests in a row are no shingle.

    Which voice sings which note of a chord makes no difference.
    """
    chords = chords_on_quarters(score)
    if chords.shape[1] < SHINGLE_QUARTERS:
        return Shingles(np.zeros(0, np.uint64), np.zeros(0, np.int16))
    windows = np.lib.stride_tricks.sliding_window_view(chords, SHINGLE_QUARTERS, axis=1)
    is_rest = windows == REST_CELL  # (voice, window, quarter), like `windows`
    lowest = np.where(is_rest, np.int16(999), windows).min(axis=(0, 2))
    columns = np.where(is_rest, _REST_COLUMN, windows - lowest[None, :, None])
    hashes = _pitch_hash_table()[np.arange(SHINGLE_QUARTERS), columns]
    # A sum over the voices, so that their order does not count.
    sums = hashes.sum(axis=(0, 2), dtype=np.uint64)
    has_notes = ~is_rest.all(axis=(0, 2))
    digests, first = np.unique(sums[has_notes], return_index=True)
    return Shingles(digests, lowest[has_notes][first])


def chords_on_quarters(score: Score) -> NDArray[np.int16]:
    """(voice, quarter): the pitch that sounds on each beat of the score, -1 for a rest."""
    return pitch_grid(score, TICKS_PER_QUARTER, score.pickup_ticks % TICKS_PER_QUARTER)


def tune_digests(score: Score) -> Digests:
    """(M,) the passages by which a tune is recognized, each once.

    They are stretches of notes, stretches of beats, and the incipit.
    """
    if not score.voices:
        return np.zeros(0, np.uint64)
    steps = incipit(score)
    complete = [steps] if len(steps) == INCIPIT_STEPS else np.zeros((0, INCIPIT_STEPS))
    beginning = _ngram_digests(np.array(complete, np.int64), kind=3)
    return np.unique(np.concatenate([tune_ngrams(score), _beat_ngrams(score), beginning]))


def tune_ngrams(score: Score, n_notes: int = NGRAM_NOTES) -> Digests:
    """Digests of every `n_notes` notes in a row of the highest voice.

    They depend on intervals and durations, so they are the same in every key.
    """
    notes = score.voices[0].notes if score.voices else ()
    if len(notes) < n_notes:
        return np.zeros(0, np.uint64)
    pitches = np.array([note.pitch for note in notes], np.int64)
    durations = np.array([note.duration_ticks for note in notes], np.int64)
    windows = np.lib.stride_tricks.sliding_window_view
    columns = [windows(np.diff(pitches), n_notes - 1), windows(durations, n_notes)]
    return _ngram_digests(np.concatenate(columns, axis=1), kind=1)


def _beat_ngrams(score: Score) -> Digests:
    """Digests of the highest voice on 16 beats in a row, as intervals from the first beat.

    Passages in which the first pitch fills half of the beats are left out: they are too common.
    """
    highest = Score(score.voices[:1], score.time_signatures, score.pickup_ticks)
    tune = chords_on_quarters(highest)[0].astype(np.int64)
    if len(tune) < NGRAM_BEATS:
        return np.zeros(0, np.uint64)
    beats = np.lib.stride_tricks.sliding_window_view(tune, NGRAM_BEATS)
    intervals = beats - beats[:, :1]
    return _ngram_digests(intervals[(intervals != 0).sum(axis=1) > NGRAM_BEATS // 2], kind=2)


def incipit(score: Score) -> tuple[int, ...]:
    """The first seven steps of the highest voice in semitones, or all if it has fewer.

    Repeated notes are left out.

    >>> from seqmusic.score import Note, melody
    >>> incipit(melody([Note(24 * i, 24, pitch) for i, pitch in enumerate([60, 60, 67, 65])]))
    (7, -2)
    """
    steps = np.diff([note.pitch for note in score.voices[0].notes]) if score.voices else np.zeros(0)
    return tuple(steps[steps != 0][:INCIPIT_STEPS].astype(int).tolist())


def _ngram_digests(passages: NDArray[np.int64], kind: int) -> Digests:
    """(N,) digests of N passages of K numbers each; passages of different kinds differ."""
    positions = np.arange(passages.shape[1]) * _POSITION_STRIDE + kind * _KIND_STRIDE
    return np.asarray(_mixed_bits(passages + positions).sum(axis=1, dtype=np.uint64))


@functools.cache
def _pitch_hash_table() -> Digests:
    """(quarter, pitch) what a pitch on a quarter adds to a shingle; the last column is a rest."""
    positions = np.arange(SHINGLE_QUARTERS)[:, None] * _POSITION_STRIDE
    table = _mixed_bits(positions + np.arange(_REST_COLUMN + 1)[None])
    table[:, _REST_COLUMN] = 0
    return table


def _mixed_bits(numbers: NDArray[np.int64]) -> Digests:
    """Numbers that look random, the same for the same.

    Source: the finalizer of SplitMix64, G. Steele, D. Lea and C. Flood, Fast splittable
    pseudorandom number generators, 2014.
    """
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
