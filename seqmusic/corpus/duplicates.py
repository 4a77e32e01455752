"""Works that are the same music, also after transposition, also with small differences.

The music is looked at one chord a quarter, on the beats: six chords in a row, moved so that their lowest pitch is 0, are a shingle.
Two works are near duplicates when most shingles of the shorter one stand in the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqmusic.score import TICKS_PER_QUARTER, Score

SHINGLE_QUARTERS = 6
_REST = -1
_REST_IN_SHINGLE = 255


class Match(NamedTuple):
    """A work that another one repeats.

    Attributes:
        name: of the work that is repeated.
        semitones: that work moved by so much sounds like the other one.
        share: of the other work's shingles, how many stand in this one; 1 for an exact duplicate.
        is_exact: the same onsets, durations and intervals in all voices.
    """

    name: str
    semitones: int
    share: float
    is_exact: bool


class DuplicateIndex:
    """Works seen so far, to be asked whether a further one repeats one of them.

    >>> from seqmusic.score import Note, melody
    >>> index = DuplicateIndex()
    >>> index.add("first", melody([Note(0, 24, 60), Note(24, 24, 64)]))
    >>> index.find(melody([Note(0, 24, 62), Note(24, 24, 66)]), min_share=0.8)
    Match(name='first', semitones=2, share=1.0, is_exact=True)
    """

    def __init__(self) -> None:
        self._exact: dict[bytes, tuple[str, int]] = {}
        self._holders: dict[bytes, list[tuple[str, int]]] = {}
        self._n_shingles: dict[str, int] = {}

    def add(self, name: str, score: Score) -> None:
        """Remember a work; of several exact duplicates the first is remembered."""
        self._exact.setdefault(signature(score), (name, _lowest(score)))
        found = shingles(score)
        self._n_shingles[name] = len(found)
        for shingle, lowest in found.items():
            self._holders.setdefault(shingle, []).append((name, lowest))

    def find(self, score: Score, min_share: float) -> Match | None:
        """The remembered work that `score` repeats best, None if it repeats none."""
        if (exact := self._exact.get(signature(score))) is not None:
            return Match(exact[0], _lowest(score) - exact[1], 1.0, True)
        found = shingles(score)
        shared: Counter[str] = Counter()
        moves: dict[str, Counter[int]] = {}
        for shingle, lowest in found.items():
            for name, lowest_there in self._holders.get(shingle, ()):
                shared[name] += 1
                moves.setdefault(name, Counter())[lowest - lowest_there] += 1
        if not shared:
            return None
        share, name = max((n / min(len(found), self._n_shingles[name]), name) for name, n in shared.items())
        return Match(name, moves[name].most_common(1)[0][0], share, False) if share >= min_share else None


def shingles(score: Score) -> dict[bytes, int]:
    """Every six chords in a row, one a quarter, moved so that their lowest pitch is 0; with the lowest pitch they had."""
    chords = chords_on_quarters(score)
    if chords.shape[1] < SHINGLE_QUARTERS:
        return {}
    windows = np.lib.stride_tricks.sliding_window_view(chords, SHINGLE_QUARTERS, axis=1).transpose(1, 0, 2)  # (window, voice, step)
    rests = windows == _REST
    lowest = np.where(rests, 999, windows).min(axis=(1, 2))
    moved = np.where(rests, _REST_IN_SHINGLE, windows - lowest[:, None, None]).astype(np.uint8)
    return {row.tobytes(): int(low) for row, low, rest in zip(moved, lowest, rests, strict=True) if not rest.all()}


def chords_on_quarters(score: Score) -> NDArray[np.int16]:
    """(voice, quarter): the pitch that sounds on each beat of the score, -1 for a rest."""
    ticks = np.arange(score.pickup_ticks % TICKS_PER_QUARTER, score.end_ticks, TICKS_PER_QUARTER)
    chords = np.full((len(score.voices), len(ticks)), _REST, np.int16)
    for row, voice in zip(chords, score.voices, strict=True):
        if voice.notes:
            onsets, ends, pitches = np.array([(n.onset_ticks, n.end_ticks, n.pitch) for n in voice.notes]).T
            last = np.searchsorted(onsets, ticks, side="right") - 1
            row[:] = np.where((last >= 0) & (ticks < ends[last]), pitches[last], _REST)
    return chords


def signature(score: Score) -> bytes:
    """The same for two scores exactly when one is the other transposed: all onsets, durations and intervals of all voices."""
    lowest = _lowest(score)
    rows = [(v, n.onset_ticks, n.duration_ticks, n.pitch - lowest) for v, voice in enumerate(score.voices) for n in voice.notes]
    return np.array([(len(score.voices), 0, 0, 0), *rows], np.int32).tobytes()


def similar_pairs(scores: Iterable[Score], min_share: float) -> list[tuple[int, int]]:
    """Pairs of positions of scores that share at least `min_share` of the shingles of the shorter one; the later position first."""
    holders: dict[bytes, list[int]] = {}
    sizes: list[int] = []
    pairs: list[tuple[int, int]] = []
    for position, score in enumerate(scores):
        found = shingles(score)
        shared = Counter(earlier for shingle in found for earlier in holders.get(shingle, ()))
        pairs += [(position, earlier) for earlier, n in shared.items() if n >= min_share * min(len(found), sizes[earlier])]
        sizes.append(len(found))
        for shingle in found:
            holders.setdefault(shingle, []).append(position)
    return pairs


def _lowest(score: Score) -> int:
    return min((note.pitch for voice in score.voices for note in voice.notes), default=0)
