"""What a model makes of the beginnings of held-out works, and all that is measured of it, beside how the works themselves go on.

A model is given the first two bars of a work in all voices, and where it ends; what it composes to that end is a sample. The rest
of the work is measured alike, so that both have the same keys, meters and lengths. The beginning itself is not measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqmusic.errors import RequestError
from seqmusic.generation.composing import composed
from seqmusic.generation.prompts import Prompt
from seqmusic.generation.request import Request
from seqmusic.metrics import voice_leading
from seqmusic.metrics.distributions import DISTRIBUTIONS
from seqmusic.metrics.likelihood import score_events
from seqmusic.metrics.originality import CopyIndex
from seqmusic.metrics.rates import Rate
from seqmusic.metrics.style import endings_on_tonic, hold_rate, repeated_bars
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import MAX_VOICES, make_masks
from seqmusic.score import TICKS_PER_WHOLE, Score, Voice
from seqmusic.tokens.tokenizer import encode, normalized, trace

HEAD_BARS = 2
MOST_BARS = 16  # of a work whose beginning is given: what is longer takes long to compose and says little more
CANDIDATES = 4  # of each beginning: fewer leave the machine idle, more make the samples alike
_MOST_OF_CONTEXT = 0.5  # of the events that a model follows: what it composes may need more of them than the work does


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a work.

    Attributes:
        work: the whole of it.
        end_ticks: where what is given ends; notes that begin before are given as a whole.
    """

    work: Score
    end_ticks: int

    @property
    def prompt(self) -> Prompt:
        """What is given, and where the music ends."""
        voices = tuple(
            Voice(
                voice.name, tuple(note for note in voice.notes if note.onset_ticks < self.end_ticks)
            )
            for voice in self.work.voices
        )
        holes = tuple(((voice.end_ticks, self.work.end_ticks),) for voice in voices)
        return Prompt(replace(self.work, voices=voices), holes)

    def rest(self, score: Score) -> Score:
        """What begins after the head, of the work or of what a model made of the head."""
        return score.sliced(self.end_ticks, max(score.end_ticks, self.end_ticks + 1))


@dataclass(frozen=True, slots=True)
class Piece:
    """What was measured of one continuation.

    Attributes:
        nats: what it costs under the model at temperature 1, the head being known.
        n_events: its notes and rests.
        rates: how often something happens in it, by the names in RATES.
        counts: what it is made of, by the names in DISTRIBUTIONS.
        copied_notes: of the longest passage that a training work has, too, in any key.
    """

    nats: float
    n_events: int
    rates: Mapping[str, Rate]
    counts: Mapping[str, Counter[Any]]
    copied_notes: int


def parallels(score: Score) -> Rate:
    """Parallel fifths, octaves and unisons of all moves of two voices together.

    >>> from seqmusic.score import Note
    >>> line = lambda name, *pitches: Voice(name, tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches)))
    >>> parallels(Score((line("Soprano", 67, 69, 71), line("Bass", 48, 50, 59))))
    Rate(hits=1, chances=2)
    """
    fifths, octaves = voice_leading.parallel_fifths(score), voice_leading.parallel_octaves(score)
    return Rate(fifths.hits + octaves.hits, fifths.chances)


RATES: Mapping[str, Callable[[Score], Rate]] = {
    "held cells": hold_rate,
    "parallel fifths and octaves": parallels,
    "voice crossings": voice_leading.crossings,
    "repeated bars": repeated_bars,
    "endings on the tonic": endings_on_tonic,
}


def heads(
    works: Sequence[Score], *, context_length: int = 1024, max_voices: int = MAX_VOICES
) -> list[Head]:
    """The beginnings of those works that are neither too short nor too long for a model to go on with them.

    >>> from seqmusic.score import Note, melody
    >>> works = [melody([Note(96 * bar, 96, 60) for bar in range(n)]) for n in (2, 3, 16, 17)]
    >>> [(head.end_ticks, head.rest(head.work).end_ticks) for head in heads(works)]
    [(192, 96), (192, 1344)]

    Args:
        works: whole pieces; those without a meter are cut as if it were 4/4.
        context_length: how many events the model follows.
        max_voices: how many voices it knows.
    """
    found = []
    for work in map(normalized, works):
        bars = [bar for bar in work.bars() if bar.number]
        head_ticks = (
            bars[HEAD_BARS - 1].end_ticks if len(bars) >= HEAD_BARS else HEAD_BARS * TICKS_PER_WHOLE
        )
        n_bars = len(bars) or -(-work.end_ticks // TICKS_PER_WHOLE)
        is_sounding = all(
            any(note.onset_ticks < head_ticks for note in voice.notes) for voice in work.voices
        )
        is_fit = (
            head_ticks < work.end_ticks
            and n_bars <= MOST_BARS
            and is_sounding
            and len(work.voices) <= max_voices
        )
        if is_fit and len(encode(work)) <= _MOST_OF_CONTEXT * context_length:
            found.append(Head(work, head_ticks))
    return found


def continued(
    model: Transformer,
    chosen: Sequence[Head],
    request: Request,
    index: CopyIndex,
    tick: Callable[[int], object] = lambda n: None,
) -> list[Piece]:
    """What was measured of `request.n` continuations of each head; equal ones count once.

    A head that the model, drawn so, does not bring to its end is left out.

    Args:
        model: a trained model.
        chosen: the heads.
        request: how candidates are drawn, and what they must obey.
        index: the training works.
        tick: told, after each head, how many were asked for.
    """
    pieces = []
    for number, head in enumerate(chosen):
        try:
            candidates = composed(model, head.prompt, replace(request, seed=request.seed + number))
        except RequestError:
            candidates = []
        for own in candidates:
            pieces.append(measured(head.rest(own.score), -own.log_probability, own.n_events, index))
        tick(request.n)
    return pieces


def as_written(model: Transformer, chosen: Sequence[Head], index: CopyIndex) -> list[Piece]:
    """What was measured of the works from where their heads end."""
    words = model.vocabulary
    sequences = [
        trace(encode(head.work, [list(line) for line in head.prompt.holes]), words.max_voices)
        for head in chosen
    ]
    masks = make_masks(next(model.parameters()).device, words.max_voices)
    pieces = []
    for head, sequence, scored in zip(
        chosen, sequences, score_events(model, sequences, masks), strict=True
    ):
        is_music = sequence.context[scored.rows, words.voice_column] > 0  # the header is given
        pieces.append(
            measured(
                head.rest(head.work), float(scored.nats[is_music].sum()), int(is_music.sum()), index
            )
        )
    return pieces


def measured(score: Score, nats: float, n_events: int, index: CopyIndex) -> Piece:
    """All that is measured of some music, in one pass."""
    copy = index.longest(score)
    return Piece(
        nats=nats,
        n_events=n_events,
        rates={name: rate(score) for name, rate in RATES.items()},
        counts={name: count(score) for name, count in DISTRIBUTIONS.items()},
        copied_notes=copy.n_notes if copy else 0,
    )


def drawn_heads(found: Sequence[Head], n: int, seed: int = 0) -> list[Head]:
    """`n` of the heads by chance, each once before any comes again."""
    chance = np.random.default_rng(seed)
    order: list[int] = []
    while found and len(order) < n:
        order += chance.permutation(len(found)).tolist()
    return [found[place] for place in order[:n]]
