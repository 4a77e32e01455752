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
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.prompts import Prompt
from seqmusic.generation.request import Request
from seqmusic.metrics import voice_leading
from seqmusic.metrics.distributions import DISTRIBUTIONS
from seqmusic.metrics.likelihood import score_events
from seqmusic.metrics.originality import CopyIndex
from seqmusic.metrics.rates import Rate
from seqmusic.metrics.style import endings_on_tonic, hold_rate, repeated_bars
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES, make_grammar_masks
from seqmusic.score import TICKS_PER_WHOLE, Score, Voice
from seqmusic.tokens.tokenizer import encode, normalized, trace

OPENING_BARS = 2
MAX_WORK_BARS = 16  # of a work whose beginning is given: what is longer takes long to compose and says little more
N_CANDIDATES = 4  # of each beginning: fewer leave the machine idle, more make the samples alike
_MAX_CONTEXT_SHARE = 0.5  # of the events that a model follows: what it composes may need more of them than the work does


@dataclass(frozen=True, slots=True)
class Opening:
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

    def continuation(self, score: Score) -> Score:
        """What begins after the head, of the work or of what a model made of the head."""
        return score.sliced(self.end_ticks, max(score.end_ticks, self.end_ticks + 1))


@dataclass(frozen=True, slots=True)
class Continuation:
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


def parallel_fifths_and_octaves(score: Score) -> Rate:
    """Parallel fifths, octaves and unisons of all moves of two voices together.

    >>> from seqmusic.score import Note
    >>> line = lambda name, *pitches: Voice(name, tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches)))
    >>> parallel_fifths_and_octaves(Score((line("Soprano", 67, 69, 71), line("Bass", 48, 50, 59))))
    Rate(hits=1, opportunities=2)
    """
    fifths, octaves = voice_leading.parallel_fifths(score), voice_leading.parallel_octaves(score)
    return Rate(fifths.hits + octaves.hits, fifths.opportunities)


RATES: Mapping[str, Callable[[Score], Rate]] = {
    "held cells": hold_rate,
    "parallel fifths and octaves": parallel_fifths_and_octaves,
    "voice crossings": voice_leading.crossings,
    "repeated bars": repeated_bars,
    "endings on the tonic": endings_on_tonic,
}


def find_openings(
    works: Sequence[Score], *, context_length: int = 1024, max_voices: int = DEFAULT_MAX_VOICES
) -> list[Opening]:
    """The beginnings of those works that are neither too short nor too long for a model to go on with them.

    >>> from seqmusic.score import Note, melody
    >>> works = [melody([Note(96 * bar, 96, 60) for bar in range(n)]) for n in (2, 3, 16, 17)]
    >>> [(opening.end_ticks, opening.continuation(opening.work).end_ticks) for opening in find_openings(works)]
    [(192, 96), (192, 1344)]

    Args:
        works: whole pieces; those without a meter are cut as if it were 4/4.
        context_length: how many events the model follows.
        max_voices: how many voices it knows.
    """
    found = []
    for work in map(normalized, works):
        bars = [bar for bar in work.bars() if bar.number]
        opening_ticks = (
            bars[OPENING_BARS - 1].end_ticks
            if len(bars) >= OPENING_BARS
            else OPENING_BARS * TICKS_PER_WHOLE
        )
        n_bars = len(bars) or -(-work.end_ticks // TICKS_PER_WHOLE)
        is_sounding = all(
            any(note.onset_ticks < opening_ticks for note in voice.notes) for voice in work.voices
        )
        is_fit = (
            opening_ticks < work.end_ticks
            and n_bars <= MAX_WORK_BARS
            and is_sounding
            and len(work.voices) <= max_voices
        )
        if is_fit and len(encode(work)) <= _MAX_CONTEXT_SHARE * context_length:
            found.append(Opening(work, opening_ticks))
    return found


def sample_continuations(
    model: Transformer,
    openings: Sequence[Opening],
    request: Request,
    index: CopyIndex,
    on_progress: Callable[[int], object] = lambda n: None,
) -> list[Continuation]:
    """What was measured of `request.n` continuations of each head; equal ones count once.

    A head that the model, drawn so, does not bring to its end is left out.

    Args:
        model: a trained model.
        openings: the heads.
        request: how candidates are drawn, and what they must obey.
        index: the training works.
        on_progress: told, after each head, how many were asked for.
    """
    pieces = []
    for number, opening in enumerate(openings):
        try:
            candidates = compose_candidates(
                model, opening.prompt, replace(request, seed=request.seed + number)
            )
        except RequestError:
            candidates = []
        for own in candidates:
            pieces.append(
                measure_continuation(
                    opening.continuation(own.score), -own.log_probability, own.n_events, index
                )
            )
        on_progress(request.n)
    return pieces


def original_continuations(
    model: Transformer, openings: Sequence[Opening], index: CopyIndex
) -> list[Continuation]:
    """What was measured of the works from where their heads end."""
    words = model.vocabulary
    sequences = [
        trace(encode(opening.work, [list(line) for line in opening.prompt.holes]), words.max_voices)
        for opening in openings
    ]
    masks = make_grammar_masks(next(model.parameters()).device, words.max_voices)
    pieces = []
    for opening, sequence, scored in zip(
        openings, sequences, score_events(model, sequences, masks), strict=True
    ):
        is_music = sequence.context[scored.rows, words.voice_column] > 0  # the header is given
        pieces.append(
            measure_continuation(
                opening.continuation(opening.work),
                float(scored.nats[is_music].sum()),
                int(is_music.sum()),
                index,
            )
        )
    return pieces


def measure_continuation(
    score: Score, nats: float, n_events: int, index: CopyIndex
) -> Continuation:
    """All that is measured of some music, in one pass."""
    copy = index.longest(score)
    return Continuation(
        nats=nats,
        n_events=n_events,
        rates={name: rate(score) for name, rate in RATES.items()},
        counts={name: count(score) for name, count in DISTRIBUTIONS.items()},
        copied_notes=copy.n_notes if copy else 0,
    )


def draw_openings(found: Sequence[Opening], n: int, seed: int = 0) -> list[Opening]:
    """`n` of the heads by chance, each once before any comes again."""
    chance = np.random.default_rng(seed)
    order: list[int] = []
    while found and len(order) < n:
        order += chance.permutation(len(found)).tolist()
    return [found[place] for place in order[:n]]
