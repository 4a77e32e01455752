"""The classical rival: prediction by partial matching over token events, looking where a teacher of counterpoint would look.

A sound is predicted from three views (the line, the voices around it, the step between the two), a duration, its sound being
known, from three more (the step taken, how long the others still sound, the meter). A view has at most five context items and
backs off by dropping the last. A pitch is counted as a step from the voice's last one, which is told as a degree of the key, so
that all keys teach each other; a first note, or one after a rest, is counted in the key's frame. The surer a view, the more it
counts; what the grammar forbids gets nothing and the rest is renormalized, so the likelihood is a proper one.

Source: Pearce (2005), The Construction and Evaluation of Statistical Models of Melodic Structure, chapters 6 and 7.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.tokens.context import GLOBAL_COLUMNS, PITCH_CODE, VOICE_COLUMNS, columns_to_max_voices
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import (
    KEY,
    N_DURATIONS,
    N_SOUNDS,
    PITCH,
    VOICE,
    id_to_key,
    is_note_event,
    is_pitch,
    voice_column,
)

Items = tuple[Hashable, ...]
MAX_ORDER = 5
N_VIEWPOINTS = 3
_VOICE, _POSITION, _METER, _KEY = (
    GLOBAL_COLUMNS.index(name) for name in ("voice", "position", "meter", "key")
)
_SOUND, _ELAPSED, _REMAINING = (
    VOICE_COLUMNS.index(name) for name in ("sound", "elapsed", "remaining")
)
_BEAT_TICKS = 24
_ANCHOR = 60  # MIDI number where the voice's last pitch is put
_CACHED_ORDER = 3  # contexts as short as that are few
_MIN_ENTROPY = 1e-3  # keeps the weight of a view that is certain finite


@dataclass(frozen=True, slots=True)
class Example:
    """What the model looks at before one scored event.

    Attributes:
        row: row of the trace that the event follows.
        sound: sound id of the event.
        duration: duration id of the event.
        shift: semitones that bring the voice's last pitch to a fixed one; without one, the key to no sharps or flats.
        sound_viewpoints: per view, the context items of the sound, the most telling first.
        duration_viewpoints: per view, the context items of the duration.
    """

    row: int
    sound: int
    duration: int
    shift: int
    sound_viewpoints: tuple[Items, ...]
    duration_viewpoints: tuple[Items, ...]


class NGram:
    """An order-5 model counted over `training`; nothing is learned from what it predicts."""

    def __init__(self, training: Sequence[Trace]) -> None:
        self._sounds = [Counts(N_SOUNDS) for _ in range(N_VIEWPOINTS)]
        self._durations = [Counts(N_DURATIONS) for _ in range(N_VIEWPOINTS)]
        for example in itertools.chain.from_iterable(map(scored_examples, training)):
            self._count(example)

    def _count(self, example: Example) -> None:
        for counts, items in zip(self._sounds, example.sound_viewpoints, strict=True):
            counts.add(items, transpose_sound(example.sound, example.shift))
        for counts, items in zip(self._durations, example.duration_viewpoints, strict=True):
            counts.add(items, example.duration)

    @property
    def size(self) -> int:
        """How many different things were seen after some context, shorter contexts too."""
        return sum(counts.size for counts in (*self._sounds, *self._durations))

    def sound_probabilities(self, trace: Trace) -> NDArray[np.float64]:
        """(scored event, sound) what each sound was given; a row sums to 1 over what the grammar allows."""
        return np.array(
            [self._sound(example, trace) for example in scored_examples(trace)]
        ).reshape(-1, N_SOUNDS)

    def duration_probabilities(self, trace: Trace) -> NDArray[np.float64]:
        """(scored event, duration) what each duration was given, the event's sound being known; a row sums to 1."""
        return np.array(
            [self._duration(example, trace) for example in scored_examples(trace)]
        ).reshape(-1, N_DURATIONS)

    def next_sound(
        self,
        context_row: Sequence[int],
        past_events: Sequence[tuple[int, int]],
        allowed: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """(sound,) probabilities of what a voice says next.

        Args:
            context_row: the context, as `GrammarState.context` tells it, where a note of some voice comes next.
            past_events: the events of that voice so far, after two of (0, 0).
            allowed: (sound,) what the grammar allows.
        """
        example = Example(
            0,
            0,
            0,
            _shift(list(context_row)),
            *_note_viewpoints(list(context_row), list(past_events), PITCH),
        )
        return self._sound_distribution(example, allowed)

    def next_duration(
        self,
        context_row: Sequence[int],
        past_events: Sequence[tuple[int, int]],
        sound: int,
        allowed: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """(duration,) probabilities of how long the next sound lasts; arguments as for `next_sound`."""
        example = Example(
            0,
            sound,
            0,
            _shift(list(context_row)),
            *_note_viewpoints(list(context_row), list(past_events), sound),
        )
        return self._duration_distribution(example, allowed)

    def _sound(self, example: Example, trace: Trace) -> NDArray[np.float64]:
        allowed = sound_masks(columns_to_max_voices(trace.context.shape[1]))
        return self._sound_distribution(example, allowed[trace.rules[example.row, 0]])

    def _sound_distribution(
        self, example: Example, allowed: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        views = np.stack(
            [
                c.probabilities(items)
                for c, items in zip(self._sounds, example.sound_viewpoints, strict=True)
            ]
        )
        views[:, PITCH:KEY] = np.roll(views[:, PITCH:KEY], -example.shift, axis=1)
        return combine_viewpoints(views, allowed)

    def _duration(self, example: Example, trace: Trace) -> NDArray[np.float64]:
        return self._duration_distribution(example, duration_masks()[trace.rules[example.row, 1]])

    def _duration_distribution(
        self, example: Example, allowed: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        views = np.stack(
            [
                c.probabilities(items)
                for c, items in zip(self._durations, example.duration_viewpoints, strict=True)
            ]
        )
        return combine_viewpoints(views, allowed)

    def nats(self, trace: Trace) -> float:
        """Total negative log-likelihood of the scored events."""
        return float(-np.log(self.event_probabilities(trace)).sum())

    def event_probabilities(self, trace: Trace) -> NDArray[np.float64]:
        """(scored event, 2) what was given to each event's own sound, and to its own duration."""
        rows = [
            (self._sound(m, trace)[m.sound], self._duration(m, trace)[m.duration])
            for m in scored_examples(trace)
        ]
        return np.array(rows).reshape(-1, 2)

    def adaptive_event_probabilities(self, trace: Trace) -> NDArray[np.float64]:
        """(scored event, 2) the same, each event being counted once it was predicted: a memory of the piece itself.

        Source: the short-term model of M. Pearce, The Construction and Evaluation of Statistical Models of Melodic Structure, 2005.
        """
        rows = []
        for example in scored_examples(trace):
            rows.append(
                (
                    self._sound(example, trace)[example.sound],
                    self._duration(example, trace)[example.duration],
                )
            )
            self._count(example)
        return np.array(rows).reshape(-1, 2)


def ngram_nats(training: Sequence[Trace], held_out: Sequence[Trace]) -> list[float]:
    """Total negative log-likelihood of each held-out piece, in nats, over its scored events."""
    model = NGram(training)
    return [model.nats(trace) for trace in held_out]


class Counts:
    """How often each symbol followed each context and each shorter one."""

    def __init__(self, n_symbols: int) -> None:
        self._uniform = np.full(n_symbols, 1 / n_symbols)
        self._tables: dict[Items, dict[int, int]] = {}
        self._cache: dict[
            Items, NDArray[np.float64]
        ] = {}  # probabilities after short contexts, which are asked for most

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

    def probabilities(self, items: Items) -> NDArray[np.float64]:
        """(symbol,) interpolated from no context to the longest one known, each trusted by method C.

        After n events of t kinds, a context leaves t / (n + t) to the shorter one: with one event counted,

        >>> counts = Counts(2)
        >>> counts.add((), 0)
        >>> counts.probabilities(()).tolist()
        [0.75, 0.25]
        """
        short = items[:_CACHED_ORDER]
        if short not in self._cache:
            self._cache[short] = self._interpolated(self._uniform, short, range(len(short) + 1))
        return self._interpolated(self._cache[short], items, range(len(short) + 1, len(items) + 1))

    def _interpolated(
        self, shorter: NDArray[np.float64], items: Items, orders: range
    ) -> NDArray[np.float64]:
        chosen = shorter.copy()
        for order in orders:
            table = self._tables.get(items[:order])
            if table is None:
                break
            chosen *= len(table)
            chosen[list(table)] += list(table.values())
            chosen /= sum(table.values()) + len(table)
        return chosen


def combine_viewpoints(
    views: NDArray[np.float64], allowed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(symbol,) mean of the views (view, symbol) over what is allowed, each weighted by one over its relative entropy.

    >>> combine_viewpoints(np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]), np.array([True, True, False])).round(3).tolist()
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


def scored_examples(trace: Trace) -> Iterator[Example]:
    """The scored events of a piece in order, each with its contexts."""
    events, context = trace.events.tolist(), trace.context.tolist()
    past_events: defaultdict[int, list[tuple[int, int]]] = defaultdict(
        lambda: [(0, 0), (0, 0)]
    )  # by voice
    for row, (context_row, (sound, duration)) in enumerate(zip(context, events[1:], strict=False)):
        voice = context_row[_VOICE]
        is_note = voice > 0 and is_note_event(sound)
        if trace.is_scored[row]:
            before = [tuple(event) for event in events[max(row - 1, 0) : row + 1]]
            views = (
                _note_viewpoints(context_row, past_events[voice], sound)
                if voice
                else _mark_viewpoints(before, sound)
            )
            yield Example(row, sound, duration, _shift(context_row), *views)
        if is_note:
            past_events[voice].append((sound, duration))


def _mark_viewpoints(
    before: list[tuple[int, ...]], sound: int
) -> tuple[tuple[Items, ...], tuple[Items, ...]]:
    """Views where no note can come: what was said just before."""
    return ((0, *reversed(before)),) * N_VIEWPOINTS, ((-sound, before[-1]),) * N_VIEWPOINTS


def _note_viewpoints(
    context_row: list[int], past_events: list[tuple[int, int]], sound: int
) -> tuple[tuple[Items, ...], tuple[Items, ...]]:
    """Views of a sound and of its duration, in a voice after `past_events`."""
    voice, shift = context_row[_VOICE], _shift(context_row)
    beat, bar = context_row[_POSITION] % _BEAT_TICKS, (context_row[_METER], context_row[_POSITION])
    column = voice_column(VOICE + voice - 1)
    states = [
        context_row[i : i + len(VOICE_COLUMNS)]
        for i in range(len(GLOBAL_COLUMNS), len(context_row), len(VOICE_COLUMNS))
    ]
    own = _degree(states[column][_SOUND], context_row[_KEY])
    others = [_sounding_item(states[c], shift) for c in _by_salience(column, states)]
    last_ticks, earlier = past_events[-1][1], transpose_sound(past_events[-2][0], shift)
    sound_viewpoints = (
        (voice, own, beat, last_ticks, earlier),
        (voice, *others[:3], own)[:MAX_ORDER],
        (voice, own, others[0], beat, others[1])
        if len(others) > 1
        else (voice, own, *others, beat),
    )
    kind = min(sound, PITCH) if sound < KEY else sound
    step = (
        transpose_sound(sound, shift)
        if kind == PITCH and states[column][_SOUND] >= PITCH_CODE
        else None
    )
    left = tuple(sorted(state[_REMAINING] for state in states if state[_SOUND]))
    just_set = min(
        (state[_REMAINING] for state in states if state[_SOUND] and not state[_ELAPSED]), default=0
    )
    duration_viewpoints = (
        (kind, bar, step, last_ticks, voice),
        (kind, left, beat, voice, bar),
        (kind, just_set, beat, bar, last_ticks),
    )
    return sound_viewpoints, duration_viewpoints


def _sounding_item(state: list[int], shift: int) -> tuple[int, bool]:
    """What a voice sounds, as the symbols are counted, and whether it still sounds or has just ended."""
    code = state[_SOUND]
    return code + shift if code >= PITCH_CODE else code, state[_REMAINING] > 0


def _by_salience(column: int, states: list[list[int]]) -> list[int]:
    """Columns of the other voices, the most telling first: those that sound on, then the outer ones, then the neighbors."""
    outer = (0, len(states) - 1)
    others = [c for c in range(len(states)) if c != column]
    return sorted(
        others, key=lambda c: (not states[c][_REMAINING], c not in outer, abs(c - column))
    )


def _degree(code: int, key: int) -> int:
    """Semitones from the key signature's major tonic up to a pitch, without octaves; negative where there is no pitch."""
    return (code - PITCH_CODE + _key_shift(key)) % 12 if code >= PITCH_CODE else code - PITCH_CODE


def _shift(context_row: list[int]) -> int:
    if not context_row[_VOICE]:
        return 0
    own = context_row[
        len(GLOBAL_COLUMNS)
        + len(VOICE_COLUMNS) * voice_column(VOICE + context_row[_VOICE] - 1)
        + _SOUND
    ]
    return _ANCHOR - (own - PITCH_CODE) if own >= PITCH_CODE else _key_shift(context_row[_KEY])


def _key_shift(key: int) -> int:
    """Semitones, -6..5, from a key's signature to the one without accidentals."""
    known = id_to_key(KEY + key)
    return 0 if known is None else (6 - 7 * known.sharps) % 12 - 6


def transpose_sound(sound: int, shift: int) -> int:
    """The sound id with its pitch, if it is one, moved by so many semitones, around the end of the pitches if need be."""
    return PITCH + (sound - PITCH + shift) % (KEY - PITCH) if is_pitch(sound) else sound
