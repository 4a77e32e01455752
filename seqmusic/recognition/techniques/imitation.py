"""Imitation and canon: a voice repeats what another voice had before it, at some interval.

The follower has the durations and rests of the leader, and its intervals within a semitone (a
diatonic answer changes whole tones to semitones). It is a canon where all that is imitated at one
distance is worth 120 bits, three bits a note, and covers 40 % of the leader's notes; else 30 bits
make an imitation.
Canons in inversion, in retrograde or in other values are not searched for.

Source: J. J. Fux, Gradus ad Parnassum, 1725, on imitation and fugue; the bits are those of
`lines.information_bits`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqmusic.array_types import Floats, Ints
from seqmusic.recognition.techniques.lines import information_bits
from seqmusic.score import TICKS_PER_QUARTER, Score, Voice

MAX_LAG_TICKS = 32 * TICKS_PER_QUARTER
MIN_CANON_BITS = 120.0
MIN_CANON_SHARE = 0.4
MIN_IMITATION_BITS = 30.0
MIN_BITS_PER_NOTE = 3.0
"""Of a canon; what two parts of an accompaniment share has less."""
MIN_NOTES = 4
MAX_NOTES = 20_000
"""Later notes of a voice are not compared."""
_MAX_WINDOW = 96  # notes of the follower that are compared with a note of the leader


@dataclass(frozen=True, slots=True)
class Imitation:
    """What one voice takes over from another at one distance in time and pitch.

    Attributes:
        leader: index of the voice that begins.
        follower: index of the voice that imitates it.
        lag_ticks: how much later.
        semitones: how much higher; of a diatonic answer the most common interval.
        first_tick: where the leader begins.
        end_ticks: where the follower ends.
        n_notes: imitated notes.
        share: of the leader's notes, 0..1.
        bits: information in the durations and intervals of the imitated notes.
    """

    leader: int
    follower: int
    lag_ticks: int
    semitones: int
    first_tick: int
    end_ticks: int
    n_notes: int
    share: float
    bits: float

    @property
    def is_canon(self) -> bool:
        """Whether the imitation is strict and long enough for a canon."""
        return (
            self.bits >= max(MIN_CANON_BITS, MIN_BITS_PER_NOTE * self.n_notes)
            and self.share >= MIN_CANON_SHARE
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Notes:
    onsets: Ints
    durations: Ints
    pitches: Ints
    bits: Floats  # of the duration, and of the interval to the note before


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Consecutive notes that are imitated at one lag: for each run an entry of the arrays."""

    lags: Ints
    starts: Ints  # index of the first note in the leader
    lengths: Ints
    semitones: Ints  # of the first note
    bits: Floats


def find_imitations(score: Score) -> tuple[Imitation, ...]:
    """For each ordered pair of voices the strongest imitation of 30 bits or more, strongest first.

    >>> from seqmusic.formats.theme import parse_theme
    >>> leader = "C4:1/2 D4:1/4 E G:3/8 F:1/8 A:1/4 C5 B4:1/2 G:1/8 A B C5 D:1/2"
    >>> follower = "R:1 " + leader.replace("5", "4").replace("4", "3", 1)
    >>> score = parse_theme(f"{leader} R:1; R:1 {leader}")
    >>> [(one.leader, one.lag_ticks, one.semitones, one.n_notes) for one in find_imitations(score)]
    [(0, 96, 0, 13)]
    """
    voices = [_note_arrays(voice) for voice in score.voices]
    found = []
    for leader, first in enumerate(voices):
        for follower, second in enumerate(voices):
            if leader != follower:
                one = _strongest(leader, follower, first, second)
                if one is not None:
                    found.append(one)
    return tuple(sorted(found, key=lambda one: -one.bits))


def _note_arrays(voice: Voice) -> _Notes:
    notes = voice.notes[:MAX_NOTES]
    onsets, durations, pitches = (
        np.array([(note.onset_ticks, note.duration_ticks, note.pitch) for note in notes], np.int64)
        .reshape(-1, 3)
        .T
    )
    bits = np.zeros(len(notes))
    if len(notes) > 1:
        bits = information_bits(durations)
        bits[1:] += information_bits(np.diff(pitches))
    return _Notes(onsets, durations, pitches, bits)


def _strongest(leader: int, follower: int, first: _Notes, second: _Notes) -> Imitation | None:
    runs = _imitated_runs(first, second)
    if not len(runs.lags):
        return None
    lags, inverse = np.unique(runs.lags, return_inverse=True)
    totals = np.bincount(inverse, runs.bits)
    best = int(totals.argmax())
    in_best = np.flatnonzero(inverse == best)
    longest = in_best[runs.lengths[in_best].argmax()]
    distance = np.abs(runs.semitones[in_best] - runs.semitones[longest])
    in_best = in_best[distance <= 1]
    bits, n_notes = float(runs.bits[in_best].sum()), int(runs.lengths[in_best].sum())
    if bits < MIN_IMITATION_BITS:
        return None
    last = int((runs.starts + runs.lengths)[in_best].max()) - 1
    lag = int(lags[best])
    return Imitation(
        leader=leader,
        follower=follower,
        lag_ticks=lag,
        semitones=int(runs.semitones[longest]),
        first_tick=int(first.onsets[runs.starts[in_best].min()]),
        end_ticks=int(first.onsets[last] + first.durations[last]) + lag,
        n_notes=n_notes,
        share=n_notes / len(first.onsets),
        bits=bits,
    )


def _imitated_runs(first: _Notes, second: _Notes) -> _Runs:
    """Runs of at least four notes, with the same durations and nearly the same intervals."""
    leading, following = _equal_durations(first, second)
    lags = second.onsets[following] - first.onsets[leading]
    order = np.lexsort((leading, lags))
    leading, following, lags = leading[order], following[order], lags[order]
    semitones = second.pitches[following] - first.pitches[leading]
    continues = (
        (np.diff(lags) == 0)
        & (np.diff(leading) == 1)
        & (np.diff(following) == 1)
        & (np.abs(np.diff(semitones)) <= 1)
    )
    starts = np.flatnonzero(np.concatenate(([True], ~continues))) if len(lags) else lags
    lengths = np.diff(np.append(starts, len(lags)))
    total = np.concatenate(([0.0], np.cumsum(first.bits[leading])))
    bits = total[starts + lengths] - total[starts]
    is_long = lengths >= MIN_NOTES
    starts, lengths, bits = starts[is_long], lengths[is_long], bits[is_long]
    return _Runs(lags[starts], leading[starts], lengths, semitones[starts], bits)


def _equal_durations(first: _Notes, second: _Notes) -> tuple[Ints, Ints]:
    """Indexes of all pairs of notes of equal duration, the second later, up to the greatest lag."""
    begin = np.searchsorted(second.onsets, first.onsets, side="right")
    end = np.searchsorted(second.onsets, first.onsets + MAX_LAG_TICKS, side="right")
    counts = np.minimum(end - begin, _MAX_WINDOW)
    leading = np.repeat(np.arange(len(begin)), counts)
    position = np.arange(len(leading)) - np.repeat(np.cumsum(counts) - counts, counts)
    following = begin[leading] + position
    is_equal = first.durations[leading] == second.durations[following]
    return leading[is_equal], following[is_equal]
