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

from seqmusic.tokens.context import GLOBAL, PER_VOICE, SOUND_PITCH, told_voices
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import (
    HOLD,
    KEY,
    N_DURATIONS,
    N_SOUNDS,
    PITCH,
    REST,
    VOICE,
    id_key,
    voice_column,
)

Items = tuple[Hashable, ...]
MAX_ITEMS = 5
N_VIEWS = 3
_VOICE, _POSITION, _METER, _KEY = (
    GLOBAL.index(name) for name in ("voice", "position", "meter", "key")
)
_SOUND, _ELAPSED, _REMAINING = (PER_VOICE.index(name) for name in ("sound", "elapsed", "remaining"))
_BEAT_TICKS = 24
_ANCHOR = 60  # MIDI number where the voice's last pitch is put
_KEPT_ITEMS = 3  # contexts as short as that are few
_LEAST_ENTROPY = 1e-3  # keeps the weight of a view that is certain finite


@dataclass(frozen=True, slots=True)
class Moment:
    """What the model looks at before one scored event.

    Attributes:
        row: row of the trace that the event follows.
        sound: sound id of the event.
        duration: duration id of the event.
        shift: semitones that bring the voice's last pitch to a fixed one; without one, the key to no sharps or flats.
        sound_views: per view, the context items of the sound, the most telling first.
        duration_views: per view, the context items of the duration.
    """

    row: int
    sound: int
    duration: int
    shift: int
    sound_views: tuple[Items, ...]
    duration_views: tuple[Items, ...]


class NGram:
    """An order-5 model counted over `training`; nothing is learned from what it predicts."""

    def __init__(self, training: Sequence[Trace]) -> None:
        self._sounds = [Counts(N_SOUNDS) for _ in range(N_VIEWS)]
        self._durations = [Counts(N_DURATIONS) for _ in range(N_VIEWS)]
        for moment in itertools.chain.from_iterable(map(moments, training)):
            self._count(moment)

    def _count(self, moment: Moment) -> None:
        for counts, items in zip(self._sounds, moment.sound_views, strict=True):
            counts.add(items, shifted(moment.sound, moment.shift))
        for counts, items in zip(self._durations, moment.duration_views, strict=True):
            counts.add(items, moment.duration)

    @property
    def size(self) -> int:
        """How many different things were seen after some context, shorter contexts too."""
        return sum(counts.size for counts in (*self._sounds, *self._durations))

    def sound_probabilities(self, trace: Trace) -> NDArray[np.float64]:
        """(scored event, sound) what each sound was given; a row sums to 1 over what the grammar allows."""
        return np.array([self._sound(moment, trace) for moment in moments(trace)]).reshape(
            -1, N_SOUNDS
        )

    def duration_probabilities(self, trace: Trace) -> NDArray[np.float64]:
        """(scored event, duration) what each duration was given, the event's sound being known; a row sums to 1."""
        return np.array([self._duration(moment, trace) for moment in moments(trace)]).reshape(
            -1, N_DURATIONS
        )

    def next_sound(
        self, place: Sequence[int], said: Sequence[tuple[int, int]], allowed: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """(sound,) probabilities of what a voice says next.

        Args:
            place: the context, as `Walk.context` tells it, where a note of some voice comes next.
            said: the events of that voice so far, after two of (0, 0).
            allowed: (sound,) what the grammar allows.
        """
        moment = Moment(0, 0, 0, _shift(list(place)), *_note_views(list(place), list(said), PITCH))
        return self._sound_among(moment, allowed)

    def next_duration(
        self,
        place: Sequence[int],
        said: Sequence[tuple[int, int]],
        sound: int,
        allowed: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """(duration,) probabilities of how long the next sound lasts; arguments as for `next_sound`."""
        moment = Moment(
            0, sound, 0, _shift(list(place)), *_note_views(list(place), list(said), sound)
        )
        return self._duration_among(moment, allowed)

    def _sound(self, moment: Moment, trace: Trace) -> NDArray[np.float64]:
        allowed = sound_masks(told_voices(trace.context.shape[1]))
        return self._sound_among(moment, allowed[trace.rules[moment.row, 0]])

    def _sound_among(self, moment: Moment, allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
        views = np.stack(
            [
                c.probabilities(items)
                for c, items in zip(self._sounds, moment.sound_views, strict=True)
            ]
        )
        views[:, PITCH:KEY] = np.roll(views[:, PITCH:KEY], -moment.shift, axis=1)
        return combined(views, allowed)

    def _duration(self, moment: Moment, trace: Trace) -> NDArray[np.float64]:
        return self._duration_among(moment, duration_masks()[trace.rules[moment.row, 1]])

    def _duration_among(self, moment: Moment, allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
        views = np.stack(
            [
                c.probabilities(items)
                for c, items in zip(self._durations, moment.duration_views, strict=True)
            ]
        )
        return combined(views, allowed)

    def nats(self, trace: Trace) -> float:
        """Total negative log-likelihood of the scored events."""
        return float(-np.log(self.said(trace)).sum())

    def said(self, trace: Trace) -> NDArray[np.float64]:
        """(scored event, 2) what was given to each event's own sound, and to its own duration."""
        rows = [
            (self._sound(m, trace)[m.sound], self._duration(m, trace)[m.duration])
            for m in moments(trace)
        ]
        return np.array(rows).reshape(-1, 2)

    def said_while_learning(self, trace: Trace) -> NDArray[np.float64]:
        """(scored event, 2) the same, each event being counted once it was predicted: a memory of the piece itself.

        Source: the short-term model of M. Pearce, The Construction and Evaluation of Statistical Models of Melodic Structure, 2005.
        """
        rows = []
        for moment in moments(trace):
            rows.append(
                (
                    self._sound(moment, trace)[moment.sound],
                    self._duration(moment, trace)[moment.duration],
                )
            )
            self._count(moment)
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
        self._kept: dict[
            Items, NDArray[np.float64]
        ] = {}  # probabilities after short contexts, which are asked for most

    def add(self, items: Items, symbol: int) -> None:
        """Count one symbol after the whole context and after every shorter one."""
        self._kept.clear()
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
        short = items[:_KEPT_ITEMS]
        if short not in self._kept:
            self._kept[short] = self._mixed(self._uniform, short, range(len(short) + 1))
        return self._mixed(self._kept[short], items, range(len(short) + 1, len(items) + 1))

    def _mixed(
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


def combined(views: NDArray[np.float64], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(symbol,) mean of the views (view, symbol) over what is allowed, each weighted by one over its relative entropy.

    >>> combined(np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]), np.array([True, True, False])).round(3).tolist()
    [0.4, 0.6, 0.0]
    """
    if allowed.sum() == 1:
        return allowed.astype(float)
    views = views[:, allowed] / views[:, allowed].sum(axis=1, keepdims=True)
    relative_entropy = -(views * np.log(views)).sum(axis=1) / np.log(allowed.sum())
    weights = 1 / np.maximum(relative_entropy, _LEAST_ENTROPY)
    chosen = np.zeros(len(allowed))
    chosen[allowed] = weights / weights.sum() @ views
    return chosen


def moments(trace: Trace) -> Iterator[Moment]:
    """The scored events of a piece in order, each with its contexts."""
    events, context = trace.events.tolist(), trace.context.tolist()
    said: defaultdict[int, list[tuple[int, int]]] = defaultdict(
        lambda: [(0, 0), (0, 0)]
    )  # by voice
    for row, (place, (sound, duration)) in enumerate(zip(context, events[1:], strict=False)):
        voice = place[_VOICE]
        is_note = voice > 0 and (sound in (REST, HOLD) or PITCH <= sound < KEY)
        if trace.is_scored[row]:
            before = [tuple(event) for event in events[max(row - 1, 0) : row + 1]]
            views = _note_views(place, said[voice], sound) if voice else _mark_views(before, sound)
            yield Moment(row, sound, duration, _shift(place), *views)
        if is_note:
            said[voice].append((sound, duration))


def _mark_views(
    before: list[tuple[int, ...]], sound: int
) -> tuple[tuple[Items, ...], tuple[Items, ...]]:
    """Views where no note can come: what was said just before."""
    return ((0, *reversed(before)),) * N_VIEWS, ((-sound, before[-1]),) * N_VIEWS


def _note_views(
    place: list[int], said: list[tuple[int, int]], sound: int
) -> tuple[tuple[Items, ...], tuple[Items, ...]]:
    """Views of a sound and of its duration, in a voice that said `said` before."""
    voice, shift = place[_VOICE], _shift(place)
    beat, bar = place[_POSITION] % _BEAT_TICKS, (place[_METER], place[_POSITION])
    column = voice_column(VOICE + voice - 1)
    states = [place[i : i + len(PER_VOICE)] for i in range(len(GLOBAL), len(place), len(PER_VOICE))]
    own = _degree(states[column][_SOUND], place[_KEY])
    others = [_heard(states[c], shift) for c in _by_telling(column, states)]
    last_ticks, earlier = said[-1][1], shifted(said[-2][0], shift)
    sound_views = (
        (voice, own, beat, last_ticks, earlier),
        (voice, *others[:3], own)[:MAX_ITEMS],
        (voice, own, others[0], beat, others[1])
        if len(others) > 1
        else (voice, own, *others, beat),
    )
    kind = min(sound, PITCH) if sound < KEY else sound
    step = (
        shifted(sound, shift) if kind == PITCH and states[column][_SOUND] >= SOUND_PITCH else None
    )
    left = tuple(sorted(state[_REMAINING] for state in states if state[_SOUND]))
    just_set = min(
        (state[_REMAINING] for state in states if state[_SOUND] and not state[_ELAPSED]), default=0
    )
    duration_views = (
        (kind, bar, step, last_ticks, voice),
        (kind, left, beat, voice, bar),
        (kind, just_set, beat, bar, last_ticks),
    )
    return sound_views, duration_views


def _heard(state: list[int], shift: int) -> tuple[int, bool]:
    """What a voice sounds, as the symbols are counted, and whether it still sounds or has just ended."""
    code = state[_SOUND]
    return code + shift if code >= SOUND_PITCH else code, state[_REMAINING] > 0


def _by_telling(column: int, states: list[list[int]]) -> list[int]:
    """Columns of the other voices, the most telling first: those that sound on, then the outer ones, then the neighbors."""
    outer = (0, len(states) - 1)
    others = [c for c in range(len(states)) if c != column]
    return sorted(
        others, key=lambda c: (not states[c][_REMAINING], c not in outer, abs(c - column))
    )


def _degree(code: int, key: int) -> int:
    """Semitones from the key signature's major tonic up to a pitch, without octaves; negative where there is no pitch."""
    return (
        (code - SOUND_PITCH + _key_shift(key)) % 12 if code >= SOUND_PITCH else code - SOUND_PITCH
    )


def _shift(place: list[int]) -> int:
    if not place[_VOICE]:
        return 0
    own = place[len(GLOBAL) + len(PER_VOICE) * voice_column(VOICE + place[_VOICE] - 1) + _SOUND]
    return _ANCHOR - (own - SOUND_PITCH) if own >= SOUND_PITCH else _key_shift(place[_KEY])


def _key_shift(key: int) -> int:
    """Semitones, -6..5, from a key's signature to the one without accidentals."""
    known = id_key(KEY + key)
    return 0 if known is None else (6 - 7 * known.sharps) % 12 - 6


def shifted(sound: int, shift: int) -> int:
    """The sound id with its pitch, if it is one, moved by so many semitones, around the end of the pitches if need be."""
    return PITCH + (sound - PITCH + shift) % (KEY - PITCH) if PITCH <= sound < KEY else sound
