"""Continuations of held-out openings, and their measures beside those of the works themselves.

A model is given the first two bars of a work in all voices, and where it ends; what it composes up
to that end is a sample. The rest of the work is measured alike, so that both have the same keys,
meters and lengths. The opening itself is not measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqmusic.errors import RequestError
from seqmusic.evaluation.held_out import grammar_masks_for
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.prompt_sequence import sequence_after_prompt
from seqmusic.generation.prompts import Prompt
from seqmusic.generation.request import Request
from seqmusic.metrics import voice_leading
from seqmusic.metrics.distributions import DISTRIBUTIONS
from seqmusic.metrics.likelihood import score_events
from seqmusic.metrics.originality import CopyIndex
from seqmusic.metrics.rates import Rate
from seqmusic.metrics.style import HARMONY_METRICS, endings_on_tonic, hold_rate, repeated_bars
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES
from seqmusic.score import TICKS_PER_WHOLE, Score
from seqmusic.tokens.tokenizer import encode, normalized, trace
from seqmusic.tokens.vocabulary import is_note_event

OPENING_BARS = 2
MAX_WORK_BARS = 16  # of a continued work: longer ones take long to compose and show little more
N_CANDIDATES = 4  # of each opening: fewer leave the processor idle, more resemble each other
# Of the context of the model: its continuation may need more events than the work does.
_MAX_CONTEXT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a work.

    Attributes:
        work: the whole work.
        end_ticks: where the opening ends; notes that begin before are given as a whole.
    """

    work: Score
    end_ticks: int

    @property
    def prompt(self) -> Prompt:
        """The opening, to be continued to the end of the work."""
        voices = tuple(
            replace(voice, notes=tuple(n for n in voice.notes if n.onset_ticks < self.end_ticks))
            for voice in self.work.voices
        )
        holes = tuple(((voice.end_ticks, self.work.end_ticks),) for voice in voices)
        return Prompt(replace(self.work, voices=voices), holes)

    def continuation(self, score: Score) -> Score:
        """What begins after the opening, in the work or in a continuation by a model."""
        return score.sliced(self.end_ticks, max(score.end_ticks, self.end_ticks + 1))


@dataclass(frozen=True, slots=True)
class Continuation:
    """The measures of one continuation.

    Attributes:
        nats: negative log-likelihood under the model at temperature 1, given the opening.
        n_events: its notes and rests.
        rates: how often something happens in it, by the names in RATES.
        counts: what it is made of, by the names in DISTRIBUTIONS.
        copied_notes: of the longest passage that it shares with a training work, in any key.
    """

    nats: float
    n_events: int
    rates: Mapping[str, Rate]
    counts: Mapping[str, Counter[Any]]
    copied_notes: int


RATES: Mapping[str, Callable[[Score], Rate]] = {
    "held cells": hold_rate,
    "parallel fifths and octaves": voice_leading.parallel_fifths_and_octaves,
    "voice crossings": voice_leading.crossings,
    "stepwise motion": voice_leading.steps,
    **{metric.name: metric.rate for metric in HARMONY_METRICS},
    "repeated bars": repeated_bars,
    "endings on the tonic": endings_on_tonic,
}


def find_openings(
    works: Sequence[Score],
    *,
    context_length: int = 1024,
    max_voices: int = DEFAULT_MAX_VOICES,
    max_bars: int = MAX_WORK_BARS,
) -> list[Opening]:
    """The openings of those works that have a length and voices that a model can continue.

    >>> from seqmusic.score import Note, melody
    >>> works = [melody([Note(96 * bar, 96, 60) for bar in range(n)]) for n in (2, 3, 16, 17)]
    >>> [opening.end_ticks for opening in find_openings(works)]
    [192, 192]
    >>> [opening.continuation(opening.work).end_ticks for opening in find_openings(works)]
    [96, 1344]

    Args:
        works: whole pieces; those without a meter are cut as if they were in 4/4.
        context_length: number of events that the model can see.
        max_voices: number of voices that the model knows.
        max_bars: number of bars of the longest work that is continued.
    """
    found = (_opening(normalized(work), max_bars) for work in works)
    return [
        opening
        for opening in found
        if opening is not None
        and len(opening.work.voices) <= max_voices
        and len(encode(opening.work)) <= _MAX_CONTEXT_SHARE * context_length
    ]


def _opening(work: Score, max_bars: int) -> Opening | None:
    """The opening of a work; None if the work is too short or too long, or a voice enters later."""
    bars = [bar for bar in work.bars() if bar.number]
    end_ticks = OPENING_BARS * TICKS_PER_WHOLE
    if len(bars) >= OPENING_BARS:
        end_ticks = bars[OPENING_BARS - 1].end_ticks
    n_bars = len(bars) or -(-work.end_ticks // TICKS_PER_WHOLE)
    if end_ticks >= work.end_ticks or n_bars > max_bars:
        return None
    has_begun = [any(n.onset_ticks < end_ticks for n in voice.notes) for voice in work.voices]
    return Opening(work, end_ticks) if all(has_begun) else None


def sample_continuations(
    model: Transformer, openings: Sequence[Opening], request: Request, index: CopyIndex
) -> Iterator[list[Continuation]]:
    """The measures of up to `request.n` continuations of each opening; equal ones count once.

    An opening that the model cannot continue to its end has no continuations.

    Args:
        model: a trained model.
        openings: to be continued.
        request: how candidates are drawn, and the rules that they obey.
        index: the training works.
    """
    for number, opening in enumerate(openings):
        try:
            candidates = compose_candidates(
                model, opening.prompt, replace(request, seed=request.seed + number)
            )
        except RequestError:
            candidates = []
        yield [
            measure_continuation(
                opening.continuation(candidate.score),
                -candidate.log_probability,
                candidate.n_events,
                index,
            )
            for candidate in candidates
        ]


def original_continuations(
    model: Transformer, openings: Sequence[Opening], index: CopyIndex
) -> list[Continuation]:
    """The measures of the works after their openings."""
    vocabulary = model.vocabulary
    sequences = [
        trace(
            sequence_after_prompt(vocabulary, opening.work, opening.prompt), vocabulary.max_voices
        )
        for opening in openings
    ]
    pieces = []
    for opening, sequence, scored in zip(
        openings, sequences, score_events(model, sequences, grammar_masks_for(model)), strict=True
    ):
        # The header is given.
        is_music = sequence.context[scored.rows, vocabulary.voice_column] > 0
        is_note = is_music & is_note_event(sequence.events[scored.rows + 1, 0])
        rest, nats = opening.continuation(opening.work), float(scored.nats[is_music].sum())
        pieces.append(measure_continuation(rest, nats, int(is_note.sum()), index))
    return pieces


def measure_continuation(
    score: Score, nats: float, n_events: int, index: CopyIndex
) -> Continuation:
    """All measures of some music, of which nats and events are known."""
    copy = index.longest(score)
    return Continuation(
        nats=nats,
        n_events=n_events,
        rates={name: rate(score) for name, rate in RATES.items()},
        counts={name: count(score) for name, count in DISTRIBUTIONS.items()},
        copied_notes=copy.n_notes if copy else 0,
    )


def draw_openings(openings: Sequence[Opening], n: int, seed: int = 0) -> list[Opening]:
    """`n` of the openings in random order; each comes once before any comes again."""
    rng = np.random.default_rng(seed)
    order: list[int] = []
    while openings and len(order) < n:
        order += rng.permutation(len(openings)).tolist()
    return [openings[position] for position in order[:n]]
