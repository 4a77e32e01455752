"""From a prompt to candidates: prefill once, then one step a note, all candidates in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqmusic.errors import RequestError
from seqmusic.generation.sampling import Sampling, draw, log_softmax
from seqmusic.model.transformer import Cache, Transformer
from seqmusic.score import SATB, Score, Voice
from seqmusic.tokens import rules
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tokens.grammar import Walk
from seqmusic.tokens.tokenizer import Event, Hole, encode_prompt, is_music, trace
from seqmusic.tokens.vocabulary import BOS, HOLD, KEY, PITCH, REST, TIMESIG, voice_name

_Ids = NDArray[np.integer[Any]]
MOST_BARS = 64
MOST_CANDIDATES = 64


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for."""

    bars: int = 8  # in all, the pickup not counted
    n: int = 3  # candidates
    temperature: float = 1.0  # 0 = the likeliest
    pitch_temperature: float | None = None  # of the sounds; None = temperature
    rhythm_temperature: float | None = None  # of the durations; None = temperature
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0
    voices: str = "satb"  # melody or satb

    def __post_init__(self) -> None:
        if not 1 <= self.bars <= MOST_BARS:
            raise ValueError(f"bars must be in 1..{MOST_BARS}, got {self.bars}")
        if not 1 <= self.n <= MOST_CANDIDATES:
            raise ValueError(f"n must be in 1..{MOST_CANDIDATES}, got {self.n}")
        if self.voices not in ("melody", "satb"):
            raise ValueError(f"voices must be melody or satb, got {self.voices!r}")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")
        _ = self.pitch_sampling, self.rhythm_sampling

    @property
    def pitch_sampling(self) -> Sampling:
        """How sounds are drawn."""
        return self._sampling(self.pitch_temperature)

    @property
    def rhythm_sampling(self) -> Sampling:
        """How durations are drawn."""
        return self._sampling(self.rhythm_temperature)

    def _sampling(self, temperature: float | None) -> Sampling:
        own = self.temperature if temperature is None else temperature
        return Sampling(temperature=own, top_k=self.top_k, top_p=self.top_p, min_p=self.min_p)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One continuation.

    Attributes:
        score: the whole piece, what was given included.
        n_events: composed notes and rests.
        log_probability: of what was composed, under the model at temperature 1, in nats.
    """

    score: Score
    n_events: int
    log_probability: float

    @property
    def log_probability_per_note(self) -> float:
        """Nats a composed note or rest; higher is less surprising."""
        return self.log_probability / max(1, self.n_events)


def continuation(model: Transformer, head: Score, request: Request) -> list[Candidate]:
    """Candidates that begin with `head`, likeliest first (by log-probability a note).

    Raises:
        RequestError: the head has no notes, too many voices, or fills the bars asked for.
    """
    score, holes = prompt(head, request)
    candidates = [
        replace(own, score=replace(own.score, tempo_bpm=head.tempo_bpm, title=head.title))
        for own in complete(model, encode_prompt(score, holes), request)
    ]
    return sorted(candidates, key=lambda candidate: -candidate.log_probability_per_note)


def prompt(head: Score, request: Request) -> tuple[Score, list[list[Hole]]]:
    """The head as a score with holes: its voices go on to the end of the last bar, the others are to be composed from the start."""
    if head.n_notes == 0:
        raise RequestError("the head has no notes; give at least one, for instance C4")
    if not head.time_signatures:
        raise RequestError("the head has no time signature; say one with --time-signature")
    names = SATB if request.voices == "satb" else SATB[:1]
    if len(head.voices) not in (1, len(names)) and any(voice.name not in names for voice in head.voices):
        raise RequestError(f"the head has {len(head.voices)} voices; {request.voices} takes 1 or {len(names)}")
    end = head.pickup_ticks + request.bars * head.time_signatures[0][1].bar_ticks
    reached = head.end_ticks
    if reached >= end:
        raise RequestError(f"the head already fills the {request.bars} bars asked for; ask for more with --bars")
    own = dict(zip(names, head.voices, strict=False)) if len(head.voices) in (1, len(names)) else {v.name: v for v in head.voices}
    voices = tuple(replace(own[name], name=name) if name in own else Voice(name, ()) for name in names)
    return replace(head, voices=voices), [[(voice.end_ticks, end)] for voice in voices]


@torch.inference_mode()
def complete(model: Transformer, events: Sequence[Event], request: Request) -> list[Candidate]:
    """`request.n` completions of a sequence that ends with BODY, in the order of their streams of chance.

    Candidate i draws from its own stream (seed, i): it does not depend on how many are asked for.

    Raises:
        RequestError: the music grows longer than the model can follow.
    """
    walks, starts = [_walked(events)], trace(events, 4)
    walks += [walks[0].copy() for _ in range(request.n - 1)]
    chances = [np.random.default_rng([request.seed, index]) for index in range(request.n)]
    cache = Cache(model.settings, request.n, model.settings.context_length, next(model.parameters()).device)
    if len(events) >= model.settings.context_length:
        raise RequestError(f"the prompt has {len(events)} events; this model follows {model.settings.context_length}")
    ticks = np.concatenate(([0], starts.ticks))
    events_each, context_each, ticks_each = (part[None].repeat(request.n, 0) for part in (starts.events, starts.context, ticks))
    hidden = _forward(model, events_each, context_each, ticks_each, cache)
    totals, counts = [0.0] * request.n, [0] * request.n
    sounds_table, durations_table = rules.sound_masks(4), rules.duration_masks()
    while not all(walk.is_finished for walk in walks):
        if cache.length >= model.settings.context_length:
            raise RequestError(
                f"the music grew beyond the {model.settings.context_length} events this model follows; ask for fewer bars"
            )
        was = [walk.now for walk in walks]
        sound_logits = model.sound_logits(hidden).numpy()
        sounds = np.zeros(request.n, dtype=np.int64)
        for i, walk in enumerate(walks):
            if not walk.is_finished:
                log_p = log_softmax(sound_logits[i], _allowed(walk, sounds_table[walk.sound_rule]))
                sounds[i] = draw(log_p, request.pitch_sampling, chances[i].random())
                totals[i] += log_p[sounds[i]] if is_music(walk, int(sounds[i])) else 0.0
        duration_logits = model.duration_logits(hidden, torch.from_numpy(sounds)).numpy()
        durations = np.zeros(request.n, dtype=np.int64)
        for i, walk in enumerate(walks):
            if walk.is_finished:
                continue
            sound = int(sounds[i])
            log_p = log_softmax(duration_logits[i], durations_table[walk.duration_rule(sound)])
            durations[i] = draw(log_p, request.rhythm_sampling, chances[i].random())
            totals[i] += log_p[durations[i]]
            counts[i] += sound in (REST, HOLD) or PITCH <= sound < KEY
            walk.advance(sound, int(durations[i]))
        new = np.stack([sounds, durations], axis=1)[:, None]
        context = np.stack([walk.context() for walk in walks])[:, None]
        hidden = _forward(model, new, context, np.array([[a, walk.now] for a, walk in zip(was, walks, strict=True)]), cache)
    return [Candidate(walk.score(), counts[i], totals[i]) for i, walk in enumerate(walks)]


def _walked(events: Sequence[Event]) -> Walk:
    walk = Walk(4)
    for sound, duration in events:
        if sound != BOS:
            walk.push(sound, duration)
    return walk


def _allowed(walk: Walk, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The grammar's mask, cut to the voice's compass and without changes of meter."""
    mask = mask.copy()
    mask[TIMESIG:] = False
    if walk.voice is not None:
        low, high = COMPASS.get(voice_name(walk.voice), (0, 127))
        mask[PITCH : PITCH + low] = False
        mask[PITCH + high + 1 : KEY] = False
    return mask


def _forward(model: Transformer, events: _Ids, context: _Ids, ticks: _Ids, cache: Cache) -> torch.Tensor:
    tensors = (torch.from_numpy(np.ascontiguousarray(a).astype(np.int64)) for a in (events, context, ticks))
    return model(*tensors, cache)[:, -1]  # type: ignore[no-any-return]
