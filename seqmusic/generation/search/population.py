"""A population of candidates that grow together, from which the better ones are selected.

After every few events each candidate is weighted by what the judge says of the music since the last
selection, and as many are drawn again by weight: sequential Monte Carlo. So bad beginnings are
dropped early, and what is drawn in the end resembles the training works more than the model alone.

Source: A. Doucet, N. de Freitas and N. Gordon, Sequential Monte Carlo Methods in Practice, 2001.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seqmusic.array_types import Floats, Ints
from seqmusic.generation.candidate_batch import CandidateBatch
from seqmusic.generation.partial_candidate import PartialCandidate
from seqmusic.generation.search.effort import SearchSettings
from seqmusic.generation.search.frames import FRAME_TICKS, Layout
from seqmusic.generation.search.judge import Judge
from seqmusic.pitch_grid import REST_CELL
from seqmusic.score import TICKS_PER_SIXTEENTH
from seqmusic.tokens.context import PITCH_CODE
from seqmusic.tokens.grammar import GrammarState

LOOKBACK_FRAMES = 16  # before those that are judged: their windows and last moves
_MIN_EFFECTIVE_SHARE = 0.5  # of the population, below which it is drawn again


class PartialJudgments:
    """Log-odds of candidates that grow, each judged up to where all of its voices have got."""

    def __init__(self, judge: Judge, layout: Layout, n: int, start_tick: int) -> None:
        """`start_tick` is where the music to be judged begins."""
        self._judge, self._layout = judge, layout
        first = layout.first_tick
        n_given = max(0, -(-(start_tick - first) // FRAME_TICKS))
        self.n_scored, self.totals = np.full(n, n_given), np.zeros(n)

    def update(self, candidates: Sequence[PartialCandidate]) -> Floats:
        """(N,) log-odds of all frames that are complete by now."""
        first = self._layout.first_tick
        ticks = np.array([_known_until(one.state) for one in candidates])
        n_known = np.maximum(self.n_scored, (ticks - first) // FRAME_TICKS)
        start = max(0, int(self.n_scored.min()) - LOOKBACK_FRAMES)
        if n_known.max() > start:
            start_tick = first + start * FRAME_TICKS
            n_steps = (int(n_known.max()) - start) * FRAME_TICKS // TICKS_PER_SIXTEENTH
            grid = np.stack([_state_grid(one.state, start_tick, n_steps) for one in candidates])
            odds = self._judge.grid_log_odds(grid, self._layout, start_tick)
            numbers = start + np.arange(odds.shape[1])
            is_new = (numbers >= self.n_scored[:, None]) & (numbers < n_known[:, None])
            self.totals = self.totals + (odds * is_new).sum(axis=1)
        self.n_scored = n_known
        return self.totals

    def select(self, rows: Sequence[int]) -> None:
        """Follow `CandidateBatch.select`."""
        chosen = list(rows)
        self.totals, self.n_scored = self.totals[chosen], self.n_scored[chosen]


def evolve(
    batch: CandidateBatch,
    judgments: PartialJudgments,
    rng: np.random.Generator,
    settings: SearchSettings,
) -> Iterator[None]:
    """Grow a population to the end, and select from it on the way; yields after each event.

    Args:
        batch: the population.
        judgments: of the batch.
        rng: draws those that go on.
        settings: how often is selected, and how strictly.
    """
    n_events, before = 0, judgments.totals
    while not batch.is_done:
        batch.grow()
        yield
        n_events += 1
        if n_events % settings.interval or batch.is_done:
            continue
        gains = judgments.update(batch.candidates) - before
        is_stuck = np.array([one.is_stuck for one in batch.candidates])
        weights = _weights(np.where(is_stuck, -np.inf, settings.judge_weight * gains))
        if 1 / (weights**2).sum() < _MIN_EFFECTIVE_SHARE * len(weights):
            rows = systematic_rows(weights, rng.random()).tolist()
            batch.select(rows)
            judgments.select(rows)
            before = judgments.totals


def _weights(logarithms: Floats) -> Floats:
    """Weights that add up to 1; all alike where none is possible."""
    highest = logarithms.max()
    if highest == -np.inf:
        return np.full(len(logarithms), 1 / len(logarithms))
    likelihoods = np.exp(logarithms - highest)
    weights: Floats = likelihoods / likelihoods.sum()
    return weights


def systematic_rows(weights: Floats, uniform: float) -> Ints:
    """(N,) row numbers drawn in proportion to (N,) weights with one random number, in rising order.

    >>> systematic_rows(np.array([0.5, 0.0, 0.5, 0.0]), 0.3).tolist()
    [0, 0, 2, 2]
    """
    n = len(weights)
    points = (np.arange(n) + uniform) / n
    bounds = np.cumsum(weights)
    rows: Ints = np.minimum(np.searchsorted(bounds / bounds[-1], points, side="right"), n - 1)
    return rows


def _known_until(state: GrammarState) -> int:
    """The tick up to which all voices are known."""
    if state.is_finished or state.line is None:
        return state.end or 0
    return state.tick


def _state_grid(state: GrammarState, start_tick: int, n_steps: int) -> Ints:
    """(voice, step) pitches on the sixteenth grid from a tick on, -1 where none is known."""
    grid = np.full((len(state.lines), n_steps), REST_CELL)
    for row, line in zip(grid, state.lines, strict=True):
        for segment in reversed(line.past):
            if segment.end <= start_tick:
                break
            if segment.code >= PITCH_CODE:
                begin = -(-(segment.onset - start_tick) // TICKS_PER_SIXTEENTH)
                end = -(-(segment.end - start_tick) // TICKS_PER_SIXTEENTH)
                row[max(0, begin) : max(0, end)] = segment.code - PITCH_CODE
    return grid
