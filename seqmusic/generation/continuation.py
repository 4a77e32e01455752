"""From a prompt to candidates: prefill once, then one step a note, all candidates in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqmusic.errors import RequestError
from seqmusic.generation.sampling import Sampling
from seqmusic.generation.stream import Rule, Stream
from seqmusic.model.transformer import Cache, Transformer
from seqmusic.score import SATB, Score, Voice
from seqmusic.tokens.augmentation import COMPASS
from seqmusic.tokens.grammar import Walk
from seqmusic.tokens.tokenizer import Event, Hole, encode_prompt, trace

_Ids = NDArray[np.integer[Any]]
MOST_BARS = 64
MOST_CANDIDATES = 64
MAX_VOICES = len(SATB)  # of a model


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for."""

    bars: int = 8  # in all, the pickup not counted; the last one is short by the pickup
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
    shift = fitting_shift(head, request.voices)
    score, holes = prompt(head.transposed(shift), request)
    made = complete(model, encode_prompt(score, holes), request, rule)
    back = [replace(own, score=replace(own.score.transposed(-shift), key=head.key)) for own in made]
    distinct = {own.score: replace(own, score=replace(own.score, tempo_bpm=head.tempo_bpm, title=head.title)) for own in back}
    return sorted(distinct.values(), key=lambda candidate: -candidate.log_probability_per_note)


def fitting_shift(head: Score, voices: str) -> int:
    """Semitones by which a head is moved, and what comes of it moved back, because the model knows voices only in their compass.

    The one that leaves the fewest notes outside; of several whole octaves first, then the nearest.

    >>> from seqmusic.formats.head import parse_head
    >>> fitting_shift(parse_head("G4 A4 B4"), "satb"), fitting_shift(parse_head("G2 A2 B2"), "melody")
    (0, 24)
    """
    names = given_names(head, voices)
    pitches = [(note.pitch, *COMPASS[name]) for name, voice in zip(names, head.voices, strict=True) for note in voice.notes]
    sung = [COMPASS[name] for name in (SATB if voices == "satb" else SATB[:1])]
    lowest = max([max(high for _, high in sung) - 127, *(-pitch for pitch, _, _ in pitches)])
    highest = min([min(low for low, _ in sung), *(127 - pitch for pitch, _, _ in pitches)])

    def misfit(shift: int) -> tuple[int, bool, int]:
        outside = sum(not low <= pitch + shift <= high for pitch, low, high in pitches)
        return outside, shift % 12 != 0, abs(shift)

    return min(range(min(lowest, 0), max(highest, 0) + 1), key=misfit)


def prompt(head: Score, request: Request) -> tuple[Score, list[list[Hole]]]:
    """The head as a score with holes: its voices go on to the end of the last bar, the others are to be composed from the start."""
    if head.n_notes == 0:
        raise RequestError("the head has no notes; give at least one, for instance C4")
    if not head.time_signatures:
        raise RequestError("the head has no time signature; say one with --time-signature")
    given = dict(zip(given_names(head, request.voices), head.voices, strict=True))
    end = _end_ticks(head, request.bars)
    if head.end_ticks >= end:
        n_bars = sum(bar.number > 0 for bar in head.bars())
        raise RequestError(
            f"the head has {n_bars} {'bar' if n_bars == 1 else 'bars'}, and so fills the {request.bars} asked for in all; "
            f"ask for more, such as --bars {min(n_bars + 4, MOST_BARS)}"
        )
    names = SATB if request.voices == "satb" else SATB[:1]
    voices = tuple(replace(given[name], name=name) if name in given else Voice(name, ()) for name in names)
    return replace(head, voices=voices), [[(voice.end_ticks, end)] for voice in voices]


def given_names(head: Score, voices: str) -> tuple[str, ...]:
    """Which of the wanted voices those of the head are: in order where there are one or all, else by their names.

    Raises:
        RequestError: the voices asked for have no place for them.
    """
    names = SATB if voices == "satb" else SATB[:1]
    own = tuple(voice.name for voice in head.voices)
    if len(own) in (1, len(names)):
        return names[: len(own)]
    if len(set(own)) == len(own) and set(own) <= set(names):
        return own
    if len(names) == 1:
        raise RequestError(f"the head has {len(own)} voices, and a melody has one; ask for --voices satb, or give one voice")
    raise RequestError(
        f"the head has {len(own)} voices ({', '.join(own)}); satb takes one voice, four, or some named {', '.join(SATB)}"
    )


def _end_ticks(head: Score, n_bars: int) -> int:
    """Where the last of so many bars ends, the pickup not counted; changes of time signature are counted with.

    After a pickup the last bar is short by it, as chorales are printed: the two make one bar.
    """
    longest = max(signature.bar_ticks for _, signature in head.time_signatures)
    bars = [bar for bar in head.bars(head.pickup_ticks + n_bars * longest) if bar.number]
    return bars[n_bars - 1].end_ticks - head.pickup_ticks


@torch.inference_mode()
def complete(model: Transformer, events: Sequence[Event], request: Request, rule: Rule | None = None) -> list[Candidate]:
    """`request.n` completions of a sequence that ends with BODY, in the order of their streams of chance.

    Candidate i draws from its own stream (seed, i): it does not depend on how many are asked for.

    Raises:
        RequestError: the music grows longer than the model can follow, or the rule leaves nothing to choose.
    """
    longest = model.settings.context_length
    cache = _cache(model, events, request.n)
    streams = _streams(events, request, rule)
    hidden, context = _prefill(model, events, cache, request.n)
    while not all(stream.walk.is_finished for stream in streams):
        if cache.length >= longest:
            reached = min(stream.walk.now for stream in streams if not stream.walk.is_finished)
            raise RequestError(
                f"the music grew beyond the {longest} events this model follows (at tick {reached} of {streams[0].walk.end}); "
                "ask for fewer bars"
            )
        hidden, context = _step(model, hidden, context, streams, cache)
    return [Candidate(stream.walk.score(), stream.n_events, stream.log_probability) for stream in streams]


def fed(model: Transformer, events: Sequence[Event]) -> tuple[Walk, Tensor, Tensor]:
    """Where a sequence stands after its last event, and (1, D) and (1, C), what the heads of the model take there.

    Raises:
        RequestError: the sequence is longer than the model can follow.
    """
    return _walked(events), *_prefill(model, events, _cache(model, events, 1), 1)


def _cache(model: Transformer, events: Sequence[Event], n: int) -> Cache:
    longest = model.settings.context_length
    if len(events) >= longest:
        raise RequestError(f"the prompt has {len(events)} events; this model follows {longest}")
    return Cache(model.settings, n, longest, next(model.parameters()).device)


def _walked(events: Sequence[Event]) -> Walk:
    walk = Walk(MAX_VOICES)
    for sound, duration in events[1:]:
        walk.push(sound, duration)
    return walk


def _streams(events: Sequence[Event], request: Request, rule: Rule | None) -> list[Stream]:
    """As many candidates as are asked for, all at the end of `events`."""
    walk = _walked(events)
    chances = [np.random.default_rng([request.seed, index]) for index in range(request.n)]
    return [Stream(walk.copy(), chance, request.pitch_sampling, request.rhythm_sampling, rule) for chance in chances]


def _prefill(model: Transformer, events: Sequence[Event], cache: Cache, n: int) -> tuple[Tensor, Tensor]:
    """(n, D) what the model makes of the prompt, n times the same, and (n, C) where it stands after it."""
    prompt = trace(events, MAX_VOICES)
    ticks = np.concatenate(([0], prompt.ticks))
    heard, places, moments = (part[None].repeat(n, 0) for part in (prompt.events, prompt.context, ticks))
    return _forward(model, heard, places, moments, cache)


def _step(model: Transformer, hidden: Tensor, context: Tensor, streams: Sequence[Stream], cache: Cache) -> tuple[Tensor, Tensor]:
    """(n, D) and (n, C) after one event more, chosen by each stream from those before."""
    onsets = [stream.walk.now for stream in streams]
    sound_logits = model.heads.sound_logits(hidden, context).cpu().numpy()
    sounds = [stream.choose_sound(logits) for stream, logits in zip(streams, sound_logits, strict=True)]
    chosen = torch.tensor(sounds, device=hidden.device)
    duration_logits = model.heads.duration_logits(hidden, context, chosen).cpu().numpy()
    durations = [stream.choose_duration(*own) for stream, *own in zip(streams, duration_logits, sounds, strict=True)]
    for stream, sound, duration in zip(streams, sounds, durations, strict=True):
        stream.advance(sound, duration)
    events = np.stack([sounds, durations], axis=1)[:, None]
    places = np.stack([stream.walk.context() for stream in streams])[:, None]
    ticks = np.array([(onset, stream.walk.now) for onset, stream in zip(onsets, streams, strict=True)])
    return _forward(model, events, places, ticks, cache)


def _forward(model: Transformer, events: _Ids, context: _Ids, ticks: _Ids, cache: Cache) -> tuple[Tensor, Tensor]:
    device = next(model.parameters()).device
    heard, places, moments = (
        torch.from_numpy(np.ascontiguousarray(a, dtype=np.int64)).to(device) for a in (events, context, ticks)
    )
    return model(heard, places, moments, cache)[:, -1], places[:, -1]
