"""The classical baseline: prediction by partial matching over the viewpoints of each event.

Each viewpoint predicts from its longest known context, backing off by dropping the last item. The
predictions of the viewpoints are averaged, the surer ones with more weight; what the grammar
forbids gets nothing and the rest is renormalized, so the likelihood is a proper one.

Source: M. Pearce, The Construction and Evaluation of Statistical Models of Melodic Structure in
Music Perception and Composition, 2005, chapters 6 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from seqmusic.array_types import Floats, Mask
from seqmusic.baselines.viewpoints import (
    N_VIEWPOINTS,
    Example,
    Items,
    Viewpoints,
    note_example,
    scored_examples,
    transpose_sound,
)
from seqmusic.tokens.context import columns_to_max_voices
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import KEY, N_DURATIONS, N_SOUNDS, PITCH

_CACHED_ORDER = 3  # shorter contexts are few and needed most
_MIN_ENTROPY = 1e-3  # keeps the weight of a certain viewpoint finite


class NGram:
    """An order-5 model counted over `training`; nothing is learned from what it predicts."""

    def __init__(self, training: Iterable[Trace]) -> None:
        self._sounds = [Counts(N_SOUNDS) for _ in range(N_VIEWPOINTS)]
        self._durations = [Counts(N_DURATIONS) for _ in range(N_VIEWPOINTS)]
        for trace in training:
            for example in scored_examples(trace):
                self._count(example)

    def _count(self, example: Example) -> None:
        for counts, items in zip(self._sounds, example.sound_viewpoints, strict=True):
            counts.add(items, transpose_sound(example.sound, example.shift))
        for counts, items in zip(self._durations, example.duration_viewpoints, strict=True):
            counts.add(items, example.duration)

    @property
    def size(self) -> int:
        """Number of different pairs of a context, shorter ones included, and its continuation."""
        return sum(counts.size for counts in (*self._sounds, *self._durations))

    def distributions(self, trace: Trace) -> tuple[Floats, Floats]:
        """The predicted distributions of the N scored events; each row sums to 1.

        Returns:
            (N, sound) probabilities, and (N, duration) ones given the actual sound.
        """
        pairs = [self._predict(example, trace) for example in scored_examples(trace)]
        return (
            np.array([sounds for sounds, _ in pairs]).reshape(-1, N_SOUNDS),
            np.array([durations for _, durations in pairs]).reshape(-1, N_DURATIONS),
        )

    def next_sound(
        self, context_row: Sequence[int], past_events: Sequence[tuple[int, int]], allowed: Mask
    ) -> Floats:
        """(sound,) probabilities of the next sound of a voice.

        Args:
            context_row: as from `GrammarState.context`, where a note of some voice comes next.
            past_events: the events of that voice so far, after two of (0, 0).
            allowed: (sound,) what the grammar allows.
        """
        return self._sound_distribution(note_example(context_row, past_events, PITCH), allowed)

    def next_duration(
        self,
        context_row: Sequence[int],
        past_events: Sequence[tuple[int, int]],
        sound: int,
        allowed: Mask,
    ) -> Floats:
        """(duration,) probabilities of the duration of `sound`; arguments as for `next_sound`."""
        return self._duration_distribution(note_example(context_row, past_events, sound), allowed)

    def nats(self, trace: Trace) -> float:
        """Total negative log-likelihood of the scored events."""
        return float(-np.log(self.event_probabilities(trace)).sum())

    def event_probabilities(self, trace: Trace) -> Floats:
        """(N, 2) predicted probabilities of the sound and of the duration of each scored event."""
        pairs = [self._event_probability(example, trace) for example in scored_examples(trace)]
        return np.array(pairs).reshape(-1, 2)

    def adaptive_event_probabilities(self, trace: Trace) -> Floats:
        """(N, 2) as `event_probabilities`, each event being counted once it was predicted.

        Source: the short-term model of Pearce, 2005.
        """
        pairs = []
        for example in scored_examples(trace):
            pairs.append(self._event_probability(example, trace))
            self._count(example)
        return np.array(pairs).reshape(-1, 2)

    def _event_probability(self, example: Example, trace: Trace) -> tuple[float, float]:
        sounds, durations = self._predict(example, trace)
        return sounds[example.sound], durations[example.duration]

    def _predict(self, example: Example, trace: Trace) -> tuple[Floats, Floats]:
        sound_rule, duration_rule = trace.rules[example.row]
        sounds = sound_masks(columns_to_max_voices(trace.context.shape[1]))[sound_rule]
        return (
            self._sound_distribution(example, sounds),
            self._duration_distribution(example, duration_masks()[duration_rule]),
        )

    def _sound_distribution(self, example: Example, allowed: Mask) -> Floats:
        views = _view_probabilities(self._sounds, example.sound_viewpoints)
        views[:, PITCH:KEY] = np.roll(views[:, PITCH:KEY], -example.shift, axis=1)
        return combine_viewpoints(views, allowed)

    def _duration_distribution(self, example: Example, allowed: Mask) -> Floats:
        views = _view_probabilities(self._durations, example.duration_viewpoints)
        return combine_viewpoints(views, allowed)


def ngram_nats(training: Iterable[Trace], held_out: Sequence[Trace]) -> list[float]:
    """Total negative log-likelihood of each held-out piece, in nats, over its scored events."""
    model = NGram(training)
    return [model.nats(trace) for trace in held_out]


class Counts:
    """How often each symbol followed each context and each shorter one."""

    def __init__(self, n_symbols: int) -> None:
        self._uniform = np.full(n_symbols, 1 / n_symbols)
        self._tables: dict[Items, dict[int, int]] = {}
        self._cache: dict[Items, Floats] = {}  # probabilities after short contexts

    def add(self, items: Items, symbol: int) -> None:
        """Count one symbol after the whole context and after every shorter one."""
        self._cache.clear()
        for order in range(len(items) + 1):
            table = self._tables.setdefault(items[:order], {})
            table[symbol] = table.get(symbol, 0) + 1

    @property
    def size(self) -> int:
        """Pairs of a context and a symbol that followed it."""
        return sum(map(len, self._tables.values()))

    def probabilities(self, items: Items) -> Floats:
        """(symbol,) interpolated from no context to the longest one known, by method C.

        After n events of t kinds, a context leaves t / (n + t) to the shorter one. With one event
        counted:

        >>> counts = Counts(2)
        >>> counts.add((), 0)
        >>> counts.probabilities(()).tolist()
        [0.75, 0.25]
        """
        short = items[:_CACHED_ORDER]
        if short not in self._cache:
            self._cache[short] = self._interpolated(self._uniform, short, range(len(short) + 1))
        return self._interpolated(self._cache[short], items, range(len(short) + 1, len(items) + 1))

    def _interpolated(self, shorter: Floats, items: Items, orders: range) -> Floats:
        chosen = shorter.copy()
        for order in orders:
            table = self._tables.get(items[:order])
            if table is None:
                break
            chosen *= len(table)
            chosen[list(table)] += list(table.values())
            chosen /= sum(table.values()) + len(table)
        return chosen


def combine_viewpoints(views: Floats, allowed: Mask) -> Floats:
    """(symbol,) mean of the (view, symbol) probabilities over what is allowed.

    Each view is weighted by one over its relative entropy.

    >>> views = np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]])
    >>> combine_viewpoints(views, np.array([True, True, False])).round(3).tolist()
    [0.4, 0.6, 0.0]
    """
    if allowed.sum() == 1:
        return allowed.astype(float)
    views = views[:, allowed] / views[:, allowed].sum(axis=1, keepdims=True)
    relative_entropy = -(views * np.log(views)).sum(axis=1) / np.log(allowed.sum())
    weights = 1 / np.maximum(relative_entropy, _MIN_ENTROPY)
    chosen = np.zeros(len(allowed))
    chosen[allowed] = weights / weights.sum() @ views
    return chosen


def _view_probabilities(counts: Sequence[Counts], viewpoints: Viewpoints) -> Floats:
    """(view, symbol)."""
    return np.stack(
        [table.probabilities(items) for table, items in zip(counts, viewpoints, strict=True)]
    )
