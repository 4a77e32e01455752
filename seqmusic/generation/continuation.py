"""From a prompt to candidates: prefill once, then one step a note, all candidates in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqmusic.errors import RequestError
from seqmusic.generation.sampling import Sampling
from seqmusic.generation.stream import Rule, Stream
from seqmusic.model.transformer import Cache, Transformer
from seqmusic.score import SATB, Score, Voice
from seqmusic.tokens.grammar import Walk
from seqmusic.tokens.tokenizer import Event, Hole, encode_prompt, trace

_Ids = NDArray[np.integer[Any]]
MOST_BARS = 64
MOST_CANDIDATES = 64
MAX_VOICES = len(SATB)  # of a model


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


def continuation(model: Transformer, head: Score, request: Request, rule: Rule | None = None) -> list[Candidate]:
    """Candidates that begin with `head`, likeliest first (by log-probability a note).

    Args:
        model: a trained model.
        head: the beginning, which is kept.
        request: how much is asked for, and how it is drawn.
        rule: a rule of your own, applied before each draw; its shapes are those of `stream.Rule`.

    Raises:
        RequestError: the head has no notes, too many voices, or fills the bars asked for.
    """
    score, holes = prompt(head, request)
    candidates = [
        replace(own, score=replace(own.score, tempo_bpm=head.tempo_bpm, title=head.title))
        for own in complete(model, encode_prompt(score, holes), request, rule)
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
def complete(model: Transformer, events: Sequence[Event], request: Request, rule: Rule | None = None) -> list[Candidate]:
    """`request.n` completions of a sequence that ends with BODY, in the order of their streams of chance.

    Candidate i draws from its own stream (seed, i): it does not depend on how many are asked for.

    Raises:
        RequestError: the music grows longer than the model can follow, or the rule leaves nothing to choose.
    """
    longest = model.settings.context_length
    if len(events) >= longest:
        raise RequestError(f"the prompt has {len(events)} events; this model follows {longest}")
    streams = _streams(events, request, rule)
    cache = Cache(model.settings, request.n, longest, next(model.parameters()).device)
    hidden = _prefill(model, events, cache, request.n)
    while not all(stream.walk.is_finished for stream in streams):
        if cache.length >= longest:
            raise RequestError(f"the music grew beyond the {longest} events this model follows; ask for fewer bars")
        hidden = _step(model, hidden, streams, cache)
    return [Candidate(stream.walk.score(), stream.n_events, stream.log_probability) for stream in streams]


def _streams(events: Sequence[Event], request: Request, rule: Rule | None) -> list[Stream]:
    """As many candidates as are asked for, all at the end of `events`."""
    walk = Walk(MAX_VOICES)
    for sound, duration in events[1:]:
        walk.push(sound, duration)
    chances = [np.random.default_rng([request.seed, index]) for index in range(request.n)]
    return [Stream(walk.copy(), chance, request.pitch_sampling, request.rhythm_sampling, rule) for chance in chances]


def _prefill(model: Transformer, events: Sequence[Event], cache: Cache, n: int) -> torch.Tensor:
    """(n, D) what the model makes of the prompt, n times the same."""
    prompt = trace(events, MAX_VOICES)
    ticks = np.concatenate(([0], prompt.ticks))
    each = (part[None].repeat(n, 0) for part in (prompt.events, prompt.context, ticks))
    return _forward(model, *each, cache)


def _step(model: Transformer, hidden: torch.Tensor, streams: Sequence[Stream], cache: Cache) -> torch.Tensor:
    """(n, D) what the model makes of one event more, chosen by each stream from (n, D) what it made of those before."""
    onsets = [stream.walk.now for stream in streams]
    place = torch.from_numpy(np.stack([stream.walk.context() for stream in streams]).astype(np.int64)).to(hidden.device)
    sound_logits = model.heads.sound_logits(hidden, place).cpu().numpy()
    sounds = [stream.choose_sound(logits) for stream, logits in zip(streams, sound_logits, strict=True)]
    chosen = torch.tensor(sounds, device=hidden.device)
    duration_logits = model.heads.duration_logits(hidden, place, chosen).cpu().numpy()
    durations = [stream.choose_duration(*own) for stream, *own in zip(streams, duration_logits, sounds, strict=True)]
    for stream, sound, duration in zip(streams, sounds, durations, strict=True):
        stream.advance(sound, duration)
    events = np.stack([sounds, durations], axis=1)[:, None]
    context = np.stack([stream.walk.context() for stream in streams])[:, None]
    ticks = np.array([(onset, stream.walk.now) for onset, stream in zip(onsets, streams, strict=True)])
    return _forward(model, events, context, ticks, cache)


def _forward(model: Transformer, events: _Ids, context: _Ids, ticks: _Ids, cache: Cache) -> torch.Tensor:
    device = next(model.parameters()).device
    tensors = (torch.from_numpy(np.ascontiguousarray(a, dtype=np.int64)).to(device) for a in (events, context, ticks))
    return model(*tensors, cache)[:, -1]  # type: ignore[no-any-return]
