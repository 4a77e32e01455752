"""The classical rival: prediction by partial matching over token events, with contexts that a counterpoint teacher would look at.

Two views of each sound (the line, the harmony) and two of each duration (the meter, the other voices) are counted by themselves, each
with at most five context items. A context backs off by dropping its last item; pitches are counted relative to the key signature,
so that all keys teach each other. The views are combined by how sure each is, and the grammar's masks leave a proper likelihood.

Source: Pearce (2005), The Construction and Evaluation of Statistical Models of Melodic Structure, chapters 6 and 7.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqmusic.tokens.context import GLOBAL, PER_VOICE, SOUND_PITCH
from seqmusic.tokens.rules import duration_masks, sound_masks
from seqmusic.tokens.tokenizer import Trace
from seqmusic.tokens.vocabulary import HOLD, KEY, N_DURATIONS, N_SOUNDS, PITCH, REST, VOICE, id_key, voice_column

Items = tuple[int, ...]
_SECTION, _VOICE, _POSITION, _METER, _KEY = (GLOBAL.index(name) for name in ("section", "voice", "position", "meter", "key"))
_SOUND, _ELAPSED, _REMAINING = (PER_VOICE.index(name) for name in ("sound", "elapsed", "remaining"))
_BEAT_TICKS = 24
_SURENESS = 2.0  # power of the relative entropy that weighs a view down


@dataclass(frozen=True, slots=True)
class Moment:
    """What the model looks at before one scored event.

    Attributes:
        row: row of the trace that the event follows.
        sound, duration: ids of the event.
        shift: semitones that bring the key signature to no sharps or flats.
        line, harmony: context items of the sound, the most telling first.
        meter, others: context items of the duration, the most telling first.
    """

    row: int
    sound: int
    duration: int
    shift: int
    line: Items
    harmony: Items
    meter: Items
    others: Items


class NGram:
    """An order-5 model counted over `training`; nothing is learned from what it predicts."""

    def __init__(self, training: Sequence[Trace]) -> None:
        self._line, self._harmony = Counts(N_SOUNDS), Counts(N_SOUNDS)
        self._meter, self._others = Counts(N_DURATIONS), Counts(N_DURATIONS)
        for moment in itertools.chain.from_iterable(map(moments, training)):
            sound = _shifted(moment.sound, moment.shift)
            self._line.add(moment.line, sound)
            self._harmony.add(moment.harmony, sound)
            self._meter.add(moment.meter, moment.duration)
            self._others.add(moment.others, moment.duration)

    def sound_probabilities(self, trace: Trace) -> NDArray[np.float64]:
        """(scored event, sound) what each sound was given; a row sums to 1 over what the grammar allows."""
        allowed = sound_masks(_n_columns(trace))
        rows = []
        for moment in moments(trace):
            views = np.stack([self._line.probabilities(moment.line), self._harmony.probabilities(moment.harmony)])
            views[:, PITCH:KEY] = np.roll(views[:, PITCH:KEY], -moment.shift, axis=1)
            rows.append(combined(views, allowed[trace.rules[moment.row, 0]]))
        return np.array(rows).reshape(-1, N_SOUNDS)

    def duration_probabilities(self, trace: Trace) -> NDArray[np.float64]:
        """(scored event, duration) what each duration was given, the event's sound being known; a row sums to 1."""
        allowed = duration_masks()
        rows = []
        for moment in moments(trace):
            views = np.stack([self._meter.probabilities(moment.meter), self._others.probabilities(moment.others)])
            rows.append(combined(views, allowed[trace.rules[moment.row, 1]]))
        return np.array(rows).reshape(-1, N_DURATIONS)

    def nats(self, trace: Trace) -> float:
        """Total negative log-likelihood of the scored events."""
        told = trace.events[1:][trace.is_scored[:-1]].astype(int)
        every = np.arange(len(told))
        sounds = self.sound_probabilities(trace)[every, told[:, 0]]
        durations = self.duration_probabilities(trace)[every, told[:, 1]]
        return float(-np.log(sounds).sum() - np.log(durations).sum())


def ngram_nats(training: Sequence[Trace], held_out: Sequence[Trace]) -> list[float]:
    """Total negative log-likelihood of each held-out piece, in nats, over its scored events."""
    model = NGram(training)
    return [model.nats(trace) for trace in held_out]


class Counts:
    """How often each symbol followed each context and each shorter one."""

    def __init__(self, n_symbols: int) -> None:
        self._uniform = np.full(n_symbols, 1 / n_symbols)
        self._tables: defaultdict[Items, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, items: Items, symbol: int) -> None:
        """Count one symbol after the whole context and after every prefix of it."""
        for order in range(len(items) + 1):
            self._tables[items[:order]][symbol] += 1

    def probabilities(self, items: Items) -> NDArray[np.float64]:
        """(symbol,) interpolated from no context to the longest one known, each trusted by method C.

        After n events of t kinds, a context leaves t / (n + t) to the shorter one: with one "a" and nothing else counted,

        >>> counts = Counts(2)
        >>> counts.add((), 0)
        >>> counts.probabilities(()).tolist()
        [0.75, 0.25]
        """
        chosen = self._uniform.copy()
        for order in range(len(items) + 1):
            table = self._tables.get(items[:order])
            if table is None:
                break
            chosen *= len(table)
            chosen[list(table)] += list(table.values())
            chosen /= sum(table.values()) + len(table)
        return chosen


def combined(views: NDArray[np.float64], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(symbol,) weighted geometric mean of the views (view, symbol) over what is allowed; the surer view weighs more."""
    if allowed.sum() == 1:
        return allowed.astype(float)
    views = views[:, allowed] / views[:, allowed].sum(axis=1, keepdims=True)
    logs = np.log(views)
    relative_entropy = -(views * logs).sum(axis=1) / np.log(allowed.sum())
    weights = np.maximum(relative_entropy, 1e-3) ** -_SURENESS
    mixed = np.exp(weights / weights.sum() @ logs)
    chosen = np.zeros(len(allowed))
    chosen[allowed] = mixed / mixed.sum()
    return chosen


def moments(trace: Trace) -> Iterator[Moment]:
    """The scored events of a piece in order, each with its contexts."""
    events, context = trace.events.tolist(), trace.context.tolist()
    histories: dict[int, list[tuple[int, int]]] = defaultdict(lambda: [(0, 0), (0, 0), (0, 0)])
    for row, (place, (sound, duration)) in enumerate(zip(context, events[1:], strict=False)):
        voice = place[_VOICE]
        shift = _shift(place[_KEY])
        if trace.is_scored[row]:
            contexts = _note_contexts(place, histories[voice], shift, sound) if voice else _mark_contexts(events, row, sound)
            yield Moment(row, sound, duration, shift, *contexts)
        if voice and (sound in (REST, HOLD) or PITCH <= sound < KEY):
            histories[voice].append((sound, duration))


def _mark_contexts(events: list[list[int]], row: int, sound: int) -> tuple[Items, Items, Items, Items]:
    """Contexts where no note can come: what was said just before."""
    last, before = events[row], events[row - 1]
    return (0, *last, *before), (0, last[0]), (-sound, last[0]), (-sound,)


def _note_contexts(
    place: list[int], history: list[tuple[int, int]], shift: int, sound: int
) -> tuple[Items, Items, Items, Items]:
    """Line, harmony, meter and other voices at one place, five items or fewer each."""
    voice, position = place[_VOICE], place[_POSITION]
    column = voice_column(VOICE + voice - 1)
    states = [place[i : i + len(PER_VOICE)] for i in range(len(GLOBAL), len(place), len(PER_VOICE))]
    codes = [_state_code(state, shift) for state in states]
    rank = [c for c in _by_telling(column, len(states)) if states[c][_SOUND]][:3]
    own = codes[column]
    second, third = (_shifted(history[-i][0], shift) for i in (2, 3))
    line = (voice, own, second, position % _BEAT_TICKS, third)
    harmony = (voice, own, *(codes[c] for c in rank))
    kind = sound if sound < PITCH or sound >= KEY else PITCH
    rests = [state[_REMAINING] if state[_SOUND] else -1 for state in states]
    fresh = [state[_REMAINING] for state in states if state[_SOUND] and not state[_ELAPSED]]
    meter = (kind, position % _BEAT_TICKS, history[-1][1], voice, position)
    others = (kind, min(fresh, default=0), position % _BEAT_TICKS, max(rests), voice)
    return line, harmony, meter, others


def _state_code(state: list[int], shift: int) -> int:
    """What a voice sounds, or has just sounded, in the key's frame."""
    code = state[_SOUND]
    return 2 * (code + shift if code >= SOUND_PITCH else code) + (state[_REMAINING] > 0)


def _by_telling(column: int, n: int) -> list[int]:
    """Other voices, the most telling first: the outer ones, then the neighbors."""
    return sorted((c for c in range(n) if c != column), key=lambda c: (c not in (0, n - 1), abs(c - column)))


def _shift(key: int) -> int:
    """Semitones, -6..5, from a key's signature to the one without accidentals."""
    known = id_key(KEY + key)
    return 0 if known is None else (6 - 7 * known.sharps) % 12 - 6


def _shifted(sound: int, shift: int) -> int:
    return PITCH + (sound - PITCH + shift) % (KEY - PITCH) if PITCH <= sound < KEY else sound


def _n_columns(trace: Trace) -> int:
    return (trace.context.shape[1] - len(GLOBAL)) // len(PER_VOICE)
