"""Statistics of a window: rates of voice leading and harmony, rhythm, compass and spacing.

They are other features than the patterns, for a judge of another kind. A rate without opportunities
is nan.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seqmusic.array_types import Floats
from seqmusic.metrics.harmony import STEPS_PER_BEAT
from seqmusic.metrics.style import HARMONY_METRICS, VOICE_METRICS
from seqmusic.metrics.two_sample.windows import Pitches, changed_cells
from seqmusic.pitch_grid import REST_CELL, notes_from_cells
from seqmusic.score import SATB, Score, Voice
from seqmusic.tonality import key_correlations

_METRICS = (*VOICE_METRICS, *HARMONY_METRICS)


def window_statistics(pitches: Pitches) -> dict[str, float]:
    """The statistics of a window by name, always the same names in the same order."""
    lines = zip(SATB, pitches.tolist(), strict=True)
    score = Score(tuple(Voice(name, tuple(notes_from_cells(line))) for name, line in lines), ())
    rates = {metric.name: metric.rate(score) for metric in _METRICS}
    return {
        **{name: _share(rate.hits, rate.opportunities) for name, rate in rates.items()},
        **dict(_rhythm(pitches)),
        **dict(_melody(pitches)),
        **dict(_sonority(pitches)),
        "fit of the best key": max(key_correlations(score, is_whole=False).values()),
    }


def _rhythm(pitches: Pitches) -> Iterator[tuple[str, float]]:
    """Which share of the steps voices move in, together and apart, and how evenly."""
    changes = changed_cells(pitches)
    n_moving = changes.sum(axis=0)
    for n_voices in range(1, len(SATB) + 1):
        yield f"steps with {n_voices} moving", float((n_moving == n_voices).mean())
    for position in range(STEPS_PER_BEAT):
        yield f"moves at sixteenth {position}", float(n_moving[position::STEPS_PER_BEAT].mean())
    per_beat = changes.reshape(len(SATB), -1, STEPS_PER_BEAT).sum(axis=2)  # (voice, beat)
    for name, line in zip(SATB, per_beat, strict=True):
        yield f"{name}: moves per beat", float(line.mean())
        yield f"{name}: unevenness", float(line.std())
    yield "unevenness of all", float(per_beat.sum(axis=0).std())
    half = per_beat.shape[1] // 2
    yield "repeated beats", _share(_n_repeated(pitches), 2 * half)


def _n_repeated(pitches: Pitches) -> int:
    """Beats whose four voices are as in an earlier beat of the window."""
    beats = pitches.reshape(len(SATB), -1, STEPS_PER_BEAT).transpose(1, 0, 2)
    return len(beats) - len(np.unique(beats.reshape(len(beats), -1), axis=0))


def _melody(pitches: Pitches) -> Iterator[tuple[str, float]]:
    """Compass, variety and direction of each voice."""
    for name, line in zip(SATB, pitches.tolist(), strict=True):
        notes = [pitch for pitch, _ in itertools.groupby(line) if pitch != REST_CELL]
        moves = np.diff(notes)
        yield f"{name}: compass", float(np.ptp(notes)) if notes else math.nan
        yield f"{name}: mean pitch", float(np.mean(notes)) if notes else math.nan
        yield f"{name}: different pitches", _share(len(set(notes)), len(notes))
        yield f"{name}: mean size of moves", _mean(np.abs(moves))
        turning = np.sign(moves[1:]) != np.sign(moves[:-1])
        yield f"{name}: changes of direction", _mean(turning)
        yield f"{name}: returns at once", _mean(moves[1:] == -moves[:-1])
        yield f"{name}: rising moves", _mean(moves > 0)


def _sonority(pitches: Pitches) -> Iterator[tuple[str, float]]:
    """Spacing of neighbors, and how many and which pitch classes sound."""
    for index, (upper, lower) in enumerate(itertools.pairwise(pitches.astype(np.int64))):
        gaps = (upper - lower)[(upper != REST_CELL) & (lower != REST_CELL)]
        names = f"{SATB[index]} to {SATB[index + 1]}"
        yield f"{names}: mean distance", _mean(gaps)
        yield f"{names}: spread of distance", float(gaps.std()) if len(gaps) else math.nan
    beats = pitches[:, ::STEPS_PER_BEAT]
    sizes = [len({pitch % 12 for pitch in column if pitch != REST_CELL}) for column in beats.T]
    yield "pitch classes in a chord", float(np.mean(sizes))
    classes = np.bincount(pitches[pitches != REST_CELL] % 12, minlength=12)
    yield "pitch classes", float((classes > 0).sum())
    yield "entropy of pitch classes", _entropy(classes)
    basses = np.bincount(beats[-1][beats[-1] != REST_CELL] % 12, minlength=12)
    yield "entropy of basses", _entropy(basses)
    changes = (np.diff(beats, axis=1) != 0).any(axis=0)
    yield "beats with a new chord", float(changes.mean())


def _share(hits: int, opportunities: int) -> float:
    return hits / opportunities if opportunities else math.nan


def _mean(values: NDArray[np.generic]) -> float:
    return float(values.astype(np.float64).mean()) if len(values) else math.nan


def _entropy(counts: NDArray[np.int64]) -> float:
    """In bits; 0 of nothing."""
    shares: Floats = counts[counts > 0] / max(1, counts.sum())
    return float(-(shares * np.log2(shares)).sum())
